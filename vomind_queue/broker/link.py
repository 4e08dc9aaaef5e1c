"""What ties kombu's channels to the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vomind_queue.store.desk import WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.ticks import Beat


class Timekeeper(Protocol):
    """What a scheduler process needs."""

    def beat(self) -> Beat:
        """Fires what is due. Raises StoreUnavailable."""
        ...

    def step_down(self) -> None:
        """Lets another scheduler lead. Raises StoreUnavailable."""
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

    def __repr__(self) -> str:
        """Short, and free of secrets: operators see it in `celery inspect conf`."""
        return "<link to the call store>"

    def __json__(self) -> str:
        """What kombu sends of it when somebody asks a worker for its configuration."""
        return repr(self)
