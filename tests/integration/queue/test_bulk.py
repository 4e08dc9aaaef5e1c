"""Bulks: whole or not at all, one answer for one key."""

from __future__ import annotations

import contextlib
import random
import threading
import time

import pytest
import redis

from tests.integration.conftest import new, run_out, taken
from vomind_queue.calls.call import NewCall, State
from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.errors import JobNotFound, KeyReused, StoreUnavailable
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue

KEY = IdempotencyKey(name="app:/schedule-call:k1", fingerprint="f1")
#: One call as `stage` takes it: data, rank, no due time, no delay, no latest start.
CALL = ("{}", 2, "", "", "")


def batched(news: list[NewCall], size: int) -> list[list[NewCall]]:
    """Parts of at most that size."""
    return [news[start : start + size] for start in range(0, len(news), size)]


@pytest.mark.parametrize("size", [1, 2, 500, 501, 1_700])
def test_a_key_stands_for_one_request(queue: CallQueue, size: int) -> None:
    """A repetition gets the first answer; another request with the key is refused."""
    news = [new(i) for i in range(size)]
    first = queue.add(news, KEY)
    again = queue.add(news, KEY)
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.job_ids, again.accepted_ms) == (first.job_ids, first.accepted_ms)
    assert queue.stats().waiting == size
    recalled = queue.recall(KEY)
    assert recalled is not None
    assert recalled.job_ids == first.job_ids
    other = IdempotencyKey(name=KEY.name, fingerprint="f2")
    for ask in (lambda: queue.add(news, other), lambda: queue.recall(other)):
        with pytest.raises(KeyReused):
            ask()
    assert queue.stats().waiting == size


def test_fifty_at_once_with_one_key_make_one_bulk(queue: CallQueue, client: redis.Redis) -> None:
    """The first to commit wins; the others get that answer, and nothing else stays."""
    answers: list[tuple[str, ...]] = []
    news = [new(i) for i in range(600)]

    def send() -> None:
        # A client that is told to try again does so.
        while len(answers) < 8:
            with contextlib.suppress(StoreUnavailable):
                answers.append(tuple(queue.add(news, KEY).job_ids))
                return

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert queue.stats().waiting == 600


def test_a_bulk_is_not_there_before_its_commit(
    queue: CallQueue, client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """A staged part is nothing to anyone: not listed, not counted, not found, not taken."""
    queue._store.write("stage", [keys.LAST_ID], 0, "", "", 2, 60_000, 0, "", *CALL, *CALL)
    assert queue.stats().total == 0
    assert taken(worker_queue, 5) == []
    for ask in (queue.job, queue.cancel, queue.retry):
        with pytest.raises(JobNotFound):
            ask("1")
    assert client.exists(keys.job("1"), keys.job("2")) == 2
    run_out(client, keys.STAGING)
    taken(worker_queue)
    assert client.exists(keys.job("1"), keys.job("2"), keys.STAGING) == 0


def test_a_bulk_hides_no_other_call(queue: CallQueue) -> None:
    """What was accepted before and after a bulk began is there while it is staged."""
    queue.add([new(1)])
    queue._store.write("stage", [keys.LAST_ID], 0, "", "", 2, 60_000, 0, "", *CALL, *CALL)
    queue.add([new(2)])
    assert [queue.job(job_id).state for job_id in ("1", "4")] == [State.WAITING] * 2
    for job_id in ("2", "3", "9" * 5_000):
        with pytest.raises(JobNotFound):
            queue.job(job_id)
    assert queue.cancel("4") is State.WAITING


def test_a_large_bulk_appears_at_one_moment(queue: CallQueue) -> None:
    """A reader in the meantime sees nothing of it, or all."""
    size, over, seen = 5_000, threading.Event(), set()

    def watch() -> None:
        while not over.is_set():
            seen.add(queue.stats().total % size)
            with contextlib.suppress(JobNotFound):
                # Its last call is there: so is the first.
                seen.add(0 if queue.job(str(size)) and queue.job("1") else 1)

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for _ in range(3):
        queue.add([new(i, delay_ms=60_000 + i % 7) for i in range(size)])
    over.set()
    for watcher in watchers:
        watcher.join()
    assert seen == {0}
    assert queue.stats().delayed == 3 * size


def test_a_large_bulk_ends_up_as_small_ones_do(queue: CallQueue) -> None:
    """Priorities and times of all kinds, in any order: the same places, the same records."""
    rng = random.Random(5)
    times = [{}, {"delay_ms": 60_000}, {"delay_ms": 0}, {"due_ms": 1_000}, {"due_ms": 10**13}]
    kinds = [(rng.choice(["high", "normal", "low"]), rng.choice(times)) for _ in range(1_300)]
    news = [new(i, priority, **when) for i, (priority, when) in enumerate(kinds)]
    ids = [*queue.add(news).job_ids]
    small = [job_id for part in batched(news, 100) for job_id in queue.add(part).job_ids]
    for state in (State.WAITING, State.DELAYED):
        listed = [job.id for job in queue.page(state, 0, 5_000).jobs]
        large = [int(job_id) for job_id in listed if int(job_id) <= 1_300]
        assert large == [int(job_id) - 1_300 for job_id in listed if int(job_id) > 1_300]
    for one, other in zip(map(queue.job, ids), map(queue.job, small), strict=True):
        assert (one.call, one.state) == (other.call, other.state)
        assert (one.due_ms is None) == (other.due_ms is None)


def test_a_dropped_bulk_cannot_be_committed(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """A client that took too long is told so, and nothing of it is there."""
    first = queue._store.write("stage", [keys.LAST_ID], 0, "", "", 1, 1, 0, "", *CALL)[2]
    time.sleep(0.01)
    taken(worker_queue)
    with pytest.raises(StoreUnavailable):
        queue._store.run_with_deadline(
            "commit", keys.LAST_ID, "", "", 0, first, 1, 1, "[1,2,-1,-1]", ""
        )
    assert queue.stats().total == 0


def test_a_bulk_may_hold_delayed_calls(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """In a small bulk as in a staged one, each call has its own time."""
    for size in (3, 600):
        receipt = queue.add([new(i, delay_ms=60_000) for i in range(size)])
        job = queue.job(receipt.job_ids[-1])
        assert (job.state, job.due_ms) == (State.DELAYED, receipt.accepted_ms + 60_000)
    assert (queue.stats().delayed, queue.stats().waiting) == (603, 0)
