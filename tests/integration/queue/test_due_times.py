"""When something besides calls is due, as the store tells it, and the word that says so."""

from __future__ import annotations

import threading
import time

import pytest
import redis

from tests.integration.conftest import begin, new, place, run_out, taken
from tests.stack import until
from vomind_queue.calls.call_status import OutcomePolicy, StatusUpdate
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue import due_times, keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.callback_store import CallbackStore
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.due_times import ORPHANS, RECONCILIATIONS, STATUS_POLLS, DueTimes
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.queue.worker_report import WorkerReport

#: Longer than any test runs.
FOREVER_S = 600


@pytest.fixture
def times(client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> DueTimes:
    """What the store tells a worker; its waits may be longer than any test."""
    monkeypatch.setattr(due_times, "WAIT_S", FOREVER_S)
    store = RedisStore(client)
    held = HeldCalls(store, "off")
    held.wake()
    return DueTimes(store, redis_url, held, WorkerReport(store, "one", Report()))


@pytest.fixture
def reports(client: redis.Redis, worker_queue: WorkerQueue) -> CallbackStore:
    """Where callbacks come in."""
    return CallbackStore(
        RedisStore(client), worker_queue, OutcomePolicy(retry_on=(), delay_ms=0, most=0)
    )


def heard(client: redis.Redis) -> bool:
    """Whether a word was left, which is taken."""
    return client.delete(keys.DUE) == 1


@pytest.mark.alone
def test_an_empty_queue_has_nothing_due(times: DueTimes) -> None:
    """Nor does a wait bring anything."""
    assert times.next() == {}
    began = time.monotonic()
    assert not times.wait(0.3)
    assert time.monotonic() - began < 2


@pytest.mark.alone
def test_an_attempt_of_unknown_outcome_wakes_a_worker(
    times: DueTimes, queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Whether its worker says so or gives it back marked."""
    queue.add([new(number) for number in range(2)])
    first, second = taken(worker_queue, 2)
    started = [begin(worker_queue, job_id) for job_id in (first, second)]
    assert times.next() == {}
    worker_queue.finish(started[0], Decision(result=AttemptResult.UNKNOWN, wait_ms=2_000))
    assert heard(client)
    assert 1 < times.next()[RECONCILIATIONS] <= 2
    worker_queue.give_back(second, str(worker_queue.leases.token(second)))
    assert heard(client)
    assert times.next()[RECONCILIATIONS] == 0


def test_a_dead_workers_attempt_wakes_another_one(
    times: DueTimes, queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """As soon as its lease has run out and somebody asks for calls."""
    queue.add([new(0)])
    begin(worker_queue, *taken(worker_queue))
    run_out(client)
    assert not heard(client)
    assert not taken(worker_queue)
    assert heard(client)
    assert times.next()[RECONCILIATIONS] == 0


def test_what_is_due_later_than_something_else_wakes_nobody(
    times: DueTimes, queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Workers sleep until the first of them."""
    queue.add([new(number) for number in range(2)])
    started = [begin(worker_queue, job_id) for job_id in taken(worker_queue, 2)]
    worker_queue.finish(started[0], Decision(result=AttemptResult.UNKNOWN, wait_ms=1_000))
    assert heard(client)
    worker_queue.finish(started[1], Decision(result=AttemptResult.UNKNOWN, wait_ms=2_000))
    assert not heard(client)
    assert times.next()[RECONCILIATIONS] <= 1


@pytest.mark.alone
def test_a_placed_call_is_due_when_it_is_to_be_asked_for(
    times: DueTimes, queue: CallQueue, worker_queue: WorkerQueue, reports: CallbackStore
) -> None:
    """Paced as they are handed out."""
    queue.add([new(number) for number in range(2)])
    for job_id in taken(worker_queue, 2):
        place(worker_queue, job_id)
    assert 0.5 < times.next()[STATUS_POLLS] <= 1
    assert times.wait(30)
    time.sleep(1)
    assert times.next()[STATUS_POLLS] == 0
    assert len(reports.due_status_polls()) == 2
    assert times.next()[STATUS_POLLS] > 5


@pytest.mark.alone
def test_an_orphaned_call_wakes_a_waiting_worker_at_once(
    times: DueTimes, reports: CallbackStore, queue: CallQueue
) -> None:
    """Somebody's phone rings meanwhile."""
    queue.add([new(0)])
    waited: list[float] = []
    began = time.monotonic()

    def wait() -> None:
        assert times.wait(5)
        waited.append(time.monotonic() - began)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    reports.record("1", "no-such-token", StatusUpdate(sid="CA1"), poll_ms=1_000, price_ms=0)
    thread.join(30)
    assert 0.2 <= waited[0] < 0.4
    assert times.next()[ORPHANS] == 0
    assert list(reports.due_orphans()) == ["CA1"]
    assert times.next()[ORPHANS] > 4


def test_a_wait_is_ended_by_another_thread(times: DueTimes, client: redis.Redis) -> None:
    """A worker's end does not swallow a word."""
    ended = threading.Event()

    def wait() -> None:
        try:
            times.wait(FOREVER_S)
        except Exception:  # noqa: BLE001 - a connection closed while it is read
            ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: client.info("clients")["blocked_clients"], within_s=30, what="it waits")
    times.interrupt()
    assert ended.wait(30)
    thread.join()


def test_full_memory_lets_words_in(
    times: DueTimes,
    reports: CallbackStore,
    queue: CallQueue,
    client: redis.Redis,
    request: pytest.FixtureRequest,
) -> None:
    """A phone rings all the same."""
    queue.add([new(0)])
    client.config_set("maxmemory", 1)
    request.addfinalizer(lambda: client.config_set("maxmemory", 0))
    reports.record("1", "no-such-token", StatusUpdate(sid="CA1"), poll_ms=1_000, price_ms=0)
    assert times.wait(30)
