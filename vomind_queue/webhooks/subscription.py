"""A subscription to events: where they are sent, which of them, and how it has gone so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vomind_queue.webhooks import event_types
from vomind_queue.webhooks.event import Event

#: Subscriptions at most.
MOST_SUBSCRIPTIONS = 1_000
#: How long a secret stays valid after it was replaced, ms.
ROTATION_MS = 24 * 3_600_000
#: Attempts that are shown.
DELIVERIES_SHOWN = 100


class Ended(StrEnum):
    """Why a subscription gets no more events."""

    #: Somebody switched it off.
    OFF = "off"
    #: The receiver answered 410.
    GONE = "gone"
    #: Nothing arrived for days.
    FAILING = "failing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """What an app asked for."""

    id: str
    url: str
    #: Types of events, such as ``call.ended`` or ``call.*``; empty: all.
    types: Sequence[str] = ()
    #: Id of the one campaign whose events are wanted, and those of its calls; ``None``: all.
    campaign: str | None = None
    #: Whether events of calls have what is said.
    with_words: bool = False
    description: str | None = None
    #: Whether it is switched on.
    enabled: bool = True
    #: Name of the API key that made it.
    by: str
    created_ms: int
    secret: str = field(repr=False)
    #: The one before, and until when it is used as well, unix ms.
    old_secret: str | None = field(default=None, repr=False)
    old_until_ms: int = 0

    def secrets(self, now_ms: int) -> Sequence[str]:
        """Return those with which deliveries are signed now."""
        old = self.old_secret
        return [self.secret, old] if old and now_ms < self.old_until_ms else [self.secret]

    def wants(self, event: Event) -> bool:
        """Return whether an event is to be delivered."""
        if event.type == event_types.TEST:
            return f'"{self.id}"' in event.data
        if self.campaign is not None and self.campaign != event.campaign:
            return False
        return event_types.is_wanted(event.type, self.types)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a subscription is."""

    #: Sequence number up to which each event was delivered, or waits to be sent again.
    cursor: int
    ended: Ended | None = None
    ended_ms: int | None = None
    #: Since when nothing has arrived, unix ms.
    failing_since_ms: int | None = None
    #: Failures in a row.
    streak: int = 0
    #: Nothing is sent before, unix ms.
    next_ms: int = 0
    #: Events that arrived.
    delivered: int = 0
    #: Events that failed for so long that they were given up.
    abandoned: int = 0
    #: Events that were not kept for long enough to be delivered.
    missed: int = 0
    last_success_ms: int | None = None
    last_error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """An event that is sent again, or waits for one of its call that is."""

    sequence: int
    lane: str
    failures: int = 0
    #: When it failed for the first time, unix ms; 0: it was not sent.
    since_ms: int = 0
    #: Not sent before, unix ms.
    due_ms: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One attempt to deliver an event."""

    at_ms: int
    sequence: int
    type: str
    job_id: str
    #: 1 for the first.
    attempt: int
    #: Of the receiver's answer; ``None`` where there was none.
    status: int | None
    duration_ms: int
    #: What went wrong; ``None`` if it arrived.
    error: str | None

    def as_data(self) -> Mapping[str, Any]:
        """Return it as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A subscription with all that is known of it."""

    subscription: Subscription
    progress: Progress
    #: Events that wait to be sent again.
    retrying: int
    #: Sequence number of the last event.
    last: int
