"""Ticks of recurring calls; what becomes of those that are due is decided by a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vomind_queue.recurring.schedule import MISSED_KEPT, Recurrence

#: Ticks that one look at a schedule passes over, so that a long outage is caught up in steps.
MOST_TICKS = 1_000


class Outcome(StrEnum):
    """What became of a turn."""

    #: A tick made an occurrence.
    FIRED = "fired"
    #: All ticks that were due were too late.
    MISSED = "missed"
    #: The occurrence before had not ended.
    SKIPPED = "skipped"
    #: Somebody else moved or changed the schedule meanwhile.
    LOST = "lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A schedule whose next tick has come."""

    id: str
    revision: int
    recurrence: Recurrence
    #: The tick.
    tick_ms: int
    #: The last tick that was seen to, unix ms: none up to it comes again.
    last_run_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DueEntries:
    """What a scheduler saw."""

    #: Unix ms on the clock of Redis.
    now_ms: int
    due: Sequence[Due]
    #: Numbers of schedules that are due and whose records cannot be read, each with the reason.
    unreadable: Mapping[str, str]
    #: Numbers of schedules that are due and that RedBeat's own class has saved.
    foreign: Sequence[str]
    #: Keys of RedBeat's ordinary entries that are due.
    ordinary: Sequence[str]
    #: How many schedules of the form of an older version there are.
    old: int
    #: Time until the next entry is due, ms; ``None`` when none is.
    next_in_ms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """What a due schedule does: at most one occurrence, and on to its next tick."""

    due: Due
    #: The tick that fires; ``None`` when all that were due are too late.
    fire_ms: int | None
    #: How many ticks are passed over.
    missed: int
    #: The last of them, newest first, `MISSED_KEPT` at most.
    missed_ms: Sequence[int]
    #: The last tick of all these; none up to it comes again.
    last_run_ms: int
    #: The tick after it; ``None`` at the end of the schedule.
    next_ms: int | None


def decide(due: Due, now_ms: int) -> Advance:
    """Return what becomes of the ticks of a schedule that are due.

    The last of them fires when it is less late than the schedule's grace; those
    before it, of which somebody would hear in a burst, are missed. After a long
    outage a part of them is passed over at a time, without firing. A tick that was
    seen to, to which somebody has set RedBeat's score, goes on to the next one.
    Raise CronError.
    """
    if due.last_run_ms is not None and due.tick_ms <= due.last_run_ms:
        return Advance(
            due=due,
            fire_ms=None,
            missed=0,
            missed_ms=[],
            last_run_ms=due.last_run_ms,
            next_ms=due.recurrence.first(due.last_run_ms),
        )
    ticks = [due.tick_ms]
    next_ms = None
    for run_ms in due.recurrence.runs(due.tick_ms):
        if run_ms > now_ms or len(ticks) >= MOST_TICKS:
            next_ms = run_ms
            break
        ticks.append(run_ms)
    caught_up = next_ms is None or next_ms > now_ms
    fires = caught_up and now_ms - ticks[-1] < due.recurrence.misfire_grace_ms
    last_run_ms = ticks[-1]
    fire_ms = ticks.pop() if fires else None
    return Advance(
        due=due,
        fire_ms=fire_ms,
        missed=len(ticks),
        missed_ms=ticks[: -MISSED_KEPT - 1 : -1],
        last_run_ms=last_run_ms,
        next_ms=next_ms,
    )
