"""Schedules on a real server: stored, changed, paused, removed, one script a moment."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import begin, place, taken
from tests.integration.placed_call import place_and_end
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
from vomind_queue.queue.activity import Activity
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.recurring.schedule import Removed
from vomind_queue.recurring.ticks import Outcome
from vomind_queue.usecases.deeds import Deeds
from vomind_queue.usecases.recurring_calls import RecurringCalls


def recurring_calls(recurring_store: RecurringStore, valkey: redis.Redis) -> RecurringCalls:
    """The use case on this store."""
    return RecurringCalls(recurring_store, Deeds(Activity(RedisStore(valkey))))


def test_after_its_last_run_a_schedule_rests(
    recurring_store: RecurringStore, valkey: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """``maxRuns`` counts occurrences; the schedule stays to be seen."""
    put(recurring_store, wanted(max_runs=2))
    for number in range(2):
        make_due(valkey, "1", 5_000 - number * 1_000)
        assert fire(recurring_store) == [Outcome.FIRED]
        place_and_end(worker_queue, valkey, taken(worker_queue)[0])
    schedule = shown(recurring_store)
    assert schedule.status == "ended"
    assert schedule.next_runs(5) == []
    assert look(recurring_store).due == []
    assert recurring_store.page(0, 9).total == 1
    recurring_store.change(
        schedule, wanted(max_runs=3), recurring_store.now_ms() + MINUTE, keep_due=True
    )
    assert len(shown(recurring_store).next_runs(5)) == 1


def test_the_same_recurrence_again_is_an_update(recurring_store: RecurringStore) -> None:
    """Number, pattern and zone make the identity; the rest is taken over."""
    assert put(recurring_store, wanted()) == "1"
    assert put(recurring_store, wanted(message="Edited", max_runs=7)) == "1"
    assert put(recurring_store, wanted(to="+1234567891")) == "2"
    assert put(recurring_store, wanted(cron="@daily")) == "3"
    schedule = shown(recurring_store)
    assert (schedule.recurrence.call.message, schedule.recurrence.max_runs) == ("Edited", 7)
    assert put(recurring_store, wanted()) == "1"
    assert shown(recurring_store).recurrence.max_runs is None


def test_an_update_keeps_the_pause_and_the_tick_that_is_due(
    recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """Registering again at each start of an app undoes no operator's pause and loses no run."""
    put(recurring_store, wanted())
    tick = make_due(valkey, "1")
    put(recurring_store, wanted(message="Edited"))
    assert shown(recurring_store).next_ms == tick
    recurring_store.pause(shown(recurring_store), "ops")
    put(recurring_store, wanted())
    assert shown(recurring_store).pause is not None
    assert look(recurring_store).due == []


def test_a_removed_schedule_gives_its_identity_free_but_never_its_number(
    recurring_store: RecurringStore,
) -> None:
    """Runs of the old one stay apart from those of the new one."""
    put(recurring_store, wanted())
    assert recurring_store.remove("1") == Removed(cancelled=[], active=[])
    with pytest.raises(JobNotFound):
        recurring_store.show("1")
    with pytest.raises(JobNotFound):
        recurring_store.remove("1")
    assert put(recurring_store, wanted()) == "2"


def test_changes_meet_nobody_elses(recurring_store: RecurringStore) -> None:
    """Of two at the same time one is told; two schedules never become the same one."""
    put(recurring_store, wanted())
    put(recurring_store, wanted(cron="@daily"))
    old = shown(recurring_store)
    recurring_store.change(old, wanted(cron="@weekly"), 1, keep_due=False)
    with pytest.raises(ScheduleChanged):
        recurring_store.change(old, wanted(cron="@monthly"), 1, keep_due=False)
    with pytest.raises(ScheduleExists, match="recurring:2"):
        recurring_store.change(shown(recurring_store), wanted(cron="@daily"), 1, keep_due=False)
    assert put(recurring_store, wanted()) == "3", "the old pattern is free again"


def test_a_pause_is_not_made_up_for(recurring_store: RecurringStore, valkey: redis.Redis) -> None:
    """What was due when it was paused is missed, and told; it goes on with the next tick."""
    put(recurring_store, wanted())
    tick = make_due(valkey, "1")
    recurring_store.pause(shown(recurring_store), "ops")
    assert look(recurring_store).due == []
    paused = shown(recurring_store)
    assert paused.pause is not None
    assert (paused.pause.by, paused.next_ms, paused.missed_ms) == ("ops", None, [tick])
    recurring_store.resume(paused, recurring_store.now_ms() + MINUTE)
    assert shown(recurring_store).pause is None
    assert look(recurring_store).next_in_ms is not None


def test_the_list_is_in_the_order_of_the_next_ticks(recurring_store: RecurringStore) -> None:
    """Soonest first, those without a next tick last."""
    now = recurring_store.now_ms()
    for number, ahead in enumerate((3_000, None, 1_000, 2_000)):
        tick = None if ahead is None else now + ahead
        recurring_store.put(wanted(to=f"+12345678{number:02}"), tick)
    page = recurring_store.page(0, 9)
    assert [listed(view) for view in page.views] == ["3", "4", "1", "2"]
    assert [listed(view) for view in recurring_store.page(1, 2).views] == ["4", "1"]
    assert page.total == 4


