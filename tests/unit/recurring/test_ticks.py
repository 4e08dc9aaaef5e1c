"""What becomes of ticks that are due, as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from vomind_queue.calls.call import Call
from vomind_queue.recurring.cron import CronError
from vomind_queue.recurring.runs import read_zone
from vomind_queue.recurring.schedule import Recurrence
from vomind_queue.recurring.ticks import MOST_TICKS, Due, decide
from vomind_queue.recurring.time_zones import offset_changes

MINUTE = 60_000
#: A whole hour.
HOUR_MS = 1_795_521_600_000


def due(cron: str = "* * * * *", **changes: Any) -> Due:
    """A schedule whose tick was at the whole hour."""
    recurrence = Recurrence(call=Call(to="+1234567890"), cron=cron, zone="UTC", **changes)
    return Due(id="1", revision=1, recurrence=recurrence, tick_ms=HOUR_MS)


@pytest.mark.parametrize(
    ("late_ms", "grace_ms", "fires", "missed", "follows"),
    [
        # On time, and late by less than a minute.
        (0, 900_000, 0, 0, 1),
        (59_999, 900_000, 0, 0, 1),
        # Several are due: the last one fires, the others would come in a burst.
        (MINUTE, 900_000, 1, 1, 2),
        (10 * MINUTE + 5, 900_000, 10, 10, 11),
        # The last one is too late, too.
        (1_500, 1_500, None, 1, 1),
        (1_499, 1_500, 0, 0, 1),
        (2 * MINUTE + 30_000, 30_000, None, 3, 3),
        (2 * MINUTE + 29_999, 30_000, 2, 2, 3),
    ],
)
def test_the_last_tick_within_the_grace_fires(
    late_ms: int, grace_ms: int, fires: int | None, missed: int, follows: int
) -> None:
    """One ring at most, however long nobody looked; the others are counted."""
    turn = decide(due(misfire_grace_ms=grace_ms), HOUR_MS + late_ms)
    assert turn.fire_ms == (None if fires is None else HOUR_MS + fires * MINUTE)
    assert turn.missed == missed
    assert turn.next_ms == HOUR_MS + follows * MINUTE
    assert len(turn.missed_ms) == min(missed, 10)
    assert list(turn.missed_ms) == sorted(turn.missed_ms, reverse=True)


def test_a_long_outage_is_caught_up_in_steps() -> None:
    """No step fires before all that is too old is passed over, and every tick is counted."""
    now_ms, left, missed, steps = HOUR_MS + 3_500 * MINUTE + 1, due(), 0, 0
    while True:
        turn = decide(left, now_ms)
        missed, steps = missed + turn.missed, steps + 1
        assert turn.missed <= MOST_TICKS
        assert turn.next_ms is not None
        if turn.fire_ms is not None:
            break
        left = Due(id="1", revision=1, recurrence=left.recurrence, tick_ms=turn.next_ms)
    assert (turn.fire_ms, missed, steps) == (HOUR_MS + 3_500 * MINUTE, 3_500, 4)
    assert turn.next_ms == HOUR_MS + 3_501 * MINUTE


@pytest.mark.parametrize("late_ms", [0, 5 * MINUTE])
def test_after_the_last_tick_there_is_no_other(late_ms: int) -> None:
    """``endAt`` is the last moment at which a tick may be."""
    turn = decide(due("0 * * * *", end_ms=HOUR_MS), HOUR_MS + late_ms)
    assert turn.fire_ms == HOUR_MS
    assert turn.next_ms is None


def test_a_schedule_that_cannot_be_read_says_so() -> None:
    """A zone may be gone from the machine's data; the scheduler stops that schedule alone."""
    gone = Recurrence(call=Call(to="+1234567890"), cron="@daily", zone="Mars/Olympus")
    with pytest.raises(CronError, match="Mars/Olympus"):
        decide(Due(id="1", revision=1, recurrence=gone, tick_ms=HOUR_MS), HOUR_MS)


def test_start_and_end_bound_the_runs() -> None:
    """Both moments are included."""
    minutes = Recurrence(
        call=Call(to="+1234567890"),
        cron="* * * * *",
        zone="UTC",
        start_ms=HOUR_MS + MINUTE,
        end_ms=HOUR_MS + 3 * MINUTE,
    )
    assert list(minutes.runs(HOUR_MS)) == [HOUR_MS + n * MINUTE for n in (1, 2, 3)]
    assert minutes.first(HOUR_MS + 3 * MINUTE) is None


def test_identity_is_number_pattern_and_zone() -> None:
    """The same in other words is the same; another number, pattern or zone is another one."""

    def key_of(to: str = "+1234567890", cron: str = "@daily", zone: str = "UTC") -> str:
        return Recurrence(call=Call(to=to), cron=cron, zone=zone).dedup_key

    assert key_of() == key_of(cron="0  0 * * *")
    others = {key_of("+1234567891"), key_of(cron="@weekly"), key_of(zone="Europe/Berlin")}
    assert len(others | {key_of()}) == 4


def test_the_moments_at_which_clocks_are_moved_are_found_to_the_second() -> None:
    """Half an hour at Lord Howe, an hour in Berlin, never in Kolkata."""
    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (2027, 2028))

    def changes(zone: str, most: int = 9) -> list[tuple[str, int]]:
        found = offset_changes(read_zone(zone), begin, end, most)
        return [
            (
                datetime.fromtimestamp(each.at_ms / 1000, UTC).isoformat(),
                each.after_s - each.before_s,
            )
            for each in found
        ]

    assert changes("Asia/Kolkata") == []
    assert changes("Europe/Berlin") == [
        ("2027-03-28T01:00:00+00:00", 3_600),
        ("2027-10-31T01:00:00+00:00", -3_600),
    ]
    assert changes("Australia/Lord_Howe", most=1) == [("2027-04-03T15:00:00+00:00", -1_800)]
