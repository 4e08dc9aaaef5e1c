"""Holding, beginning and ending a call: leases, fencing, repetition, doubt, the breaker."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import begin, new, place, placed, taken
from vomind_queue.calls.call import State
from vomind_queue.calls.decisions import (
    AttemptResult,
    Decision,
    DialStarted,
    FinishStatus,
    NotStarted,
)
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue

AGAIN = Decision(ending=AttemptResult.AGAIN, reason="Busy.", refused=True, wait_ms=50)
DOUBT = Decision(ending=AttemptResult.DOUBT, reason="No answer.", wait_ms=0)


def test_a_placed_call_is_completed(queue: CallQueue, desk: WorkerQueue) -> None:
    """Its SID, its status and its times stand in the job."""
    queue.add([new(1)])
    place(desk, *taken(desk))
    job = queue.job("1")
    assert job.placed is not None
    assert (job.state, job.progress, job.attempts_made) == (State.COMPLETED, 100, 1)
    assert (job.placed.sid, job.placed.status, job.failed_reason) == ("CA1", "queued", None)
    assert job.finished_ms is not None
    assert job.started_ms is not None
    assert job.created_ms <= job.started_ms <= job.finished_ms


def test_a_completed_call_keeps_nothing_twice(
    queue: CallQueue, desk: WorkerQueue, client: redis.Redis
) -> None:
    """Its record is the largest part of what a call costs in Redis for days."""
    queue.add([new(1)])
    place(desk, *taken(desk))
    assert set(client.hgetall(keys.job("1"))) == {
        "data", "priority", "state", "at", "attempt", "started", "attempts", "finished", "sid",
        "status", "log",
    }  # fmt: skip


def test_a_failed_call_counts_its_round_from_nothing_when_it_is_retried(
    queue: CallQueue, desk: WorkerQueue
) -> None:
    """The attempts go on, the round begins again."""
    queue.add([new(1)])
    for ending in (AttemptResult.AGAIN, AttemptResult.FAILED):
        (job_id,) = taken(desk)
        desk.finish(begin(desk, job_id), Decision(ending=ending, reason="Busy.", wait_ms=0))
        desk.release(job_id)
    job = queue.job("1")
    assert (job.state, job.attempts_made) == (State.FAILED, 2)
    assert job.finished_ms == job.attempts[-1].ended_ms
    queue.retry("1")
    assert queue.job("1").finished_ms is None
    assert [call.round for call in desk.take(1, "123").calls] == [0]
    assert begin(desk, "1").attempt.number == 3


def test_progress_tells_the_request_from_the_wait(queue: CallQueue, desk: WorkerQueue) -> None:
    """0 while only held, 50 while Twilio is being asked."""
    queue.add([new(1)])
    taken(desk)
    assert (queue.job("1").state, queue.job("1").progress) == (State.ACTIVE, 0)
    begin(desk, "1")
    assert (queue.job("1").state, queue.job("1").progress) == (State.ACTIVE, 50)


def test_calls_of_a_silent_worker_go_to_another(
    queue: CallQueue, desk: WorkerQueue, make_desk: Callable[..., WorkerQueue]
) -> None:
    """Not yet asked for at Twilio: back in the old place, and the old lease is worth nothing."""
    other = make_desk()
    queue.add([new(1), new(2)])
    assert taken(desk) == ["1"]
    time.sleep(0.35)
    assert taken(other) == ["1"]
    assert desk.begin("1", secrets.token_urlsafe(4)) is NotStarted.LOST
    desk.extend()
    assert desk.book.token("1") is None
    place(other, "1")
    assert queue.job("1").state is State.COMPLETED


def test_a_living_worker_keeps_its_calls(
    queue: CallQueue, desk: WorkerQueue, make_desk: Callable[..., WorkerQueue]
) -> None:
    """As long as it renews its leases nobody else gets them."""
    queue.add([new(1)])
    taken(desk)
    for _ in range(4):
        time.sleep(0.15)
        desk.extend()
    assert taken(make_desk()) == []
    assert isinstance(desk.begin("1", secrets.token_urlsafe(4)), DialStarted)


def test_a_lost_lease_cannot_give_back(
    queue: CallQueue, desk: WorkerQueue, make_desk: Callable[..., WorkerQueue]
) -> None:
    """A worker that wakes up late changes nothing that is another's by now."""
    other = make_desk()
    queue.add([new(1)])
    lease = desk.take(1, "123").calls[0].lease
    time.sleep(0.35)
    taken(other)
    begun = begin(other, "1")
    desk.give_back("1", lease)
    assert desk.defer("1", 0) is False
    assert queue.job("1").progress == 50
    assert other.finish(begun, placed("CA1")).reception is FinishStatus.OK


