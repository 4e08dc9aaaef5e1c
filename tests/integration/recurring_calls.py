"""Recurring calls for tests: stored, made due, looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import redis

from vomind_queue.calls.call import Call, Priority, State
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.recurring.schedule import Recurrence, Schedule, ScheduleView
from vomind_queue.recurring.ticks import Advance, DueEntries, Outcome, decide
from vomind_queue.usecases.fire_recurring import RecurringScheduler

MINUTE = 60_000

#: Has no tick near the ones that tests put into the past.
RARELY = "0 0 29 2 *"


def wanted(to: str = "+1234567890", cron: str = RARELY, **changes: Any) -> Recurrence:
    """A recurring call."""
    message = changes.pop("message", "Reminder")
    priority = changes.pop("priority", Priority.NORMAL)
    call = Call(to=to, message=message, priority=priority)
    return Recurrence(call=call, cron=cron, zone="UTC", **changes)


def make_due(valkey: redis.Redis, schedule_id: str, ago_ms: int = 1_000) -> int:
    """Sets the next tick of a schedule into the past, as time itself does; answers it."""
    seconds, micros = valkey.time()
    tick = seconds * 1000 + micros // 1000 - ago_ms
    set_tick(valkey, schedule_id, tick)
    return tick


def set_tick(valkey: redis.Redis, schedule_id: str, tick_ms: int) -> None:
    """Sets the next tick of a schedule; ``valkey`` may be a pipeline."""
    valkey.hdel(keys.schedule(schedule_id), "next")
    valkey.zadd(keys.SCHEDULES, {keys.schedule(schedule_id): tick_ms / 1000})


def spoil(valkey: redis.Redis, schedule_id: str, field: str, value: str) -> dict[str, str]:
    """Writes something else where a part of a schedule stands; answers what stood there."""
    key = keys.schedule(schedule_id)
    if field not in ("cron", "zone"):
        real = {field: str(valkey.hget(key, field))}
        valkey.hset(key, field, value)
        return real
    text = str(valkey.hget(key, "definition"))
    definition = json.loads(text)
    definition["schedule"][field] = value
    valkey.hset(key, "definition", json.dumps(definition))
    return {"definition": text}


def look(recurring_store: RecurringStore) -> DueEntries:
    """One look of a scheduler."""
    return recurring_store.due_entries(100)


def beat(keeper: RecurringScheduler) -> None:
    """Everything that is due, as the scheduler's ticks see to it."""
    while True:
        seen = keeper.due_entries()
        for due in seen.due:
            keeper.decide(due)
        keeper.fire()
        if not (seen.due or seen.unreadable or seen.foreign or seen.old):
            return


def decided(seen: DueEntries) -> list[Advance]:
    """What the scheduler makes of it."""
    return [decide(due, seen.now_ms) for due in seen.due]


def fire(recurring_store: RecurringStore) -> list[Outcome]:
    """One look, and what comes of it."""
    seen = look(recurring_store)
    return recurring_store.fire(decided(seen), seen.now_ms + 5_000)


def shown(recurring_store: RecurringStore, schedule_id: str = "1") -> Schedule:
    """The schedule alone."""
    return recurring_store.show(schedule_id).schedule


def listed(view: ScheduleView | str) -> str:
    """The number of a schedule that can be read."""
    assert isinstance(view, ScheduleView)
    return view.schedule.id


def waiting(queue: CallQueue) -> Sequence[str]:
    """Ids of the waiting jobs, in the order of dialing."""
    return [job.id for job in queue.page(State.WAITING, 0, 99).jobs]


def put(recurring_store: RecurringStore, recurrence: Recurrence) -> str:
    """Stores a recurring call with its next tick."""
    return recurring_store.put(recurrence, recurrence.first(recurring_store.now_ms())).schedule_id
