"""What Twilio reports of a placed call, in and out of order, on a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.integration.conftest import new, place, taken
from tests.integration.placed_call import HOUR_MS, OTHER, SID, Line, accepted
from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call import State
from vomind_queue.calls.call_status import LineStatus, StatusUpdate, UpdateOutcome
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted, FinishStatus
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue


@pytest.fixture
def line(queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis) -> Line:
    """A line whose outcomes are not retried."""
    return Line(queue, worker_queue, client)


def test_a_call_goes_its_way(line: Line) -> None:
    """From accepted to over, each step once."""
    started = line.placed()
    steps = ["initiated", "ringing", "in-progress"]
    for sequence, status in enumerate(steps):
        assert line.say(started, status, sequence=sequence).moved
        assert line.status() == status
    line.say(started, "completed", sequence=3, duration_s=49, sip_code=200, answered_by="human")
    placed = line.job().placed
    assert placed is not None
    found = (placed.status, placed.duration_s, placed.sip_code, placed.answered_by)
    assert found == ("completed", 49, 200, "human")
    assert line.job().state is State.COMPLETED
    (made,) = line.job().attempts
    assert (made.number, made.placed, made.reason) == (1, placed, None)
    assert made.started_ms is not None
    assert made.ended_ms is not None
    assert made.ended_ms >= made.started_ms


#: What arrives, in that order, and where the call is afterwards.
ORDERS = [
    ([("ringing", 1), ("initiated", 0)], "ringing"),
    ([("in-progress", 2), ("ringing", 1), ("initiated", 0)], "in-progress"),
    ([("completed", 3), ("in-progress", 2), ("ringing", 1)], "completed"),
    ([("busy", 2), ("ringing", 1)], "busy"),
    ([("busy", 2), ("completed", 3)], "busy"),
    ([("completed", 3), ("failed", 4)], "completed"),
    # The order of the states and the sequence contradict each other: neither is given up.
    ([("in-progress", 2), ("ringing", 3)], "in-progress"),
    ([("ringing", 2), ("in-progress", 1)], "ringing"),
    # A call that is over is over, whatever its number.
    ([("in-progress", 2), ("completed", 1)], "completed"),
    # Asked for, not called back: no number.
    ([("in-progress", None), ("ringing", None)], "in-progress"),
    ([("in-progress", None), ("ringing", 1)], "in-progress"),
    ([("ringing", None), ("in-progress", 0)], "in-progress"),
    ([("no-answer", None), ("completed", 9)], "no-answer"),
]


@pytest.mark.parametrize(("said", "wanted"), ORDERS)
def test_nothing_moves_backwards(
    line: Line, said: list[tuple[str, int | None]], wanted: str
) -> None:
    """The order of the states and the sequence number decide, not the time of arrival."""
    started = line.placed()
    for status, sequence in said:
        line.say(started, status, sequence=sequence)
    assert line.status() == wanted


def test_a_repetition_changes_nothing(line: Line, client: redis.Redis) -> None:
    """Each said twice, and once more in the end: the record stays as it was, byte for byte."""
    started = line.placed()
    said = [("ringing", 1), ("in-progress", 2), ("completed", 3)]
    for status, sequence in said:
        assert (
            line.say(started, status, sequence=sequence, duration_s=4).outcome is UpdateOutcome.OK
        )
        assert (
            line.say(started, status, sequence=sequence, duration_s=5).outcome
            is UpdateOutcome.AGAIN
        )
    before = client.hgetall(keys.job("1"))
    for status, sequence in said:
        assert line.say(started, status, sequence=sequence).outcome is UpdateOutcome.AGAIN
    assert client.hgetall(keys.job("1")) == before


def test_a_token_is_known_for_as_long_as_its_attempt_is(line: Line) -> None:
    """The last attempt's and those before it; a made-up one is not, and no part of one."""
    first = line.dial()
    line.worker_queue.finish(first, Decision(result=AttemptResult.AGAIN, reason="No line."))
    line.worker_queue.release("1")
    second = line.again()
    known = {
        token: line.reports.has_token("1", token)
        for token in (first.attempt.token, second.attempt.token)
    }
    assert set(known.values()) == {True}
    for token in ("", "made-up", first.attempt.token[:-1], f'{first.attempt.token}","sid":"'):
        assert not line.reports.has_token("1", token)
    assert not line.reports.has_token("2", first.attempt.token)


