"""Celery's thread pool, with an end that is bounded and keeps every call.

Placing a call is waiting for an answer: threads do that at any concurrency.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

from billiard.einfo import ExceptionInfo
from celery.concurrency.thread import TaskPool as StockTaskPool
from celery.exceptions import WorkerLostError
from celery.worker import state

from vomind_queue.broker.context import WorkerContext
from vomind_queue.broker.names import CONTEXT_OPTION
from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue.worker_queue import WorkerQueue

logger = logging.getLogger(__name__)

#: Between two looks at whether a drain was broken off by a cold shutdown, s.
DRAIN_CHECK_S = 0.2
#: How long after a cold shutdown threads may keep the process from ending, s.
COLD_EXIT_S = 2.0


class TaskPool(StockTaskPool):
    """Celery's own waits without bound when it stops; a hosting platform kills after 30 s."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Tasks handed over and not done, with their ids.
        self._tasks: dict[Future[Any], str] = {}
        #: Ids of those that no thread had begun when the pool stopped.
        self._unstarted: list[str] = []

    def on_apply(
        self,
        target: Any,
        args: Any = None,
        kwargs: Any = None,
        callback: Any = None,
        accept_callback: Any = None,
        error_callback: Any = None,
        **_: Any,
    ) -> Any:
        """Run a task in a thread; its id is the second of ``args``."""
        result = super().on_apply(target, args, kwargs, callback, accept_callback)
        self._tasks[result.f] = args[1] if args else ""
        result.f.add_done_callback(partial(self._on_done, error_callback))
        return result

    def on_stop(self) -> None:
        """Wait for the calls that are being placed, for a bounded time; give the rest back."""
        context: WorkerContext = self.app.conf.broker_transport_options[CONTEXT_OPTION]
        self.executor.shutdown(wait=False, cancel_futures=True)
        _give_back(context.worker_queue, self._unstarted)
        self._drain(context.drain_s)
        left = [job_id for job_id, _ in context.worker_queue.leases.held()]
        if left:
            logger.warning("%d calls are given back", len(left))
            _give_back(context.worker_queue, left)

    def on_terminate(self) -> None:
        """End without waiting; what the threads held is left to the leases' ends."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        # Python waits at its exit for the threads of an executor.
        timer = threading.Timer(COLD_EXIT_S, os._exit, (os.EX_SOFTWARE,))
        timer.daemon = True
        timer.start()

    def _drain(self, most_s: float) -> None:
        # A second Ctrl-C comes in while we wait for the first, and is not to wait for us.
        end = time.monotonic() + most_s
        while self.busy and not state.should_terminate and (left := end - time.monotonic()) > 0:
            wait(list(self._tasks), timeout=min(left, DRAIN_CHECK_S))

    @property
    def busy(self) -> bool:
        """Whether a thread still runs a task."""
        return any(not future.done() for future in list(self._tasks))

    def _on_done(self, error_callback: Any, future: Future[Any]) -> None:
        task_id = self._tasks.pop(future)
        if future.cancelled():
            self._unstarted.append(task_id)
        elif error := future.exception():
            logger.error("a task could not be ended", exc_info=error, extra={"job_id": task_id})
            _fail(error, error_callback)


def _fail(error: BaseException, error_callback: Any) -> None:
    """Let Celery acknowledge the task: its call would be held, and renewed, for ever.

    Memory that ran out, and what is no `Exception`, goes past all that Celery does with an
    outcome, and its own pool for threads leaves it at that.
    """
    if error_callback is not None:
        lost = WorkerLostError(repr(error))
        error_callback(ExceptionInfo((type(lost), lost, error.__traceback__)), return_ok=True)


def _give_back(worker_queue: WorkerQueue, job_ids: list[str]) -> None:
    for job_id in job_ids:
        lease = worker_queue.leases.token(job_id)
        if lease is None:
            continue
        try:
            worker_queue.give_back(job_id, lease)
        except StoreUnavailable as error:
            # The leases run out instead. A time-out for each of them would be no bounded end.
            logger.warning("calls not given back: %s", error)
            return
