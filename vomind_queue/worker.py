"""The worker process: a Celery worker that places calls and settles attempts in doubt.

Its Celery application serves the scheduler (``celery beat``) and operators' tools, too.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Any

from celery import Celery, signals

from vomind_queue import log, tasks
from vomind_queue.broker.app import create_celery
from vomind_queue.broker.link import Link
from vomind_queue.broker.names import PLACE_CALL
from vomind_queue.broker.pool import TaskPool
from vomind_queue.calling import Calling
from vomind_queue.errors import QueueError, StoreUnavailable
from vomind_queue.services import WorkServices, build_work, check_store
from vomind_queue.settings import Settings, load_or_exit

logger = logging.getLogger(__name__)

#: How often a worker asks for attempts in doubt, s.
SETTLE_LOOK_S = 1.0
#: Celery's loggers that say of every call what our own lines say better.
_CHATTY = ("celery.app.trace", "celery.worker.strategy")


def create_app(settings: Settings | None = None) -> Celery:
    """The Celery application, as `celery -A celery_app` finds it."""
    settings = settings or load_or_exit()
    work = build_work(settings)
    app = create_celery(settings, work.link)
    tasks.register(app, work.calling, settings)
    _connect_signals(settings, work)
    return app


def _connect_signals(settings: Settings, work: WorkServices) -> None:
    settler = Settler(work.calling)

    def set_up_logging(**_: Any) -> None:
        log.configure(settings)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

    def end(sender: Any, **_: Any) -> None:
        settler.stop()
        if getattr(getattr(sender, "pool", None), "busy", False):
            # A thread that outlived the drain must not hold up the exit.
            logging.shutdown()
            os._exit(sender.exitcode or 0)

    def revoked(sender: Any, request: Any, terminated: bool, **_: Any) -> None:
        if sender.name == PLACE_CALL and not terminated:
            _withdraw(work.link, request.id)

    signals.task_revoked.connect(revoked, weak=False)
    signals.setup_logging.connect(set_up_logging, weak=False)
    signals.celeryd_after_setup.connect(
        lambda instance, **_: _check(instance, settings), weak=False
    )
    signals.beat_init.connect(lambda **_: _check_store(settings), weak=False)
    signals.worker_ready.connect(lambda **_: settler.start(), weak=False)
    signals.worker_shutdown.connect(end, weak=False)


def _check(worker: Any, settings: Settings) -> None:
    """Ends the process where it could not work; Celery lets that through, and no other error."""
    if not issubclass(worker.pool_cls, TaskPool):
        sys.exit("The worker places calls in threads: leave --pool out.")
    if getattr(worker, "autoscale", None):
        sys.exit("The number of slots is fixed: leave --autoscale out.")
    _check_store(settings)


def _check_store(settings: Settings) -> None:
    if fault := check_store(settings):
        sys.exit(fault)


def _withdraw(link: Link, job_id: str) -> None:
    """A call that an operator revoked by Celery's means is cancelled.

    Given back alone it would come again at once, and be revoked again, for ever.
    """
    lease = link.desk.book.token(job_id)
    try:
        if lease is not None:
            link.desk.give_back(job_id, lease)
        link.queue.cancel(job_id)
        logger.warning("call cancelled: an operator revoked it", extra={"job_id": job_id})
    except (QueueError, StoreUnavailable) as error:
        logger.warning("revoked, but not cancelled: %s", error, extra={"job_id": job_id})


class Settler:
    """A thread that looks into attempts in doubt, for as long as the worker lives."""

    def __init__(self, calling: Calling) -> None:
        self._calling = calling
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts looking; does nothing when it looks already."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="settler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Looks no more. A look under way is not waited for: its lease hands it on."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(SETTLE_LOOK_S):
            try:
                while self._calling.settle_due() and not self._stopped.is_set():
                    pass
            except StoreUnavailable as error:
                logger.warning("attempts in doubt cannot be read: %s", error)
            except Exception:
                logger.exception("a look for an attempt in doubt failed")
