"""Renews the leases of the calls that this process holds, whatever its event loop does."""

from __future__ import annotations

import logging
import threading

from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue.worker_queue import WorkerQueue

logger = logging.getLogger(__name__)

#: Renewals in the length of a lease. The last falls on its end and comes too late: two of the
#: three before may fail without the loss of a call.
RENEWALS = 4
#: Time between two tries while Redis is unreachable, s.
RETRY_S = 0.5


class LeaseRenewal:
    """A separate thread, which continues while a stopping worker waits for its calls."""

    def __init__(self, worker_queue: WorkerQueue) -> None:
        self._worker_queue = worker_queue
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        """Start; does nothing when it runs already."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Renew nothing more."""
        self._stopped.set()

    def _run(self) -> None:
        pause_s = self._worker_queue.protocol.lease_ms / 1000 / RENEWALS
        failing = False
        while not self._stopped.wait(min(RETRY_S, pause_s) if failing else pause_s):
            failing = not self._renew(reported=failing)

    def _renew(self, *, reported: bool) -> bool:
        """Return whether it worked. ``reported``: the log has this outage already."""
        try:
            self._worker_queue.renew_leases()
        except StoreUnavailable as error:
            if not reported:
                logger.warning("leases not renewed: %s", error)
            return False
        except Exception:
            if not reported:
                logger.exception("leases not renewed")
            return False
        return True
