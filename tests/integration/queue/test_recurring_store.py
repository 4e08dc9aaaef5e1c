"""Schedules on a real server: stored, changed, paused, removed, one script a moment."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import begin, place, taken
from tests.integration.recurring_calls import (
    MINUTE,
    fire,
    listed,
    look,
    make_due,
    put,
    shown,
    wanted,
)
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.errors import (
    JobNotFound,
    KeyReused,
    ScheduleChanged,
    ScheduleExists,
    StoreUnavailable,
)
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.recurring.schedule import Removed
from vomind_queue.recurring.ticks import Outcome
from vomind_queue.usecases.recurring_calls import RecurringCalls


def test_after_its_last_run_a_schedule_rests(
    timetable: RecurringStore, valkey: redis.Redis, desk: WorkerQueue
) -> None:
    """``maxRuns`` counts occurrences; the schedule stays to be seen."""
    put(timetable, wanted(max_runs=2))
    for number in range(2):
        make_due(valkey, "1", 5_000 - number * 1_000)
        assert fire(timetable) == [Outcome.FIRED]
        place(desk, taken(desk)[0])
    schedule = shown(timetable)
    assert schedule.status == "ended"
    assert schedule.next_runs(5) == []
    assert look(timetable).due == []
    assert timetable.page(0, 9).total == 1
    timetable.change(schedule, wanted(max_runs=3), timetable.now_ms() + MINUTE, keep_due=True)
    assert len(shown(timetable).next_runs(5)) == 1


def test_the_same_recurrence_again_is_an_update(timetable: RecurringStore) -> None:
    """Number, pattern and zone make the identity; the rest is taken over."""
    assert put(timetable, wanted()) == "1"
    assert put(timetable, wanted(message="Edited", max_runs=7)) == "1"
    assert put(timetable, wanted(to="+1234567891")) == "2"
    assert put(timetable, wanted(cron="@daily")) == "3"
    schedule = shown(timetable)
    assert (schedule.recurrence.call.message, schedule.recurrence.max_runs) == ("Edited", 7)
    assert put(timetable, wanted()) == "1"
    assert shown(timetable).recurrence.max_runs is None


def test_an_update_keeps_the_pause_and_the_tick_that_is_due(
    timetable: RecurringStore, valkey: redis.Redis
) -> None:
    """Registering again at each start of an app undoes no operator's pause and loses no run."""
    put(timetable, wanted())
    tick = make_due(valkey, "1")
    put(timetable, wanted(message="Edited"))
    assert shown(timetable).next_ms == tick
    timetable.pause(shown(timetable), "ops")
    put(timetable, wanted())
    assert shown(timetable).pause is not None
    assert look(timetable).due == []


def test_a_removed_schedule_gives_its_identity_free_but_never_its_number(
    timetable: RecurringStore,
) -> None:
    """Runs of the old one stay apart from those of the new one."""
    put(timetable, wanted())
    assert timetable.remove("1") == Removed(cancelled=[], active=[])
    with pytest.raises(JobNotFound):
        timetable.show("1")
    with pytest.raises(JobNotFound):
        timetable.remove("1")
    assert put(timetable, wanted()) == "2"


def test_changes_meet_nobody_elses(timetable: RecurringStore) -> None:
    """Of two at the same time one is told; two schedules never become the same one."""
    put(timetable, wanted())
    put(timetable, wanted(cron="@daily"))
    old = shown(timetable)
    timetable.change(old, wanted(cron="@weekly"), 1, keep_due=False)
    with pytest.raises(ScheduleChanged):
        timetable.change(old, wanted(cron="@monthly"), 1, keep_due=False)
    with pytest.raises(ScheduleExists, match="recurring:2"):
        timetable.change(shown(timetable), wanted(cron="@daily"), 1, keep_due=False)
    assert put(timetable, wanted()) == "3", "the old pattern is free again"


def test_a_pause_is_not_made_up_for(timetable: RecurringStore, valkey: redis.Redis) -> None:
    """What was due when it was paused is missed, and told; it goes on with the next tick."""
    put(timetable, wanted())
    tick = make_due(valkey, "1")
    timetable.pause(shown(timetable), "ops")
    assert look(timetable).due == []
    paused = shown(timetable)
    assert paused.pause is not None
    assert (paused.pause.by, paused.next_ms, paused.missed_ms) == ("ops", None, [tick])
    timetable.resume(paused, timetable.now_ms() + MINUTE)
    assert shown(timetable).pause is None
    assert look(timetable).next_in_ms is not None


def test_the_list_is_in_the_order_of_the_next_ticks(timetable: RecurringStore) -> None:
    """Soonest first, those without a next tick last."""
    now = timetable.now_ms()
    for number, ahead in enumerate((3_000, None, 1_000, 2_000)):
        tick = None if ahead is None else now + ahead
        timetable.put(wanted(to=f"+12345678{number:02}"), tick)
    page = timetable.page(0, 9)
    assert [listed(view) for view in page.views] == ["3", "4", "1", "2"]
    assert [listed(view) for view in timetable.page(1, 2).views] == ["4", "1"]
    assert page.total == 4


