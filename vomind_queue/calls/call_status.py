"""What becomes of a placed call on the line, as Twilio reports it: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vomind_queue.calls.job import Recording
from vomind_queue.calls.ring_timeout import USUAL_RING_MS

#: Rank of a status after which nothing comes; named in the scripts, too.
FINAL = 9
#: Without callbacks, how long after a call was placed Twilio is first asked for it, ms: a call
#: that nobody answers is over by then, with the 5 s that Twilio adds. A call that may ring for
#: longer than usual is asked for so much later (`ring_timeout.py`).
FIRST_POLL_MS = USUAL_RING_MS + 15_000


class LineStatus(StrEnum):
    """Twilio's words for where a call is (https://www.twilio.com/docs/voice/api/call-resource)."""

    #: Accepted, not yet dialed.
    QUEUED = "queued"
    #: Being dialed.
    INITIATED = "initiated"
    #: The phone rings.
    RINGING = "ringing"
    #: Somebody or something answered.
    IN_PROGRESS = "in-progress"
    #: Answered, and over.
    COMPLETED = "completed"
    #: The line was busy.
    BUSY = "busy"
    #: Nobody answered within the ring time-out.
    NO_ANSWER = "no-answer"
    #: It could not be connected.
    FAILED = "failed"
    #: Ended before it was answered, by request.
    CANCELED = "canceled"
    #: Not one of Twilio's: Twilio does not know the call. What it says later still counts.
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """Place in the order of a call's life; ``FINAL`` for all by which it ends."""
        return _RANKS.get(self, FINAL)

    @property
    def final(self) -> bool:
        """Whether nothing comes after it."""
        return self.rank == FINAL


def status_of(word: str | None) -> LineStatus | None:
    """Return the status that Twilio's word means; ``None`` for an unknown word."""
    return LineStatus(word) if word in _WORDS else None


_WORDS = frozenset(LineStatus) - {LineStatus.UNKNOWN}
_RANKS = {
    LineStatus.QUEUED: 0,
    LineStatus.INITIATED: 1,
    LineStatus.RINGING: 2,
    LineStatus.IN_PROGRESS: 3,
    LineStatus.UNKNOWN: FINAL - 1,
}
#: Rank of the status with which a call was found or accepted, by Twilio's word; 0 for others. One
#: that is final counts as less: its particulars are still to be reported.
RANK_AT_FIRST = {str(word): min(word.rank, FINAL - 1) for word in _WORDS}
#: Outcome of a call that was answered, but not by a person.
MACHINE = "machine"
#: Outcomes after which a call may be made again.
RETRIED = (LineStatus.BUSY.value, LineStatus.NO_ANSWER.value, LineStatus.FAILED.value, MACHINE)


class Detection(StrEnum):
    """Whether and when an answering machine is detected."""

    #: Not at all.
    OFF = "off"
    #: As soon as it is known.
    ENABLE = "enable"
    #: A machine once its greeting is over, so that a message can be left.
    MESSAGE_END = "detect-message-end"


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusUpdate:
    """What Twilio says of one call at one moment, by a callback or when asked."""

    sid: str
    #: ``None``: it says nothing of it, as the result of a detection does.
    status: LineStatus | None = None
    #: Order of a call's callbacks, from 0; ``None`` when asked for.
    sequence: int | None = None
    #: Seconds on the line, once it is over.
    duration_s: int | None = None
    #: ``human``, ``machine_start``, ``machine_end_beep``, ``fax``, ``unknown`` …
    answered_by: str | None = None
    #: How the called side's network answered, such as 486 for busy.
    sip_code: int | None = None
    #: What it cost, a decimal number as Twilio writes it (less than 0), and in which currency.
    price: str | None = None
    price_unit: str | None = None
    #: What was recorded of it, once Twilio has that ready.
    recording: Recording | None = None


class UpdateOutcome(StrEnum):
    """How a status update was received."""

    #: It said something new.
    OK = "ok"
    #: It changed nothing: known, late, or of an earlier attempt.
    AGAIN = "again"
    #: The call belongs to no attempt: it will be ended at Twilio.
    SUPERSEDED = "superseded"
    #: The job is gone: whether the call belongs to an attempt is unknown, and it goes on.
    MISSING = "missing"
    #: The attempt's outcome is not written yet.
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackResult:
    """What the queue made of a status update."""

    outcome: UpdateOutcome
    #: Where the call is now, when something new was said.
    status: str = ""
    #: Whether the status moved.
    moved: bool = False
    #: Whether the call is made again for its outcome.
    repeated: bool = False
    #: Of the request that asked for the call, where it came with one.
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomePolicy:
    """Which outcomes on the line are tried again, how soon and how often."""

    #: Where a call does not say so itself.
    retry_on: Sequence[str]
    #: Wait before each such attempt, ms.
    delay_ms: int
    #: How many there may be for one call, or after a manual retry.
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PolledCall:
    """A placed call that was silent for too long, or whose price is to be fetched."""

    job_id: str
    token: str
    sid: str
    #: How often Twilio was asked for it before this time and at it, from 1.
    polls: int
    #: Whether it is over, and only its price is wanted.
    over: bool


def next_poll_ms(polls: int, *, silence_ms: int, callbacks: bool) -> int:
    """Return when to ask for a call again that was not over at that look, ms from then.

    Where callbacks arrive, silence is the exception. Where they cannot, polls become
    later and later until a look costs no more than silence does.
    """
    if callbacks:
        return silence_ms
    return int(min(FIRST_POLL_MS * 2 ** min(polls - 1, 20), silence_ms))


def first_poll_ms(*, silence_ms: int, callbacks: bool) -> int:
    """Return when to poll a call that rings as usual for the first time, ms from its placing."""
    if callbacks:
        return USUAL_RING_MS + silence_ms
    return min(FIRST_POLL_MS, silence_ms)