def test_who_answered_is_told_apart_from_the_status(line: Line) -> None:
    """A detection says nothing of the status, may come late, and its first result stays."""
    started = line.placed()
    line.say(started, "completed", sequence=3)
    assert line.say(started, answered_by="machine_start").outcome is UpdateOutcome.OK
    assert line.say(started, answered_by="machine_start").outcome is UpdateOutcome.AGAIN
    assert line.say(started, answered_by="human").outcome is UpdateOutcome.AGAIN
    placed = line.job().placed
    assert placed is not None
    assert (placed.status, placed.answered_by) == ("completed", "machine_start")


def test_a_report_comes_before_the_answer_to_the_request(line: Line) -> None:
    """Not decided yet; once it is reconciled by that evidence, the late answer is a repetition."""
    started = line.dial()
    assert line.say(started, "ringing", sequence=1).outcome is UpdateOutcome.UNDECIDED
    line.reports.reconcile("1", started.attempt.token, SID)
    assert line.say(started, "ringing", sequence=1).moved
    assert line.worker_queue.finish(started, accepted(SID)).status is FinishStatus.AGAIN
    assert (line.job().state, line.status(), line.job().attempts_made) == (
        State.COMPLETED,
        "ringing",
        1,
    )


def test_the_first_evidence_for_an_unknown_outcome_wins(line: Line, client: redis.Redis) -> None:
    """A second call with the same token is an orphaned call."""
    started = line.dial()
    line.worker_queue.finish(
        started, Decision(result=AttemptResult.UNKNOWN, reason="No answer.", wait_ms=0)
    )
    line.reports.reconcile("1", started.attempt.token, SID)
    assert line.say(started, "ringing", sequence=0).outcome is UpdateOutcome.OK
    assert line.say(started, "ringing", sid=OTHER, sequence=0).outcome is UpdateOutcome.SUPERSEDED
    assert line.reports.due_orphans() == [OTHER]
    assert line.status() == "ringing"
    assert line.queue.stats().unknown_outcomes == 0


def test_a_superseded_token_is_counted_once(line: Line) -> None:
    """All callbacks of that call are one orphaned call, handed out again until it is ended."""
    old = line.dial()
    line.worker_queue.finish(old, Decision(result=AttemptResult.AGAIN, reason="Absent.", wait_ms=0))
    line.worker_queue.release("1")
    young = line.again()
    assert line.say(old, "ringing", sequence=1).outcome is UpdateOutcome.SUPERSEDED
    assert line.say(old, "ringing", sequence=1).outcome is UpdateOutcome.AGAIN
    assert line.say(old, "canceled", sequence=2).outcome is UpdateOutcome.AGAIN
    assert line.queue.stats().orphaned_calls == 1
    assert line.reports.due_orphans() == [SID]
    assert line.reports.due_orphans() == []
    line.reports.orphan_ended(SID)
    line.took(young, OTHER)
    assert line.say(young, "ringing", sid=OTHER, sequence=1).moved
    assert line.job().attempts_made == 2


GIVEN_UP = [
    Decision(result=AttemptResult.AGAIN, reason="Absent.", wait_ms=HOUR_MS),
    Decision(result=AttemptResult.FAILED, reason="It is not known whether this call was placed."),
    Decision(result=AttemptResult.POSTPONED, reason="Not sent in time."),
]


@pytest.mark.parametrize("decision", GIVEN_UP, ids=lambda decision: str(decision.result))
def test_a_ring_of_an_attempt_that_was_given_up_spares_the_next_one(
    line: Line, decision: Decision
) -> None:
    """While no other attempt has begun, the phone that rings is this call's."""
    started = line.dial()
    line.worker_queue.finish(started, decision)
    line.worker_queue.release("1")
    assert line.say(started, "ringing", sequence=1).moved
    job = line.job()
    assert (job.state, job.attempts_made, job.failed_reason) == (State.COMPLETED, 1, None)
    assert line.status() == "ringing"
    assert taken(line.worker_queue, 5) == []
    stats = line.queue.stats()
    assert (stats.completed, stats.total, stats.orphaned_calls) == (1, 1, 0)


def test_it_does_so_even_while_a_worker_holds_the_call_again(line: Line) -> None:
    """A worker that was about to begin finds out in the last check."""
    started = line.dial()
    line.worker_queue.finish(
        started, Decision(result=AttemptResult.AGAIN, reason="Absent.", wait_ms=0)
    )
    line.worker_queue.release("1")
    assert taken(line.worker_queue) == ["1"]
    line.say(started, "ringing", sequence=1)
    assert not isinstance(line.worker_queue.start_dialing("1", "fresh"), DialStarted)
    assert line.job().state is State.COMPLETED


