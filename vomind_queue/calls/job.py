"""A job: a call with its state and its history. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vomind_queue.calls.call import Call, State


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
class Recording:
    """A recording of a call, which Twilio keeps."""

    #: Twilio's SID of it.
    sid: str
    #: Where Twilio keeps it.
    url: str


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
    #: The number that it comes from; ``None`` for one that an older version placed.
    from_number: str | None = None
    #: ``None`` until Twilio has it ready, and where nothing is recorded.
    recording: Recording | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptMade:
    """One try at ringing the phone, under way or over."""

    #: 1 for the first of the job's life.
    number: int
    #: Unix ms.
    started_ms: int | None
    #: When the call ended on the line, or the attempt was given up; unix ms.
    ended_ms: int | None
    #: ``None`` while Twilio is being asked, and if it did not accept the call.
    placed: Placed | None
    #: Why it failed; ``None`` if it did not.
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """That a rule keeps a call from ringing."""

    #: The kind of rule: ``hours``, ``closed-day``, ``campaign-hours``, and others of `Why`.
    by: str
    #: When the call may ring, unix ms; ``None``: not known.
    until_ms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A call with its state and its history."""

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
    #: No attempt starts after this, unix ms; ``None`` where there is no such limit.
    not_after_ms: int | None = None
    #: When it completed or failed, unix ms.
    finished_ms: int | None
    #: Delayed: when it is dialed next, unix ms; ``None`` in every other state.
    next_attempt_ms: int | None = None
    #: Delayed by a rule; ``None`` for others.
    held: Held | None = None
    #: Unknown outcome: by when it is reconciled, if Twilio's list can be read; ``None`` for others.
    reconciled_by_ms: int | None = None
    #: The call of the last attempt that Twilio took.
    placed: Placed | None = None
    #: Id of the campaign that it belongs to; ``None`` for one of none.
    campaign_id: str | None = None
    #: All of them, the first one first.
    attempts: Sequence[AttemptMade] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A slice of one state's jobs, in that state's order."""

    jobs: Sequence[Job]
    #: Number of all jobs in that state.
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """Jobs removed from history."""

    completed: Sequence[str]
    failed: Sequence[str]
