"""Which call comes next, and when: order, limit, delay, pause."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import pytest
import redis

from tests.integration.conftest import begin, new, place, taken
from vomind_queue.calls.call import State
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted, NotStarted
from vomind_queue.calls.limits import Rate
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue


def test_urgent_calls_come_first(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """High before normal before low, and first come first dialed within one."""
    priorities = ("low", "normal", "high") * 4
    queue.add([new(i, priority) for i, priority in enumerate(priorities)])
    order = taken(worker_queue, 12)
    assert order == ["3", "6", "9", "12", "2", "5", "8", "11", "1", "4", "7", "10"]


def test_many_calls_of_one_moment_keep_their_order(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """1,200 calls of one bulk are dialed as they were sent, for all that 10 sorts before 9."""
    sent = queue.add([new(i) for i in range(1_200)]).job_ids
    assert taken(worker_queue, 1_200) == list(sent)


def test_a_worker_gets_the_priorities_that_it_asks_for(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """One started for one queue leaves the others alone, and waits while they come first."""
    queue.add([new(1, "high"), new(2, "normal"), new(3, "low")])
    assert taken(worker_queue, 3, "3") == []
    assert taken(worker_queue, 3, "12") == ["1", "2"]
    assert taken(worker_queue, 3, "3") == ["3"]


def test_a_word_for_other_workers_is_passed_on(
    queue: CallQueue, client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """A worker of some priorities leaves it to those of the others, while calls wait for them."""
    queue.add([new(1, "high"), new(2, "low")])
    for ranks, passed_on in (("3", True), ("12", True), ("3", False), ("12", False)):
        client.delete(keys.NOTIFY)
        assert worker_queue.claim(3, ranks).passed_on is passed_on
        assert client.llen(keys.NOTIFY) == passed_on
    queue.add([new(3, "high")])
    queue.pause("ann")
    assert worker_queue.claim(3, "3").passed_on is False


@pytest.mark.alone
def test_delayed_calls_become_due_and_never_early(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """Nothing is handed out before its time; then it is, in the order of the times."""
    queue.add([new(1, delay_ms=260), new(2, delay_ms=60), new(3, delay_ms=60)])
    first = worker_queue.claim(5, "123")
    assert not first.calls
    assert first.next_ms is not None
    assert 0 < first.next_ms <= 60
    time.sleep(0.07)
    assert taken(worker_queue, 5) == ["2", "3"]
    time.sleep(0.2)
    assert taken(worker_queue, 5) == ["1"]


def test_a_due_call_takes_its_place_by_its_time(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """A call that was due before another was added is dialed before it, even if nobody looked."""
    queue.add([new(1, delay_ms=30)])
    time.sleep(0.06)
    queue.add([new(2)])
    assert taken(worker_queue, 2) == ["1", "2"]


def test_a_full_worker_moves_due_calls_all_the_same(
    queue: CallQueue, client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """A look without a free slot makes a due call visible to the others, and wakes one."""
    queue.add([new(1, delay_ms=20)])
    client.delete(keys.NOTIFY)
    time.sleep(0.03)
    assert taken(worker_queue, 0) == []
    assert queue.job("1").state is State.WAITING
    assert client.llen(keys.NOTIFY) == 1


@pytest.mark.alone
def test_no_window_holds_more_starts_than_allowed(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """Two workers together keep to the limit, and use it up, in any rolling second."""
    rate = Rate(max_starts=3, window_ms=1_000)
    worker_queues = [make_worker_queue(rate=rate), make_worker_queue(rate=rate)]
    queue.add([new(i) for i in range(10)])
    starts: list[int] = []
    until = time.monotonic() + 20
    while len(starts) < 10 and time.monotonic() < until:
        for worker_queue in worker_queues:
            starts += [
                begin(worker_queue, job_id).attempt.marked_ms for job_id in taken(worker_queue, 2)
            ]
        time.sleep(0.01)
    assert len(starts) == 10
    gaps = [later - earlier for earlier, later in zip(starts, starts[3:], strict=False)]
    assert min(gaps) >= 1_000


@pytest.mark.alone
def test_a_call_given_back_unstarted_frees_its_place_in_the_window(
    queue: CallQueue, limited: WorkerQueue
) -> None:
    """A reservation is not a start."""
    queue.add([new(i) for i in range(6)])
    first = limited.claim(5, "123").calls
    assert len(first) == 3
    assert taken(limited, 5) == []
    limited.give_back(first[0].job_id, first[0].lease)
    assert taken(limited, 5) == [first[0].job_id]


@pytest.mark.alone
def test_the_wait_for_the_window_is_told(queue: CallQueue, limited: WorkerQueue) -> None:
    """A limited worker learns when to look again, and the API when the next start is."""
    queue.add([new(i) for i in range(4)])
    for job_id in taken(limited, 3):
        place(limited, job_id)
    look = limited.claim(1, "123")
    assert not look.calls
    assert look.next_ms is not None
    assert 0 < look.next_ms <= 1_051
    use = CallQueue(queue._store, limited.protocol.rate).stats().rate_use
    assert use is not None
    assert use.used == 3
    assert 0 < use.reset_ms <= 1_051


@pytest.mark.alone
def test_an_operator_changes_the_rate_for_all(
    queue: CallQueue, limited: WorkerQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """The change holds for every worker, whatever it is set to, until it is taken back."""
    other = make_worker_queue(rate=Rate(max_starts=100, window_ms=1_000))
    limited.change_rate(Rate(max_starts=1, window_ms=60_000))
    queue.add([new(i) for i in range(9)])
    assert len(taken(other, 5)) == 1
    assert taken(limited, 5) == []
    limited.change_rate(None)
    assert len(taken(limited, 5)) == 5
    limited.reset_rate()
    assert len(taken(other, 5)) == 3


@pytest.mark.alone
def test_a_change_of_the_rate_finds_the_starts_before_it(
    queue: CallQueue, limited: WorkerQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """Starts made while there was no limit, or a shorter window, count in the new one."""
    free = make_worker_queue()
    queue.add([new(i) for i in range(9)])
    for job_id in taken(free, 4):
        place(free, job_id)
    assert taken(limited, 5) == []
    limited.change_rate(Rate(max_starts=5, window_ms=60_000))
    (last,) = taken(limited, 5)
    place(limited, last)
    limited.change_rate(None)
    limited.change_rate(Rate(max_starts=5, window_ms=60_000))
    assert taken(limited, 5) == []
    use = queue.stats().rate_use
    assert use is not None
    assert use.used == 5
    assert 55_000 < use.reset_ms <= 60_051


@pytest.mark.alone
def test_a_place_in_the_window_is_kept_for_one_window(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """Who begins a call later than that takes one of the places that are left, or none."""
    slow, quick = (make_worker_queue(rate=Rate(max_starts=2, window_ms=100)) for _ in range(2))
    queue.add([new(i) for i in range(4)])
    assert taken(slow, 1) == ["1"]
    time.sleep(0.2)
    for job_id in taken(quick, 2):
        place(quick, job_id)
    assert slow.start_dialing("1", secrets.token_urlsafe(4)) is NotStarted.LIMITED


def test_the_starts_that_are_remembered_are_bounded(
    queue: CallQueue, client: redis.Redis, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """Without a limit the last thousand are kept."""
    worker_queue = make_worker_queue()
    queue.add([new(i) for i in range(500)])
    queue.add([new(500 + i) for i in range(500)])
    queue.add([new(1_000 + i) for i in range(100)])
    while batch := taken(worker_queue, 20):
        for job_id in batch:
            place(worker_queue, job_id)
    assert client.zcard(keys.WINDOW) == 1_000


def test_while_paused_nothing_starts(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """A call already taken is given back at the last check; resume lets all go on in order."""
    queue.add([new(1), new(2)])
    assert taken(worker_queue, 1) == ["1"]
    queue.pause("ann", "lunch")
    assert worker_queue.start_dialing("1", secrets.token_urlsafe(4)) is NotStarted.PAUSED
    assert taken(worker_queue, 5) == []
    pause = queue.stats().pause
    assert pause is not None
    assert (pause.by, pause.reason) == ("ann", "lunch")
    queue.pause("bob")
    assert queue.stats().pause == pause
    queue.resume()
    queue.resume()
    assert queue.stats().pause is None
    assert taken(worker_queue, 5) == ["1", "2"]


def test_a_call_of_higher_priority_is_never_overtaken(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """One that arrives between taking and dialing goes first all the same."""
    queue.add([new(1, "low")])
    assert taken(worker_queue, 1) == ["1"]
    queue.add([new(2, "high")])
    assert worker_queue.start_dialing("1", secrets.token_urlsafe(4)) is NotStarted.PREEMPTED
    assert taken(worker_queue, 2) == ["2", "1"]
    assert isinstance(worker_queue.start_dialing("2", secrets.token_urlsafe(4)), DialStarted)


def test_one_number_is_not_rung_twice_at_once(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """A second call to a number waits until the outcome of the first is known."""
    queue.add([new(7), new(7)])
    assert taken(worker_queue, 2) == ["1", "2"]
    started = begin(worker_queue, "1")
    assert worker_queue.start_dialing("2", secrets.token_urlsafe(4)) is NotStarted.BUSY
    assert queue.job("2").state is State.DELAYED
    assert queue.job("2").attempts_made == 0
    refused = Decision(result=AttemptResult.FAILED, reason="No such number.")
    worker_queue.finish(started, refused)
    worker_queue.release("1")
    time.sleep(1.05)
    assert taken(worker_queue, 2) == ["2"]
    place(worker_queue, "2")


def test_a_sleeping_worker_is_woken_for_new_work(
    queue: CallQueue, client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """One word, however many calls; none for a delayed call that changes no plan."""
    queue.add([new(1), new(2)])
    queue.add([new(3)])
    assert client.llen(keys.NOTIFY) == 1
    client.delete(keys.NOTIFY)
    queue.add([new(4, delay_ms=5_000)])
    assert client.llen(keys.NOTIFY) == 1
    client.delete(keys.NOTIFY)
    queue.add([new(5, delay_ms=9_000)])
    assert client.llen(keys.NOTIFY) == 0
