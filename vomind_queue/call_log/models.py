"""The records of the call log: plain values, no I/O.

A *row* is a call in its present state, an *event* is one thing that happened to it. All times are
unix milliseconds on the clock of the Redis server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Any

#: Events after which a call is in a certain state.
STATE_AFTER: Mapping[str, str] = {
    "due": "waiting",
    "given_back": "waiting",
    "retried": "waiting",
    "put_off": "delayed",
    "taken": "active",
    "started": "active",
    "in_doubt": "active",
    "completed": "completed",
    "revived": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}

#: States of which a call does not come back by itself, in the log.
FINAL_STATES = ("completed", "failed", "cancelled")
#: All states in the log: those of the queue, and one for calls that were taken out of it.
STATES = ("waiting", "delayed", "active", *FINAL_STATES)
#: Twilio's last words on a call, and one for calls that it never took
#: (https://www.twilio.com/docs/voice/api/call-resource#call-status-values).
OUTCOMES = ("completed", "busy", "no-answer", "failed", "canceled", "not-placed")
#: What lists and trends call the outcome of a call that a machine answered; Twilio says
#: ``completed``.
MACHINE = "machine"
#: What they call the outcome of a call that has none yet.
NO_OUTCOME = "none"
PRIORITIES = ("high", "normal", "low")
#: The largest time that a key has the digits for, unix ms.
_LATEST_MS = 10**15 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRow:
    """One call, as far as the log knows; personal fields are ``None`` once blanked."""

    #: Orders calls by time, and is a call's own even where job ids begin again.
    key: str
    job_id: str
    #: Grows with every change, so that a late delivery never undoes a newer one.
    version: int
    to_number: str | None
    lead_id: str | None
    priority: str
    message: str | None
    metadata: Mapping[str, Any] | None
    #: One of `STATES`.
    state: str
    #: Attempts that have ended.
    attempts: int
    scheduled_ms: int | None
    queued_ms: int
    started_ms: int | None
    finished_ms: int | None
    #: When the person, or a machine, picked up.
    answered_ms: int | None = None
    call_sid: str | None = None
    #: Twilio's last status of it.
    call_status: str | None = None
    #: One of `OUTCOMES`, once it is known.
    outcome: str | None = None
    #: Seconds on the line.
    duration: int | None = None
    price: str | None = None
    price_unit: str | None = None
    answered_by: str | None = None
    #: The last failure, in words.
    failure: str | None = None
    #: What the call says of how it is placed, by the names in `calls.call.OPTIONS`; ``None`` also
    #: where an older version wrote the row.
    options: Mapping[str, Any] | None = None
    #: The campaign that it belongs to; ``None`` also where an older version wrote the row.
    campaign_id: str | None = None
    #: When personal fields were blanked.
    anonymized_ms: int | None = None

    @property
    def list_outcome(self) -> str:
        """What lists and trends call its outcome: of `OUTCOMES`, `MACHINE` and `NO_OUTCOME`."""
        if self.outcome == "completed" and (self.answered_by or "").startswith(("machine", "fax")):
            return MACHINE
        return self.outcome or NO_OUTCOME


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEvent:
    """One thing that happened to a call."""

    #: Key of the call's row.
    key: str
    job_id: str
    #: Orders the events of a call; unique among them.
    sequence: int
    time_ms: int
    #: ``accepted``, ``due``, ``taken`` …
    event: str
    #: State of the call after the event; ``None`` if it did not change.
    state: str | None
    attempt: int | None = None
    call_sid: str | None = None
    call_status: str | None = None
    direction: str = "outbound-api"
    from_number: str | None = None
    to_number: str | None = None
    #: Seconds on the line.
    duration: int | None = None
    #: Whatever else there is to say.
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What is delivered in one go: the newest row of each call, and events in their order."""

    rows: Sequence[CallRow]
    events: Sequence[CallEvent]


class Table(StrEnum):
    """Where a line of the log belongs."""

    CALLS = "call_logs"
    EVENTS = "call_events"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A line that the log refused for good."""

    line: CallRow | CallEvent
    #: What the log said of it, without personal data.
    reason: str

    @property
    def table(self) -> Table:
        """Where it belongs."""
        return Table.CALLS if isinstance(self.line, CallRow) else Table.EVENTS

    @property
    def name(self) -> str:
        """The same for the same line."""
        mark = "row" if isinstance(self.line, CallRow) else str(self.line.sequence)
        return f"{self.line.key}:{mark}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Which calls to show, newest first; ``None`` means any."""

    number: str | None = None
    lead_id: str | None = None
    job_id: str | None = None
    campaign_id: str | None = None
    #: In one of these states; any when empty, as with outcomes and priorities.
    states: Sequence[str] = ()
    #: Of `OUTCOMES`, `MACHINE` and `NO_OUTCOME`.
    outcomes: Sequence[str] = ()
    priorities: Sequence[str] = ()
    #: Accepted at this time or later.
    since_ms: int | None = None
    #: Accepted before this time.
    until_ms: int | None = None
    #: Key of the last call on the page before.
    after: str | None = None
    limit: int = 50

    @property
    def least_key(self) -> str | None:
        """Keys of calls accepted since then are not below this one."""
        return None if self.since_ms is None else key_at(self.since_ms)

    @property
    def end_key(self) -> str | None:
        """Keys of calls that are wanted are below this one."""
        ends = [self.after, None if self.until_ms is None else key_at(self.until_ms)]
        return min((each for each in ends if each is not None), default=None)

    def wants(self, row: CallRow) -> bool:
        """Return whether a call matches."""
        alike = (
            (self.number, row.to_number), (self.lead_id, row.lead_id),
            (self.job_id, row.job_id), (self.campaign_id, row.campaign_id),
        )  # fmt: skip
        among = (
            (self.states, row.state),
            (self.outcomes, row.list_outcome),
            (self.priorities, row.priority),
        )
        return (
            all(wanted is None or wanted == value for wanted, value in alike)
            and all(not wanted or value in wanted for wanted, value in among)
            and (self.since_ms is None or row.queued_ms >= self.since_ms)
            and (self.until_ms is None or row.queued_ms < self.until_ms)
        )

    def parts(self) -> Sequence[Search]:
        """Return searches with one value of each filter, which together find the same.

        Each is answered by an index in the order of its keys; with several values at once, a
        database would read all calls of a state, or all calls, until it has found enough. The
        calls of one person, lead or id are few.
        """
        if self.number or self.lead_id or self.job_id:
            return [self]
        chosen = [each or (None,) for each in (self.states, self.outcomes, self.priorities)]
        return [
            replace(self, states=_one(state), outcomes=_one(outcome), priorities=_one(priority))
            for state, outcome, priority in product(*chosen)
        ]


def key_at(time_ms: int) -> str:
    """Return what the keys of all calls accepted from then on are not below."""
    return f"{min(max(time_ms, 0), _LATEST_MS):015d}-"


def _one(value: str | None) -> Sequence[str]:
    return () if value is None else (value,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """How much was taken out of the log."""

    calls: int
    events: int
