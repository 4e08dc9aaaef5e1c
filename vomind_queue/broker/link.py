"""What ties kombu's channels to the store."""

from __future__ import annotations

from dataclasses import dataclass

from vomind_queue.store.desk import WorkDesk
from vomind_queue.store.queue import CallQueue


@dataclass(frozen=True, kw_only=True)
class Link:
    """Handed to every channel as a transport option."""

    #: Where calls are published.
    queue: CallQueue
    #: Where this process takes calls.
    desk: WorkDesk
    #: How long a stopping worker waits for calls that are being placed, s.
    drain_s: float

    def __repr__(self) -> str:
        """Short, and free of secrets: operators see it in `celery inspect conf`."""
        return "<link to the call store>"

    def __json__(self) -> str:
        """What kombu sends of it when somebody asks a worker for its configuration."""
        return repr(self)
