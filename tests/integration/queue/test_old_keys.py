"""Keys that the version before 0.9.0 named otherwise move over, and a queue in use loses nothing.

`old_form/calls.json` was written by that version's own scripts: calls that are waiting, delayed,
being placed, of unknown outcome, polled and orphaned, recurring calls, and an idempotency key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.conftest import placed, taken
from tests.integration.recurring_calls import shown
from vomind_queue.calls.call import Call, NewCall, State
from vomind_queue.calls.call_status import LineStatus, OutcomePolicy, StatusUpdate
from vomind_queue.calls.decisions import FinishStatus
from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.callback_store import CallbackStore
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.due_times import RECONCILIATIONS, DueTimes
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.metrics_reader import MetricsReader
from vomind_queue.queue.outbox import Outbox
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.queue.worker_report import WorkerReport

DUMP = Path(__file__).parent / "old_form" / "calls.json"
SETTLING, FOLLOWING, STRAYS, WAKE, LEAD = (
    f"{{calls}}:{name}" for name in ("settling", "following", "strays", "wake", "outbox:lead")
)
PLACED, UNKNOWN, RETRIED, DIALING, WAITING, DELAYED, WITH_KEY = map(str, range(1, 8))
HOUR_MS = 3_600_000


@pytest.fixture
def old_form(valkey: redis.Redis) -> redis.Redis:
    """A server with the dump, as if it were from just now."""
    document = json.loads(DUMP.read_text())
    later = int(valkey.time()[0]) * 1000 - int(document["dumpedAt"])

    def moved(value: str) -> str:
        return re.sub(r"\b1[78]\d{11}\b", lambda ms: str(int(ms[0]) + later), value)

    for name, value in document["keys"].items():
        match value:
            case str():
                valkey.set(name, value)
            case list():
                valkey.rpush(name, *value)
            case _ if all(isinstance(each, float) for each in value.values()):
                in_s = name == keys.SCHEDULES
                valkey.zadd(name, {each: score + (later / 1000 if in_s else later) for each, score
                                   in value.items()})  # fmt: skip
            case _:
                valkey.hset(name, mapping={field: moved(each) for field, each in value.items()})
    return valkey


@pytest.fixture
def callback_store(worker_queue: WorkerQueue, old_form: redis.Redis) -> CallbackStore:
    """What Twilio reports is written there."""
    policy = OutcomePolicy(retry_on=(), delay_ms=100, most=0)
    return CallbackStore(RedisStore(old_form), worker_queue, policy)


def kept(client: redis.Redis) -> set[str]:
    """The keys of the old form."""
    return {name for name in (SETTLING, FOLLOWING, STRAYS, WAKE) if client.exists(name)}


def test_every_call_is_what_it_was(queue: CallQueue, old_form: redis.Redis) -> None:
    """The first script of any process moves the keys, before it does its own work."""
    assert kept(old_form) == {SETTLING, FOLLOWING, STRAYS, WAKE}
    stats = queue.stats()
    assert kept(old_form) == set()
    assert (stats.waiting, stats.delayed, stats.active, stats.completed) == (2, 2, 2, 1)
    assert (stats.unknown_outcomes, stats.orphaned_calls, stats.recurring) == (1, 1, 2)
    states = [str(queue.job(str(number)).state) for number in range(1, 8)]
    assert states == ["completed", "active", "delayed", "active", "waiting", "delayed", "waiting"]
    assert old_form.llen(keys.NOTIFY) == 1
    metrics = MetricsReader(RedisStore(old_form)).read()
    assert metrics.failures == {"unknown": 2}
    assert metrics.polled == 1


def test_nothing_rings_twice(
    queue: CallQueue, worker_queue: WorkerQueue, old_form: redis.Redis
) -> None:
    """Only calls that wait are claimed; one that an old worker is placing stays with it."""
    assert taken(worker_queue, 9) == [WAITING, WITH_KEY]
    old_form.zadd(keys.LEASES, {keys.member(DIALING): 1})
    assert taken(worker_queue, 9) == []
    assert queue.stats().unknown_outcomes == 2
    assert queue.job(DIALING).state is State.ACTIVE


def test_an_unknown_outcome_is_reconciled(
    queue: CallQueue, worker_queue: WorkerQueue, old_form: redis.Redis
) -> None:
    """Once, by the evidence that was found for its own attempt."""
    (unknown,) = worker_queue.due_reconciliations(9)
    assert (unknown.started.attempt.job_id, unknown.started.attempt.token) == (UNKNOWN, "token-2")
    assert worker_queue.due_reconciliations(9) == []
    assert worker_queue.finish(unknown.started, placed("CA2")).status is FinishStatus.OK
    assert queue.job(UNKNOWN).state is State.COMPLETED
    assert old_form.zscore(keys.RECONCILING, keys.member(UNKNOWN)) is None


def test_a_placed_call_is_polled_and_an_orphan_ended(
    callback_store: CallbackStore, old_form: redis.Redis
) -> None:
    """At the times that the old version had set for them."""
    assert callback_store.due_status_polls() == []
    old_form.zadd(keys.STATUS_POLLS, {keys.member(PLACED): 1})
    assert [call.sid for call in callback_store.due_status_polls()] == ["CA1"]
    over = StatusUpdate(sid="CA1", status=LineStatus.COMPLETED)
    assert callback_store.record(PLACED, "token-1", over, poll_ms=HOUR_MS, price_ms=0).moved
    assert list(callback_store.due_orphans()) == ["CAorphan"]
    callback_store.orphan_ended("CAorphan")
    assert not old_form.exists(keys.ORPHANS)


def test_requests_and_recurring_calls_are_recognised(
    queue: CallQueue, recurring_store: RecurringStore, old_form: redis.Redis
) -> None:
    """A repetition is answered as before, and a dedup key finds its recurring call."""
    assert old_form.exists(keys.DEDUP_KEYS)
    call = NewCall(call=Call(to="+15550000007", message="Hi"))
    receipt = queue.add([call], IdempotencyKey(name="order-7", fingerprint="f" * 8))
    assert (receipt.job_ids, receipt.replayed) == ([WITH_KEY], True)
    for number in ("1", "2"):
        schedule = shown(recurring_store, number)
        recurrence = schedule.recurrence
        again = recurring_store.put(recurrence, schedule.next_ms)
        assert (again.schedule_id, again.updated) == (number, True)


def test_what_an_old_process_writes_later_is_merged(
    worker_queue: WorkerQueue, redis_url: str, old_form: redis.Redis
) -> None:
    """Its worker's call becomes unknown, and its API stores another call, while it is replaced."""
    store = RedisStore(old_form)
    report = WorkerReport(store, "one", Report())
    times = DueTimes(store, redis_url, HeldCalls(store, "off"), report)
    times.next()
    old_form.zrem(keys.LEASES, keys.member(DIALING))
    old_form.zadd(SETTLING, {keys.member(DIALING): 1, keys.member(UNKNOWN): 2})
    old_form.hincrby(keys.TOTALS, "failure:doubt", 3)
    old_form.rpush(WAKE, "1")
    old_form.delete(keys.NOTIFY)
    times.next()
    assert kept(old_form) == set()
    assert times.next()[RECONCILIATIONS] == 0
    due = {each.started.attempt.job_id for each in worker_queue.due_reconciliations(9)}
    assert due == {UNKNOWN, DIALING}
    assert old_form.hget(keys.TOTALS, "failure:unknown") == "5"
    assert old_form.llen(keys.NOTIFY) == 1


