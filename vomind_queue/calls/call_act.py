"""One act on many calls: what is wanted, what became of each, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """What may be done to many calls at once."""

    CANCEL = "cancel"
    RETRY = "retry"
    AGAIN = "again"
    CHANGE = "change"


class Result(StrEnum):
    """What became of one call."""

    #: It was carried out.
    DONE = "done"
    #: The queue does not have the call, or not any more.
    MISSING = "missing"
    #: The call is in another state than the act is for.
    WRONG_STATE = "wrong-state"
    #: This service does not place such a call.
    REFUSED = "refused"


class ActStatus(StrEnum):
    """How far an act on many calls is."""

    #: The calls that match are being collected.
    SELECTING = "selecting"
    RUNNING = "running"
    DONE = "done"
    #: Somebody broke it off; sent again it goes on.
    STOPPED = "stopped"


#: States of the calls that an act is for; the call log alone knows those that were cancelled.
STATES_FOR: Mapping[Act, tuple[str, ...]] = {
    Act.CANCEL: ("waiting", "delayed"),
    Act.CHANGE: ("waiting", "delayed"),
    Act.RETRY: ("failed",),
    Act.AGAIN: ("completed", "failed", "cancelled"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is wanted."""

    #: Names the request; the same one sent again is the same order.
    id: str
    act: Act
    #: Name of the API key.
    by: str
    #: New priority; ``None``: as it is.
    priority: str | None = None
    #: New time, unix ms; ``None``: as it is, or at once for a call that is made again.
    due_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one call."""

    result: Result
    #: Id of the call that was made again.
    new_id: str | None = None
    #: In words, where it was not carried out.
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an order is."""

    order: Order
    status: ActStatus
    #: Calls that are to be acted on.
    total: int
    #: Calls that were acted on, with whatever result.
    handled: int
    #: How many calls had which result.
    counts: Mapping[str, int]
    #: By call: of all of them where they are few, else of those that were not carried out.
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    #: Whether more calls match than one order takes.
    more: bool = False
