"""Recurring calls are entries of RedBeat's: its own class reads, lists and deletes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from celery import Celery
from celery.schedules import schedule as every
from kombu import pools
from redbeat import RedBeatScheduler, RedBeatSchedulerEntry

from tests.integration.recurring_calls import (
    beat,
    fire,
    listed,
    look,
    make_due,
    put,
    shown,
    waiting,
    wanted,
)
from vomind_queue.broker.celery_app import create_celery
from vomind_queue.broker.context import build_context
from vomind_queue.broker.names import PLACE_CALL
from vomind_queue.broker.recurring_entry import CronSchedule, RecurringEntry
from vomind_queue.config.settings import Settings
from vomind_queue.container.worker_services import build_worker
from vomind_queue.errors import JobNotFound
from vomind_queue.queue import keys, redbeat_entry
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.recurring.ticks import Outcome
from vomind_queue.usecases.fire_recurring import RecurringScheduler

ENTRY = "{calls}:redbeat:recurring:1"
ENTRIES = "{calls}:redbeat::schedule"


@pytest.fixture
def app(redis_url: str) -> Iterator[Celery]:
    """The Celery application, as an operator's shell has it."""
    settings = Settings.from_env({"REDIS_URL": redis_url})
    app = create_celery(settings, build_context(build_worker(settings)))
    pools.reset()
    yield app
    app.redbeat_redis.close()
    app.close()
    pools.reset()


def ordinary(app: Celery, name: str) -> RedBeatSchedulerEntry:
    """An ordinary periodic task."""
    entry = RedBeatSchedulerEntry(name, "tests.note", every(3600), app=app)
    entry.save()
    return entry


