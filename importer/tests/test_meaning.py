"""What jobs and recurring jobs of BullMQ mean here, as tables."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from vomind_queue_bullmq import jobs, repeats
from vomind_queue_bullmq.jobs import Terms, Untranslatable
from vomind_queue_bullmq.repeats import Translation
from vomind_queue_bullmq.source import OldJob, OldSchedule, Place

from vomind_queue.api.schemas.placeable import PlaceableCalls
from vomind_queue.calls.call import Priority, State
from vomind_queue.config.settings import Settings

NOW = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
#: A service under the simulator, and one that places calls with a real account.
TRYING = PlaceableCalls(Settings.from_env({}))
STRICT = PlaceableCalls(Settings.from_env({"ACCEPT_IMPOSSIBLE_NUMBERS": "0"}))
TERMS = Terms(queue="q", now_ms=NOW, past_grace_ms=15 * 60_000, max_attempts=3, placeable=TRYING)


def job(place: Place, at_ms: int = 0, data: Any = None, **fields: str) -> OldJob:
    """A job as it stands there."""
    sent = {"to": "+15550000001", "message": "Hello"} if data is None else data
    record = {"data": json.dumps(sent), "timestamp": str(NOW - HOUR), "opts": "{}"} | fields
    return OldJob(id="7", place=place, at_ms=at_ms, fields=record)


def written(record: dict[str, str]) -> OldJob:
    """A waiting job, with these fields as Redis has them."""
    plain = job(Place.WAIT)
    return replace(plain, fields={**plain.fields, **record})


def schedule(next_ms: int = NOW + HOUR, run: Any = None, **fields: str) -> OldSchedule:
    """A recurring job as it stands there."""
    record = {"data": json.dumps({"to": "+15550000001"}), "opts": '{"priority":1}'} | fields
    return OldSchedule(name="s", next_ms=next_ms, fields=record, run_id="r", run=run or {})


def recurring(
    old: OldSchedule, *, zone: str | None, now_ms: int = NOW, placeable: PlaceableCalls = TRYING
) -> Translation:
    """What it means here."""
    return repeats.translate(old, queue="q", zone=zone, now_ms=now_ms, placeable=placeable)


def test_a_call_between_two_attempts_has_the_rest_of_them() -> None:
    """It keeps its instant, its reason and what it has used up."""
    found = jobs.translate(
        job(Place.DELAYED, NOW + 1_500, atm="1", ats="1", failedReason="busy", processedOn="5"),
        TERMS,
    )
    assert (found.state, found.place_ms, found.attempts, found.round) == (
        State.DELAYED,
        NOW + 1_500,
        1,
        1,
    )
    assert (found.reason, found.started_ms, found.due_ms) == ("busy", 5, None)


@pytest.mark.parametrize(
    ("late_ms", "state"), [(14 * 60_000, State.DELAYED), (16 * 60_000, State.FAILED)]
)
def test_a_call_that_is_far_too_late_is_for_a_person_to_judge(late_ms: int, state: State) -> None:
    """As one that is scheduled in the past: it never rings at a time that nobody chose."""
    found = jobs.translate(job(Place.DELAYED, NOW - late_ms), TERMS)
    assert found.state is state
    assert ("It was due" in found.reason) is (state is State.FAILED)


@pytest.mark.parametrize(
    "old",
    [
        job(Place.ACTIVE),
        job(Place.WAIT, ats="1"),
        job(Place.PRIORITIZED, ats="2", atm="1"),
        job(Place.WAIT, ats="1", atm="1", defa="job stalled more than allowable limit"),
    ],
)
def test_a_call_that_may_have_rung_is_never_placed_unasked(old: OldJob) -> None:
    """A call that was started there without an outcome is unknown, wherever it is now."""
    found = jobs.translate(old, TERMS)
    assert found.state is State.FAILED
    assert "may have rung" in found.reason


@pytest.mark.parametrize(
    ("data", "field", "priority"),
    [
        ({"priority": "low"}, "1", Priority.LOW),
        ({"priority": "urgent"}, "2", Priority.NORMAL),
        ({}, "1", Priority.HIGH),
        ({}, "0", Priority.NORMAL),
        ({}, "9", Priority.LOW),
    ],
)
def test_priorities(data: dict[str, str], field: str, priority: Priority) -> None:
    """The word that was sent, else BullMQ's number."""
    old = job(Place.PRIORITIZED, data={"to": "+15550000001", **data}, priority=field)
    assert jobs.translate(old, TERMS).call.priority is priority


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"to": 12345}, "to: Must be"),
        ({}, "to: Must be set"),
        ({"to": "+15550000001", "message": "x" * 3001}, "message: Must be a string"),
        ([], "data: no JSON object"),
    ],
)
def test_what_could_not_be_placed_here_is_named(data: Any, why: str) -> None:
    """With the rule that it breaks, and without its number."""
    with pytest.raises(Untranslatable, match=why):
        jobs.translate(job(Place.WAIT, data=data), TERMS)


