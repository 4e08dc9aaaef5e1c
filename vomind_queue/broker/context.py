"""What ties kombu's channels to the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from vomind_queue.broker.fetcher import LISTEN_TIMEOUT_S, Notifier
from vomind_queue.container.worker_services import WorkerServices
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.recurring.ticks import Due, DueEntries


class RecurringScheduler(Protocol):
    """What a scheduler process needs. Everything may raise StoreUnavailable."""

    def due_entries(self) -> DueEntries:
        """Return what is due."""
        ...

    def decide(self, due: Due) -> None:
        """Decide on one of them."""
        ...

    def fire(self) -> float:
        """Carry out what was decided; return when to look again, s."""
        ...


@dataclass(frozen=True, kw_only=True)
class WorkerContext:
    """Handed to every channel as a transport option."""

    #: Where calls are published.
    queue: CallQueue
    #: Where this process takes calls.
    worker_queue: WorkerQueue
    #: Lets recurring calls fire.
    recurring_scheduler: RecurringScheduler
    #: How long a stopping worker waits for calls that are being placed, s.
    drain_s: float
    #: Over which this process waits to be notified while it sleeps (see `fetcher.py`).
    listener_store: RedisStore
    #: Wakes its event loop.
    notifier: Notifier = field(default_factory=Notifier)

    def __repr__(self) -> str:
        """Short, and free of secrets: operators see it in `celery inspect conf`."""
        return "<worker context>"

    def __json__(self) -> str:
        """Return what kombu sends of it when somebody asks a worker for its configuration."""
        return repr(self)


def build_context(work: WorkerServices) -> WorkerContext:
    """Return what the worker's, or the scheduler's, channels are handed; it does not connect."""
    return WorkerContext(
        queue=work.queue,
        worker_queue=work.worker_queue,
        recurring_scheduler=work.recurring_scheduler,
        drain_s=work.settings.drain_ms / 1000,
        listener_store=RedisStore(connect(work.settings.redis_url, timeout_s=LISTEN_TIMEOUT_S)),
    )