def test_redbeats_own_class_reads_each(
    app: Celery, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """One that waits, one that fired, a paused one and one at its end; all are listed."""
    for number in range(4):
        put(recurring_store, wanted(to=f"+1555000000{number}", max_runs=1 if number == 3 else None))
    tick = make_due(valkey, "2")
    make_due(valkey, "4")
    assert fire(recurring_store) == [Outcome.FIRED, Outcome.FIRED]
    recurring_store.pause(shown(recurring_store, "3"), "ops")
    names = [f"{{calls}}:redbeat:recurring:{number}" for number in range(1, 5)]
    assert sorted(valkey.zrange(ENTRIES, 0, -1)) == names
    entries = [RedBeatSchedulerEntry.from_key(name, app=app) for name in names]
    assert [entry.name for entry in entries] == [f"recurring:{number}" for number in range(1, 5)]
    assert {entry.task for entry in entries} == {PLACE_CALL}
    assert [entry.enabled for entry in entries] == [True, True, False, True]
    assert [entry.total_run_count for entry in entries] == [0, 1, 0, 1]
    assert entries[1].last_run_at == datetime.fromtimestamp(tick / 1000, UTC)
    assert [entry.is_due().is_due for entry in entries if entry.enabled] == [False] * 3
    scores = [valkey.zscore(ENTRIES, name) for name in names]
    assert scores[2:] == [-1, -1]
    assert scores[0] == (shown(recurring_store, "1").next_ms or 0) / 1000


def test_redbeats_own_scheduler_fires_none_and_leaves_them_alone(
    app: Celery, recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """Somebody starts it by mistake: what is due waits for ours. Its query leaves -1 aside."""
    for number in range(3):
        put(recurring_store, wanted(to=f"+1555000000{number}"))
    recurring_store.pause(shown(recurring_store, "3"), "ops")
    tick = make_due(valkey, "1")
    before = valkey.zrange(ENTRIES, 0, -1, withscores=True)
    scheduler = RedBeatScheduler(app)
    assert scheduler.schedule.keys() == {"recurring:1"}
    scheduler.lock_key = None
    scheduler.tick()
    assert valkey.zrange(ENTRIES, 0, -1, withscores=True) == before
    assert waiting(queue) == []
    beat(RecurringScheduler(recurring_store))
    assert waiting(queue) == [f"recurring:1:{tick}"]


def test_our_class_reads_and_writes_the_pattern(
    app: Celery, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """By RedBeat's encoder the same text comes out that web processes write without it."""
    put(recurring_store, wanted(cron="0 9 * * 1-5", start_ms=1_000, end_ms=4_000_000_000_000))
    before = valkey.hgetall(ENTRY)
    entry = RecurringEntry.from_key(ENTRY, app=app)
    assert entry.schedule == CronSchedule("0 9 * * 1-5", "UTC", 1_000, 4_000_000_000_000)
    assert entry.due_at.timestamp() * 1000 == shown(recurring_store).next_ms
    entry.save()
    assert valkey.hgetall(ENTRY) == before
    assert valkey.zscore(ENTRIES, ENTRY) == entry.score
    assert redbeat_entry.TASK == PLACE_CALL
    entry.schedule = CronSchedule("30 9 * * 1-5", "UTC", None, None)
    entry.save()
    assert shown(recurring_store).recurrence.cron == "30 9 * * 1-5"
    assert shown(recurring_store).next_ms == shown(recurring_store).recurrence.first(
        recurring_store.now_ms()
    )


def test_an_entry_says_nothing_of_the_person(
    recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """What schedulers and operators' tools show of it holds neither number nor words."""
    put(recurring_store, wanted(to="+15550000001", message="Your test is positive"))
    make_due(valkey, "1")
    fire(recurring_store)
    shown_by_redbeat = str(valkey.hmget(ENTRY, "definition", "meta"))
    assert "5550000001" not in shown_by_redbeat
    assert "positive" not in shown_by_redbeat


def test_what_redbeats_class_deletes_is_deleted(
    app: Celery, recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """It is listed, shown and counted no more, and the same call again is another one."""
    put(recurring_store, wanted())
    make_due(valkey, "1")
    RedBeatSchedulerEntry.from_key(ENTRY, app=app).delete()
    with pytest.raises(JobNotFound):
        recurring_store.show("1")
    keeper = RecurringScheduler(recurring_store)
    beat(keeper)
    assert recurring_store.page(0, 9).total == 0
    assert queue.stats().recurring == 0
    assert waiting(queue) == []
    assert put(recurring_store, wanted()) == "2"
    valkey.delete(ENTRIES)
    with pytest.raises(JobNotFound):
        recurring_store.show("2")
    assert put(recurring_store, wanted()) == "3"
    beat(keeper)
    assert {*valkey.scan_iter("{calls}:redbeat:*")} == {ENTRY[:-1] + "3", ENTRIES}


def test_an_edited_score_rings_nobody(
    app: Celery, recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """No tick that was seen to comes again, nor one of long ago."""
    assert app
    put(recurring_store, wanted())
    valkey.zadd(ENTRIES, {ENTRY: 1})
    beat(RecurringScheduler(recurring_store))
    make_due(valkey, "1")
    assert fire(recurring_store) == [Outcome.FIRED]
    jobs = waiting(queue)
    for score in (1, (shown(recurring_store).last_run_ms or 0) / 1000):
        valkey.zadd(ENTRIES, {ENTRY: score})
        beat(RecurringScheduler(recurring_store))
    assert waiting(queue) == jobs
    assert shown(recurring_store).next_ms == wanted().first(recurring_store.now_ms())


@pytest.mark.parametrize("enabled", [True, False])
def test_what_redbeats_class_saves_keeps_its_pattern(
    app: Celery,
    recurring_store: RecurringStore,
    queue: CallQueue,
    valkey: redis.Redis,
    enabled: bool,
) -> None:
    """That class has no word for it; switched off by it means paused, switched on resumed."""
    put(recurring_store, wanted(cron="0 9 * * 1-5"))
    before = shown(recurring_store)
    entry = RedBeatSchedulerEntry.from_key(ENTRY, app=app)
    entry.enabled = enabled
    entry.save()
    keeper = RecurringScheduler(recurring_store)
    beat(keeper)
    after = shown(recurring_store)
    assert after.recurrence == before.recurrence
    assert waiting(queue) == []
    assert (after.missed, after.fired) == (0, 0)
    if enabled:
        assert after.next_ms == before.next_ms
        return
    assert after.pause is not None
    assert after.pause.by == "RedBeat"
    assert valkey.zscore(ENTRIES, ENTRY) == -1
    entry.enabled = True
    entry.save()
    beat(keeper)
    assert shown(recurring_store).pause is None
    assert shown(recurring_store).next_ms == before.next_ms


def test_ordinary_tasks_stand_among_them(
    app: Celery, recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """They are neither listed nor counted as recurring calls, and are handed on when due."""
    for name in ("a", "zz"):
        ordinary(app, name)
    now = recurring_store.now_ms()
    for number, ahead in enumerate((3_000, None, 1_000, 2_000)):
        tick = None if ahead is None else now + ahead * 1_000
        recurring_store.put(wanted(to=f"+12345678{number:02}"), tick)
    valkey.zadd(
        ENTRIES, {"{calls}:redbeat:a": now / 1000, "{calls}:redbeat:zz": now / 1000 + 1_500}
    )
    page = recurring_store.page(0, 9)
    assert [listed(view) for view in page.views] == ["3", "4", "1", "2"]
    assert page.total == 4
    for start, end, ids in ((0, 0, ["3"]), (1, 2, ["4", "1"]), (3, 9, ["2"]), (4, 9, [])):
        assert [listed(view) for view in recurring_store.page(start, end).views] == ids
    assert queue.stats().recurring == 3
    seen = look(recurring_store)
    assert list(seen.ordinary) == ["{calls}:redbeat:a"]
    assert seen.due == []


def test_ordinary_tasks_that_are_due_take_nobodys_place(
    app: Celery, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """However many there are: some are switched off and stay due for ever."""
    now_s = recurring_store.now_ms() / 1000
    put(recurring_store, wanted())
    make_due(valkey, "1", 60_000)
    for number in range(30):
        ordinary(app, f"task-{number}")
    valkey.zadd(ENTRIES, {f"{{calls}}:redbeat:task-{number}": now_s for number in range(30)})
    seen = recurring_store.due_entries(10)
    assert [due.id for due in seen.due] == ["1"]
    assert len(seen.ordinary) == 30


def test_a_cron_schedule_is_one_of_celerys() -> None:
    """By Celery's own questions: what is due, and how long it takes."""
    moment = datetime(2027, 3, 27, 12, tzinfo=UTC)
    daily = CronSchedule("30 2 * * *", "Europe/Berlin", nowfun=lambda: moment)
    assert daily.next_after(moment) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert daily.remaining_estimate(moment) == timedelta(hours=13)
    assert daily.is_due(moment) == (False, 13 * 3600)
    assert daily.is_due(moment - timedelta(days=1)).is_due
    ended = CronSchedule("30 2 * * *", "Europe/Berlin", end_ms=1, nowfun=lambda: moment)
    assert ended.remaining_estimate(moment) is None
    assert ended.is_due(moment) == (False, None)
    assert daily != ended
    assert len({daily, CronSchedule("30 2 * * *", "Europe/Berlin")}) == 1


def test_redbeats_keys_are_ours(app: Celery) -> None:
    """What RedBeat makes of the prefix is what the scripts know."""
    RedBeatSchedulerEntry("any", "tests.note", every(1), app=app)
    conf = app.redbeat_conf
    assert (conf.schedule_key, conf.lock_key) == (keys.SCHEDULES, keys.SCHEDULER_LOCK)
    assert RedBeatSchedulerEntry.generate_key(app, "recurring:1") == keys.schedule("1")
    assert json.loads(redbeat_entry.definition("1", {}))["enabled"] is True
