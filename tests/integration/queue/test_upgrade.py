"""Recurring calls of the form that a version before RedBeat's entries stored move over.

`old_form/schedules.json` was written by that version's own code, and the scripts beside it are
its own: they stand for processes of it that still run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.recurring_calls import (
    MINUTE,
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
from vomind_queue.errors import JobNotFound
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.recurring.schedule import Schedule, ScheduleSearch
from vomind_queue.recurring.ticks import Outcome
from vomind_queue.usecases.fire_recurring import RecurringScheduler

DUMP = Path(__file__).parent / "old_form"
#: The dump has so many; the last one cannot be read.
COUNT = 7


@pytest.fixture
def keeper(recurring_store: RecurringStore) -> RecurringScheduler:
    """What the scheduler that leads does."""
    return RecurringScheduler(recurring_store)


@pytest.fixture
def due_ms(valkey: redis.Redis) -> int:
    """The dump, as if it were from just now; the tick of the sixth, which is due."""
    text = (DUMP / "schedules.json").read_text()
    later = int(valkey.time()[0]) * 1000 - int(json.loads(text)["dumpedAt"])
    # By whole minutes, as ticks are.
    later -= later % MINUTE
    text = re.sub(r"\b1795\d{9}\b|\b1[78]\d{11}\b", lambda ms: str(int(ms[0]) + later), text)
    for name, value in json.loads(text)["keys"].items():
        _restore(valkey, name, value)
    # The scheduler of the dump lives no more; with a little luck its time is not over yet.
    valkey.hdel("{calls}:scheduler", "by", "until")
    return int(valkey.hget("{calls}:schedule:6", "next") or 0)


def _restore(valkey: redis.Redis, name: str, value: Any) -> None:
    if isinstance(value, str):
        valkey.set(name, value)
    elif isinstance(value, list):
        valkey.rpush(name, *value)
    elif all(isinstance(each, float) for each in value.values()):
        valkey.zadd(name, value)
    else:
        valkey.hset(name, mapping=value)


def old(valkey: redis.Redis, script: str, *args: object) -> list[Any]:
    """What an old process does."""
    text = (DUMP / f"{script}.lua").read_text()
    answer: list[Any] = valkey.eval(text, 1, "{calls}:schedules", *map(str, args))
    return answer


def all_shown(recurring_store: RecurringStore) -> Sequence[Schedule]:
    """Those that can be read."""
    return [shown(recurring_store, str(number)) for number in range(1, COUNT)]


def old_keys(valkey: redis.Redis) -> Sequence[str]:
    """What is left of the old form."""
    return [*valkey.scan_iter("{calls}:schedule:*"), *valkey.scan_iter("{calls}:schedules")]


def test_nothing_is_lost_by_the_move(
    recurring_store: RecurringStore,
    keeper: RecurringScheduler,
    queue: CallQueue,
    valkey: redis.Redis,
    due_ms: int,
) -> None:
    """Times, counts, pauses, ends and runs are what they were; what is due rings once."""
    before, jobs = all_shown(recurring_store), waiting(queue)
    assert [each.next_ms for each in before][5] == due_ms
    beat(keeper)
    assert old_keys(valkey) == []
    after = all_shown(recurring_store)
    assert after[:3] == before[:3]
    assert after[4] == before[4]
    assert [str(each.status) for each in after[:3]] == ["recurring", "paused", "ended"]
    assert waiting(queue) == [*jobs, f"recurring:6:{due_ms}"]
    assert (after[5].fired, after[5].last_run_ms) == (1, due_ms)
    assert len(recurring_store.show("1").occurrences) == 3
    assert (after[3].missed, after[3].skipped) >= (20, 1)
    assert recurring_store.page(0, 99).total == COUNT
    assert put(recurring_store, before[0].recurrence) == "1"
    assert put(recurring_store, wanted(to="+15550000009")) == "9", "8 was given out and removed"


def test_what_was_moved_is_found_by_its_number(
    recurring_store: RecurringStore, keeper: RecurringScheduler, due_ms: int
) -> None:
    """At once, and found no more once it is gone."""
    assert due_ms
    beat(keeper)
    search = ScheduleSearch(number="+15550000001")
    found = [listed(each) for each in recurring_store.find(search, 0, 9).views]
    assert "1" in found
    for schedule_id in found:
        recurring_store.remove(schedule_id)
    assert recurring_store.find(search, 0, 9).total == 0


def test_one_that_cannot_be_read_moves_as_it_is(
    recurring_store: RecurringStore, keeper: RecurringScheduler, valkey: redis.Redis, due_ms: int
) -> None:
    """A mended record goes on."""
    assert due_ms
    beat(keeper)
    assert "7" in recurring_store.page(0, 99).views
    valkey.hset("{calls}:redbeat:recurring:7", "overlap", "queue")
    assert shown(recurring_store, "7").recurrence.call.to == "+15550000007"


def test_an_old_scheduler_fires_nothing_that_was_moved(
    recurring_store: RecurringStore,
    keeper: RecurringScheduler,
    queue: CallQueue,
    valkey: redis.Redis,
    due_ms: int,
) -> None:
    """Neither what it decided on before, nor anything that it looks for later."""
    now = recurring_store.now_ms()
    seen = old(valkey, "ticks", "old scheduler", 60_000, 250)
    assert "6" in seen
    decided = ("6", "1", due_ms, due_ms, 0, "", due_ms, now + 86_400_000)
    beat(keeper)
    jobs = waiting(queue)
    assert old(valkey, "fire", now + 60_000, *decided)[2:] == ["lost"]
    assert old(valkey, "ticks", "old scheduler", 60_000, 250)[2:] == [-1]
    assert waiting(queue) == jobs
    assert shown(recurring_store, "6").fired == 1


def test_a_new_scheduler_fires_nothing_that_an_old_one_has(
    recurring_store: RecurringStore,
    keeper: RecurringScheduler,
    queue: CallQueue,
    valkey: redis.Redis,
    due_ms: int,
) -> None:
    """It moves over what the old one has made of it."""
    now = recurring_store.now_ms()
    decided = ("6", "1", due_ms, due_ms, 0, "", due_ms, now + 86_400_000)
    assert old(valkey, "fire", now + 60_000, *decided)[2:] == ["fired"]
    jobs = waiting(queue)
    beat(keeper)
    assert waiting(queue) == jobs
    six = shown(recurring_store, "6")
    assert (six.fired, six.last_run_ms, six.next_ms) == (1, due_ms, now + 86_400_000)


def test_what_an_old_process_stores_later_is_moved_later(
    recurring_store: RecurringStore,
    keeper: RecurringScheduler,
    queue: CallQueue,
    valkey: redis.Redis,
    due_ms: int,
) -> None:
    """A new one, and one that was moved: it keeps its number and story, and no tick comes twice."""
    beat(keeper)
    six, jobs = shown(recurring_store, "6"), waiting(queue)
    record = valkey.hgetall("{calls}:redbeat:recurring:6")
    fields = [
        item for name in ("priority", "cron", "zone", "grace") for item in (name, record[name])
    ]
    fields += ["overlap", "queue"]
    soon = recurring_store.now_ms() + 86_400_000
    for identity, to, tick in ((record["identity"], "6", due_ms), ("new", "9", soon)):
        data = record["data"].replace("+15550000006", f"+1555000000{to}")
        data = data.replace("Reminder", "Edited")
        old(valkey, "schedule", 0, "", "", 0, "", "", identity, tick, 1, "data", data, *fields)
    # An old scheduler is as fast as to fire what it finds.
    decided = ("6", "1", due_ms, due_ms, 0, "", due_ms, soon)
    assert old(valkey, "fire", 0, *decided)[2:] == ["fired"]
    beat(keeper)
    assert old_keys(valkey) == []
    assert waiting(queue) == jobs
    again = shown(recurring_store, "6")
    assert again.recurrence.call.message == "Edited"
    assert (again.next_ms, again.revision, again.last_run_ms) == (soon, six.revision + 1, due_ms)
    assert again.fired == 1
    assert shown(recurring_store, "9").recurrence.call.to == "+15550000009"


def test_a_move_is_made_once(
    recurring_store: RecurringStore, valkey: redis.Redis, due_ms: int
) -> None:
    """Two new schedulers move at the same time, and one of them read what is moved by now."""
    assert due_ms
    assert recurring_store.adopt(3) == 3
    assert recurring_store.adopt(250) == COUNT - 3
    assert recurring_store.adopt(250) == 0
    valkey.zadd("{calls}:schedules", {"a8": 1})
    assert recurring_store.adopt(250) == 1
    assert old_keys(valkey) == []
    assert recurring_store.page(0, 99).total == COUNT


def test_the_api_knows_them_before_they_are_moved(
    recurring_store: RecurringStore,
    keeper: RecurringScheduler,
    queue: CallQueue,
    valkey: redis.Redis,
    due_ms: int,
) -> None:
    """Web processes are new and the scheduler is not yet: an old one goes on firing them."""
    assert due_ms
    assert queue.stats().recurring == 5
    assert len(recurring_store.page(0, 99).views) == COUNT
    assert [
        view if isinstance(view, str) else view.schedule.id
        for view in recurring_store.page(0, 0).views
    ] == ["6"]
    recurring_store.pause(shown(recurring_store, "1"), "ops")
    recurrence = shown(recurring_store, "5").recurrence
    edited = replace(recurrence, call=replace(recurrence.call, message="Edited"))
    assert put(recurring_store, edited) == "5"
    recurring_store.remove("4")
    with pytest.raises(JobNotFound):
        recurring_store.show("4")
    assert valkey.zcard("{calls}:schedules") == COUNT - 1
    beat(keeper)
    assert str(shown(recurring_store, "1").status) == "paused"
    assert shown(recurring_store, "5").recurrence == edited
    assert recurring_store.page(0, 99).total == COUNT - 1
    make_due(valkey, "5")
    assert look(recurring_store).due
    assert fire(recurring_store) == [Outcome.FIRED]
