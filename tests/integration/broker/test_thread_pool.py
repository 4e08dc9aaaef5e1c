"""The worker's slots: what frees them, and what a worker's end waits for."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import celery
import pytest
import redis
from celery.concurrency.thread import TaskPool as StockTaskPool

from tests.integration.conftest import QUICK, begin, new, taken
from tests.servers import Server
from tests.stack import Process, Stack, until
from vomind_queue.broker.lease_renewal import LeaseRenewal
from vomind_queue.broker.names import CONTEXT_OPTION
from vomind_queue.broker.thread_pool import TaskPool
from vomind_queue.calls.call import Call, NewCall, State
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue

#: What neither Celery nor we mean to catch, by name.
FAULTS = ("MemoryError", "SystemExit", "KeyboardInterrupt", "BaseException")


@pytest.fixture
def drain() -> str:
    """How long a worker's end waits for its calls."""
    return "1s"


@pytest.fixture
def faulty_worker(redis_url: str, tmp_path: Path, drain: str) -> Iterator[Process]:
    """A worker with one slot."""
    settings = {"CALL_WORKER_CONCURRENCY": "1", "CALL_RATE_LIMIT": "off", "DRAIN_TIME": drain}
    process = Process(
        name="faulty",
        arguments=("-m", "celery", "-A", "tests.integration.broker.faulty_worker", "worker"),
        environment=Stack(directory=tmp_path, redis_url=redis_url).environment() | settings,
        log=tmp_path / "faulty.log",
    )
    process.start()
    yield process
    process.kill()


def made_pool(worker_queue: WorkerQueue, slots: int, drain_s: float) -> TaskPool:
    """A pool without a worker around it."""
    context: Any = SimpleNamespace(worker_queue=worker_queue, drain_s=drain_s)
    conf = SimpleNamespace(broker_transport_options={CONTEXT_OPTION: context})
    return TaskPool(slots, app=SimpleNamespace(conf=conf))


def test_a_task_without_an_end_frees_its_slot(faulty_worker: Process, queue: CallQueue) -> None:
    """Calls whose dialer ended by an uncaught exception are unknown, and the next one is placed."""
    names = [*FAULTS, "none"]
    queue.add([NewCall(call=Call(to=f"+1555000000{n}", message=m)) for n, m in enumerate(names)])

    def over() -> bool:
        stats = queue.stats()
        return (stats.completed, stats.unknown_outcomes, stats.active) == (
            1,
            len(FAULTS),
            len(FAULTS),
        )

    until(over, within_s=30, what=f"all were tried: {faulty_worker.output[-3000:]}")
    assert queue.job(str(len(names))).state is State.COMPLETED


@pytest.mark.alone
@pytest.mark.parametrize(("message", "wait_ms"), [("refused", 2_000), ("refused, wait", 7_000)])
def test_celery_puts_a_refused_call_off(
    faulty_worker: Process, queue: CallQueue, client: redis.Redis, message: str, wait_ms: int
) -> None:
    """By its own formula, or for as long as Twilio asked for."""
    queue.add([NewCall(call=Call(to="+15550000001", message=message))])
    until(
        lambda: queue.job("1").state is State.DELAYED,
        within_s=30,
        what=f"it is delayed: {faulty_worker.output[-3000:]}",
    )
    (attempt,) = queue.job("1").attempts
    due_ms = client.zscore(keys.DELAYED, "a1")
    assert isinstance(due_ms, float)
    assert attempt.ended_ms is not None
    assert wait_ms <= due_ms - attempt.ended_ms < wait_ms + 500


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGQUIT, 1)])
def test_a_worker_ends_while_a_thread_waits_for_an_answer(
    faulty_worker: Process, queue: CallQueue, number: signal.Signals, status: int
) -> None:
    """After its drain, or at once; Python alone would wait for the thread."""
    queue.add([NewCall(call=Call(to="+15550000001", message="silence"))])
    until(lambda: queue.job("1").progress == 50, within_s=30, what="it is being placed")
    time.sleep(0.5)
    faulty_worker.send(number)
    assert (faulty_worker.wait() != 0) == (status != 0)


@pytest.mark.parametrize("drain", ["100s"])
@pytest.mark.parametrize(
    "numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGQUIT,), (signal.SIGTERM, signal.SIGQUIT)]
)
def test_a_cold_shutdown_waits_for_no_call_and_loses_none(
    faulty_worker: Process, queue: CallQueue, numbers: tuple[signal.Signals, ...]
) -> None:
    """At once, as Celery announces at the first Ctrl-C; the outcome is unknown."""
    queue.add([NewCall(call=Call(to="+15550000001", message="silence")), new(2)])
    until(lambda: queue.job("1").progress == 50, within_s=30, what="it is being placed")
    time.sleep(0.5)
    for number in numbers:
        faulty_worker.send(number)
        time.sleep(0.5)
    faulty_worker.wait(within_s=60)
    assert "Traceback" not in faulty_worker.output
    stats = queue.stats()
    assert (stats.unknown_outcomes, stats.waiting) == (1, 1)


