"""Cron expressions and the instants at which they fire; daylight saving as in Debian's cron.

The fields are read, and matched against days and hours on the wall clock, by
`cronsim`. How wall clock and real time go together is decided here: cronsim's
own mapping leaves out the third hour of ``0 */3 * * *`` on the day on which
Australia/Lord_Howe skips half an hour, and repeats a run when it starts within
an hour that comes twice.

The rules are those of Debian's cron(8), section "Notes": a pattern with a star
at the start of its minute or hour field follows real time. Any other one means
a time of day: where the clock jumps over it, it fires just after the jump; where
the clock shows it twice, it fires the first time. A jump of more than three
hours moves the calendar (Pacific/Apia in 2011) and is made up for by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from cronsim.cronsim import SYMBOLIC_DAYS, SYMBOLIC_MONTHS

from vomind_queue.errors import VomindError
from vomind_queue.recurring.cron_words import in_words

#: Names for common patterns, as in crontab(5).
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

#: The fields in their order, and what each takes.
FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of month": "1 to 31, L or LW",
    "month": "1 to 12 or JAN to DEC",
    "day of week": "0 to 7 or SUN to SAT, also 5L or MON#2",
}

#: A longer text is a mistake, characters.
LONGEST = 255
#: A clock that jumps further was set, not moved for the summer (Debian's cron(8)).
_LONGEST_JUMP = timedelta(hours=3)
_MINUTE = timedelta(minutes=1)
_SATURDAY = 6
#: Any time will do to ask whether a pattern ever fires; cronsim looks 50 years ahead.
_SOME_TIME = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock's


class CronError(VomindError):
    """The expression cannot be read, or never fires; the text says which field is wrong."""


class Cron:
    """A pattern of five fields, or one of the `MACROS`."""

    def __init__(self, text: str) -> None:
        """Raise CronError."""
        #: As it was written, white space aside.
        self.text = " ".join(text.split())
        parts = [_star(*each) for each in zip(FIELDS, _five_fields(self.text), strict=True)]
        _check(parts)
        self._fields = " ".join(map(_plain, FIELDS, parts))
        self._real_time = parts[0].startswith("*") or parts[1].startswith("*")

    @property
    def pattern(self) -> str:
        """The same for all ways of writing the same times."""
        read = CronSim(self._fields, _SOME_TIME)
        weekdays = {_one_sunday(day) for day in read.weekdays}
        sets = (read.minutes, read.hours, read.days, read.months, weekdays)
        flags = f"{self._real_time:d}{read.day_and:d}"
        return ";".join([flags, *(",".join(sorted(map(str, each))) for each in sets)])

    def in_words(self) -> str:
        """Return what the pattern means, in English: ``At 09:00 every day``."""
        return in_words(self._fields)

    def runs(self, zone: ZoneInfo, after_ms: int) -> Iterator[int]:
        """Return the instants later than that at which it fires, unix ms, in order, none twice."""
        after = datetime.fromtimestamp(after_ms // 1000, UTC).astimezone(zone)
        last = after_ms
        for instant in self._instants(zone, _start(after)):
            run_ms = int(instant.timestamp()) * 1000
            if run_ms > last:
                last = run_ms
                yield run_ms

    def _instants(self, zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
        repeated: list[datetime] = []
        for wall in CronSim(self._fields, start):
            once, again = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
            jump = again.utcoffset() - once.utcoffset()  # type: ignore[operator]
            if jump < timedelta() and self._real_time:
                # All of the first round comes before any of the second.
                repeated.append(again)
                yield once
                continue
            yield from repeated
            repeated.clear()
            if jump <= timedelta():
                yield once
            elif not self._real_time and jump <= _LONGEST_JUMP:
                yield _behind_gap(wall, zone)


def _start(after: datetime) -> datetime:
    """Return wall clock from which to look for runs after ``after``."""
    wall = after.replace(tzinfo=None, fold=0)
    step = after.replace(fold=0).utcoffset() - after.replace(fold=1).utcoffset()  # type: ignore[operator]
    # Within an hour that comes twice, walls already passed come again.
    return wall - max(step, timedelta())


def _behind_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant after a jump of the clock over ``wall``."""
    while True:
        wall += _MINUTE
        found = wall.replace(tzinfo=zone)
        if found.utcoffset() == found.replace(fold=1).utcoffset():
            return found


def _five_fields(text: str) -> list[str]:
    if text.lower() in MACROS:
        return MACROS[text.lower()].split()
    if text.startswith("@"):
        raise CronError(f"There is no {text[:20]}; there are {', '.join(MACROS)}.")
    if len(text) > LONGEST or not re.fullmatch(r"[A-Za-z0-9*/,#? -]*", text):
        raise CronError("Write five fields, such as 0 9 * * 1-5, or @daily.")
    parts = text.upper().split(" ")
    if len(parts) == len(FIELDS) + 1:
        raise CronError(
            "It has six fields. Write five: a call repeats once a minute at most, "
            "so seconds are not taken."
        )
    if len(parts) != len(FIELDS):
        raise CronError(
            "Write five fields (minute, hour, day of month, month, day of week), "
            "such as 0 9 * * 1-5, or @daily."
        )
    return parts


def _star(field: str, text: str) -> str:
    """Return a field with a star for the ``?`` that Quartz and AWS write for any day."""
    return "*" if text == "?" and field in ("day of month", "day of week") else text


def _plain(field: str, text: str) -> str:
    """Return a field in the words of Debian's cron alone, where cronsim takes more or other ones.

    To cronsim a range of one value goes on to the end when it has a step, and the days of the
    week go on to a second Sunday.
    """
    return ",".join(_plain_term(field, term) for term in text.split(","))


def _plain_term(field: str, term: str) -> str:
    value, slash, step = term.partition("/")
    begin, dash, end = value.partition("-")
    if slash and dash and _number(begin) == _number(end):
        return begin
    if slash and not dash and field == "day of week" and value != "*":
        return f"{value}-{_SATURDAY}/{step}" if _number(value) < _SATURDAY else value
    return term


def _one_sunday(day: int | tuple[int, int]) -> int | tuple[int, int]:
    """Return a day of the week, or an occurrence of it in the month, with 0 for Sunday alone."""
    if isinstance(day, tuple):
        return (day[0] % 7, day[1])
    return day % 7


def _number(value: str) -> int:
    for names in (SYMBOLIC_DAYS, SYMBOLIC_MONTHS):
        if value in names:
            return names.index(value)
    return int(value)


def _check(parts: list[str]) -> None:
    for index, (name, allowed) in enumerate(FIELDS.items()):
        alone = ["*"] * len(FIELDS)
        alone[index] = parts[index]
        try:
            CronSim(" ".join(alone), _SOME_TIME)
        except CronSimError:
            raise CronError(
                f"The {name}, {parts[index]}, cannot be read; it takes {allowed}."
            ) from None
    try:
        next(CronSim(" ".join(parts), _SOME_TIME))
    except (CronSimError, StopIteration):
        raise CronError(
            f"It never fires: no day is day of month {parts[2]}, month {parts[3]} "
            f"and day of week {parts[4]}."
        ) from None