@pytest.mark.parametrize(
    ("number", "strict", "why"),
    [
        ("+4402079460123", False, "to: Must be written without the 0"),
        ("+4402079460123", True, "to: Must be written without the 0"),
        ("+1234567890", True, "to: Must be a possible number"),
        ("+1234567890", False, None),
    ],
)
def test_a_number_is_examined_as_the_api_does(number: str, strict: bool, why: str | None) -> None:
    """What the service would refuse from an app is left behind, once or recurring."""
    terms = replace(TERMS, placeable=STRICT if strict else TRYING)
    old = schedule(pattern="0 9 * * *", tz="UTC", data=json.dumps({"to": number}))
    if why is None:
        assert jobs.translate(job(Place.WAIT, data={"to": number}), terms).call.to == number
        assert recurring(old, zone=None).recurrence.call.to == number
        return
    with pytest.raises(Untranslatable, match=why):
        jobs.translate(job(Place.WAIT, data={"to": number}), terms)
    with pytest.raises(Untranslatable, match=why):
        recurring(old, zone=None, placeable=terms.placeable)


def test_a_number_has_its_one_spelling() -> None:
    """The form that came is kept beside it."""
    call = jobs.translate(job(Place.WAIT, data={"to": "+788123456789"}), TERMS).call
    assert (call.to, call.to_given) == ("+78123456789", "+788123456789")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"data": '{"to": "+15550000001", "metadata": {"a": 1e999}}'}, "data: no JSON"),
        ({"data": '{"to": "+15550000001", "metadata": {"a": NaN}}'}, "data: no JSON"),
        ({"data": '{"a": ' + "[" * 5_000 + "]" * 5_000 + "}"}, "data: nested too deeply"),
        ({"data": r'{"a": "\ud83d", "b": ' + "[" * 5_000 + "]" * 5_000 + "}"}, "nested too deeply"),
        ({"data": "1" * 5_000}, "data: no JSON"),
        ({"opts": '{"delay": 1e999}'}, "opts: no JSON"),
        ({"opts": '{"delay": 1e15}'}, "after the year 9999"),
        ({"timestamp": "-5"}, "before 1970"),
    ],
)
def test_a_job_that_cannot_be_read_does_not_stop_the_others(
    record: dict[str, str], why: str
) -> None:
    """It is one that is left behind, with its reason."""
    with pytest.raises(Untranslatable, match=why):
        jobs.translate(written(record), TERMS)


def test_a_text_that_was_cut_in_the_middle_of_an_emoji() -> None:
    """JavaScript sends such a half as U+FFFD, and so is it here; whole ones stay."""
    sent = (
        r'{"to": "+15550000001", "message": "\ud83d\ude00 \ud83d", '
        r'"metadata": {"\udc00": "\u00e9"}}'
    )
    call = jobs.translate(written({"data": sent}), TERMS).call
    assert call.message == "\U0001f600 \ufffd"
    assert call.metadata["\ufffd"] == "é"
    call.message.encode()


def test_metadata_that_are_full_stay_as_they_are() -> None:
    """The old id then stands in the report alone."""
    full = {"k": "x" * 8_180}
    old = job(Place.WAIT, data={"to": "+15550000001", "metadata": full})
    assert jobs.translate(old, TERMS).call.metadata == full


