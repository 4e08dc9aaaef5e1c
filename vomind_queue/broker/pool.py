"""A thread pool for Celery, with an end that is bounded and keeps every call.

Placing a call is waiting for an answer: threads do that at any concurrency.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from billiard.einfo import ExceptionInfo
from celery.concurrency.base import BasePool, apply_target
from celery.exceptions import WorkerLostError

from vomind_queue.broker.link import Link
from vomind_queue.broker.names import LINK_OPTION
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)

#: How often a stopping pool looks whether its calls are done, s.
DRAIN_LOOK_S = 0.05


class TaskPool(BasePool):
    """Threads, as many as the worker has slots at most; started when they are needed.

    Celery's own thread pool makes a `Future` for each task, with a lock and a condition that
    nobody ever waits for; here a task goes to its thread as it is.
    """

    limit: int
    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        #: Handed over and not done.
        self._jobs: set[_Job] = set()
        self._threads: list[threading.Thread] = []
        #: The next task of the thread that asks, in `next`: one that came by its own hand.
        self._slot = threading.local()
        self._lock = threading.Lock()
        self._ended = False

    def on_apply(
        self,
        target: Any,
        args: Any = None,
        kwargs: Any = None,
        callback: Any = None,
        accept_callback: Any = None,
        error_callback: Any = None,
        **_: Any,
    ) -> None:
        """Runs a task in a thread; its id is the second of ``args``."""
        call = (target, args, kwargs, callback, accept_callback)
        job = _Job(args[1] if args else "", call, error_callback)
        with self._lock:
            if self._ended:
                raise RuntimeError("the worker ends, and begins nothing any more")
            self._jobs.add(job)
            if len(self._jobs) > len(self._threads) < self.limit:
                self._start_thread()
        if getattr(self._slot, "next", job) is None:
            self._slot.next = job
        else:
            self._queue.put(job)

    def on_stop(self) -> None:
        """Waits for the calls that are being placed, for a bounded time; gives the rest back."""
        link: Link = self.app.conf.broker_transport_options[LINK_OPTION]
        self._give_back(link, self._withdraw())
        give_up_at = time.monotonic() + link.drain_s
        lease_s = link.desk.protocol.lease_ms / 1000
        extend_at = 0.0
        while self._jobs and time.monotonic() < give_up_at:
            if time.monotonic() >= extend_at:
                self._try(link.desk.extend)
                extend_at = time.monotonic() + lease_s / 3
            time.sleep(DRAIN_LOOK_S)
        left = [job_id for job_id, _ in link.desk.book.held()]
        if left:
            logger.warning("%d calls are given back", len(left))
            self._give_back(link, left)
        self._try(link.desk.disown_astray)

    @property
    def busy(self) -> bool:
        """Whether a thread still runs."""
        return bool(self._jobs)

    def _give_back(self, link: Link, job_ids: list[str]) -> None:
        for job_id in job_ids:
            lease = link.desk.book.token(job_id)
            if lease is not None and not self._try(link.desk.give_back, job_id, lease):
                # A time-out for each of them would be no bounded end.
                return

    def _try(self, step: Any, *args: Any) -> bool:
        try:
            step(*args)
        except StoreUnavailable as error:
            # Not told to Redis: the lease runs out instead.
            logger.warning("while stopping: %s", error)
            return False
        return True

    def _start_thread(self) -> None:
        name = f"slot-{len(self._threads) + 1}"
        # A daemon: one that outlives the drain must not hold up the exit.
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self) -> None:
        link: Link = self.app.conf.broker_transport_options[LINK_OPTION]
        slot = self._slot
        slot.next = None
        while (job := slot.next or self._queue.get()) is not None:
            slot.next = None
            try:
                apply_target(*job.call)
            except BaseException as error:
                # Whatever a task came to, the slot takes the next one.
                logger.exception("a task could not be ended", extra={"job_id": job.task_id})
                job.fail(error)
            finally:
                self._jobs.discard(job)
            if slot.next is None:
                self._ask(link)
            if slot.next is None:
                # What it waits for now does not end by itself.
                link.turns.leave()

    def _ask(self, link: Link) -> None:
        """For the next task, which this thread may find for itself."""
        try:
            link.counter.on_idle()
        except Exception:
            logger.exception("a look at the queue failed")

    def _withdraw(self) -> list[str]:
        """Takes back what no thread has begun, and lets the threads end; answers the ids."""
        unbegun = []
        with self._lock:
            self._ended = True
        with suppress(Empty):
            while True:
                job = self._queue.get_nowait()
                if job is not None:
                    self._jobs.discard(job)
                    unbegun.append(job.task_id)
        for _ in self._threads:
            self._queue.put(None)
        return unbegun

    def _get_info(self) -> dict[str, Any]:
        return {**super()._get_info(), "threads": len(self._threads)}


class _Job:
    """One task on its way through a thread."""

    __slots__ = ("call", "failed", "task_id")

    def __init__(self, task_id: str, call: tuple[Any, ...], failed: Any) -> None:
        self.task_id = task_id
        #: What Celery's `apply_target` is given.
        self.call = call
        #: What Celery wants to be told of a task that came to no end of its own.
        self.failed = failed

    def fail(self, error: BaseException) -> None:
        """Lets Celery acknowledge the task: its call would be held, and renewed, for ever.

        Memory that ran out, and what is no `Exception`, goes past all that Celery does with
        an outcome, and its own pool for threads leaves it at that.
        """
        if self.failed is None:
            return
        lost = WorkerLostError(repr(error))
        try:
            self.failed(ExceptionInfo((type(lost), lost, error.__traceback__)), return_ok=True)
        except BaseException:
            logger.exception("a task could not be given up", extra={"job_id": self.task_id})