def test_a_marked_call_of_a_dead_worker_is_in_doubt(
    queue: CallQueue, desk: WorkerQueue, make_desk: Callable[..., WorkerQueue]
) -> None:
    """It is not dialed again, stays active, cannot be cancelled, and a settler gets it."""
    other = make_desk()
    queue.add([new(1)])
    taken(desk)
    begun = begin(desk, "1")
    time.sleep(0.35)
    assert taken(other, 5) == []
    assert queue.stats().unknown_outcomes == 1
    assert queue.job("1").state is State.ACTIVE
    doubts = other.doubts(5)
    assert [doubt.begun.attempt.token for doubt in doubts] == [begun.attempt.token]
    assert doubts[0].age_ms >= 350
    assert desk.doubts(5) == []


def test_a_late_answer_ends_the_doubt(queue: CallQueue, desk: WorkerQueue) -> None:
    """Whoever brings the first evidence for the attempt completes the call."""
    queue.add([new(1)])
    taken(desk)
    begun = begin(desk, "1")
    time.sleep(0.35)
    taken(desk)
    assert desk.finish(begun, placed("CA1")).reception is FinishStatus.OK
    assert queue.job("1").state is State.COMPLETED
    assert queue.stats().unknown_outcomes == 0
    assert desk.known_sids(["CA1", "CA2"]) == {"CA1"}


def test_a_settler_that_dies_leaves_the_doubt_to_the_next(
    queue: CallQueue, desk: WorkerQueue
) -> None:
    """A doubt handed out is handed out again when nothing came of it."""
    queue.add([new(1)])
    taken(desk)
    desk.finish(begin(desk, "1"), DOUBT)
    assert len(desk.doubts(5)) == 1
    assert desk.doubts(5) == []
    time.sleep(0.35)
    assert [doubt.looks for doubt in desk.doubts(5)] == [1]


def test_a_superseded_attempt_changes_nothing(queue: CallQueue, desk: WorkerQueue) -> None:
    """Its answer comes after it was given up: it is told so, and the call goes on."""
    queue.add([new(1)])
    taken(desk)
    old = begin(desk, "1")
    desk.finish(old, Decision(ending=AttemptResult.AGAIN, reason="Absent.", wait_ms=0))
    desk.release("1")
    assert taken(desk) == ["1"]
    assert desk.finish(old, placed("CA1")).reception is FinishStatus.SUPERSEDED
    young = begin(desk, "1")
    assert desk.finish(old, placed("CA1")).reception is FinishStatus.SUPERSEDED
    assert desk.finish(young, placed("CA2")).reception is FinishStatus.OK


def test_repeated_commands_say_what_they_said(queue: CallQueue, desk: WorkerQueue) -> None:
    """A command sent again because its reply was lost changes nothing the second time."""
    queue.add([new(1)])
    taken(desk)
    begun = begin(desk, "1")
    first = desk.finish(begun, placed("CA1"))
    again = desk.finish(begun, placed("CA1"))
    assert (first.reception, again.reception) == (FinishStatus.OK, FinishStatus.AGAIN)
    assert queue.job("1").attempts_made == 1
    queue.publish("1", new(1))
    assert queue.job("1").state is State.COMPLETED
    assert queue.stats().total == 1