def test_a_request_with_a_key_is_one_request(timetable: RecurringStore) -> None:
    """The first answer comes again; another request with the key is refused."""
    key = IdempotencyKey(name="k", fingerprint="f")
    first = timetable.put(wanted(), 1, key)
    timetable.remove("1")
    again = timetable.put(wanted(), 1, key)
    assert (again.schedule_id, again.replayed) == (first.schedule_id, True)
    assert timetable.recall(key) == again
    assert timetable.page(0, 9).total == 0
    with pytest.raises(KeyReused):
        timetable.put(wanted(), 1, IdempotencyKey(name="k", fingerprint="other"))


def test_the_record_is_the_truth(timetable: RecurringStore, valkey: redis.Redis) -> None:
    """A tick that was seen to does not come again by an edited score; one without a record goes."""
    put(timetable, wanted())
    done_ms = make_due(valkey, "1")
    assert fire(timetable) == [Outcome.FIRED]
    next_ms = shown(timetable).next_ms
    assert next_ms is not None
    one, nine = "{calls}:redbeat:recurring:1", "{calls}:redbeat:recurring:9"
    valkey.zadd("{calls}:redbeat::schedule", {one: 5, nine: 6})
    assert fire(timetable) == [Outcome.MISSED]
    assert valkey.zrange("{calls}:redbeat::schedule", 0, -1, withscores=True) == [
        (one, next_ms / 1000)
    ]
    schedule = shown(timetable)
    assert (schedule.fired, schedule.missed, schedule.done_ms) == (1, 0, done_ms)


def test_a_full_server_takes_no_new_schedule_and_lets_old_ones_go(
    timetable: RecurringStore, client: redis.Redis
) -> None:
    """As for calls: what frees goes through, what fills is refused with nothing half-written."""
    put(timetable, wanted())
    put(timetable, wanted(to="+1234567891"))
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable):
            put(timetable, wanted(to="+1234567892"))
        timetable.pause(shown(timetable), "ops")
        timetable.remove("2")
        assert look(timetable).due == []
    finally:
        client.config_set("maxmemory", 0)
    assert timetable.page(0, 9).total == 1
    assert put(timetable, wanted(to="+1234567892")) == "3"


def test_a_tick_that_was_seen_to_does_not_come_again(
    timetable: RecurringStore, queue: CallQueue, valkey: redis.Redis, desk: WorkerQueue
) -> None:
    """A change that was worked out before it fired is refused, however old its run is by now."""
    put(timetable, wanted())
    tick = make_due(valkey, "1")
    before = shown(timetable)
    assert fire(timetable) == [Outcome.FIRED]
    place(desk, taken(desk)[0])
    queue.clean(0, 9)
    for change in (
        lambda: timetable.change(before, wanted(), tick, keep_due=True),
        lambda: timetable.resume(before, tick),
        lambda: timetable.put(wanted(), tick),
    ):
        with pytest.raises(ScheduleChanged) as refused:
            change()
        assert refused.value.done_ms == tick
    assert shown(timetable).next_ms == wanted().first(tick)
    assert RecurringCalls(timetable).schedule(wanted()).schedule_id == "1"
    assert fire(timetable) == []


def test_a_due_tick_survives_a_change_of_words_and_is_told_when_it_does_not(
    timetable: RecurringStore, valkey: redis.Redis
) -> None:
    """The same pattern or zone in other words keeps it; another pattern misses it, and says so."""
    put(timetable, wanted(cron="0 0 1 1 *"))
    tick = make_due(valkey, "1")
    recurring = RecurringCalls(timetable)
    for cron in ("@yearly", "0 0 1 JAN *"):
        recurring.amend("1", lambda _, cron=cron: wanted(cron=cron))  # type: ignore[misc]
        assert shown(timetable).next_ms == tick
    recurring.amend("1", lambda old: replace(old.recurrence, zone="Etc/UTC"))
    assert shown(timetable).next_ms == tick
    recurring.amend("1", lambda _: wanted())
    schedule = shown(timetable)
    assert (schedule.missed, schedule.missed_ms) == (1, [tick])


def test_a_retried_run_is_stopped_with_its_schedule(
    timetable: RecurringStore, queue: CallQueue, valkey: redis.Redis, desk: WorkerQueue
) -> None:
    """Though it was shown no more; and one that is being placed is told."""
    put(timetable, wanted())
    first = f"recurring:1:{make_due(valkey, '1', 60_000)}"
    fire(timetable)
    taken(desk)
    desk.finish(begin(desk, first), Decision(ending=AttemptResult.FAILED, reason="no"))
    desk.release(first)
    for number in range(15):
        make_due(valkey, "1", 40_000 - number * 1_000)
        fire(timetable)
        place(desk, taken(desk)[0])
    queue.retry(first)
    last = f"recurring:1:{make_due(valkey, '1', 2_000)}"
    fire(timetable)
    assert taken(desk, 2) == [first, last]
    begin(desk, last)
    desk.give_back(first, str(desk.book.token(first)))
    assert timetable.remove("1") == Removed(cancelled=[first], active=[last])
