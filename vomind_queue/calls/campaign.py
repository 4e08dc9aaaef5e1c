"""A campaign: many calls with a name that are steered together. Plain values, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vomind_queue.calls.call import DEFAULT_MESSAGE, OPTIONS, Call, Priority
from vomind_queue.calls.instants import iso, unix_ms
from vomind_queue.calls.job import Job
from vomind_queue.calls.limits import Rate

#: What a campaign no longer says for a call that says one of these.
_INSTEAD: Mapping[str, Sequence[str]] = {
    "twimlUrl": ("message", "language", "voice"),
    "message": ("twimlUrl",),
    "language": ("voice",),
    "voice": ("language",),
}
#: A pace in words: ``10/m``.
PACE = re.compile("([1-9][0-9]{0,5})/([smhd])")
_WINDOWS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def read_pace(text: str) -> Rate:
    """Return the pace that a text means. Raise ValueError."""
    found = PACE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return Rate(max_starts=int(found[1]), window_ms=_WINDOWS_MS[found[2]])


def written(pace: Rate) -> str:
    """Return the inverse of `read_pace`."""
    unit = next(unit for unit, ms in _WINDOWS_MS.items() if ms == pace.window_ms)
    return f"{pace.max_starts}/{unit}"


def _ms(instant: str | None) -> int | None:
    return None if instant is None else unix_ms(instant)


class CampaignState(StrEnum):
    """Where a campaign is."""

    #: Being put together; none of its calls starts.
    DRAFT = "draft"
    #: It runs from a time on; none of its calls starts before.
    SCHEDULED = "scheduled"
    #: Its calls start when it is their turn.
    RUNNING = "running"
    #: None of its calls starts until it is resumed.
    PAUSED = "paused"
    #: Nothing more is to come of any of its calls, or its end has come.
    FINISHED = "finished"
    #: Its calls that had not started were cancelled.
    CANCELLED = "cancelled"


#: States of campaigns of which calls may still start.
NOT_ENDED = tuple(
    state
    for state in CampaignState
    if state not in (CampaignState.FINISHED, CampaignState.CANCELLED)
)


class Part(StrEnum):
    """Where a call of a campaign is; each is in one part, and the parts sum to the total."""

    #: In the queue, to be dialed as soon as its turn comes.
    WAITING = "waiting"
    #: To be dialed at a later time.
    DELAYED = "delayed"
    #: Held by a worker: about to be dialed, being dialed, or with an unknown outcome.
    ACTIVE = "active"
    #: Twilio took it, and it is not over.
    ON_LINE = "on-line"
    #: A person answered.
    ANSWERED = "answered"
    #: An answering machine or a fax answered.
    MACHINE = "machine"
    #: The line was busy.
    BUSY = "busy"
    #: Nobody answered.
    NO_ANSWER = "no-answer"
    #: It could not be connected.
    UNREACHABLE = "unreachable"
    #: It was hung up before anybody answered.
    HUNG_UP = "hung-up"
    #: Twilio took it; how it ended is not known.
    UNKNOWN = "unknown"
    #: Given up: Twilio did not take it.
    FAILED = "failed"
    #: Given up: its latest start passed.
    EXPIRED = "expired"
    #: Given up: the number is on the do-not-call list.
    DO_NOT_CALL = "do-not-call"
    #: Cancelled, alone or with its campaign.
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """A campaign as an app asked for it."""

    #: For people, 1 to 200 characters; two may have the same.
    name: str
    #: ISO 3166 code of the country in which numbers without a country code are; ``None``: such
    #: numbers cannot be read.
    country: str | None = None
    #: Priority of its calls that name none.
    priority: Priority = Priority.NORMAL
    #: Its share within a priority, beside other campaigns and the calls of none, which have 1.
    weight: int = 1
    #: Whether it stays running when it has no calls left.
    open: bool = False
    #: How fast its calls may start; ``None``: as fast as others.
    pace: Rate | None = None
    #: How many of its calls may be placed or on the line at a time; ``None``: as many as others.
    max_concurrent: int | None = None
    #: None of its calls starts before, or from this time on, unix ms; ``None``: no such time.
    start_ms: int | None = None
    end_ms: int | None = None
    #: When its calls may start, on the clock of each person called; ``None``: whenever the calling
    #: rules let them. They narrow those, and hold without any.
    hours: str | None = None
    #: What else its calls say that do not say it themselves: fields of a call, by their names in
    #: JSON.
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return the campaign as the REST API shows it under ``data``."""
        return {
            "name": self.name,
            "country": self.country,
            "priority": str(self.priority),
            "weight": self.weight,
            "open": self.open,
            "pace": None if self.pace is None else written(self.pace),
            "maxConcurrent": self.max_concurrent,
            "startAt": None if self.start_ms is None else iso(self.start_ms),
            "endAt": None if self.end_ms is None else iso(self.end_ms),
            "hours": self.hours,
            **self.defaults,
        }

    def filled(self, call: Any) -> Any:
        """Return a call as it is sent, with what the campaign says where that says nothing."""
        if not isinstance(call, Mapping):
            return call
        said = {name for name, value in call.items() if value is not None}
        given_up = {name for field in said for name in _INSTEAD.get(field, ())}
        defaults = {name: each for name, each in self.defaults.items() if name not in given_up}
        return {"priority": str(self.priority), **defaults, **call}

    def call_to(self, number: str) -> Call:
        """Return a call that says no more than the campaign."""
        options = {
            own: self.defaults[name] for name, own in OPTIONS.items() if name in self.defaults
        }
        message = self.defaults.get("message", DEFAULT_MESSAGE)
        return Call(to=number, message=message, priority=self.priority, **options)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Campaign:
        """Return the inverse of :meth:`as_data`."""
        rest = dict(data)
        return cls(
            name=rest.pop("name"),
            country=rest.pop("country"),
            priority=Priority(rest.pop("priority")),
            weight=rest.pop("weight", 1),
            open=rest.pop("open", False),
            pace=None if (pace := rest.pop("pace", None)) is None else read_pace(pace),
            max_concurrent=rest.pop("maxConcurrent", None),
            start_ms=_ms(rest.pop("startAt", None)),
            end_ms=_ms(rest.pop("endAt", None)),
            hours=rest.pop("hours", None),
            defaults=rest,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignView:
    """A campaign with its state."""

    #: Decimal string, never given out twice.
    id: str
    state: CampaignState
    campaign: Campaign
    #: When it was created, unix ms.
    created_ms: int
    #: When it was started, and when it finished or was cancelled, unix ms.
    started_ms: int | None = None
    ended_ms: int | None = None
    #: Who started, paused, resumed or cancelled it last; ``None``: nobody did.
    steered_by: str | None = None
    #: All calls that it was given, and how many are where.
    total: int = 0
    parts: Mapping[Part, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignPage:
    """A slice of all campaigns, newest first."""

    views: Sequence[CampaignView]
    #: Number of all campaigns.
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignCreated:
    """What is answered to the request that created a campaign, and to its repetitions."""

    id: str
    #: Whether an earlier request with the same idempotency key created it.
    replayed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignCalls:
    """Some calls of a campaign, in the order in which it was given them."""

    jobs: Sequence[Job]
    #: Where the next page begins; ``None``: nowhere.
    next: str | None
