"""Claim, start and finish: leases, fencing, repetition, unknown outcomes, circuit breaker."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import begin, new, place, placed, run_out, taken
from vomind_queue.calls.call import Call, NewCall, State
from vomind_queue.calls.decisions import (
    AttemptResult,
    Decision,
    DialStarted,
    FinishStatus,
    NotStarted,
)
from vomind_queue.calls.senders import Senders
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue

HERE, THERE = "+15005550006", "+4930123456"
AGAIN = Decision(result=AttemptResult.AGAIN, reason="Busy.", refused=True, wait_ms=50)
UNKNOWN = Decision(result=AttemptResult.UNKNOWN, reason="No answer.", wait_ms=0)


def test_a_placed_call_is_completed(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """Its SID, its status and its times stand in the job."""
    queue.add([new(1)])
    place(worker_queue, *taken(worker_queue))
    job = queue.job("1")
    assert job.placed is not None
    assert (job.state, job.progress, job.attempts_made) == (State.COMPLETED, 100, 1)
    assert (job.placed.sid, job.placed.status, job.failed_reason) == ("CA1", "queued", None)
    assert job.finished_ms is not None
    assert job.started_ms is not None
    assert job.created_ms <= job.started_ms <= job.finished_ms


def test_a_completed_call_keeps_nothing_twice(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Its record is the largest part of what a call costs in Redis for days."""
    queue.add([new(1)])
    place(worker_queue, *taken(worker_queue))
    assert set(client.hgetall(keys.job("1"))) == {
        "data", "priority", "state", "at", "attempt", "started", "attempts", "finished", "sid",
        "status", "log",
    }  # fmt: skip