def test_a_removed_call_is_not_revived(queue: CallQueue, desk: WorkerQueue) -> None:
    """A verdict on a call that is gone writes nothing; a ring that was told of is no stranger."""
    queue.add([new(1)])
    taken(desk)
    begun = begin(desk, "1")
    desk.finish(begun, placed("CA1"))
    queue.cancel("1")
    assert desk.finish(begun, placed("CA1")).reception is FinishStatus.AGAIN
    assert desk.finish(begun, placed("CA2")).reception is FinishStatus.MISSING
    assert queue.stats().total == 0


def test_a_refused_call_is_put_off_by_its_holder(queue: CallQueue, desk: WorkerQueue) -> None:
    """It is counted at once, held until Celery puts it off, and then delayed."""
    queue.add([new(1)])
    taken(desk)
    desk.finish(begin(desk, "1"), AGAIN, deferred=True)
    job = queue.job("1")
    assert (job.state, job.attempts_made, job.failed_reason) == (State.ACTIVE, 1, "Busy.")
    assert desk.defer("1", 0)
    assert queue.job("1").state is State.DELAYED
    assert taken(desk) == []
    time.sleep(0.06)
    look = desk.take(1, "123")
    assert [(call.job_id, call.round) for call in look.calls] == [("1", 1)]


def test_an_acknowledgement_does_not_end_a_call(queue: CallQueue, desk: WorkerQueue) -> None:
    """Celery does so for revoked tasks, too: unmarked calls wait again, marked ones are settled."""
    queue.add([new(1), new(2)])
    first, second = desk.take(2, "123").calls
    begin(desk, "2")
    desk.give_back("1", first.lease)
    desk.give_back("2", second.lease)
    assert queue.job("1").state is State.WAITING
    assert queue.job("2").state is State.ACTIVE
    assert [doubt.begun.attempt.job_id for doubt in desk.doubts(5)] == ["2"]


def test_our_own_fault_pauses_the_queue(queue: CallQueue, desk: WorkerQueue) -> None:
    """The call keeps its attempt and its place, and the reason is there to be read."""
    queue.add([new(1), new(2)])
    taken(desk)
    desk.finish(begin(desk, "1"), Decision(ending=AttemptResult.ACCOUNT, reason="Wrong token."))
    desk.release("1")
    pause = queue.stats().pause
    assert pause is not None
    assert (pause.by, pause.reason) == ("system", "Wrong token.")
    job = queue.job("1")
    assert (job.state, job.attempts_made) == (State.WAITING, 0)
    assert taken(desk, 5) == []
    queue.resume()
    assert taken(desk, 5) == ["1", "2"]


def refuse(desk: WorkerQueue, job_id: str) -> bool:
    """Lets an attempt be refused by Twilio; whether that did not count."""
    written = desk.finish(begin(desk, job_id), AGAIN)
    desk.release(job_id)
    return written.uncounted


def test_the_breaker_opens_after_five_refusals_in_a_row(
    queue: CallQueue, desk: WorkerQueue
) -> None:
    """The rest waits with all its attempts; one probe at a time is let through."""
    queue.add([new(i) for i in range(9)])
    for job_id in taken(desk, 5):
        assert refuse(desk, job_id) is False
    assert queue.stats().circuit_open_until_ms is not None
    assert taken(desk, 5) == []
    time.sleep(0.25)
    probe = taken(desk, 5)
    assert len(probe) == 1
    assert taken(desk, 5) == []
    assert refuse(desk, probe[0]) is True
    time.sleep(0.25)
    (probe_id,) = taken(desk, 5)
    place(desk, probe_id)
    assert queue.stats().circuit_open_until_ms is None
    assert taken(desk, 2) != []
    assert all(queue.job(str(i)).attempts_made == 0 for i in range(7, 10))


def test_an_open_breaker_is_probed_no_sooner_than_twilio_asks(
    queue: CallQueue, desk: WorkerQueue
) -> None:
    """Its `Retry-After` outlasts our own wait between two probes."""
    queue.add([new(i) for i in range(6)])
    for job_id in taken(desk, 5):
        desk.finish(begin(desk, job_id), replace(AGAIN, quiet_ms=30_000))
        desk.release(job_id)
    until_ms = queue.stats().circuit_open_until_ms
    assert until_ms is not None
    # `now_ms` is slow by a round trip.
    assert 25_000 < until_ms - queue.now_ms() <= 31_000
    look = desk.take(5, "123")
    assert not look.calls
    assert queue.stats().circuit_open_until_ms == until_ms


