"""What is decided about attempts, and how the queue receives it: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vomind_queue.calls.attempts import Accepted, Attempt, Kind


class AttemptResult(StrEnum):
    """What an attempt's outcome does to its call."""

    #: Twilio took it: the call is placed.
    COMPLETED = "completed"
    #: The call is given up.
    FAILED = "failed"
    #: Counted; the call is tried again later.
    AGAIN = "again"
    #: Not counted; the call waits in its old place.
    POSTPONED = "postponed"
    #: Not counted; the call waits in its old place and the queue pauses.
    ACCOUNT = "account"
    #: Unknown: to be reconciled before anything else happens to the call.
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is to be written about an attempt."""

    result: AttemptResult
    #: In words that a person can act on; empty after success.
    reason: str = ""
    #: Twilio's answer, when it took the call.
    accepted: Accepted | None = None
    #: Which kind of failure it was; ``None`` after success, and where evidence was looked for.
    kind: Kind | None = None
    #: Twilio certainly did not process it: counts towards the circuit breaker.
    refused: bool = False
    #: Earliest next attempt or next check, ms from now.
    wait_ms: int = 0
    #: How long Twilio asked to wait (`Retry-After`), ms; 0 if it did not.
    asked_ms: int = 0
    #: How long Twilio asked to be left alone, ms: no sooner is an open circuit probed.
    quiet_ms: int = 0
    #: The account's capacity was used up: the queue makes each wait of the call longer than the one
    #: before, and `wait_ms` is the least that it may be.
    capacity: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A call that a worker may start."""

    job_id: str
    #: Lease token.
    lease: str
    #: 1 high, 2 normal, 3 low.
    rank: int
    #: Attempts that ended since the last manual retry.
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchResult:
    """What one check of the queue returned."""

    calls: Sequence[Claim]
    #: When to check again, ms from now; ``None`` when nothing will change by itself.
    next_ms: int | None
    #: Calls wait that only other workers ask for, and one of those was notified.
    passed_on: bool


class NotStarted(StrEnum):
    """Why a call that was claimed must not start now."""

    #: The lease ran out, or the call is somebody else's.
    LOST = "lost"
    #: The queue is paused.
    PAUSED = "paused"
    #: A call of higher priority waits.
    PREEMPTED = "preempted"
    #: The allowance is used up.
    LIMITED = "limited"
    #: The circuit is open.
    CIRCUIT_OPEN = "circuit_open"
    #: Another call to the same number is under way, or its outcome unknown.
    BUSY = "busy"
    #: The number is on the do-not-call list: the call has failed.
    DO_NOT_CALL = "do_not_call"
    #: The do-not-call list is not whole, or cannot be read: the call is delayed.
    NO_LIST = "no_list"
    #: Its latest start has passed: it has failed.
    EXPIRED = "expired"
    #: A rule keeps it from ringing now.
    HELD = "held"
    #: Its campaign does not run.
    CAMPAIGN = "campaign"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenHours:
    """When a call may start; the script that writes the dial marker judges by it."""

    #: ``(start, end)``, the end excluded, unix ms, the soonest first.
    intervals: Sequence[tuple[int, int]]
    #: The kind of rule that holds the call outside them.
    why: str
    #: When it is judged again if none are left, ms from then.
    recheck_ms: int
    #: Which closed days it takes into account: a version of theirs.
    version: str = ""
    #: How often the person may be called: ``(events, within ms, kind of event)``.
    caps: Sequence[tuple[int, int, str]] = ()
    #: What names the rules in the call log.
    rules: str = ""
    #: Where some do not hold.
    lifted: Lifted | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifted:
    """That rules do not hold for a call."""

    #: What would hold.
    plain: OpenHours
    #: Name of the API key that said so, and why.
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DialStarted:
    """A dial marker that is set, and what must be known to decide on its outcome."""

    attempt: Attempt
    #: Attempts that ended since the last manual retry, this one not counted.
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownOutcome:
    """An attempt with an unknown outcome that is due for a check."""

    started: DialStarted
    #: How often it was checked.
    checks: int
    #: Since the dial marker, ms on the clock of Redis.
    age_ms: int


class FinishStatus(StrEnum):
    """How a decision was received."""

    #: Written.
    OK = "ok"
    #: An outcome was written before: a repetition.
    AGAIN = "again"
    #: The call has a newer attempt, or none.
    SUPERSEDED = "superseded"
    #: The call is gone.
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishResult:
    """What the queue made of a decision."""

    status: FinishStatus
    #: Whether no calls start because Twilio refuses call after call.
    circuit_open: bool = False
    #: Whether the refusal did not count, because the circuit was open already.
    uncounted: bool = False