@pytest.mark.alone
def test_the_end_of_a_worker_is_bounded_while_redis_is_silent(
    start_server: Callable[..., Server],
) -> None:
    """It waits for one answer in vain, not for one for each call that it holds."""
    server = start_server()
    store = RedisStore(connect(server.url, timeout_s=0.5))
    worker_queue = WorkerQueue(store, "w", Protocol(**QUICK))
    CallQueue(store, None).add([new(number) for number in range(60)])
    assert len(taken(worker_queue, 60)) == 60
    pool = made_pool(worker_queue, 60, drain_s=0.1)
    server.freeze()
    began = time.monotonic()
    pool.stop()
    # Thirty seconds before, half a second for each.
    assert time.monotonic() - began < 15
    server.thaw()


def test_what_no_thread_has_begun_is_given_back_at_once(
    worker_queue: WorkerQueue, queue: CallQueue
) -> None:
    """The call that is being placed has the whole drain; the rest is for other workers."""
    queue.add([new(1), new(2)])
    assert taken(worker_queue, 2) == ["1", "2"]
    begin(worker_queue, "1")
    pool = made_pool(worker_queue, 1, drain_s=60)
    answered = threading.Event()
    for job_id in ("1", "2"):
        pool.on_apply(lambda *_: answered.wait(60), ("place_call", job_id), callback=_ignore)
    stopping = threading.Thread(target=pool.on_stop)
    stopping.start()
    until(lambda: queue.job("2").state is State.WAITING, within_s=30, what="it is given back")
    assert queue.job("1").state is State.ACTIVE
    assert pool.busy
    worker_queue.release("1")
    answered.set()
    stopping.join(30)
    assert not stopping.is_alive()
    assert not pool.busy


@pytest.mark.alone
def test_a_thread_that_outlives_the_drain_holds_up_nothing(
    worker_queue: WorkerQueue, queue: CallQueue
) -> None:
    """The outcome of its call, which has a dial marker, is unknown."""
    queue.add([new(1)])
    taken(worker_queue)
    begin(worker_queue, "1")
    pool = made_pool(worker_queue, 1, drain_s=0.2)
    answered = threading.Event()
    pool.on_apply(lambda *_: answered.wait(60), ("place_call", "1"), callback=_ignore)
    began = time.monotonic()
    pool.on_stop()
    assert 0.2 <= time.monotonic() - began < 2
    assert pool.busy
    assert queue.stats().unknown_outcomes == 1
    answered.set()


@pytest.mark.alone
def test_leases_are_renewed_while_everything_else_stands_still(
    make_worker_queue: Callable[..., WorkerQueue], queue: CallQueue
) -> None:
    """The thread needs no event loop."""
    worker_queue = make_worker_queue(lease_ms=1_500)
    queue.add([new(1)])
    taken(worker_queue)
    keeper = LeaseRenewal(worker_queue)
    keeper.start()
    keeper.start()
    time.sleep(2 * worker_queue.protocol.lease_ms / 1000)
    worker_queue.claim(0, "123")
    assert queue.job("1").state is State.ACTIVE
    keeper.stop()
    until(
        lambda: not worker_queue.claim(0, "123").calls and queue.stats().active == 0,
        within_s=30,
        what="",
    )


@pytest.mark.alone
def test_a_renewal_that_fails_for_any_reason_is_soon_tried_again(
    make_worker_queue: Callable[..., WorkerQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of a lease later might be too late."""
    worker_queue = make_worker_queue(lease_ms=8_000)
    tried: list[float] = []

    def renew_leases() -> None:
        tried.append(time.monotonic())
        if len(tried) == 1:
            raise ValueError("a bug")

    monkeypatch.setattr(worker_queue, "renew_leases", renew_leases)
    keeper = LeaseRenewal(worker_queue)
    keeper.start()
    until(lambda: len(tried) == 2, within_s=30, what="it is tried again")
    keeper.stop()
    assert tried[1] - tried[0] < 1.5


def test_celery_still_has_the_pool_that_ours_is_made_of() -> None:
    """After an upgrade of Celery this says in plain words what broke."""
    pool = StockTaskPool(1, app=None)
    where = f"celery {celery.__version__}: the thread pool"
    result = pool.on_apply(lambda: None, (), callback=_ignore)
    assert isinstance(result.f, Future), f"{where} answers {result} now; ours waits for its future"
    result.f.result(5)
    pool.executor.shutdown(wait=False, cancel_futures=True)


def _ignore(_: Any) -> None:
    pass
