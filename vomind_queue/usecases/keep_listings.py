"""Keep a copy of the do-not-call list and of closed days beside the call log.

No call starts while the list is incomplete. The first worker or shipper that notices restores both,
the days first.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from vomind_queue.calls.do_not_call import Change, ListingsState, Wish
from vomind_queue.errors import LogUnavailable, StoreUnavailable
from vomind_queue.rules.law import ClosedDay

logger = logging.getLogger(__name__)

#: Changes read from the log at once.
PAGE = 1_000


class Changes(Protocol):
    """What this needs of the list in Redis."""

    def pending(self) -> Sequence[Change]: ...
    def delivered(self, changes: Sequence[Change]) -> None: ...
    def is_whole(self) -> bool: ...
    def state(self) -> ListingsState: ...
    def restore(self, listed: Mapping[str, tuple[int, Wish]]) -> int: ...


class Days(Protocol):
    """What this needs of the closed days in Redis."""

    def read(self) -> tuple[str, Sequence[ClosedDay]]: ...
    def restore(self, days: Sequence[ClosedDay]) -> int: ...


class Listings(Protocol):
    """What this needs of the call log."""

    def note(self, changes: Sequence[Change]) -> None: ...
    def after(self, name: str, limit: int) -> Sequence[Change]: ...
    def keep_days(self, days: Sequence[ClosedDay]) -> None: ...
    def days(self) -> Sequence[ClosedDay]: ...


class KeepListings:
    """Delivers changes and days to the log, and restores both from it."""

    def __init__(self, changes: Changes, days: Days, listings: Callable[[], Listings]) -> None:
        """``listings``: opens the log on first use; many processes never need it."""
        self._changes = changes
        self._days = days
        self._open = listings
        self._restoring = threading.Lock()
        self._failed = False
        #: The run of the server that was compared with the log, and the days that the log has.
        self._compared = self._kept = ""

    def ensure_whole(self) -> None:
        """Restore the list if it is incomplete; log why if that fails. Never raise."""
        if not self._restoring.acquire(blocking=False):
            return
        try:
            if not self._changes.is_whole():
                self._restore()
        except (LogUnavailable, StoreUnavailable, ValueError) as error:
            logger.error("calls wait, the do-not-call list cannot be restored: %s", error)
        finally:
            self._restoring.release()

    def step(self) -> None:
        """Deliver what is pending, and compare each run of Redis with the log once. Never raise."""
        try:
            state = self._changes.state()
            if state.pending:
                self._deliver()
            if self._compared != state.server or not state.is_whole:
                # A Redis that came back from an older state lacks what was listed since.
                self._restore()
                self._compared = state.server
            if state.days != self._kept:
                self._deliver_days(state.server)
            self._failed = False
        except (LogUnavailable, StoreUnavailable, ValueError) as error:
            if not self._failed:
                logger.warning("do-not-call list not delivered to the call log: %s", error)
            self._failed = True

    def _deliver(self) -> None:
        while changes := self._changes.pending():
            self._log.note(changes)
            self._changes.delivered(changes)

    def _deliver_days(self, server: str) -> None:
        version, days = self._days.read()
        now = self._changes.state()
        # Days of a Redis that came back from an older state would replace newer ones.
        if now.is_whole and now.server == server:
            self._log.keep_days(days)
            self._kept = version

    def _restore(self) -> None:
        if missing := self._days.restore(self._log.days()):
            logger.warning("%d closed days restored", missing)
        listed: dict[str, tuple[int, Wish]] = {}
        last = ""
        while page := self._log.after(last, PAGE):
            last = page[-1].id
            for change in page:
                if change.action == "removed":
                    listed.pop(change.number, None)
                elif change.wish is not None:
                    listed.setdefault(change.number, (change.at_ms, change.wish))
        if missing := self._changes.restore(listed):
            logger.warning("%d numbers of the do-not-call list restored", missing)

    @cached_property
    def _log(self) -> Listings:
        return self._open()
