"""Outcomes on the line that are tried again, on a real server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import KEEP, begin, taken
from tests.integration.placed_call import HOUR_MS, NONE, OTHER, SID, Line, accepted
from tests.twilio import a_sid
from vomind_queue.calls.call import State
from vomind_queue.calls.call_status import OutcomePolicy, UpdateOutcome
from vomind_queue.calls.decisions import AttemptResult, Decision, FinishStatus
from vomind_queue.calls.do_not_call import Wish
from vomind_queue.calls.job import Recording
from vomind_queue.errors import WrongState
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.queue.worker_queue import WorkerQueue

WISH = Wish(by="ops", source="api")
BUSY = OutcomePolicy(retry_on=("busy", "no-answer"), delay_ms=HOUR_MS, most=2)


@pytest.fixture
def retrying(queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis) -> Line:
    """A line whose busy calls are made again, twice."""
    return Line(queue, worker_queue, client, BUSY)


@pytest.mark.parametrize(
    "told",
    [[{"status": "busy"}], [{"status": "no-answer"}], [{"status": "failed"}],
     [{"status": "completed", "answered_by": "machine_start"}],
     [{"answered_by": "machine_start"}, {"status": "completed"}],
     [{"status": "completed"}, {"answered_by": "machine_end_beep"}], [{"status": "canceled"}]],
    ids=["busy", "no answer", "failed", "machine", "machine first", "machine last", "canceled"],
)  # fmt: skip
def test_a_call_that_was_hung_up_is_not_made_again(
    retrying: Line, told: list[dict[str, str]]
) -> None:
    """However it ends: at the moment of the hang-up the phone may just have stopped ringing."""
    started = retrying.placed(retry_on=["busy", "no-answer", "failed", "machine"])
    retrying.say(started, "ringing", sequence=1)
    retrying.queue.hang_up("1", "")
    assert [retrying.say(started, **said).repeated for said in told] == [False] * len(told)
    assert retrying.job().state is State.COMPLETED


def test_a_call_that_is_made_again_cannot_be_hung_up(retrying: Line) -> None:
    """Nobody is on the line any more; it can be cancelled."""
    retrying.say(retrying.placed(), "busy", sequence=1)
    with pytest.raises(WrongState):
        retrying.queue.hang_up("1", "")
    assert retrying.job().state is State.DELAYED


def test_an_earlier_attempts_recording_stays_with_it(retrying: Line) -> None:
    """It is ready only after the next attempt has begun, and shows where it belongs."""
    first = retrying.placed(record=True)
    retrying.say(first, "busy", sequence=2)
    retrying.put_forward()
    retrying.took(retrying.again(), OTHER)
    made = Recording(sid="RE1", url="https://api.twilio.com/RE1")
    retrying.say(first, recording=made)
    retrying.say(first, recording=Recording(sid="RE2", url="https://api.twilio.com/RE2"))
    job = retrying.job()
    assert [each.placed and each.placed.recording for each in job.attempts] == [made, None]
    assert job.placed is not None
    assert job.placed.recording is None


def test_an_outcome_is_tried_again(retrying: Line) -> None:
    """From completed back to delayed, each time another attempt, up to the number."""
    first = retrying.placed()
    assert retrying.say(first, "busy", sequence=2, sip_code=486).repeated
    job = retrying.job()
    assert (job.state, job.failed_reason, job.finished_ms) == (
        State.DELAYED,
        "The call ended with busy; it is made again.",
        None,
    )
    assert retrying.queue.stats().total == 1
    assert taken(retrying.worker_queue) == []
    retrying.put_forward()
    second = retrying.took(retrying.again(), OTHER)
    assert retrying.say(first, "busy", sequence=3).outcome is UpdateOutcome.AGAIN
    retrying.say(second, "no-answer", sid=OTHER, sequence=2)
    retrying.put_forward()
    third = retrying.took(retrying.again(), a_sid(3))
    assert not retrying.say(third, "busy", sid=a_sid(3), sequence=2).repeated
    job = retrying.job()
    assert (job.state, job.attempts_made, retrying.status()) == (State.COMPLETED, 3, "busy")
    seen = [
        (made.number, made.placed and (made.placed.sid, made.placed.status))
        for made in job.attempts
    ]
    assert seen == [(1, (SID, "busy")), (2, (OTHER, "no-answer")), (3, (a_sid(3), "busy"))]
    assert job.attempts[0].placed is not None
    assert job.attempts[0].placed.sip_code == 486
    assert job.attempts[0].reason == "The call ended with busy; it is made again."


def test_a_record_of_before_reads_as_it_did_and_goes_on(
    retrying: Line, client: redis.Redis
) -> None:
    """It says when it ended, its round and its rank, all of which go without saying now."""
    first = retrying.placed()
    key, job = keys.job("1"), retrying.job()
    old = {"ended": client.hget(key, "finished"), "round": 1, "rank": 0}
    client.hset(key, mapping=old)
    assert retrying.job() == job
    assert retrying.say(first, "busy", sequence=2).repeated
    assert retrying.job().finished_ms is None
    retrying.put_forward()
    (call,) = retrying.worker_queue.claim(1, "123").calls
    assert call.round == 0
    retrying.took(begin(retrying.worker_queue, call.job_id), OTHER)
    seen = [made.placed.sid for made in retrying.job().attempts if made.placed]
    assert (seen, retrying.job().attempts_made) == ([SID, OTHER], 2)


#: Of the call, of the settings, how it ended, and whether it is made again.
CHOICES = [
    (None, BUSY, "busy", True),
    (None, BUSY, "failed", False),
    (None, BUSY, "completed", False),
    (None, BUSY, "canceled", False),
    (None, NONE, "busy", False),
    (["failed"], NONE, "failed", True),
    (["failed"], BUSY, "busy", False),
    ([], BUSY, "busy", False),
    (None, replace(BUSY, most=0), "busy", False),
]


@pytest.mark.parametrize(("own", "policy", "outcome", "repeated"), CHOICES)
def test_which_outcomes_are_tried_again(
    queue: CallQueue,
    worker_queue: WorkerQueue,
    client: redis.Redis,
    own: list[str] | None,
    policy: OutcomePolicy,
    outcome: str,
    repeated: bool,
) -> None:
    """The call's own choice counts before that of the settings, none at all included."""
    line = Line(queue, worker_queue, client, policy)
    assert line.say(line.placed(retry_on=own), outcome, sequence=2).repeated is repeated


