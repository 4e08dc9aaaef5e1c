"""Calls, jobs and what the queue says of them: plain values, no I/O.

A *call* is what an app asks for; a *job* is that call with its state and its
story so far. All times are unix milliseconds on the clock of the Redis server,
all durations are milliseconds unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vomind_queue.logbook import OutboxState
from vomind_queue.memory import Memory

#: What is spoken when an app gives no message.
DEFAULT_MESSAGE = "Hello from VoMindAI"


class Priority(StrEnum):
    """How urgent a call is; no call starts while one of a higher priority waits."""

    #: Dialed first.
    HIGH = "high"
    #: The default.
    NORMAL = "normal"
    #: Dialed when nothing else waits.
    LOW = "low"

    @property
    def rank(self) -> int:
        """1 for high, 2 for normal, 3 for low: lower is dialed first."""
        return list(Priority).index(self) + 1


class State(StrEnum):
    """Where a job is; every job is in exactly one state."""

    #: In the queue, to be dialed as soon as its turn comes.
    WAITING = "waiting"
    #: Held by a worker: about to be dialed, being dialed, or its outcome in doubt.
    ACTIVE = "active"
    #: Accepted by Twilio.
    COMPLETED = "completed"
    #: Given up, with a reason.
    FAILED = "failed"
    #: To be dialed at a later time: scheduled, or between two attempts.
    DELAYED = "delayed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One outbound call as an app asked for it, defaults filled in."""

    #: Number to ring: ``+`` and 7 to 15 ASCII digits.
    to: str
    #: Words to speak, 1 to 3,000 characters.
    message: str = DEFAULT_MESSAGE
    #: The app's own name for the person, returned as sent.
    lead_id: str | int | None = None
    #: Order of dialing.
    priority: Priority = Priority.NORMAL
    #: The app's own JSON object, returned as sent.
    metadata: Mapping[str, Any] | None = None
    #: Outcomes on the line after which the call is made again: ``busy``, ``no-answer``,
    #: ``failed``; ``None``: as the settings say.
    retry_on: Sequence[str] | None = None
    #: Whether a machine is to be told from a person, a ``progress.Detection``; ``None``: as the
    #: settings say.
    machine_detection: str | None = None
    #: Words to speak to a machine in place of the message.
    voicemail_message: str | None = None
    #: Under which the request that asked for it was known to the client that sent it: stands in
    #: the log lines of the call, and is never shown. ``None``: the client gave none.
    request_id: str | None = None

    def as_data(self) -> dict[str, Any]:
        """The call as the REST API shows it under ``data``."""
        data: dict[str, Any] = {"to": self.to, "message": self.message}
        if self.lead_id is not None:
            data["lead_id"] = self.lead_id
        data["priority"] = str(self.priority)
        data["metadata"] = dict(self.metadata or {})
        if self.retry_on is not None:
            data["retryOn"] = list(self.retry_on)
        if self.machine_detection is not None:
            data["machineDetection"] = self.machine_detection
        if self.voicemail_message is not None:
            data["voicemailMessage"] = self.voicemail_message
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Call:
        """The inverse of :meth:`as_data`."""
        return cls(
            to=data["to"],
            message=data["message"],
            lead_id=data.get("lead_id"),
            priority=Priority(data["priority"]),
            metadata=data.get("metadata") or {},
            retry_on=data.get("retryOn"),
            machine_detection=data.get("machineDetection"),
            voicemail_message=data.get("voicemailMessage"),
            request_id=data.get("requestId"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCall:
    """A call to be stored, with the time at which it is wanted.

    At most one of the two times is given; neither means at once.
    """

    call: Call
    #: Absolute time, unix ms.
    due_ms: int | None = None
    #: Time from acceptance, ms; counted on the clock of the Redis server.
    delay_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IdempotencyKey:
    """A client's promise that two requests with the same key are one request."""

    #: The key, already scoped to the API key and the endpoint it came with.
    name: str
    #: Digest of the request, to tell a replay from a misuse of the key.
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What was accepted: enough to build the first answer again for a replay."""

    #: Job ids in the order of the calls.
    job_ids: Sequence[str]
    #: When the calls were accepted, unix ms.
    accepted_ms: int
    #: Whether an earlier request with the same idempotency key stored them.
    replayed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """What Twilio says of a call that it accepted."""

    #: Twilio's call SID.
    sid: str
    #: Twilio's call status: ``queued``, ``ringing``, ``in-progress``, ``completed`` …
    status: str
    #: Seconds on the line, once it is known.
    duration_s: int | None = None
    #: ``human``, ``machine_start`` …, once it is known.
    answered_by: str | None = None
    #: How the called side's network answered, such as 486, once it is known.
    sip_code: int | None = None
    #: What it cost, as Twilio writes it (less than 0), and in which currency, once it is known.
    price: str | None = None
    price_unit: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptMade:
    """One try at ringing the phone, under way or over."""

    #: 1 for the first of the job's life.
    number: int
    #: Unix ms.
    started_ms: int | None
    #: When the call was over on the line, or the attempt was given up; unix ms.
    ended_ms: int | None
    #: ``None`` while Twilio is being asked, and where it did not take the call.
    placed: Placed | None
    #: Why it came to nothing, in words; ``None`` where it did not.
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A call with its state and its story so far."""

    #: Decimal string, never given out twice.
    id: str
    state: State
    call: Call
    #: 0 in the queue, 50 while Twilio is being asked, 100 once the call is placed.
    progress: int
    #: Attempts that have ended, over all rounds of retries.
    attempts_made: int
    #: The last failure in words that a person can act on; ``None`` after success.
    failed_reason: str | None
    #: When the call was accepted, unix ms.
    created_ms: int
    #: When it is to be dialed, unix ms; ``None`` when it was wanted at once.
    due_ms: int | None
    #: Start of the last attempt, unix ms.
    started_ms: int | None
    #: When it completed or failed, unix ms.
    finished_ms: int | None
    #: The call of the last attempt that Twilio took.
    placed: Placed | None
    #: All of them, the first one first.
    attempts: Sequence[AttemptMade] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A slice of one state's jobs, in that state's order."""

    jobs: Sequence[Job]
    #: Number of all jobs in that state.
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A pace: at most ``max_starts`` starts in any window of ``window_ms``."""

    max_starts: int
    window_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RateUse:
    """How much of the allowance is used up now."""

    rate: Rate
    #: Starts within the window that ends now.
    used: int
    #: Until the next start is allowed, ms; 0 while the allowance has room.
    reset_ms: int
    #: Whether an operator changed the rate at run time.
    overridden: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Who stopped the queue, when and why."""

    by: str
    #: Unix ms.
    at_ms: int
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """Numbers of jobs and what governs the starts, all read at one moment."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    #: Waiting calls by priority.
    by_priority: Mapping[Priority, int]
    #: ``None`` while the queue runs.
    pause: Pause | None
    #: ``None`` while no limit holds.
    rate_use: RateUse | None
    #: When the breaker lets the next probe through, unix ms; ``None`` while it is closed.
    breaker_until_ms: int | None
    #: Attempts whose outcome is in doubt; they are counted in ``active``, too.
    in_doubt: int
    #: Calls at Twilio that no attempt accounted for, and that were ended there, ever.
    stray_rings: int
    #: Workers that asked for calls within the last 30 s.
    workers: int
    #: How far the call log is behind.
    outbox: OutboxState
    #: Recurring calls that have a next run.
    recurring: int
    #: Whether a scheduler looked after them within the last 30 s.
    scheduler_leads: bool
    memory: Memory = field(default_factory=Memory)

    @property
    def total(self) -> int:
        """The sum of all five states."""
        return self.waiting + self.active + self.completed + self.failed + self.delayed


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """Jobs removed from history."""

    completed: Sequence[str]
    failed: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How much history is kept of one state; whichever bound is met first."""

    age_ms: int
    count: int


def mask_number(number: str) -> str:
    """``+1234567890`` as ``+1******7890``: what a log line may show of a number.

    The number of stars is fixed, so that the length is not told either.
    """
    shown = number[:2], number[-4:]
    return "******".join(shown) if len(number) > len("".join(shown)) else "******"