def test_a_removed_job_is_not_revived(line: Line) -> None:
    """A call that is known says nothing any more; of another one nothing is known."""
    started = line.placed()
    line.queue.cancel("1")
    assert line.say(started, "ringing", sequence=1).outcome is UpdateOutcome.AGAIN
    assert line.say(started, "ringing", sid=OTHER, sequence=1).outcome is UpdateOutcome.MISSING
    assert line.queue.stats().total == 0
    assert line.reports.due_status_polls() == []


def test_a_store_that_lost_everything_ends_no_live_call(line: Line, client: redis.Redis) -> None:
    """Its callbacks go on coming: a record that is missing is no evidence against a call."""
    started = line.placed()
    client.flushall()
    for sequence, status in enumerate(("ringing", "in-progress", "completed")):
        assert line.say(started, status, sequence=sequence).outcome is UpdateOutcome.MISSING
    assert line.reports.due_orphans() == []
    assert line.queue.stats().orphaned_calls == 0


def test_silent_calls_are_handed_out_once_and_paced(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """Leased, over all workers; a call that is over, or gone, is not asked for."""
    worker_queue = make_worker_queue(first_poll_ms=60_000)
    line = Line(queue, worker_queue, client)
    queue.add([new(i) for i in range(30)])
    for job_id in taken(worker_queue, 30):
        place(worker_queue, job_id)
    assert line.reports.due_status_polls() == []
    client.zadd(keys.STATUS_POLLS, dict.fromkeys(client.zrange(keys.STATUS_POLLS, 0, -1), 1))
    queue.cancel("1")
    first = line.reports.due_status_polls()
    assert [followed.sid for followed in first] == [f"CA{i}" for i in range(2, 11)]
    assert line.reports.due_status_polls() == []
    client.delete(keys.PACE)
    second = line.reports.due_status_polls()
    assert [followed.job_id for followed in second] == [str(i) for i in range(11, 21)]
    assert {followed.polls for followed in first + second} == {1}


def test_the_price_is_asked_for_once(line: Line, client: redis.Redis) -> None:
    """A while after the end, of calls that were answered, whether it is there by then or not."""
    started = line.placed()
    line.say(started, "completed", sequence=3)
    assert client.zcard(keys.STATUS_POLLS) == 1
    client.zadd(keys.STATUS_POLLS, {"a1": 1})
    (followed,) = line.reports.due_status_polls()
    assert followed.over
    report = StatusUpdate(sid=SID, status=LineStatus.COMPLETED, price="-0.013", price_unit="USD")
    line.reports.record("1", followed.token, report, poll_ms=1, price_ms=0)
    placed = line.job().placed
    assert placed is not None
    assert (placed.price, placed.price_unit) == ("-0.013", "USD")
    assert client.zcard(keys.STATUS_POLLS) == 0


def test_a_call_that_cost_nothing_is_not_asked_for(line: Line, client: redis.Redis) -> None:
    """Nobody answered."""
    line.say(line.placed(), "no-answer", sequence=2)
    assert client.zcard(keys.STATUS_POLLS) == 0


def test_a_call_that_was_found_over_still_gets_its_particulars(
    line: Line, client: redis.Redis
) -> None:
    """Reconciliation found it completed: nothing late moves it back, the report is taken."""
    started = line.dial()
    found = Decision(result=AttemptResult.COMPLETED, accepted=Accepted(sid=SID, status="completed"))
    line.worker_queue.finish(started, found)
    assert [followed.sid for followed in line.reports.due_status_polls()] == [SID]
    line.say(started, "ringing", sequence=1)
    assert line.status() == "completed"
    assert line.say(started, "completed", sequence=3, duration_s=7).moved
    placed = line.job().placed
    assert placed is not None
    assert placed.duration_s == 7


def test_full_memory_lets_reports_in(line: Line, client: redis.Redis) -> None:
    """Under noeviction the end of a call goes through all the same."""
    started = line.placed()
    client.config_set("maxmemory", 1)
    try:
        assert line.say(started, "completed", sequence=3).moved
        assert line.say(started, "ringing", sid=OTHER).outcome is UpdateOutcome.SUPERSEDED
    finally:
        client.config_set("maxmemory", 0)


def test_a_call_that_twilio_does_not_know_is_not_asked_for_again(
    line: Line, client: redis.Redis
) -> None:
    """It may be too young for Twilio's own record: what is said of it later counts."""
    started = line.placed()
    lost = StatusUpdate(sid=SID, status=LineStatus.UNKNOWN)
    line.reports.record("1", started.attempt.token, lost, poll_ms=0, price_ms=1)
    assert line.status() == "unknown"
    assert client.zcard(keys.STATUS_POLLS) == 0
    line.say(started, "ringing", sequence=1)
    assert line.status() == "unknown"
    line.say(started, "busy", sequence=2)
    assert line.status() == "busy"
