"""Log, count and slow down requests with a wrong key, by address."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

#: Wrong keys that one address may send to one process in a minute before it has to wait.
ALLOWED_A_MINUTE = 200
MINUTE_S = 60.0
#: Addresses that are remembered; beyond that all are forgotten, so that memory stays bounded.
MOST_ADDRESSES = 10_000
#: Characters of a wrong key that a log line shows: enough to tell which client has it.
SHOWN = 3


class WrongKeys:
    """The wrong keys of the last minute in this process.

    Only wrong keys are slowed down. Behind a proxy all clients share an address, and one of them
    must not lock the others out.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        #: Of each address: when its minute began, s, and its wrong keys since.
        self._minutes: dict[str, tuple[float, int]] = {}

    def note(self, address: str, shown: str) -> int | None:
        """Record a wrong key; return how long its address has to wait, s; ``None``: not at all."""
        began, count = self._note(address)
        if count in (1, ALLOWED_A_MINUTE + 1):
            logger.warning(
                "wrong API key received" if count == 1 else "wrong API keys slowed down",
                extra={"address": address, "key": _masked(shown), "count": count},
            )
        if count <= ALLOWED_A_MINUTE:
            return None
        return max(1, round(began + MINUTE_S - self._monotonic()))

    def _note(self, address: str) -> tuple[float, int]:
        now = self._monotonic()
        with self._lock:
            began, count = self._minutes.get(address, (now, 0))
            if now - began >= MINUTE_S:
                began, count = now, 0
            if len(self._minutes) >= MOST_ADDRESSES and address not in self._minutes:
                self._minutes.clear()
            self._minutes[address] = (began, count + 1)
            return began, count + 1


def _masked(shown: str) -> str | None:
    """Return the first letters of a key and its length; no more, since it may be almost right."""
    return f"{shown[:SHOWN]}… ({len(shown)} characters)" if len(shown) > 2 * SHOWN else None