def test_a_request_with_a_key_is_one_request(recurring_store: RecurringStore) -> None:
    """The first answer comes again; another request with the key is refused."""
    key = IdempotencyKey(name="k", fingerprint="f")
    first = recurring_store.put(wanted(), 1, key)
    recurring_store.remove("1")
    again = recurring_store.put(wanted(), 1, key)
    assert (again.schedule_id, again.replayed) == (first.schedule_id, True)
    assert recurring_store.recall(key) == again
    assert recurring_store.page(0, 9).total == 0
    with pytest.raises(KeyReused):
        recurring_store.put(wanted(), 1, IdempotencyKey(name="k", fingerprint="other"))


def test_the_record_is_the_truth(recurring_store: RecurringStore, valkey: redis.Redis) -> None:
    """A tick that was seen to does not come again by an edited score; one without a record goes."""
    put(recurring_store, wanted())
    last_run_ms = make_due(valkey, "1")
    assert fire(recurring_store) == [Outcome.FIRED]
    next_ms = shown(recurring_store).next_ms
    assert next_ms is not None
    one, nine = "{calls}:redbeat:recurring:1", "{calls}:redbeat:recurring:9"
    valkey.zadd("{calls}:redbeat::schedule", {one: 5, nine: 6})
    assert fire(recurring_store) == [Outcome.MISSED]
    assert valkey.zrange("{calls}:redbeat::schedule", 0, -1, withscores=True) == [
        (one, next_ms / 1000)
    ]
    schedule = shown(recurring_store)
    assert (schedule.fired, schedule.missed, schedule.last_run_ms) == (1, 0, last_run_ms)


def test_a_full_server_takes_no_new_schedule_and_lets_old_ones_go(
    recurring_store: RecurringStore, client: redis.Redis
) -> None:
    """As for calls: what frees goes through, what fills is refused with nothing half-written."""
    put(recurring_store, wanted())
    put(recurring_store, wanted(to="+1234567891"))
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable):
            put(recurring_store, wanted(to="+1234567892"))
        recurring_store.pause(shown(recurring_store), "ops")
        recurring_store.remove("2")
        assert look(recurring_store).due == []
    finally:
        client.config_set("maxmemory", 0)
    assert recurring_store.page(0, 9).total == 1
    assert put(recurring_store, wanted(to="+1234567892")) == "3"


def test_a_tick_that_was_seen_to_does_not_come_again(
    recurring_store: RecurringStore,
    queue: CallQueue,
    valkey: redis.Redis,
    worker_queue: WorkerQueue,
) -> None:
    """A change that was worked out before it fired is refused, however old its run is by now."""
    put(recurring_store, wanted())
    tick = make_due(valkey, "1")
    before = shown(recurring_store)
    assert fire(recurring_store) == [Outcome.FIRED]
    place(worker_queue, taken(worker_queue)[0])
    queue.clean(0, 9)
    for change in (
        lambda: recurring_store.change(before, wanted(), tick, keep_due=True),
        lambda: recurring_store.resume(before, tick),
        lambda: recurring_store.put(wanted(), tick),
    ):
        with pytest.raises(ScheduleChanged) as refused:
            change()
        assert refused.value.last_run_ms == tick
    assert shown(recurring_store).next_ms == wanted().first(tick)
    assert recurring_calls(recurring_store, valkey).schedule(wanted(), "ops").schedule_id == "1"
    assert fire(recurring_store) == []


def test_a_due_tick_survives_a_change_of_words_and_is_told_when_it_does_not(
    recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """The same pattern or zone in other words keeps it; another pattern misses it, and says so."""
    put(recurring_store, wanted(cron="0 0 1 1 *"))
    tick = make_due(valkey, "1")
    recurring = recurring_calls(recurring_store, valkey)
    for cron in ("@yearly", "0 0 1 JAN *"):
        recurring.amend("1", lambda _, cron=cron: wanted(cron=cron), "ops")  # type: ignore[misc]
        assert shown(recurring_store).next_ms == tick
    recurring.amend("1", lambda old: replace(old.recurrence, zone="Etc/UTC"), "ops")
    assert shown(recurring_store).next_ms == tick
    recurring.amend("1", lambda _: wanted(), "ops")
    schedule = shown(recurring_store)
    assert (schedule.missed, schedule.missed_ms) == (1, [tick])


def test_a_retried_run_is_stopped_with_its_schedule(
    recurring_store: RecurringStore,
    queue: CallQueue,
    valkey: redis.Redis,
    worker_queue: WorkerQueue,
) -> None:
    """Though it was shown no more; and one that is being placed is told."""
    put(recurring_store, wanted())
    first = f"recurring:1:{make_due(valkey, '1', 60_000)}"
    fire(recurring_store)
    taken(worker_queue)
    worker_queue.finish(
        begin(worker_queue, first), Decision(result=AttemptResult.FAILED, reason="no")
    )
    worker_queue.release(first)
    for number in range(15):
        make_due(valkey, "1", 40_000 - number * 1_000)
        fire(recurring_store)
        place_and_end(worker_queue, valkey, taken(worker_queue)[0])
    queue.retry(first)
    last = f"recurring:1:{make_due(valkey, '1', 2_000)}"
    fire(recurring_store)
    assert taken(worker_queue, 2) == [first, last]
    begin(worker_queue, last)
    worker_queue.give_back(first, str(worker_queue.leases.token(first)))
    assert recurring_store.remove("1") == Removed(cancelled=[first], active=[last])
