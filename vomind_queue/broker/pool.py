"""Celery's thread pool, with an end that is bounded and keeps every call.

Placing a call is waiting for an answer: threads do that at any concurrency.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from typing import Any

from celery.concurrency.thread import ApplyResult
from celery.concurrency.thread import TaskPool as StockPool

from vomind_queue.broker.link import Link
from vomind_queue.broker.names import LINK_OPTION
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)

#: How often a stopping pool looks whether its calls are done, s.
DRAIN_LOOK_S = 0.05


class TaskPool(StockPool):
    """Threads, as many as the worker has slots."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._running: dict[Future[Any], str] = {}

    def on_apply(
        self,
        target: Any,
        args: Any = None,
        kwargs: Any = None,
        callback: Any = None,
        accept_callback: Any = None,
        **options: Any,
    ) -> ApplyResult:
        """Runs a task in a thread; its id is the second of ``args``."""
        result = super().on_apply(target, args, kwargs, callback, accept_callback, **options)
        self._running[result.f] = args[1] if args else ""
        result.f.add_done_callback(self._done)
        return result

    def on_stop(self) -> None:
        """Waits for the calls that are being placed, for a bounded time; gives the rest back."""
        link: Link = self.app.conf.broker_transport_options[LINK_OPTION]
        unstarted = [task_id for future, task_id in list(self._running.items()) if future.cancel()]
        self.executor.shutdown(wait=False, cancel_futures=True)
        self._give_back(link, unstarted)
        give_up_at = time.monotonic() + link.drain_s
        lease_s = link.desk.protocol.lease_ms / 1000
        extend_at = 0.0
        while self._running and time.monotonic() < give_up_at:
            if time.monotonic() >= extend_at:
                self._try(link.desk.extend)
                extend_at = time.monotonic() + lease_s / 3
            time.sleep(DRAIN_LOOK_S)
        left = [job_id for job_id, _ in link.desk.book.held()]
        if left:
            logger.warning("%d calls are given back", len(left))
            self._give_back(link, left)

    @property
    def busy(self) -> bool:
        """Whether a thread still runs."""
        return bool(self._running)

    def _give_back(self, link: Link, job_ids: list[str]) -> None:
        for job_id in job_ids:
            lease = link.desk.book.token(job_id)
            if lease is not None:
                self._try(link.desk.give_back, job_id, lease)

    def _try(self, step: Any, *args: Any) -> None:
        try:
            step(*args)
        except StoreUnavailable as error:
            # Not told to Redis: the lease runs out instead.
            logger.warning("while stopping: %s", error)

    def _done(self, future: Future[Any]) -> None:
        self._running.pop(future, None)
