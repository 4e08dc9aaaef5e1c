"""What ties kombu's channels to the store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from vomind_queue.store.desk import Taken, WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.ticks import Due, Look
from vomind_queue.turns import Turns


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


class Giver(Protocol):
    """The channel that a taken call came by."""

    def acknowledge(self, job_id: str, lease: str, *, begun: bool) -> None:
        """Celery is done with the call; ``begun``: in a thread, which looks for the next one."""
        ...

    def make_message(self, raw: dict[str, Any]) -> Any:
        """kombu's message of what it would have read."""
        ...


class Counter:
    """Where calls pass between the parts of one worker; each hook is set by whoever serves it."""

    def __init__(self) -> None:
        #: Makes a taken call a task of Celery's; the strategy's.
        self.hand_over: Callable[[Taken, Giver], None]
        #: Called in the thread of a slot that has nothing to do; the intake's.
        self.on_idle: Callable[[], None] = lambda: None


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
    counter: Counter = field(default_factory=Counter)
    #: In which the slots' threads go on that a call was answered to.
    turns: Turns = field(default_factory=Turns)
    #: What a slot's thread was given with the end of its call, in `found`. Here, so that it stays
    #: where it is while a lost connection is replaced.
    slot: threading.local = field(default_factory=threading.local)

    def __repr__(self) -> str:
        """Short, and free of secrets: operators see it in `celery inspect conf`."""
        return "<link to the call store>"

    def __json__(self) -> str:
        """What kombu sends of it when somebody asks a worker for its configuration."""
        return repr(self)
