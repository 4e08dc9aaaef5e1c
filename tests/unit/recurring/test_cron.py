"""When cron expressions fire, held against a second library and against time counted out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from vomind_queue.recurring.cron import MACROS, Cron, CronError

MINUTE = timedelta(minutes=1)

#: Zone, and a day around which its clock is moved.
CHANGES = [
    ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"),
    ("Europe/Berlin", "2027-03-28"),
    ("Europe/Berlin", "2027-10-31"),
    ("Europe/Dublin", "2027-03-28"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Australia/Lord_Howe", "2027-04-04"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2019-02-17"),
    ("Pacific/Chatham", "2027-09-26"),
    ("Pacific/Chatham", "2027-04-04"),
    ("Africa/Casablanca", "2027-02-07"),
    ("Asia/Kolkata", "2027-03-28"),
    ("Pacific/Apia", "2011-12-30"),
    ("America/St_Johns", "2027-03-14"),
]


def ms(moment: datetime) -> int:
    """Unix ms."""
    return int(moment.timestamp()) * 1000


def at(text: str, zone: str = "UTC") -> int:
    """Unix ms of a time on a zone's wall clock."""
    return ms(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def first(expression: str, zone: str, after: str, count: int = 3) -> list[str]:
    """The next runs on the wall clock, with their offsets."""
    runs = islice(Cron(expression).runs(ZoneInfo(zone), at(after, zone)), count)
    local = (datetime.fromtimestamp(run / 1000, UTC).astimezone(ZoneInfo(zone)) for run in runs)
    return [each.isoformat(timespec="minutes") for each in local]


def between(expression: str, zone: str, begin: datetime, end: datetime) -> list[int]:
    """All runs from begin (included) to end."""
    runs = Cron(expression).runs(ZoneInfo(zone), ms(begin) - 1)
    return list(takewhile(lambda run: run < ms(end), runs))


class Reference:
    """The fields as croniter reads them, matched by counting out the minutes."""

    def __init__(self, expression: str) -> None:
        fields = croniter.expand(expression)[0]
        parts = expression.split()
        self._minutes, self._hours, self._days, self._months, self._weekdays = (
            set(every) if "*" in field else set(field)
            for field, every in zip(
                fields, (range(60), range(24), range(1, 32), range(1, 13), range(8)), strict=True
            )
        )
        self._either = not (parts[2].startswith("*") or parts[4].startswith("*"))
        self.real_time = parts[0].startswith("*") or parts[1].startswith("*")

    def matches(self, wall: datetime) -> bool:
        """Whether the pattern means this minute of the wall clock."""
        if wall.minute not in self._minutes or wall.hour not in self._hours:
            return False
        return wall.month in self._months and self.matches_day(wall)

    def matches_day(self, wall: datetime) -> bool:
        """Whether it means this day of the month and of the week."""
        day, weekday = wall.day in self._days, wall.isoweekday() % 7 in self._weekdays
        return (day or weekday) if self._either else (day and weekday)

    def in_year(self, year: int) -> Iterator[int]:
        """All minutes of a year in UTC."""
        day = datetime(year, 1, 1, tzinfo=UTC)
        while day.year == year:
            if day.month in self._months and self.matches_day(day):
                for hour in sorted(self._hours):
                    for minute in sorted(self._minutes):
                        yield ms(day.replace(hour=hour, minute=minute))
            day += timedelta(days=1)

    def between(self, zone: ZoneInfo, begin: datetime, end: datetime) -> list[int]:
        """All runs, with the clock moved as Debian's cron(8) says."""
        instants: dict[datetime, datetime] = {}
        found, moment, last = set(), begin, None
        while moment < end:
            wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
            if self.real_time:
                if self.matches(wall):
                    found.add(ms(moment))
            else:
                if wall not in instants and self.matches(wall):
                    found.add(ms(moment))
                instants.setdefault(wall, moment)
                if last is not None and MINUTE < wall - last <= timedelta(hours=3):
                    jumped = (last + n * MINUTE for n in range(1, (wall - last) // MINUTE))
                    if any(map(self.matches, jumped)):
                        found.add(ms(moment))
            last = wall
            moment += MINUTE
        return sorted(found)


def picked(rng: random.Random, busy: float = 1.0) -> str:
    """A pattern of lists, ranges, steps and names; ``busy`` of those by the minute all day."""
    minute = rng.choice(
        ["*", "*/5", "*/7", "0", str(rng.randrange(60)), "15,45", f"{rng.randrange(30)}-50/4"]
    )
    hour = rng.choice(
        ["*", "*/2", "*/3", "*/5", "2", "1-3", "0", str(rng.randrange(24)), "9-17", "0,2,23"]
    )
    if minute.startswith("*") and rng.random() > busy:
        hour = str(rng.randrange(24))
    day, weekday = rng.choice(
        [("*", "*")] * 4
        + [(str(rng.randint(1, 31)), "*"), ("*", rng.choice(["1-5", "MON,FRI", "0", "7", "SUN"]))]
        + [(f"1-{rng.randint(2, 31)}/3", rng.choice(["*", "2", "TUE-THU"]))]
    )
    month = rng.choice(["*"] * 5 + ["*/2", "1-6", "JAN,MAR,OCT,NOV", "2"])
    if month == "2" and day.isdigit() and int(day) > 29:
        day = "29"
    return f"{minute} {hour} {day} {month} {weekday}"


@pytest.mark.randomised
def test_a_year_of_minutes_has_each_run_once(full: bool) -> None:
    """10 patterns picked at random, or 200, against croniter's reading of them."""
    rng = random.Random(20_260_101)
    year = datetime(2028, 1, 1, tzinfo=UTC)
    for _ in range(200 if full else 10):
        expression = picked(rng, busy=0.1)
        found = between(expression, "UTC", year, year.replace(year=2029))
        assert found == list(Reference(expression).in_year(2028)), expression


@pytest.mark.randomised
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_no_run_is_lost_or_doubled_where_the_clock_is_moved(
    zone: str, day: str, full: bool
) -> None:
    """6 patterns at random, or 40, over three days, by the rules of Debian's cron(8)."""
    rng = random.Random(zone + day)
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
    begin, end = noon - timedelta(days=2), noon + timedelta(days=1)
    for _ in range(40 if full else 6):
        expression = picked(rng)
        found = between(expression, zone, begin, end)
        assert found == Reference(expression).between(ZoneInfo(zone), begin, end), expression
        assert all(one < two for one, two in pairwise(found))


def test_each_run_is_found_from_wherever_one_begins() -> None:
    """The run after a moment is the same, whether asked for alone or in a row."""
    zone = ZoneInfo("Australia/Lord_Howe")
    begin = datetime(2027, 4, 3, 9, tzinfo=UTC)
    for expression in ("*/20 * * * *", "45 1 * * *", "0 */3 * * *", "15,45 1-2 * * *"):
        cron = Cron(expression)
        row = list(islice(cron.runs(zone, ms(begin)), 60))
        for last, run in pairwise(row):
            assert next(cron.runs(zone, last)) == run
            assert next(cron.runs(zone, run - 1)) == run
            assert next(cron.runs(zone, (last + run) // 2)) == run


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        # A time that is jumped over fires just after the jump, once.
        ("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00", ["2027-03-28T03:00+02:00"]),
        (
            "0,15,30 2 * * *",
            "America/New_York",
            "2027-03-14T00:00",
            ["2027-03-14T03:00-04:00", "2027-03-15T02:00-04:00"],
        ),
        ("0 2 * * *", "Australia/Lord_Howe", "2026-10-04T00:00", ["2026-10-04T02:30+11:00"]),
        (
            "0 0 * * *",
            "America/Sao_Paulo",
            "2018-11-03T12:00",
            ["2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"],
        ),
        # A time that comes twice fires the first time.
        (
            "30 1 * * *",
            "America/New_York",
            "2027-11-07T00:00",
            ["2027-11-07T01:30-04:00", "2027-11-08T01:30-05:00"],
        ),
        # Patterns with a star follow real hours.
        (
            "0 * * * *",
            "Europe/Berlin",
            "2027-10-31T01:30",
            ["2027-10-31T02:00+02:00", "2027-10-31T02:00+01:00", "2027-10-31T03:00+01:00"],
        ),
        (
            "0 * * * *",
            "Europe/Berlin",
            "2027-03-28T00:30",
            ["2027-03-28T01:00+01:00", "2027-03-28T03:00+02:00"],
        ),
        (
            "0 */3 * * *",
            "Australia/Lord_Howe",
            "2026-10-04T00:00",
            ["2026-10-04T03:00+11:00", "2026-10-04T06:00+11:00"],
        ),
        # A day that a calendar left out is made up for by nobody.
        (
            "0 9 * * *",
            "Pacific/Apia",
            "2011-12-28T12:00",
            ["2011-12-29T09:00-10:00", "2011-12-31T09:00+14:00"],
        ),
        # Either day will do when both are restricted; a star in one of them restricts nothing.
        (
            "0 0 13 * 5",
            "UTC",
            "2026-11-12T12:00",
            ["2026-11-13T00:00+00:00", "2026-11-20T00:00+00:00"],
        ),
        (
            "0 0 */2 * 1",
            "UTC",
            "2026-11-01T12:00",
            ["2026-11-09T00:00+00:00", "2026-11-23T00:00+00:00"],
        ),
        (
            "0 0 29 2 *",
            "UTC",
            "2026-01-01T00:00",
            ["2028-02-29T00:00+00:00", "2032-02-29T00:00+00:00"],
        ),
        (
            "0 12 31 * *",
            "UTC",
            "2026-01-31T12:00",
            ["2026-03-31T12:00+00:00", "2026-05-31T12:00+00:00"],
        ),
        (
            "0 12 L * *",
            "UTC",
            "2028-02-01T00:00",
            ["2028-02-29T12:00+00:00", "2028-03-31T12:00+00:00"],
        ),
        ("0 12 * * 5L", "UTC", "2026-11-01T00:00", ["2026-11-27T12:00+00:00"]),
        ("0 12 * * MON#2", "UTC", "2026-11-01T00:00", ["2026-11-09T12:00+00:00"]),
        ("0 0 * 2 MON#5", "UTC", "2026-01-01T00:00", ["2044-02-29T00:00+00:00"]),
        (
            "5/20 23 * * *",
            "Asia/Kolkata",
            "2026-11-01T00:00",
            ["2026-11-01T23:05+05:30", "2026-11-01T23:25+05:30"],
        ),
        # A step goes no further than its range, and not into a second Sunday.
        (
            "1-1/5 * * * *",
            "UTC",
            "2026-11-24T00:00",
            ["2026-11-24T00:01+00:00", "2026-11-24T01:01+00:00"],
        ),
        (
            "0 0 * * SAT/1",
            "UTC",
            "2026-11-24T00:00",
            ["2026-11-28T00:00+00:00", "2026-12-05T00:00+00:00"],
        ),
        (
            "0 0 * * 5/1",
            "UTC",
            "2026-11-24T00:00",
            ["2026-11-27T00:00+00:00", "2026-11-28T00:00+00:00", "2026-12-04T00:00+00:00"],
        ),
        ("@weekly", "UTC", "2026-11-24T00:00", ["2026-11-29T00:00+00:00"]),
    ],
)
def test_runs(expression: str, zone: str, after: str, expected: list[str]) -> None:
    """Rules that are easily got wrong, one each."""
    assert first(expression, zone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("61 * * * *", "The minute, 61"),
        ("* 25 * * *", "The hour, 25"),
        ("0 0 0 * *", "The day of month, 0"),
        ("0 0 * 13 *", "The month, 13"),
        ("0 0 * * 8", "The day of week, 8"),
        ("0 0 * * MOON", "The day of week, MOON"),
        ("*/0 * * * *", "The minute, */0"),
        ("5-1 * * * *", "The minute, 5-1"),
        ("1,,2 * * * *", "The minute, 1,,2"),
        ("* * * * $ ", "Write five fields"),
        ("* * * *", "Write five fields"),
        ("", "Write five fields"),
        ("every day", "Write five fields"),
        ("* * * * * *", "once a minute at most"),
        ("@often", "There is no @often"),
        ("0 0 30 2 *", "It never fires"),
        ("0 0 31 4,6,9,11 *", "It never fires"),
        ("0 0 */15 2 1#5", "It never fires"),
        ("٣ * * * *", "Write five fields"),
        ("0 " * 200, "Write five fields"),
    ],
)
def test_refusals_name_the_field(expression: str, words: str) -> None:
    """A person must see what to mend."""
    with pytest.raises(CronError) as refused:
        Cron(expression)
    assert words in str(refused.value)


def test_two_ways_of_writing_are_one_pattern() -> None:
    """White space, letters and macros make no difference."""
    assert Cron(" 0  9 * * mon ").pattern == Cron("0 9 * * MON").pattern
    weekdays = ("1-5", "MON-FRI", "1,2,3,4,5", "mon-4,FRI", "05,1-4")
    assert len({Cron(f"00 9 * * {days}").pattern for days in weekdays}) == 1
    assert Cron("0 0 * * 7").pattern == Cron("0 0 * * SUN").pattern
    assert Cron("0 0 * * 7L").pattern == Cron("0 0 * * 0L").pattern
    # By the clock's hours, and by real ones.
    assert Cron("0 0-23 * * *").pattern != Cron("0 * * * *").pattern
    assert Cron("@daily").pattern == Cron("@midnight").pattern == Cron("0 0 * * *").pattern
    assert Cron("@Daily").text == "@Daily"


@pytest.mark.parametrize("macro", MACROS)
def test_macros_fire(macro: str) -> None:
    """Each stands for a pattern, and says so in words."""
    assert len(first(macro, "UTC", "2026-11-24T00:00")) == 3
    assert Cron(macro).in_words()


@pytest.mark.parametrize(
    ("day", "words"),
    [("1", "first"), ("13", "13th"), ("21", "21st"), ("22", "22nd"), ("31", "31st")],
)
def test_days_are_counted_in_english(day: str, words: str) -> None:
    """A preview is for people."""
    assert Cron(f"0 9 {day} * *").in_words() == f"At 09:00 on the {words} day of every month"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*/2 * * * *", "Every 2 minutes"),
        ("*/1 * * * *", "Every minute"),
        ("*/40 * * * *", "At minutes 0 and 40 of every hour"),
        ("0 */6 * * *", "At minute 0 past every sixth hour"),
        ("0 */9 * * *", "At 00:00, 09:00, and 18:00 every day"),
        ("0 9 * * */2", "At 09:00 on Sunday, Tuesday, Thursday, and Saturday"),
        ("0 9 1 * 1", "At 09:00 on the first day of month and on Monday"),
        ("0 9 * * 5L", "At 09:00 on the last Friday of the month"),
    ],
)
def test_a_pattern_is_not_misread(text: str, words: str) -> None:
    """A step that does not divide the hour, the day or the week begins again at its start."""
    assert Cron(text).in_words() == words


@pytest.mark.parametrize(
    ("quartz", "plain"), [("0 9 ? * MON", "0 9 * * MON"), ("0 9 1 * ?", "0 9 1 * *")]
)
def test_a_question_mark_is_any_day(quartz: str, plain: str) -> None:
    """As Quartz and AWS write it; elsewhere it is refused."""
    assert Cron(quartz).pattern == Cron(plain).pattern
    with pytest.raises(CronError):
        Cron("? 9 * * *")
