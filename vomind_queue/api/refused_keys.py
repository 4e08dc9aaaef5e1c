"""Refuse requests with a wrong key, and slow them down."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import Counter

from vomind_queue.api.errors import Refused
from vomind_queue.config.wrong_keys import WrongKeys


class RefusedKeys:
    """The answers to wrong keys."""

    def __init__(self, counter: Counter, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._counter = counter
        self._wrong = WrongKeys(monotonic)

    def refuse(self, address: str, shown: str) -> Refused:
        """Record a wrong key and return the answer to it; an empty one is not counted."""
        if not shown:
            return _wanted()
        self._counter.inc()
        wait_s = self._wrong.note(address, shown)
        if wait_s is None:
            return _wanted()
        return Refused(
            HTTPStatus.TOO_MANY_REQUESTS,
            "Too many wrong API keys from this address; try again later with a valid one.",
            headers={"Retry-After": str(wait_s)},
        )


def _wanted() -> Refused:
    return Refused(
        HTTPStatus.UNAUTHORIZED,
        "API key required; send Authorization: Bearer <key>, or X-API-Key: <key>.",
        headers={"WWW-Authenticate": "Bearer"},
    )