def test_a_failed_call_counts_its_round_from_nothing_when_it_is_retried(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """The attempts go on, the round begins again."""
    queue.add([new(1)])
    for result in (AttemptResult.AGAIN, AttemptResult.FAILED):
        (job_id,) = taken(worker_queue)
        worker_queue.finish(
            begin(worker_queue, job_id), Decision(result=result, reason="Busy.", wait_ms=0)
        )
        worker_queue.release(job_id)
    job = queue.job("1")
    assert (job.state, job.attempts_made) == (State.FAILED, 2)
    assert job.finished_ms == job.attempts[-1].ended_ms
    queue.retry("1")
    assert queue.job("1").finished_ms is None
    assert [call.round for call in worker_queue.claim(1, "123").calls] == [0]
    assert begin(worker_queue, "1").attempt.number == 3


def test_progress_tells_the_request_from_the_wait(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """0 while only held, 50 while Twilio is being asked."""
    queue.add([new(1)])
    taken(worker_queue)
    assert (queue.job("1").state, queue.job("1").progress) == (State.ACTIVE, 0)
    begin(worker_queue, "1")
    assert (queue.job("1").state, queue.job("1").progress) == (State.ACTIVE, 50)


def test_calls_of_a_silent_worker_go_to_another(
    queue: CallQueue,
    worker_queue: WorkerQueue,
    make_worker_queue: Callable[..., WorkerQueue],
    client: redis.Redis,
) -> None:
    """Not yet asked for at Twilio: back in the old place, and the old lease is worth nothing."""
    other = make_worker_queue()
    queue.add([new(1), new(2)])
    assert taken(worker_queue) == ["1"]
    run_out(client)
    assert taken(other) == ["1"]
    assert worker_queue.start_dialing("1", secrets.token_urlsafe(4)) is NotStarted.LOST
    worker_queue.renew_leases()
    assert worker_queue.leases.token("1") is None
    place(other, "1")
    assert queue.job("1").state is State.COMPLETED


@pytest.mark.alone
def test_a_living_worker_keeps_its_calls(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """As long as it renews its leases nobody else gets them."""
    worker_queue = make_worker_queue(lease_ms=1_500)
    queue.add([new(1)])
    taken(worker_queue)
    for _ in range(4):
        time.sleep(0.5)
        worker_queue.renew_leases()
    assert taken(make_worker_queue()) == []
    assert isinstance(worker_queue.start_dialing("1", secrets.token_urlsafe(4)), DialStarted)


def test_a_lost_lease_cannot_give_back(
    queue: CallQueue,
    worker_queue: WorkerQueue,
    make_worker_queue: Callable[..., WorkerQueue],
    client: redis.Redis,
) -> None:
    """A worker that wakes up late changes nothing that is another's by now."""
    other = make_worker_queue()
    queue.add([new(1)])
    lease = worker_queue.claim(1, "123").calls[0].lease
    run_out(client)
    taken(other)
    started = begin(other, "1")
    worker_queue.give_back("1", lease)
    assert worker_queue.defer("1", 0) is False
    assert queue.job("1").progress == 50
    assert other.finish(started, placed("CA1")).status is FinishStatus.OK


def test_a_marked_call_of_a_dead_worker_has_an_unknown_outcome(
    queue: CallQueue,
    worker_queue: WorkerQueue,
    make_worker_queue: Callable[..., WorkerQueue],
    client: redis.Redis,
) -> None:
    """It is not dialed again, stays active, cannot be cancelled, and a reconciler gets it."""
    other = make_worker_queue()
    queue.add([new(1)])
    taken(worker_queue)
    started = begin(worker_queue, "1")
    time.sleep(0.35)
    run_out(client)
    assert taken(other, 5) == []
    assert queue.stats().unknown_outcomes == 1
    assert queue.job("1").state is State.ACTIVE
    unknown_outcomes = other.due_reconciliations(5)
    assert [unknown.started.attempt.token for unknown in unknown_outcomes] == [
        started.attempt.token
    ]
    assert unknown_outcomes[0].age_ms >= 350
    assert worker_queue.due_reconciliations(5) == []


def test_a_late_answer_ends_an_unknown_outcome(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """The first evidence for the attempt completes the call."""
    queue.add([new(1)])
    taken(worker_queue)
    started = begin(worker_queue, "1")
    run_out(client)
    taken(worker_queue)
    assert worker_queue.finish(started, placed("CA1")).status is FinishStatus.OK
    assert queue.job("1").state is State.COMPLETED
    assert queue.stats().unknown_outcomes == 0
    assert worker_queue.known_sids(["CA1", "CA2"]) == {"CA1"}


def test_a_reconciler_that_dies_leaves_the_call_to_the_next(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """A call to reconcile is handed out again if nothing came of it."""
    queue.add([new(1)])
    taken(worker_queue)
    worker_queue.finish(begin(worker_queue, "1"), UNKNOWN)
    assert len(worker_queue.due_reconciliations(5)) == 1
    assert worker_queue.due_reconciliations(5) == []
    run_out(client, keys.RECONCILING)
    assert [unknown.checks for unknown in worker_queue.due_reconciliations(5)] == [1]


def test_a_superseded_attempt_changes_nothing(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """Its answer comes after it was given up: it is told so, and the call goes on."""
    queue.add([new(1)])
    taken(worker_queue)
    old = begin(worker_queue, "1")
    worker_queue.finish(old, Decision(result=AttemptResult.AGAIN, reason="Absent.", wait_ms=0))
    worker_queue.release("1")
    assert taken(worker_queue) == ["1"]
    assert worker_queue.finish(old, placed("CA1")).status is FinishStatus.SUPERSEDED
    young = begin(worker_queue, "1")
    assert worker_queue.finish(old, placed("CA1")).status is FinishStatus.SUPERSEDED
    assert worker_queue.finish(young, placed("CA2")).status is FinishStatus.OK


def test_repeated_commands_say_what_they_said(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """A command sent again because its reply was lost changes nothing the second time."""
    queue.add([new(1)])
    taken(worker_queue)
    started = begin(worker_queue, "1")
    first = worker_queue.finish(started, placed("CA1"))
    again = worker_queue.finish(started, placed("CA1"))
    assert (first.status, again.status) == (FinishStatus.OK, FinishStatus.AGAIN)
    assert queue.job("1").attempts_made == 1
    queue.publish("1", new(1))
    assert queue.job("1").state is State.COMPLETED
    assert queue.stats().total == 1


def test_a_removed_call_is_not_revived(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """A verdict on a call that is gone writes nothing; a ring that was told of is no stranger."""
    queue.add([new(1)])
    taken(worker_queue)
    started = begin(worker_queue, "1")
    worker_queue.finish(started, placed("CA1"))
    queue.cancel("1")
    assert worker_queue.finish(started, placed("CA1")).status is FinishStatus.AGAIN
    assert worker_queue.finish(started, placed("CA2")).status is FinishStatus.MISSING
    assert queue.stats().total == 0


def test_a_refused_call_is_put_off_by_its_holder(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """It is counted at once, held until Celery puts it off, and then delayed."""
    queue.add([new(1)])
    taken(worker_queue)
    again = replace(AGAIN, wait_ms=60_000)
    worker_queue.finish(begin(worker_queue, "1"), again, deferred=True)
    job = queue.job("1")
    assert (job.state, job.attempts_made, job.failed_reason) == (State.ACTIVE, 1, "Busy.")
    assert worker_queue.defer("1", 0)
    assert queue.job("1").state is State.DELAYED
    assert taken(worker_queue) == []
    run_out(client, keys.DELAYED)
    look = worker_queue.claim(1, "123")
    assert [(call.job_id, call.round) for call in look.calls] == [("1", 1)]


def test_an_acknowledgement_does_not_end_a_call(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """As for revoked tasks: unmarked calls wait again, marked ones are reconciled."""
    queue.add([new(1), new(2)])
    first, second = worker_queue.claim(2, "123").calls
    begin(worker_queue, "2")
    worker_queue.give_back("1", first.lease)
    worker_queue.give_back("2", second.lease)
    assert queue.job("1").state is State.WAITING
    assert queue.job("2").state is State.ACTIVE
    assert [unknown.started.attempt.job_id for unknown in worker_queue.due_reconciliations(5)] == [
        "2"
    ]


def test_our_own_fault_pauses_the_queue(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """The call keeps its attempt and its place, and the reason is there to be read."""
    queue.add([new(1), new(2)])
    taken(worker_queue)
    worker_queue.finish(
        begin(worker_queue, "1"), Decision(result=AttemptResult.ACCOUNT, reason="Wrong token.")
    )
    worker_queue.release("1")
    pause = queue.stats().pause
    assert pause is not None
    assert (pause.by, pause.reason) == ("system", "Wrong token.")
    job = queue.job("1")
    assert (job.state, job.attempts_made) == (State.WAITING, 0)
    assert taken(worker_queue, 5) == []
    queue.resume()
    assert taken(worker_queue, 5) == ["1", "2"]


def refuse(worker_queue: WorkerQueue, job_id: str) -> bool:
    """Lets an attempt be refused by Twilio; whether that did not count."""
    written = worker_queue.finish(begin(worker_queue, job_id), AGAIN)
    worker_queue.release(job_id)
    return written.uncounted


@pytest.mark.alone
def test_the_breaker_opens_after_five_refusals_in_a_row(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """The rest waits with all its attempts; one probe at a time is let through."""
    queue.add([new(i) for i in range(9)])
    for job_id in taken(worker_queue, 5):
        assert refuse(worker_queue, job_id) is False
    assert queue.stats().circuit_open_until_ms is not None
    assert taken(worker_queue, 5) == []
    time.sleep(0.25)
    probe = taken(worker_queue, 5)
    assert len(probe) == 1
    assert taken(worker_queue, 5) == []
    assert refuse(worker_queue, probe[0]) is True
    time.sleep(0.25)
    (probe_id,) = taken(worker_queue, 5)
    place(worker_queue, probe_id)
    assert queue.stats().circuit_open_until_ms is None
    assert taken(worker_queue, 2) != []
    assert all(queue.job(str(i)).attempts_made == 0 for i in range(7, 10))


def test_an_open_breaker_is_probed_no_sooner_than_twilio_asks(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """Its `Retry-After` outlasts our own wait between two probes."""
    queue.add([new(i) for i in range(6)])
    for job_id in taken(worker_queue, 5):
        worker_queue.finish(begin(worker_queue, job_id), replace(AGAIN, quiet_ms=30_000))
        worker_queue.release(job_id)
    until_ms = queue.stats().circuit_open_until_ms
    assert until_ms is not None
    # `now_ms` is slow by a round trip.
    assert 25_000 < until_ms - queue.now_ms() <= 31_000
    look = worker_queue.claim(5, "123")
    assert not look.calls
    assert queue.stats().circuit_open_until_ms == until_ms


def test_refusals_under_way_when_the_breaker_opens_do_not_count(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """Seven at once: five open the breaker, the other two keep their attempts."""
    queue.add([new(i) for i in range(7)])
    under_way = [begin(worker_queue, job_id) for job_id in taken(worker_queue, 7)]
    uncounted = [worker_queue.finish(started, AGAIN).uncounted for started in under_way]
    assert uncounted == [False] * 5 + [True] * 2
    assert [queue.job(str(i)).attempts_made for i in (5, 6, 7)] == [1, 0, 0]
    assert queue.job("7").state is State.WAITING


def test_calls_taken_before_the_breaker_opened_are_given_back(
    queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """The last check before dialing knows of it."""
    queue.add([new(i) for i in range(6)])
    *first, last = taken(worker_queue, 6)
    for job_id in first:
        refuse(worker_queue, job_id)
    assert worker_queue.start_dialing(last, secrets.token_urlsafe(4)) is NotStarted.CIRCUIT_OPEN
    assert queue.job(last).state is State.WAITING


@pytest.mark.parametrize("result", [AttemptResult.COMPLETED, AttemptResult.FAILED])
def test_history_is_kept_by_number(
    queue: CallQueue,
    client: redis.Redis,
    make_worker_queue: Callable[..., WorkerQueue],
    result: AttemptResult,
) -> None:
    """The oldest calls beyond the number are dropped, with their records."""
    from vomind_queue.calls.limits import Retention

    keep = Retention(age_ms=3_600_000, count=2)
    worker_queue = make_worker_queue(keep_completed=keep, keep_failed=keep)
    queue.add([new(i) for i in range(5)])
    for job_id in taken(worker_queue, 5):
        decision = (
            placed(f"CA{job_id}") if result is AttemptResult.COMPLETED else Decision(result=result)
        )
        worker_queue.finish(begin(worker_queue, job_id), decision)
    kept = queue.page(State(result), 0, 10)
    assert [job.id for job in kept.jobs] == ["5", "4"]
    assert not client.exists(keys.job("1"))


def test_history_is_kept_by_age(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """Calls that ended too long ago go while later ones are worked on."""
    from vomind_queue.calls.limits import Retention

    worker_queue = make_worker_queue(keep_completed=Retention(age_ms=100, count=1_000))
    queue.add([new(1), new(2)])
    place(worker_queue, *taken(worker_queue))
    time.sleep(0.15)
    place(worker_queue, *taken(worker_queue))
    assert [job.id for job in queue.page(State.COMPLETED, 0, 10).jobs] == ["2"]


def test_full_memory_lets_work_end(
    queue: CallQueue, client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """Under noeviction what frees or ends goes through; only new calls are refused."""
    from vomind_queue.errors import StoreUnavailable

    queue.add([new(i) for i in range(4)])
    first, second, third = (call for call in worker_queue.claim(3, "123").calls)
    started = begin(worker_queue, first.job_id)
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable) as refused:
            queue.add([new(9)])
        assert refused.value.outcome_unknown is False
        with pytest.raises(StoreUnavailable):
            queue.add([new(i) for i in range(600)])
        worker_queue.renew_leases()
        assert worker_queue.finish(started, placed("CA1")).status is FinishStatus.OK
        worker_queue.give_back(second.job_id, second.lease)
        begin(worker_queue, third.job_id)
        assert queue.cancel("2") is State.WAITING
        queue.pause("ann")
        queue.resume()
    finally:
        client.config_set("maxmemory", 0)
    assert queue.stats().total == 3
    assert queue.add([new(9)]).job_ids


def test_a_call_comes_from_the_number_for_its_country(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """Or from the one that it names; the marker records it."""
    senders = Senders(numbers=[HERE, THERE, "+442079460000"], by_country={"DE": THERE})
    worker_queue = make_worker_queue(senders)
    calls = (Call(to=HERE), Call(to="+4989123456"), Call(to="+4989123457", from_number=HERE))
    for call in calls:
        queue.add([NewCall(call=call)])
    found = [begin(worker_queue, job_id).attempt.sender for job_id in taken(worker_queue, 3)]
    assert found == [HERE, THERE, HERE]
