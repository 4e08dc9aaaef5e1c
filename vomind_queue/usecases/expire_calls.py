"""End calls whose latest start has passed, even if their turn has not come."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

logger = logging.getLogger(__name__)

#: Calls that one script ends: fewer than would block even a slow server for 5 ms.
EXPIRED_AT_ONCE = 30


class WorkerQueue(Protocol):
    """What expiring calls needs of the queue."""

    def expire_due(self, wanted: int) -> tuple[int, Sequence[str]]: ...


class ExpireCalls:
    """Ends expired calls. May raise StoreUnavailable."""

    def __init__(self, worker_queue: WorkerQueue) -> None:
        self._worker_queue = worker_queue

    def expire_due(self) -> int:
        """End some of the expired calls; return how many were examined."""
        looked_at, ended = self._worker_queue.expire_due(EXPIRED_AT_ONCE)
        for job_id in ended:
            logger.warning("📞 ❌ call failed: expired", extra={"job_id": job_id})
        return looked_at