def test_a_repeated_call_can_be_cancelled_and_has_all_its_attempts(retrying: Line) -> None:
    """Between two attempts it is like any delayed call."""
    retrying.say(retrying.placed(), "busy", sequence=1)
    retrying.put_forward()
    look = retrying.worker_queue.claim(1, "123")
    assert [(call.job_id, call.round) for call in look.calls] == [("1", 0)]
    retrying.worker_queue.give_back("1", look.calls[0].lease)
    assert retrying.queue.cancel("1") is State.WAITING


def test_a_late_answer_to_an_attempt_of_before_is_no_orphan(
    retrying: Line, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """The callbacks were faster than the answer, and the next attempt is under way already."""
    slow = retrying.dial()
    retrying.reports.reconcile("1", slow.attempt.token, SID)
    retrying.say(slow, "busy", sequence=2)
    retrying.put_forward()
    other = make_worker_queue()
    assert taken(other) == ["1"]
    begin(other, "1")
    assert retrying.worker_queue.finish(slow, accepted(SID)).status is FinishStatus.AGAIN


def test_a_call_that_was_ended_for_the_do_not_call_list_is_not_made_again(
    retrying: Line, client: redis.Redis
) -> None:
    """Neither where it was on the line, nor where Twilio was being asked."""
    numbers = DoNotCallList(RedisStore(client), KEEP)
    number = "+15550000001"
    started = retrying.dial(retry_on=["no-answer"])
    list(numbers.add([number], WISH, end_call=True))
    retrying.took(started, SID)
    assert not retrying.say(started, "no-answer").repeated
    assert retrying.job().state is State.COMPLETED
    assert numbers.remove(number, WISH)
    retrying.queue.cancel("1")
    started = retrying.placed(OTHER, retry_on=["no-answer"])
    assert numbers.on_the_line(number, end=True) == ["2"]
    assert not retrying.say(started, "no-answer", sid=OTHER).repeated


def test_a_call_that_was_to_be_ended_and_was_given_up_is_ended_if_it_rings(
    retrying: Line, client: redis.Redis
) -> None:
    """Its outcome stayed unknown; by the first callback it rings after all."""
    numbers = DoNotCallList(RedisStore(client), KEEP)
    started = retrying.dial()
    list(numbers.add([started.attempt.call.to], WISH, end_call=True))
    gone = Decision(result=AttemptResult.FAILED, reason="Twilio does not know it.")
    retrying.worker_queue.finish(started, gone)
    assert client.zcard(keys.ORPHANS) == 0
    retrying.say(started, "ringing")
    assert client.zrange(keys.ORPHANS, 0, -1) == [SID]
    assert retrying.job().state is State.COMPLETED


def test_what_was_to_be_ended_was_one_attempt(retrying: Line, client: redis.Redis) -> None:
    """Twilio refused that one; the number is off the list before the next."""
    numbers = DoNotCallList(RedisStore(client), KEEP)
    started = retrying.dial()
    list(numbers.add([started.attempt.call.to], WISH, end_call=True))
    refused = Decision(result=AttemptResult.POSTPONED, reason="Not now.")
    retrying.worker_queue.finish(started, refused)
    retrying.worker_queue.release("1")
    assert numbers.remove(started.attempt.call.to, WISH)
    retrying.took(retrying.again(), SID)
    assert client.zcard(keys.ORPHANS) == 0
