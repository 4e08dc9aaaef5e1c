"""Attempts to place a call, and what can become of one: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vomind_queue.calls.call import Call
from vomind_queue.calls.ring_timeout import USUAL_RING_MS
from vomind_queue.errors import VomindError


class Kind(StrEnum):
    """What a failed attempt means for the call and for the queue."""

    #: This number will never be placed as asked: the call fails at once.
    PERMANENT = "permanent"
    #: Our account or configuration is at fault: the queue pauses, the call keeps its attempt.
    ACCOUNT = "account"
    #: Certainly not processed, for a passing cause: the call may be tried again.
    REFUSED = "refused"
    #: It may or may not have been processed: never redialed before it is reconciled.
    UNKNOWN = "unknown"
    #: Certainly not sent, through no fault of Twilio's: given back, nothing counted.
    UNSENT = "unsent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at ringing one phone; its token appears in the status-callback URL."""

    job_id: str
    #: Unguessable, fresh for every attempt.
    token: str
    call: Call
    #: 1 for the first attempt of the job's life.
    number: int
    #: When the dial marker was written, unix ms on the clock of Redis.
    marked_ms: int
    #: Instant on `clocks.boottime` before the marker was asked for, s; the request to the
    #: provider must leave within the dial deadline of it, or not at all.
    started_s: float | None = None
    #: The request must leave within this time of that instant as well, s; ``None``: no such limit.
    left_s: float | None = None
    #: Whether the request asked for status callbacks, so that Twilio's record of the call shows
    #: the token; ``None`` for a marker that an older version wrote.
    callbacks: bool | None = None
    #: How long the phone may ring, ms.
    ring_ms: int = USUAL_RING_MS
    #: Number that the call comes from, as the marker says: the settings may have changed since.
    #: ``None`` for a marker that an older version wrote.
    sender: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """Twilio accepted the call."""

    sid: str
    #: Twilio's status at that moment, usually ``queued``.
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The attempt did not, or perhaps did not, place the call."""

    kind: Kind
    #: In words that a person can act on.
    reason: str
    #: Twilio's error code (https://www.twilio.com/docs/api/errors), if it gave one.
    code: int | None = None
    #: How long Twilio asked us to wait, ms.
    retry_after_ms: int | None = None
    #: Whether the account's capacity was used up, which is not this call's fault.
    capacity: bool = False


Outcome = Accepted | Failure


@dataclass(frozen=True, kw_only=True, slots=True)
class Ring:
    """A call that Twilio's list shows for a number, as evidence for an unknown outcome."""

    sid: str
    status: str
    #: When Twilio created it, unix ms on Twilio's clock.
    created_ms: int
    #: Token in the status-callback URL that it was made with; empty when it was certainly made
    #: without ours, by another program; ``None`` where that is unknown.
    token: str | None
    #: The number that it comes from, as Twilio lists it.
    sender: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What Twilio's list said about one number."""

    rings: Sequence[Ring]
    #: Twilio's clock minus ours at that moment, ms.
    clock_ahead_ms: int


class DialerUnavailable(VomindError):
    """The dialer could not answer a question; ask again later."""


class Dialer(Protocol):
    """What the queue needs of a telephone provider."""

    def place(self, attempt: Attempt) -> Outcome:
        """Ask for the call. Never raises; bounded by the dial deadline in total."""
        ...

    def find(self, attempt: Attempt, age_ms: int) -> Search:
        """Return rings to the attempt's number within its age, ours or not.

        Raise DialerUnavailable when the list cannot be had.
        """
        ...

    def cancel(self, sid: str) -> None:
        """End a call that should not be. Raise DialerUnavailable."""
        ...