@pytest.mark.parametrize(
    ("fields", "cron", "zone"),
    [
        ({"pattern": "0 9 * * 1-5", "tz": "Europe/Berlin"}, "0 9 * * 1-5", "Europe/Berlin"),
        ({"pattern": "0 30 9 ? * MON", "tz": "UTC"}, "30 9 * * MON", "UTC"),
        ({"pattern": "0 9 * * *"}, "0 9 * * *", "Asia/Kolkata"),
        ({"every": "900000"}, "0,15,30,45 * * * *", "UTC"),
        ({"every": "3600000"}, "0 * * * *", "UTC"),
        ({"every": "21600000"}, "0 1,7,13,19 * * *", "UTC"),
        ({"every": "86400000"}, "0 13 * * *", "UTC"),
    ],
)
def test_patterns_and_zones(fields: dict[str, str], cron: str, zone: str) -> None:
    """A job without a zone follows the worker's clock, an interval the time since 1970."""
    taken = recurring(schedule(**fields), zone="Asia/Kolkata", now_ms=NOW)
    assert (taken.recurrence.cron, taken.recurrence.zone) == (cron, zone)
    assert taken.recurrence.call.priority is Priority.HIGH


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"pattern": "*/10 * * * * *", "tz": "UTC"}, "once a minute"),
        ({"pattern": "* * * *", "tz": "UTC"}, "five fields"),
        ({"pattern": "0 9 * * *", "tz": "CET"}, "perhaps Europe/Berlin"),
        ({"pattern": "0 9 * * *"}, "--timezone"),
        ({"every": "420000"}, "no cron pattern"),
        ({"every": "1500"}, "no cron pattern"),
        ({}, "neither its pattern nor"),
        ({"pattern": "0 9 * * *", "tz": "UTC", "endDate": str(NOW)}, None),
    ],
)
def test_what_has_no_pattern_here_is_named(fields: dict[str, str], why: str | None) -> None:
    """And nothing is guessed; one that is over has no next tick."""
    old = schedule(**fields)
    if why is None:
        assert recurring(old, zone=None, now_ms=NOW).next_ms is None
        return
    with pytest.raises(Untranslatable, match=why):
        recurring(old, zone=None, now_ms=NOW)


def test_the_next_run_is_never_before_the_old_one() -> None:
    """Clocks differ: a run that the old service has begun must not come again."""
    old = schedule(next_ms=NOW + HOUR, pattern="0 * * * *", tz="UTC")
    taken = recurring(old, zone=None, now_ms=NOW - 200)
    assert (taken.next_ms, taken.agrees) == (NOW + HOUR, True)


def test_a_first_run_in_another_zone_is_told() -> None:
    """The old service works the first run out in one process and the others in another one."""
    old = schedule(next_ms=NOW + 10 * HOUR, pattern="30 3 * * *")
    taken = recurring(old, zone="Asia/Kolkata", now_ms=NOW)
    assert (taken.next_ms, taken.agrees) == (NOW + 10 * HOUR, True)
    elsewhere = recurring(old, zone="Europe/Berlin", now_ms=NOW)
    assert not elsewhere.agrees


def test_runs_that_are_left() -> None:
    """The next run carries its own number."""
    run = {"opts": json.dumps({"repeat": {"count": 3}})}
    old = schedule(pattern="0 * * * *", tz="UTC", limit="5", run=run)
    assert recurring(old, zone=None, now_ms=NOW).recurrence.max_runs == 3


def test_a_repeatable_job_is_read_from_its_next_run() -> None:
    """Where neither pattern nor data stand beside it, as before BullMQ 5."""
    run = {
        "data": json.dumps({"to": "+15550000002"}),
        "opts": json.dumps({"repeat": {"pattern": "0 9 * * *", "tz": "UTC"}}),
        "priority": "3",
    }
    old = OldSchedule(name="make-call::::0 9 * * *", next_ms=NOW, fields={}, run_id="r", run=run)
    taken = recurring(old, zone=None, now_ms=NOW)
    assert (taken.recurrence.cron, taken.recurrence.call.priority) == ("0 9 * * *", Priority.LOW)
