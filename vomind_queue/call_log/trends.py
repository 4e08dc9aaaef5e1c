"""What became of calls over time: counts and waiting times in equal steps; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from vomind_queue.call_log.models import NO_OUTCOME

#: A person listened.
ANSWERED = "completed"
#: Calls that never rang say nothing of the hour.
_NOT_RUNG = frozenset((NO_OUTCOME, "not-placed"))
_MINUTE_MS = 60_000
HOURS = 24


class Span(StrEnum):
    """How far back to look."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


#: Length of each span, and of its steps, ms. A step of half an hour is in one hour of any zone, or
#: nearly so.
_LENGTHS = {
    Span.HOUR: (60 * _MINUTE_MS, _MINUTE_MS),
    Span.DAY: (24 * 60 * _MINUTE_MS, 15 * _MINUTE_MS),
    Span.WEEK: (7 * 24 * 60 * _MINUTE_MS, 30 * _MINUTE_MS),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The time to look at."""

    since_ms: int
    until_ms: int
    #: Length of a step; each begins at a multiple of it, unix ms.
    step_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """The calls whose last attempt started in a part of that time."""

    at_ms: int
    #: How many ended how: of `OUTCOMES`, `MACHINE` and `NO_OUTCOME`.
    outcomes: Mapping[str, int]
    #: How long half of them, and nine in ten, had waited for their first attempt, ms, rounded up a
    #: little; a call that was dialed again is left out.
    wait_p50_ms: int | None
    wait_p90_ms: int | None

    @classmethod
    def of(cls, at_ms: int, outcomes: Mapping[str, int], waits: Mapping[int, int]) -> Step:
        """Return a step of its counts; ``waits``: how many calls had waited how long, ms."""
        return cls(
            at_ms=at_ms,
            outcomes=outcomes,
            wait_p50_ms=_quantile(waits, 50),
            wait_p90_ms=_quantile(waits, 90),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HourOfDay:
    """The calls of an hour of the day, over all days."""

    #: 0 to 23.
    hour: int
    #: Calls that rang, as far as is known how they ended.
    calls: int
    #: Calls that a person answered.
    answered: int


def _quantile(counts: Mapping[int, int], percent: int) -> int | None:
    """Return the least value that this share is not above."""
    total, below = sum(counts.values()), 0
    for value in sorted(counts):
        below += counts[value]
        if below * 100 >= total * percent:
            return value
    return None


def window(span: Span, now_ms: int) -> Window:
    """Return the time up to now, in whole steps but for the last."""
    length_ms, step_ms = _LENGTHS[span]
    since_ms = now_ms - now_ms % step_ms - length_ms + step_ms
    return Window(since_ms=since_ms, until_ms=now_ms, step_ms=step_ms)


def by_hour(steps: Iterable[Step], zone: str) -> Sequence[HourOfDay]:
    """Return the hours of the day in a time zone, all of them."""
    calls, answered = [0] * HOURS, [0] * HOURS
    clock = ZoneInfo(zone)
    for step in steps:
        hour = datetime.fromtimestamp(step.at_ms / 1000, UTC).astimezone(clock).hour
        rung = {name: n for name, n in step.outcomes.items() if name not in _NOT_RUNG}
        calls[hour] += sum(rung.values())
        answered[hour] += rung.get(ANSWERED, 0)
    return [
        HourOfDay(hour=each, calls=calls[each], answered=answered[each]) for each in range(HOURS)
    ]
