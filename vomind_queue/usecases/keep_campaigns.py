"""Keep campaigns beside the call log as they were last known, and restore them from it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
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


class Changes(Protocol):
    """What this needs of the campaigns in Redis."""

    def pending(self, limit: int) -> Pending: ...
    def delivered(self, changes: Sequence[Any]) -> None: ...
    def restore(self, rows: Sequence[CampaignRow], server: str) -> int: ...


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
        self._log: CampaignLog | None = None
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
        delivered = False
        for _ in range(DELIVERIES):
            found = self._changes.pending(AT_ONCE)
            if found.changes:
                self._opened().keep([each.row for each in found.changes])
                self._changes.delivered(found.changes)
                delivered = True
            if len(found.changes) < AT_ONCE:
                # Before that, one whose deletion is not delivered would come back.
                if not found.is_compared:
                    self._restore(found.server)
                return delivered or not found.is_compared
        return True

    def _restore(self, server: str) -> None:
        rows: list[CampaignRow] = []
        while page := self._opened().after(rows[-1].key if rows else "", PAGE):
            rows += page
        if missing := self._changes.restore(rows, server):
            logger.warning("%d campaigns restored", missing)

    def _opened(self) -> CampaignLog:
        if self._log is None:
            self._log = self._open()
        return self._log
