"""Days that are closed while the service runs: the next marker obeys, on every worker."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from tests.integration.conftest import QUICK, new, taken
from vomind_queue.calls.call import Call
from vomind_queue.calls.decisions import DialStarted, NotStarted, OpenHours
from vomind_queue.calls.job import Held
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.closed_days import MOST, ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.due_times import HELD_CALLS, DueTimes
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.queue.worker_report import WorkerReport
from vomind_queue.rules.caps import History
from vomind_queue.rules.law import ClosedDay, Mode
from vomind_queue.rules.rulebook import Rulebook
from vomind_queue.usecases.calling_rules import CallingRules

#: Any hour of any day.
OPEN = Rulebook(mode=Mode.LAW, unknown_zone="UTC")
Judge = Callable[[Call, int, str, History], OpenHours]


@pytest.fixture
def days(client: redis.Redis) -> ClosedDays:
    """The days that are closed."""
    return ClosedDays(RedisStore(client))


@pytest.fixture
def make_worker(client: redis.Redis) -> Callable[..., WorkerQueue]:
    """Makes a worker with its own rules; ``make_worker(judge)`` judges otherwise."""

    def make(judge: Judge | None = None) -> WorkerQueue:
        store = RedisStore(client)
        judge = judge or CallingRules(OPEN, ClosedDays(store)).open_hours
        protocol = Protocol(**QUICK)
        return WorkerQueue(store, secrets.token_hex(4), protocol, judge=judge)

    return make


def today() -> ClosedDay:
    """The day on every clock."""
    now = datetime.now(UTC).date()
    return ClosedDay(day=now - timedelta(days=1), last=now + timedelta(days=1), reason="A flood.")


def start(worker: WorkerQueue) -> DialStarted | NotStarted:
    """What becomes of the next call."""
    (job_id,) = taken(worker)
    return worker.start_dialing(job_id, secrets.token_urlsafe(4))


def wake(client: redis.Redis) -> int:
    """What a worker does that finds held calls to be woken; how many there were."""
    held, woken = HeldCalls(RedisStore(client), "law"), 0
    while held.pending:
        woken += held.wake()
    return woken


def test_a_day_that_is_closed_holds_the_next_call_of_every_worker(
    queue: CallQueue, days: ClosedDays, make_worker: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """Workers that placed calls before, and one that starts after; opened again, all ring."""
    workers = [make_worker(), make_worker()]
    queue.add([new(number) for number in range(1, 6)])
    wake(client)
    for worker in workers:
        assert isinstance(start(worker), DialStarted)
    assert days.close(today(), "ops")
    for worker in (*workers, make_worker()):
        assert start(worker) is NotStarted.HELD
    held = queue.job("3").held
    assert held is not None
    assert held.by == "closed-day"
    assert days.reopen(today().id)
    assert wake(client) == 3
    for worker in (*workers, make_worker()):
        assert isinstance(start(worker), DialStarted)


def test_a_day_that_is_closed_between_judge_and_marker_is_seen(
    queue: CallQueue, days: ClosedDays, make_worker: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """The version is compared in the script that writes the marker."""
    rules = CallingRules(OPEN, ClosedDays(RedisStore(client)))

    def judged(call: Call, now: int, version: str, *_: object) -> OpenHours:
        found = rules.open_hours(call, now, version)
        if not version:
            days.close(today(), "ops")
        return found

    queue.add([new(1)])
    assert start(make_worker(judged)) is NotStarted.HELD


def test_days_that_change_all_the_time_let_nothing_through(
    queue: CallQueue, days: ClosedDays, make_worker: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """Nor do days that cannot be read: the call is held, and says so."""
    rules = CallingRules(OPEN, ClosedDays(RedisStore(client)))

    def judged(call: Call, now: int, version: str, *_: object) -> OpenHours:
        found = rules.open_hours(call, now, version)
        days.close(ClosedDay(day=today().day - timedelta(days=9)), "ops")
        return found

    queue.add([new(1), new(2)])
    assert start(make_worker(judged)) is NotStarted.HELD
    client.hset(keys.CLOSED_DAYS, "nonsense", "nonsense")
    client.hset(keys.CLOSED_DAYS, "version", "another")
    assert start(make_worker()) is NotStarted.HELD
    for job_id in ("1", "2"):
        held = queue.job(job_id).held
        assert held == Held(by="rules-behind", until_ms=None)


@pytest.fixture
def due_times(client: redis.Redis) -> Iterator[DueTimes]:
    """What a worker that has started sees to."""
    held = HeldCalls(RedisStore(client), "law")
    while held.pending:
        held.wake()
    options = client.connection_pool.connection_kwargs
    store, url = RedisStore(client), f"redis://{options['host']}:{options['port']}"
    times = DueTimes(store, url, held, WorkerReport(store, "one", Report()))
    yield times
    times.interrupt()


def test_an_opened_day_has_held_calls_woken_soon(days: ClosedDays, due_times: DueTimes) -> None:
    """A sleeping worker is notified; a day that is closed needs nobody."""
    days.close(today(), "ops")
    assert (due_times.wait(0.05), HELD_CALLS in due_times.next()) == (False, False)
    days.reopen(today().id)
    assert (due_times.wait(30), HELD_CALLS in due_times.next()) == (True, True)


def test_there_is_an_end_to_closed_days(days: ClosedDays, client: redis.Redis) -> None:
    """A script that reads them must stay short; those that are there can be closed again."""
    first = ClosedDay(day=today().day)
    assert days.close(first, "ops")
    client.hset(keys.CLOSED_DAYS, mapping={f"x{number}": "" for number in range(MOST - 1)})
    assert not days.close(ClosedDay(day=today().day - timedelta(days=1)), "ops")
    assert days.close(first, "ops")
