"""Hours of a week, and the instants that they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vomind_queue.rules.hours import InvalidHours, open_instants, parse

MINUTE = 60_000
HOUR = 60 * MINUTE


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """An instant of UTC, unix ms."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("mon-sun 08:00-21:00", "mon-sun 08:00-21:00"),
        (
            "mon-fri 09:00-20:00, sat 10:00-17:00, sun closed",
            "mon-fri 09:00-20:00, sat 10:00-17:00, sun closed",
        ),
        ("MON-SUN 10:00-13:00 + 14:00-20:00", "mon-sun 10:00-13:00 + 14:00-20:00"),
        ("sat-sun closed, mon-fri 00:00-24:00", "mon-fri 00:00-24:00, sat-sun closed"),
        # Over midnight: the rest belongs to the next day.
        (
            "fri 20:00-02:00, mon-thu closed, sat-sun closed",
            "mon-thu closed, fri 20:00-24:00, sat 00:00-02:00, sun closed",
        ),
    ],
)
def test_hours_are_read_and_written(text: str, written: str) -> None:
    """A group of days each, with several ranges or none."""
    assert str(parse(text)) == written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mon-fri 09:00-20:00", 'no hours for sat, sun; write "sat closed"'),
        ("mon-sun 9-20", '"mon-sun 9-20": expected hours'),
        ("weekdays 09:00-20:00", '"weekdays 09:00-20:00": expected a day'),
        ("mon-sun 09:00-09:00", "two different times"),
        ("mon-sun 09:60-10:00", "two different times"),
        ("mon-sun 09:00-24:01", "two different times"),
        ("", "expected hours"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    """A day that is not named could mean open or closed: it is asked."""
    with pytest.raises(InvalidHours) as caught:
        parse(text)
    assert words in str(caught.value)


def by_minutes(text: str, zone: ZoneInfo, start: int, end: int) -> Iterator[int]:
    """Yield the open minutes, found by looking at the clock in each."""
    hours = parse(text)
    for instant in range(start, end, MINUTE):
        clock = datetime.fromtimestamp(instant // 1000, UTC).astimezone(zone)
        minute = clock.hour * 60 + clock.minute
        if any(first <= minute < last for first, last in hours(clock.date())):
            yield instant


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", (2027, 3, 14)),
        ("America/New_York", (2027, 11, 7)),
        ("Europe/London", (2027, 3, 28)),
        ("Europe/London", (2027, 10, 31)),
        ("Australia/Lord_Howe", (2027, 4, 4)),
        ("Australia/Lord_Howe", (2027, 10, 3)),
        ("Africa/Casablanca", (2027, 2, 7)),
        ("Pacific/Apia", (2027, 1, 1)),
    ],
)
@pytest.mark.parametrize(
    "text",
    ["mon-sun 08:00-21:00", "mon-sun 01:15-01:45", "mon-sun 02:10-02:50", "mon-sun 00:00-03:00"],
)
def test_hours_follow_the_clock_where_it_is_moved(
    zone: str, day: tuple[int, int, int], text: str
) -> None:
    """A skipped hour is not there; a repeated one is open both times."""
    start, end = ms(*day) - 30 * HOUR, ms(*day) + 48 * HOUR
    found = open_instants(parse(text), ZoneInfo(zone), (start, end))
    minutes = [each for first, last in found for each in range(first, last, MINUTE)]
    assert minutes == list(by_minutes(text, ZoneInfo(zone), start, end))