def test_a_call_that_an_old_process_ended_is_not_checked_again(
    queue: CallQueue, worker_queue: WorkerQueue, old_form: redis.Redis
) -> None:
    """It took the call out of the old set alone; by now the call is being placed again."""
    queue.stats()
    mem = keys.member(WAITING)
    old_form.zadd(keys.RECONCILING, {mem: 1})
    assert WAITING in taken(worker_queue, 9)
    worker_queue.start_dialing(WAITING, "fresh")
    assert [each.started.attempt.job_id for each in worker_queue.due_reconciliations(9)] == [
        UNKNOWN
    ]
    assert old_form.zscore(keys.RECONCILING, mem) is None


def test_the_move_is_made_in_parts(
    make_worker_queue: Callable[..., WorkerQueue], old_form: redis.Redis
) -> None:
    """Sets of any size, and again where both forms have members."""
    old_form.zadd(FOLLOWING, {f"d{number}": number for number in range(1000, 2700)})
    old_form.zadd(keys.STATUS_POLLS, {"d1000": 1, "d1001": 9_999, "d9999": 5})
    make_worker_queue().claim(0, "123")
    assert kept(old_form) == set()
    assert old_form.zcard(keys.STATUS_POLLS) == 1 + 1700 + 1
    found = [old_form.zscore(keys.STATUS_POLLS, name) for name in ("d1000", "d1001", "d9999")]
    assert found == [1, 1001, 5]


def test_one_shipper_delivers_while_the_versions_change(old_form: redis.Redis) -> None:
    """The old one's lease is waited for."""
    outbox = Outbox(RedisStore(old_form), "new", None)
    assert old_form.exists(LEAD)
    assert outbox.read() is None
    old_form.delete(LEAD)
    assert outbox.read() is not None


def test_a_full_server_moves_them_too(queue: CallQueue, old_form: redis.Redis) -> None:
    """Moving frees first."""
    used: Any = old_form.info("memory")
    old_form.config_set("maxmemory", max(int(used["used_memory"]) // 2, 1))
    try:
        assert queue.stats().unknown_outcomes == 1
    finally:
        old_form.config_set("maxmemory", 0)
