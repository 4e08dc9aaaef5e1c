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
#: Between two deliveries, and after one that failed, s: calls change a campaign all the time, and
#: the log of calls does not wait for it.
PAUSE_S, FAILED_PAUSE_S = 1.0, 10.0


class Changes(Protocol):
    """What this needs of the campaigns in Redis."""

    def pending(self, limit: int) -> Sequence[Any]: ...
    def delivered(self, changes: Sequence[Any]) -> None: ...
    def is_compared(self, server: str) -> bool: ...
    def restore(self, rows: Sequence[CampaignRow], server: str) -> int: ...


class KeepCampaigns:
    """Delivers campaigns to the log, and restores those that a Redis has lost."""

    def __init__(
        self,
        changes: Changes,
        log: Callable[[], CampaignLog],
        server: Callable[[], str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``log``: opens the log on first use. ``server``: tells runs of the server apart."""
        self._changes = changes
        self._open = log
        self._log: CampaignLog | None = None
        self._server = server
        self._monotonic = monotonic
        self._next_s = float("-inf")
        self._failed = False

    def step(self) -> None:
        """Deliver what is pending, and compare each run of Redis with the log once. Never raise."""
        if self._monotonic() < self._next_s:
            return
        try:
            if self._deliver():
                self._compare(self._server())
            self._failed = False
        except (LogUnavailable, StoreUnavailable, ValueError, KeyError) as error:
            if not self._failed:
                logger.warning("campaigns not delivered to the call log: %s", error)
            self._failed = True
        self._next_s = self._monotonic() + (FAILED_PAUSE_S if self._failed else PAUSE_S)

    def _deliver(self) -> bool:
        """Deliver what is pending; return whether that was all."""
        for _ in range(DELIVERIES):
            if changes := self._changes.pending(AT_ONCE):
                self._opened().keep([each.row for each in changes])
                self._changes.delivered(changes)
            if len(changes) < AT_ONCE:
                return True
        return False

    def _compare(self, server: str) -> None:
        """Restore what is missing; a campaign whose deletion is not delivered would come back."""
        if self._changes.is_compared(server):
            return
        rows: list[CampaignRow] = []
        while page := self._opened().after(rows[-1].key if rows else "", PAGE):
            rows += page
        if missing := self._changes.restore(rows, server):
            logger.warning("%d campaigns restored", missing)

    def _opened(self) -> CampaignLog:
        if self._log is None:
            self._log = self._open()
        return self._log
