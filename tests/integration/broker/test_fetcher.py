"""How calls get from Redis to a worker's channel: on a word, on a freed slot, on time."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import redis
from kombu.asynchronous.hub import Hub

from tests.integration.conftest import QUICK, new, place
from tests.servers import Server
from tests.stack import until
from vomind_queue.broker import fetcher
from vomind_queue.broker.fetcher import LISTEN_TIMEOUT_S, Fetcher, NotificationListener, Notifier
from vomind_queue.broker.names import CALL_QUEUES
from vomind_queue.calls.call import State
from vomind_queue.calls.decisions import Claim
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue

#: Longer than any test runs: what happens within it was not brought about by its end.
FOREVER_S = 600


class Feed:
    """A channel with a few slots, which notes what it is handed."""

    def __init__(self, worker_queue: WorkerQueue, slots: int) -> None:
        self._worker_queue = worker_queue
        self.call_queues = list(CALL_QUEUES)
        self.delivered: list[str] = []
        self.qos = SimpleNamespace(prefetch_count=slots, unacknowledged=lambda: 0)

    def deliver(self, taken: Claim) -> None:
        """Notes it."""
        self.delivered.append(taken.job_id)

    def give_up(self, taken: Claim) -> None:
        """Gives it back."""
        self._worker_queue.give_back(taken.job_id, taken.lease)


class Worker:
    """A worker of an event loop and an intake, and of nothing else."""

    def __init__(self, url: str, worker_queue: WorkerQueue, slots: int = 1) -> None:
        self.worker_queue, self.slots = worker_queue, slots
        self.hub = Hub()
        self.hub.propagate_errors = (redis.ConnectionError,)
        self.notifier = Notifier()
        self.listener_store = RedisStore(connect(url, timeout_s=FOREVER_S))
        self.threads: list[threading.Thread] = []
        self.connect()

    def connect(self) -> None:
        """A channel, as after each reconnection."""
        self.feed = Feed(self.worker_queue, self.slots)
        self.intake = Fetcher(
            self.feed,
            self.hub,
            worker_queue=self.worker_queue,
            notifier=self.notifier,
            listener_store=self.listener_store,
        )
        self.threads.append(self.intake._listener._thread)
        self.notifier.notify()

    def run(self, until: Callable[[], object], within_s: float = 30) -> bool:
        """Runs the event loop until something is so; false when that takes too long."""
        deadline = time.monotonic() + within_s
        # Or else the loop would sleep until its next timer, in the midst of nothing.
        tick = self.hub.call_repeatedly(0.01, lambda: None)
        while time.monotonic() < deadline and not until():
            self.hub.run_once()
        tick.cancel()
        return bool(until())

    def listens(self) -> bool:
        """Whether it waits for a word."""
        return self.intake._listener.listens

    def close(self) -> None:
        """Ends both. A wait that begins as it is closed would take words from the next test."""
        self.intake.close()
        until(self._waits_no_more, within_s=30, what="the wait ends")
        self.hub.close()
        self.notifier.close()

    def _waits_no_more(self) -> bool:
        self.listener_store.client.connection_pool.disconnect()
        return not any(thread.is_alive() for thread in self.threads)


@pytest.fixture(autouse=True)
def _no_look_without_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle worker's next look comes too late to be what found a call."""
    monkeypatch.setattr(fetcher, "IDLE_FETCH_S", FOREVER_S)


@pytest.fixture
def worker(redis_url: str, make_worker_queue: Callable[..., WorkerQueue]) -> Iterator[Worker]:
    """A worker with one slot."""
    made = Worker(redis_url, make_worker_queue())
    yield made
    made.close()


def waiting_for_a_word(client: redis.Redis) -> bool:
    """Whether a worker waits on the server."""
    return bool(client.info("clients")["blocked_clients"])


def test_a_word_wakes_a_sleeping_worker(worker: Worker, queue: CallQueue) -> None:
    """It does not sleep out its pause when a call is added."""
    assert worker.run(worker.listens)
    queue.add([new(1)])
    assert worker.run(lambda: worker.feed.delivered == ["1"])


def test_a_freed_slot_takes_the_next_call(worker: Worker, queue: CallQueue) -> None:
    """From whichever thread it was freed."""
    queue.add([new(1), new(2)])
    assert worker.run(lambda: worker.feed.delivered == ["1"])

    def end() -> None:
        place(worker.worker_queue, "1")
        worker.notifier.notify()

    thread = threading.Thread(target=end)
    thread.start()
    assert worker.run(lambda: worker.feed.delivered == ["1", "2"])
    thread.join()