def test_refusals_under_way_when_the_breaker_opens_do_not_count(
    queue: CallQueue, desk: WorkerQueue
) -> None:
    """Seven at once: five open the breaker, the other two keep their attempts."""
    queue.add([new(i) for i in range(7)])
    under_way = [begin(desk, job_id) for job_id in taken(desk, 7)]
    uncounted = [desk.finish(begun, AGAIN).uncounted for begun in under_way]
    assert uncounted == [False] * 5 + [True] * 2
    assert [queue.job(str(i)).attempts_made for i in (5, 6, 7)] == [1, 0, 0]
    assert queue.job("7").state is State.WAITING


def test_calls_taken_before_the_breaker_opened_are_given_back(
    queue: CallQueue, desk: WorkerQueue
) -> None:
    """The last check before dialing knows of it."""
    queue.add([new(i) for i in range(6)])
    *first, last = taken(desk, 6)
    for job_id in first:
        refuse(desk, job_id)
    assert desk.begin(last, secrets.token_urlsafe(4)) is NotStarted.BROKEN
    assert queue.job(last).state is State.WAITING


@pytest.mark.parametrize("ending", [AttemptResult.COMPLETED, AttemptResult.FAILED])
def test_history_is_kept_by_number(
    queue: CallQueue,
    client: redis.Redis,
    make_desk: Callable[..., WorkerQueue],
    ending: AttemptResult,
) -> None:
    """The oldest calls beyond the number are dropped, with their records."""
    from vomind_queue.calls.limits import Retention

    keep = Retention(age_ms=3_600_000, count=2)
    desk = make_desk(keep_completed=keep, keep_failed=keep)
    queue.add([new(i) for i in range(5)])
    for job_id in taken(desk, 5):
        verdict = (
            placed(f"CA{job_id}") if ending is AttemptResult.COMPLETED else Decision(ending=ending)
        )
        desk.finish(begin(desk, job_id), verdict)
    kept = queue.page(State(ending), 0, 10)
    assert [job.id for job in kept.jobs] == ["5", "4"]
    assert not client.exists(keys.job("1"))


def test_history_is_kept_by_age(queue: CallQueue, make_desk: Callable[..., WorkerQueue]) -> None:
    """Calls that ended too long ago go while later ones are worked on."""
    from vomind_queue.calls.limits import Retention

    desk = make_desk(keep_completed=Retention(age_ms=100, count=1_000))
    queue.add([new(1), new(2)])
    place(desk, *taken(desk))
    time.sleep(0.15)
    place(desk, *taken(desk))
    assert [job.id for job in queue.page(State.COMPLETED, 0, 10).jobs] == ["2"]


def test_full_memory_lets_work_end(
    queue: CallQueue, client: redis.Redis, desk: WorkerQueue
) -> None:
    """Under noeviction what frees or ends goes through; only new calls are refused."""
    from vomind_queue.errors import StoreUnavailable

    queue.add([new(i) for i in range(4)])
    first, second, third = (call for call in desk.take(3, "123").calls)
    begun = begin(desk, first.job_id)
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable) as refused:
            queue.add([new(9)])
        assert refused.value.outcome_unknown is False
        with pytest.raises(StoreUnavailable):
            queue.add([new(i) for i in range(600)])
        desk.extend()
        assert desk.finish(begun, placed("CA1")).reception is FinishStatus.OK
        desk.give_back(second.job_id, second.lease)
        begin(desk, third.job_id)
        assert queue.cancel("2") is State.WAITING
        queue.pause("ann")
        queue.resume()
    finally:
        client.config_set("maxmemory", 0)
    assert queue.stats().total == 3
    assert queue.add([new(9)]).job_ids
