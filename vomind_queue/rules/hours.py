"""Hours of a week, and the instants that they are in a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from vomind_queue.rules.intervals import Interval, Intervals, union

#: As hours are written, Monday first.
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_MINUTE_MS = 60_000
_LAST_MINUTE = 59
#: No zone moves its clocks twice within so long, ms.
_STEP_MS = 3 * 3_600_000
_EPOCH = date(1970, 1, 1)
_RANGE = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")

#: Returns the open hours of a date: ``(from, to)`` in minutes of the day, the end excluded.
Hours = Callable[[date], Sequence[Interval]]


class InvalidHours(ValueError):
    """The text is no hours of a week."""


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The open hours of each day of a week, on the clock of the person called."""

    #: For Monday to Sunday: ``(from, to)`` in minutes of the day, the end excluded.
    days: tuple[tuple[Interval, ...], ...]

    def __call__(self, day: date) -> tuple[Interval, ...]:
        """Return the open hours of a date, minutes."""
        return self.days[day.weekday()]

    def __str__(self) -> str:
        """Return the hours as they are written, days alike in one group."""
        return ", ".join(self._groups())

    def _groups(self) -> Iterator[str]:
        first = 0
        for last in range(len(DAYS)):
            if last + 1 < len(DAYS) and self.days[last + 1] == self.days[first]:
                continue
            name = DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
            yield f"{name} {_in_words(self.days[first])}"
            first = last + 1


def parse(text: str) -> WeeklyHours:
    """Return the hours that a text means, such as ``mon-fri 09:00-20:00, sat 10:00-17:00``.

    A day has several ranges where its group repeats or ranges are joined by ``+``; ``closed``
    has none. A day that is not named is closed only if it is said so: every day must be named.
    A range over midnight belongs to both of its days. Raise InvalidHours, which names the part.
    """
    found: dict[int, list[Interval]] = {}
    for group in text.lower().split(","):
        days, _, ranges = group.strip().partition(" ")
        opened = list(_ranges(ranges.strip(), group.strip()))
        for day in _days(days, group.strip()):
            _add(found, day, opened)
    if missing := [name for index, name in enumerate(DAYS) if index not in found]:
        raise InvalidHours(f'no hours for {", ".join(missing)}; write "{missing[0]} closed"')
    return WeeklyHours(tuple(union(found[index]) for index in range(len(DAYS))))


def open_instants(hours: Hours, zone: ZoneInfo, within: Interval) -> Intervals:
    """Return the instants of an interval at which a zone's clock shows open hours.

    An hour that clocks skip is not there; one that they repeat is open both times.
    """
    found: list[Interval] = []
    for start, end, offset in _steady(zone, within):
        found += _on_steady_clock(hours, (start + offset, end + offset), offset)
    return union(found)


def _on_steady_clock(hours: Hours, wall: Interval, offset: int) -> Iterator[Interval]:
    """Yield the open instants while the clock is ahead of UTC by an offset, ms."""
    day_ms = _DAY_MINUTES * _MINUTE_MS
    for number in range(wall[0] // day_ms, (wall[1] - 1) // day_ms + 1):
        midnight = number * day_ms
        for first, last in hours(_EPOCH + timedelta(days=number)):
            start = max(midnight + first * _MINUTE_MS, wall[0])
            end = min(midnight + last * _MINUTE_MS, wall[1])
            if start < end:
                yield start - offset, end - offset


def _steady(zone: ZoneInfo, within: Interval) -> Iterator[tuple[int, int, int]]:
    """Yield the parts of an interval in which the zone's offset stays, with that offset, ms."""
    start, end = within
    part, offset = start, offset_ms(zone, start)
    while start < end:
        following = min(start + _STEP_MS, end)
        changed = offset_ms(zone, following)
        if changed != offset:
            moved = _transition(zone, start, following)
            yield part, moved, offset
            part, offset = moved, changed
        start = following
    if part < end:
        yield part, end, offset


def _transition(zone: ZoneInfo, before: int, after: int) -> int:
    """Return the first instant of the offset that the zone has at the end of an interval."""
    wanted = offset_ms(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if offset_ms(zone, middle) == wanted else (middle, after)
    return after


def offset_ms(zone: ZoneInfo, instant: int) -> int:
    """Return how far a zone's clock is ahead of UTC at an instant, ms."""
    moment = datetime.fromtimestamp(instant // 1000, UTC).astimezone(zone)
    return int((moment.utcoffset() or timedelta()).total_seconds() * 1000)


def _add(found: dict[int, list[Interval]], day: int, ranges: list[Interval]) -> None:
    own = found.setdefault(day, [])
    for first, last in ranges:
        own.append((first, min(last, _DAY_MINUTES)))
        if last > _DAY_MINUTES:
            found.setdefault((day + 1) % len(DAYS), []).append((0, last - _DAY_MINUTES))


def _days(text: str, group: str) -> Iterator[int]:
    first, _, last = text.partition("-")
    if first not in DAYS or (last and last not in DAYS):
        raise InvalidHours(f'"{group}": expected a day or days, such as mon-fri')
    start = DAYS.index(first)
    many = (DAYS.index(last) - start) % len(DAYS) if last else 0
    yield from ((start + more) % len(DAYS) for more in range(many + 1))


def _ranges(text: str, group: str) -> Iterator[Interval]:
    if text == "closed":
        return
    for each in text.split("+"):
        try:
            first, last = parse_range(each)
        except InvalidHours as error:
            raise InvalidHours(f'"{group}": {error}') from None
        yield first, last if last > first else last + _DAY_MINUTES


def parse_range(text: str) -> Interval:
    """Return the minutes of the day of ``09:00-20:00``. Raise InvalidHours."""
    found = _RANGE.fullmatch(text.strip())
    if not found:
        raise InvalidHours("expected hours, such as 09:00-20:00, or closed")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    first, last = hour * 60 + minute, to_hour * 60 + to_minute
    if max(minute, to_minute) > _LAST_MINUTE or max(first, last) > _DAY_MINUTES or first == last:
        raise InvalidHours("expected two different times from 00:00 to 24:00")
    return first, last


def _in_words(ranges: tuple[Interval, ...]) -> str:
    clock = (f"{_clock(first)}-{_clock(last)}" for first, last in ranges)
    return " + ".join(clock) if ranges else "closed"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def as_mapping(hours: WeeklyHours) -> Mapping[str, list[str]]:
    """Return the open ranges of each day, as the API shows them."""
    return {
        name: [f"{_clock(first)}-{_clock(last)}" for first, last in hours.days[index]]
        for index, name in enumerate(DAYS)
    }


def local_time(instant: int, zone: str) -> datetime:
    """Return what a zone's clock shows at an instant, ms since 1970."""
    return datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(zone))