def test_the_loop_does_not_oversleep_what_a_check_of_its_own_found(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call ends in the loop; another is due before the loop would have woken."""
    assert worker.run(worker.listens)
    waits: list[float] = []

    def poll(timeout: float) -> list[object]:
        waits.append(timeout)
        return []

    monkeypatch.setattr(worker.hub.poller, "poll", poll)
    worker.hub._loop = None
    worker.hub.timer.clear()
    worker.hub.call_later(60, print)
    found = SimpleNamespace(calls=[], next_ms=200, passed_on=False)
    monkeypatch.setattr(worker.worker_queue, "claim", lambda *_: found)
    worker.hub.call_soon(worker.notifier.notify)
    worker.hub.run_once()
    assert waits[0] <= 0.2


def test_notices_from_many_threads_are_never_lost() -> None:
    """One stands for all that came before it was taken in; what comes later is told again."""
    notifier, notified, seen = Notifier(), [0] * 4, [0] * 4

    def tell(number: int) -> None:
        for _ in range(2_000):
            notified[number] += 1
            notifier.notify()

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while seen != [2_000] * 4:
        assert select.select([notifier.fileno()], [], [], 30)[0], f"not woken at {seen}"
        notifier.clear()
        seen = list(notified)
    notifier.close()
    for thread in threads:
        thread.join()


@pytest.mark.alone
def test_a_delayed_call_is_taken_on_time(worker: Worker, queue: CallQueue) -> None:
    """Nobody leaves a word when its time comes."""
    assert worker.run(worker.listens)
    queue.add([new(1, delay_ms=500)])
    began = time.monotonic()
    assert worker.run(lambda: worker.feed.delivered == ["1"])
    assert 0.45 < time.monotonic() - began < 1.0


def test_a_full_worker_leaves_words_to_others(
    worker: Worker, queue: CallQueue, client: redis.Redis
) -> None:
    """It would swallow one that another worker with a free slot could act on."""
    queue.add([new(1)])
    assert worker.run(lambda: worker.feed.delivered == ["1"])
    assert not worker.run(worker.listens, within_s=0.3)
    queue.add([new(2)])
    assert client.llen(keys.NOTIFY) == 1


def test_a_reconnection_goes_on_with_what_is_held(worker: Worker, queue: CallQueue) -> None:
    """A call of the closed channel fills its slot until it ends; then the next one is taken."""
    queue.add([new(1), new(2)])
    assert worker.run(lambda: worker.feed.delivered == ["1"])
    worker.hub.reset()
    worker.intake.close()
    worker.connect()
    assert not worker.run(lambda: worker.feed.delivered, within_s=0.3)
    place(worker.worker_queue, "1")
    worker.notifier.notify()
    assert worker.run(lambda: worker.feed.delivered == ["2"])


def test_a_call_that_cannot_be_handed_over_is_given_back(
    worker: Worker, queue: CallQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be held and renewed, and never run."""

    def fail(_: Claim) -> None:
        raise KeyError

    monkeypatch.setattr(worker.feed, "deliver", fail)
    given_up: list[str] = []
    monkeypatch.setattr(worker.feed, "give_up", lambda taken: given_up.append(taken.job_id))
    queue.add([new(1)])
    assert worker.run(lambda: given_up == ["1"])


def test_a_closed_worker_swallows_no_word(
    worker: Worker, queue: CallQueue, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends its wait, which would last for long; the word is for the worker that goes on."""
    monkeypatch.setattr(fetcher, "LISTEN_WAIT_S", FOREVER_S)
    assert worker.run(worker.listens)
    until(lambda: waiting_for_a_word(client), within_s=30, what="it waits")
    worker.intake.close()
    until(lambda: not waiting_for_a_word(client), within_s=30, what="it waits no more")
    queue.add([new(1)])
    assert client.llen(keys.NOTIFY) == 1
    assert queue.job("1").state is State.WAITING


def test_a_worker_that_closes_while_a_word_arrives_swallows_none(
    redis_url: str, client: redis.Redis
) -> None:
    """However the two meet, the word is passed on and the thread ends."""
    listener = NotificationListener(
        RedisStore(connect(redis_url, timeout_s=LISTEN_TIMEOUT_S)), Notifier()
    )

    class ClosedMeanwhile(threading.Event):
        def clear(self) -> None:
            listener.close()
            super().clear()

    listener._wanted = ClosedMeanwhile()
    listener.start()
    client.rpush(keys.NOTIFY, "1")
    listener.listen()
    until(lambda: not listener._thread.is_alive(), within_s=30, what="the thread ends")
    assert client.llen(keys.NOTIFY) == 1


def test_an_outage_is_told_to_celery(start_server: Callable[..., Server]) -> None:
    """As a lost connection, which it knows to replace; afterwards words are heard again."""
    server = start_server(durable=True)
    store = RedisStore(connect(server.url, timeout_s=1))
    queue = CallQueue(store, None)
    worker = Worker(server.url, WorkerQueue(store, "w", Protocol(**QUICK)))
    assert worker.run(worker.listens)
    server.kill()
    with pytest.raises(redis.ConnectionError):
        worker.run(lambda: False)
    worker.hub.reset()
    worker.intake.close()
    server.start()
    worker.connect()
    assert worker.run(worker.listens)
    queue.add([new(1)])
    assert worker.run(lambda: worker.feed.delivered == ["1"])
    worker.close()


def test_a_listener_outlives_an_outage(start_server: Callable[..., Server]) -> None:
    """A connection that broke is replaced, by the thread itself."""
    server = start_server()
    notifier = Notifier()
    listener = NotificationListener(
        RedisStore(connect(server.url, timeout_s=LISTEN_TIMEOUT_S)), notifier
    )
    listener.start()
    listener.listen()
    with server.client() as client:
        until(lambda: waiting_for_a_word(client), within_s=30, what="it waits")
    server.kill()
    server.start()
    with server.client() as client:
        until(lambda: waiting_for_a_word(client), within_s=30, what="it waits again")
        notifier.clear()
        client.lpush(keys.NOTIFY, "1")
        until(lambda: not listener.listens, within_s=30, what="the word is heard")
    listener.close()
    notifier.close()
    listener._thread.join(30)
    assert not listener._thread.is_alive()
