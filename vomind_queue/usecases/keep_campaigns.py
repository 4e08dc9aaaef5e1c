"""Keep campaigns beside the call log as they were last known, and restore them from it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import cached_property
from typing import Any, Protocol

from vomind_queue.call_log.campaigns import CampaignLog, CampaignRow
from vomind_queue.errors import LogUnavailable, StoreUnavailable

logger = logging.getLogger(__name__)

#: Campaigns read from the log at once.
PAGE = 500
#: Campaigns delivered at once, and how often in one step.
AT_ONCE, DELIVERIES = 200, 20
#: Between two deliveries, s: calls change a campaign all the time.
PAUSE_S = 1.0
#: After one that failed, for which the log of calls does not wait, and where nothing changed, s.
LONG_PAUSE_S = 10.0


class Pending(Protocol):
    """What the log may lack."""

    @property
    def server(self) -> str: ...
    @property
    def is_compared(self) -> bool: ...
    @property
    def changes(self) -> Sequence[Any]: ...


class Restored(Protocol):
    """What came of the comparison with the log."""

    @property
    def missing(self) -> int: ...
    @property
    def stopped(self) -> int: ...


class Delivered(Enum):
    """How much of what was pending was delivered."""

    NOTHING = auto()
    PART = auto()
    ALL = auto()


class Changes(Protocol):
    """What this needs of the campaigns in Redis."""

    def pending(self, limit: int) -> Pending: ...
    def delivered(self, changes: Sequence[Any]) -> None: ...
    def restore(self, rows: Sequence[CampaignRow]) -> Restored: ...
    def note_compared(self, server: str) -> None: ...


class KeepCampaigns:
    """Delivers campaigns to the log, and restores those that a Redis has lost."""

    def __init__(
        self,
        changes: Changes,
        log: Callable[[], CampaignLog],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``log``: opens the log on first use."""
        self._changes = changes
        self._open = log
        self._monotonic = monotonic
        self._next_s = float("-inf")
        self._failed = False

    def step(self) -> None:
        """Deliver what is pending, and compare each run of Redis with the log once. Never raise."""
        if self._monotonic() < self._next_s:
            return
        pause_s = LONG_PAUSE_S
        try:
            if self._deliver():
                pause_s = PAUSE_S
            self._failed = False
        except (LogUnavailable, StoreUnavailable, ValueError, KeyError) as error:
            if not self._failed:
                logger.warning("campaigns not delivered to the call log: %s", error)
            self._failed = True
        self._next_s = self._monotonic() + pause_s

    def _deliver(self) -> bool:
        """Return whether anything was delivered or restored."""
        state = self._changes.pending(0)
        if state.is_compared:
            return self._deliver_all() is not Delivered.NOTHING
        # Before a delivery, which would put older states in the place of newer ones.
        self._restore()
        if self._deliver_all() is not Delivered.PART:
            self._changes.note_compared(state.server)
        return True

    def _deliver_all(self) -> Delivered:
        delivered = Delivered.NOTHING
        for _ in range(DELIVERIES):
            found = self._changes.pending(AT_ONCE)
            if found.changes:
                self._log.keep([each.row for each in found.changes])
                self._changes.delivered(found.changes)
                delivered = Delivered.ALL
            if len(found.changes) < AT_ONCE:
                return delivered
        return Delivered.PART

    def _restore(self) -> None:
        rows: list[CampaignRow] = []
        while page := self._log.after(rows[-1].key if rows else "", PAGE):
            rows += page
        found = self._changes.restore(rows)
        if found.missing:
            logger.warning("%d campaigns restored", found.missing)
        if found.stopped:
            logger.warning("%d campaigns stopped as in the call log", found.stopped)

    @cached_property
    def _log(self) -> CampaignLog:
        return self._open()
