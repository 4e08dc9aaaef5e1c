"""What ties kombu's channels to the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from vomind_queue.broker.intake import Notifier
from vomind_queue.store.connection import Gate
from vomind_queue.store.desk import WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.ticks import Due, Look


class Timekeeper(Protocol):
    """What a scheduler process needs. Everything may raise StoreUnavailable."""

    def look(self) -> Look:
        """What is due."""
        ...

    def decide(self, due: Due) -> None:
        """Decides on one of them."""
        ...

    def fire(self) -> float:
        """Carries out what was decided; answers when to look again, s."""
        ...


@dataclass(frozen=True, kw_only=True)
class Link:
    """Handed to every channel as a transport option."""

    #: Where calls are published.
    queue: CallQueue
    #: Where this process takes calls.
    desk: WorkDesk
    #: Lets recurring calls fire.
    timekeeper: Timekeeper
    #: How long a stopping worker waits for calls that are being placed, s.
    drain_s: float
    #: Over which this process waits for a word while it sleeps (see `intake.py`).
    waker: Gate
    #: Wakes its event loop.
    notifier: Notifier = field(default_factory=Notifier)

    def __repr__(self) -> str:
        """Short, and free of secrets: operators see it in `celery inspect conf`."""
        return "<link to the call store>"

    def __json__(self) -> str:
        """What kombu sends of it when somebody asks a worker for its configuration."""
        return repr(self)
