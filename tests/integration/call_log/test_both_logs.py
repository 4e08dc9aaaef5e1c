"""What every log does: the file as well as Supabase."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.call_log.lines import AT, event, key, row
from vomind_queue.call_log.models import Batch, CallEvent, CallRow, Search
from vomind_queue.call_log.protocol import CallLog
from vomind_queue.call_log.trends import Window


def write(log: CallLog, *lines: CallRow | CallEvent) -> None:
    """One delivery, all of which is taken."""
    rows = [line for line in lines if isinstance(line, CallRow)]
    events = [line for line in lines if isinstance(line, CallEvent)]
    assert list(log.write(Batch(rows=rows, events=events))) == []


def ids(log: CallLog, **search: object) -> list[str]:
    """Job ids of what is found."""
    return [each.job_id for each in log.find(Search(**search))]  # type: ignore[arg-type]


def test_what_goes_in_comes_out(log: CallLog) -> None:
    """Every field, filled in and empty."""
    full, bare = row(1), CallRow(
        key=key(2), job_id="2", version=1, to_number=None, lead_id=None, priority="low",
        message=None, metadata=None, state="waiting", attempts=0, scheduled_ms=None,
        queued_ms=AT + 2, started_ms=None, finished_ms=None,
    )  # fmt: skip
    first, second = event(1, 1), CallEvent(
        key=key(1), job_id="1", sequence=2, time_ms=AT, event="taken", state=None
    )  # fmt: skip
    write(log, full, bare, second, first)
    assert list(log.find(Search())) == [bare, full]
    assert log.call("1") == (full, [first, second])
    assert log.call("3") is None


def test_a_delivery_may_be_repeated(log: CallLog) -> None:
    """Whole or in part, and nothing stands there twice."""
    lines = [row(1), row(2), event(1, 1), event(1, 2), event(2, 1)]
    write(log, *lines)
    write(log, *lines)
    write(log, *lines[1:3])
    found = log.call("1")
    assert ids(log) == ["2", "1"]
    assert found is not None
    assert [each.sequence for each in found[1]] == [1, 2]


def test_a_row_that_comes_late_does_not_undo_a_newer_one(log: CallLog) -> None:
    """Beside one that is newer and goes through in the same delivery."""
    write(log, row(1, version=5), row(2, version=5))
    write(log, row(1, version=4, state="active"), row(2, version=6, state="failed"))
    assert [each.state for each in log.find(Search())] == ["failed", "completed"]


def test_the_time_of_answering_stays_known(log: CallLog) -> None:
    """Only the row that comes with that event knows it."""
    write(log, row(1, version=5, answered_ms=AT + 7))
    write(log, row(1, version=6, answered_ms=None))
    assert [each.answered_ms for each in log.find(Search())] == [AT + 7]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({}, ["4", "3", "2", "1"]),
        ({"limit": 2}, ["4", "3"]),
        ({"after": key(3)}, ["2", "1"]),
        ({"after": key(3), "limit": 1}, ["2"]),
        ({"number": "+15550000002"}, ["2"]),
        ({"lead_id": "lead-3"}, ["3"]),
        ({"lead_id": "a,b.(c)"}, ["4"]),
        ({"job_id": "4"}, ["4"]),
        ({"states": ["failed"]}, ["3", "2"]),
        ({"states": ["failed"], "number": "+15550000002"}, ["2"]),
        ({"outcomes": ["busy"]}, ["1"]),
        ({"states": ["failed", "completed"], "limit": 3}, ["4", "3", "2"]),
        ({"states": ["failed", "completed"], "after": key(3)}, ["2", "1"]),
        ({"outcomes": ["busy", "none"], "priorities": ["high"]}, ["4", "1"]),
        ({"outcomes": ["none", "busy"], "lead_id": "lead-1"}, ["1"]),
        ({"priorities": ["low"]}, ["3"]),
        ({"campaign_id": "7"}, ["4", "3", "1"]),
        ({"campaign_id": "8"}, ["2"]),
        ({"campaign_id": "7", "states": ["completed"], "outcomes": ["busy", "none"]}, ["4", "1"]),
        ({"campaign_id": "7", "priorities": ["low"], "after": key(4)}, ["3"]),
        ({"since_ms": AT + 3}, ["4", "3"]),
        ({"until_ms": AT + 3}, ["2", "1"]),
        ({"since_ms": AT + 2, "until_ms": AT + 3}, ["2"]),
    ],
)
def test_calls_are_found(log: CallLog, search: dict[str, object], found: list[str]) -> None:
    """By everything, the newest first."""
    write(
        log,
        row(1, outcome="busy"),
        row(2, state="failed", campaign_id="8"),
        row(3, state="failed", priority="low"),
        row(4, lead_id="a,b.(c)", outcome=None),
    )
    assert ids(log, **search) == found
    if not {"limit", "after"} & set(search):
        assert log.count(Search(**search)) == len(found)  # type: ignore[arg-type]


def test_voicemails_are_found_apart_from_people(log: CallLog) -> None:
    """Twilio calls both completed."""
    by = {1: "machine_end_beep", 2: "fax", 3: "human", 4: None}
    write(log, *(row(index, outcome="completed", answered_by=who) for index, who in by.items()))
    write(log, row(5, outcome=None, answered_by="machine_start"))
    assert ids(log, outcomes=["machine"]) == ["2", "1"]
    assert ids(log, outcomes=["completed"]) == ["4", "3"]
    assert ids(log, outcomes=["none", "machine"], priorities=["high"]) == ["5", "2", "1"]
    assert log.count(Search(outcomes=["machine"])) == 2


def test_people_are_erased(log: CallLog) -> None:
    """With their events, those without a row included; nobody else."""
    write(log, row(1), event(1, 1), event(1, 2), row(2), event(2))
    write(log, event(3, to_number="+15550000001"))
    keys = log.keys_of("+15550000001", 10)
    assert sorted(keys) == [key(1), key(3)]
    erased = log.erase(keys)
    assert (erased.calls, erased.events) == (1, 3)
    assert ids(log) == ["2"]
    assert log.keys_of("+15550000001", 10) == []
    assert (log.erase(keys).calls, log.erase([]).calls) == (0, 0)


def test_old_calls_are_erased_in_small_batches(log: CallLog) -> None:
    """Those that have ended before a time; one that goes on stays, however old."""
    write(
        log,
        *(row(index, finished_ms=AT + index) for index in range(1, 6)),
        *(event(index) for index in range(1, 6)),
        row(6, state="delayed", finished_ms=None),
    )
    assert log.expire(AT + 5, 3, now_ms=AT + 9, anonymize=False) == 3
    assert log.expire(AT + 5, 3, now_ms=AT + 9, anonymize=False) == 1
    assert log.expire(AT + 5, 3, now_ms=AT + 9, anonymize=False) == 0
    assert ids(log) == ["6", "5"]
    assert log.keys_of("+15550000001", 10) == []


def test_old_calls_are_blanked(log: CallLog) -> None:
    """Nothing personal is left; numbers for statistics are; and nothing comes back."""
    write(log, row(1), event(1))
    assert log.expire(AT + 100, 10, now_ms=AT + 900, anonymize=True) == 1
    assert log.expire(AT + 100, 10, now_ms=AT + 900, anonymize=True) == 0
    write(log, row(1, version=99, attempts=7), event(1), event(1, 2))
    found = log.call("1")
    assert found is not None
    kept, events = found
    gone = (kept.to_number, kept.lead_id, kept.message, kept.metadata, kept.failure)
    assert gone == (None,) * 5
    assert (kept.outcome, kept.duration, kept.price) == ("completed", 17, "-0.0085")
    assert (kept.anonymized_ms, kept.attempts) == (AT + 900, 7), "what becomes of it is told"
    assert [(each.to_number, each.from_number, each.details) for each in events] == 2 * [
        (None, None, {})
    ]


STEP = Window(since_ms=AT - 60_000, until_ms=AT + 120_000, step_ms=60_000)


def started(index: int, at_ms: int, **changes: Any) -> CallRow:
    """A call whose only attempt started then; it had waited for ten seconds."""
    fields = {"queued_ms": at_ms - 10_000, "scheduled_ms": None, "started_ms": at_ms, "attempts": 1}
    return row(index, **{**fields, **changes})


def test_trends_count_outcomes_in_steps(log: CallLog) -> None:
    """Machines apart; what has no outcome, and what is outside the time, as such."""
    write(
        log,
        started(1, AT),
        started(2, AT + 59_999, answered_by="machine_start"),
        started(3, AT + 60_000, outcome="busy"),
        started(4, AT + 60_000, outcome=None, answered_by=None),
        started(5, AT - 60_001),
        started(6, AT + 120_000),
        started(7, AT, started_ms=None),
    )
    assert [(each.at_ms, each.outcomes) for each in log.trends(STEP)] == [
        (AT, {"completed": 1, "machine": 1}),
        (AT + 60_000, {"busy": 1, "none": 1}),
    ]


def test_trends_tell_how_long_calls_had_waited(log: CallLog) -> None:
    """From when they were due; a call that was dialed again waited for something else."""
    waits = [
        started(index, AT + 1_000, queued_ms=AT + 1_000 - 1_000 * index) for index in range(1, 11)
    ]
    scheduled = started(11, AT + 60_000, scheduled_ms=AT + 59_000, queued_ms=AT - 3_600_000)
    early = started(12, AT + 60_000, scheduled_ms=AT + 60_500)
    again = started(13, AT + 60_000, attempts=2)
    write(log, *waits, scheduled, early, again)
    found = [(each.wait_p50_ms, each.wait_p90_ms) for each in log.trends(STEP)]
    assert found == [(5_000, 9_000), (0, 1_000)]
    write(log, started(14, AT - 60_000, attempts=3))
    assert next(each.wait_p50_ms for each in log.trends(STEP)) is None


def test_trends_of_a_week_have_longer_steps(log: CallLog) -> None:
    """Each half hour is one step, and nothing outside the time is counted."""
    half_ms = 30 * 60_000
    first = AT - AT % half_ms
    times = (first, first + half_ms // 2, first + half_ms - 1, first + half_ms, first - 1)
    write(log, *(started(index, at_ms) for index, at_ms in enumerate(times, 1)))
    until_ms = first + half_ms + 1
    found = log.trends(Window(since_ms=first, until_ms=until_ms, step_ms=half_ms))
    assert [(each.at_ms, each.outcomes) for each in found] == [
        (first, {"completed": 3}),
        (first + half_ms, {"completed": 1}),
    ]
    assert [each.wait_p90_ms for each in found] == [10_000, 10_000]


def test_trends_of_an_empty_log(log: CallLog) -> None:
    """There is no step."""
    assert list(log.trends(STEP)) == []


def test_events_of_some_calls_are_found(log: CallLog) -> None:
    """Of the kinds that are wanted, each call's in order, and nobody else's."""
    started = event(1, 2, event="started", details={"rules": "law:1"})
    again, another = event(1, 4, event="started"), event(2, 1, event="started")
    write(log, row(1), row(2), row(3), again, event(1, 3), started, another, event(3, 1))
    assert list(log.events([key(1), key(2)], ["started"])) == [started, again, another]
    assert list(log.events([], ["started"])) == []
