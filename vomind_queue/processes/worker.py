"""The worker process: a Celery worker that places, reconciles and polls calls.

Its Celery application serves the scheduler (``celery beat``) and operators' tools, too.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import Any

from celery import Celery, signals

from vomind_queue.broker import tasks
from vomind_queue.broker.celery_app import create_celery
from vomind_queue.broker.context import WorkerContext, build_context
from vomind_queue.broker.lease_renewal import LeaseRenewal
from vomind_queue.broker.names import PLACE_CALL
from vomind_queue.broker.thread_pool import TaskPool
from vomind_queue.config.loading import load_or_exit
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import check_store
from vomind_queue.container.worker_services import Provider, WorkerServices, build_worker
from vomind_queue.errors import QueueError, StoreUnavailable
from vomind_queue.observability import logs, tracing
from vomind_queue.processes.background_jobs import BackgroundJobs
from vomind_queue.queue.due_times import (
    CANCELLED_CAMPAIGNS,
    EXPIRIES,
    HELD_CALLS,
    ORPHANS,
    RECONCILIATIONS,
    STATUS_POLLS,
    VOICEMAILS,
)

logger = logging.getLogger(__name__)

#: Celery's loggers that say of every call what our own lines say better.
_CHATTY = ("celery.app.trace", "celery.worker.strategy")


def create_app(settings: Settings | None = None, dialer: Provider | None = None) -> Celery:
    """Return the Celery application, as `celery -A celery_app` finds it.

    ``dialer`` replaces Twilio's, as a benchmark wants it.
    """
    if settings is None:
        settings = load_or_exit()
        tracing.begin("worker", os.environ)
    work = build_worker(settings, dialer)
    context = build_context(work)
    app = create_celery(settings, context)
    tasks.register(app, work.place_call, settings)
    _connect_signals(settings, work, context)
    return app


def _connect_signals(settings: Settings, work: WorkerServices, context: WorkerContext) -> None:
    jobs = _jobs(work)
    lease_renewal = LeaseRenewal(work.worker_queue)

    def start(**_: Any) -> None:
        lease_renewal.start()
        jobs.start()
        # What is there now stays: looking through it for garbage would hold calls up.
        gc.collect()
        gc.freeze()

    def set_up_logging(**_: Any) -> None:
        logs.configure(settings)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

    def end(sender: Any, **_: Any) -> None:
        jobs.stop()
        lease_renewal.stop()
        context.notifier.close()
        if getattr(getattr(sender, "pool", None), "busy", False):
            # A thread that outlived the drain must not hold up the exit.
            logging.shutdown()
            os._exit(sender.exitcode or 0)

    def revoked(sender: Any, request: Any, terminated: bool, **_: Any) -> None:
        if sender.name == PLACE_CALL and not terminated:
            _withdraw(context, request.id)

    signals.task_revoked.connect(revoked, weak=False)
    signals.setup_logging.connect(set_up_logging, weak=False)
    signals.celeryd_after_setup.connect(
        lambda instance, **_: _prepare(instance, settings, work), weak=False
    )
    signals.beat_init.connect(lambda **_: _check_store(settings), weak=False)
    signals.worker_ready.connect(start, weak=False)
    signals.worker_shutdown.connect(end, weak=False)


def _jobs(work: WorkerServices) -> BackgroundJobs:
    steps = {
        RECONCILIATIONS: work.reconciliation.reconcile_due,
        STATUS_POLLS: work.status_polling.poll_due,
        ORPHANS: work.status_polling.end_orphans,
        VOICEMAILS: work.voicemails.leave_due,
        EXPIRIES: work.expire_calls.expire_due,
        CANCELLED_CAMPAIGNS: work.sweep_campaigns,
        HELD_CALLS: work.held_calls.wake,
    }
    return BackgroundJobs(work.due_times, steps, lambda: work.worker_queue.worker_count)


def _prepare(worker: Any, settings: Settings, work: WorkerServices) -> None:
    """Check what the worker needs; no call waits for the do-not-call list then."""
    _check(worker, settings)
    work.restore_list()


def _check(worker: Any, settings: Settings) -> None:
    """End the process if it cannot work; Celery lets that through, and no other error."""
    if not issubclass(worker.pool_cls, TaskPool):
        sys.exit("The worker places calls in threads: leave --pool out.")
    if getattr(worker, "autoscale", None):
        sys.exit("The number of slots is fixed: leave --autoscale out.")
    _check_store(settings)


def _check_store(settings: Settings) -> None:
    if fault := check_store(settings):
        sys.exit(fault)


def _withdraw(context: WorkerContext, job_id: str) -> None:
    """Cancel a call that an operator revoked by Celery's means.

    Given back alone it would come again at once, and be revoked again, for ever.
    """
    lease = context.worker_queue.leases.token(job_id)
    try:
        if lease is not None:
            context.worker_queue.give_back(job_id, lease)
        context.queue.cancel(job_id)
        logger.warning("call cancelled: an operator revoked it", extra={"job_id": job_id})
    except (QueueError, StoreUnavailable) as error:
        logger.warning("revoked, but not cancelled: %s", error, extra={"job_id": job_id})
