"""What Twilio says of a call on the line, from a report to the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.call_log.whole import everything
from tests.integration.conftest import taken
from tests.integration.placed_call import SID, Line
from tests.log_judge import faults
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.call_log.models import CallEvent, CallRow
from vomind_queue.calls.call_status import OutcomePolicy
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.calls.job import Recording
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue


@pytest.fixture
def logged(
    ship: Callable[[], None], log_path: Path, queue: CallQueue
) -> Callable[[], tuple[CallRow, list[CallEvent]]]:
    """Delivers all that there is, judges it, and shows the one call."""

    def show() -> tuple[CallRow, list[CallEvent]]:
        ship()
        rows, events = everything(log_path)
        jobs: dict[str, Any] = {"1": job_serializer.job(queue.job("1"))}
        assert faults(jobs, rows, events, {}) == []
        return rows[0], list(events)

    return show


@pytest.fixture
def line(queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis) -> Line:
    """A line whose busy calls are made again."""
    policy = OutcomePolicy(retry_on=("busy",), delay_ms=100, most=2)
    return Line(queue, worker_queue, client, policy)


Logged = Callable[[], tuple[CallRow, list[CallEvent]]]


def test_an_answered_call(line: Line, logged: Logged) -> None:
    """Each step is an event; the row has outcome, duration, price, and when it was answered."""
    started = line.placed()
    for sequence, status in enumerate(["initiated", "ringing", "in-progress"]):
        line.say(started, status, sequence=sequence)
        line.say(started, status, sequence=sequence)
    _, events = logged()
    line.say(started, "completed", sequence=3, duration_s=49, sip_code=200, answered_by="human")
    line.say(started, price="-0.0085", price_unit="USD")
    row, after = logged()
    assert [event.call_status for event in after[3:]] == [
        "queued", "initiated", "ringing", "in-progress", "completed", None,
    ]  # fmt: skip
    assert (row.state, row.outcome, row.duration) == ("completed", "completed", 49)
    assert (row.price, row.price_unit, row.answered_by) == ("-0.0085", "USD", "human")
    assert row.answered_ms == events[-1].time_ms
    over = after[-2]
    assert (over.event, over.duration, over.attempt) == ("line_ended", 49, 1)
    assert over.details == {"seq": "3", "sip": "200", "answered_by": "human"}


def test_a_recorded_call(line: Line, logged: Logged) -> None:
    """Where its recording is, is an event."""
    started = line.placed()
    line.say(started, "completed", sequence=3, duration_s=49)
    line.say(started, recording=Recording(sid="RE1", url="https://api.twilio.com/RE1"))
    event = logged()[1][-1]
    assert (event.event, event.attempt, event.call_sid) == ("recorded", 1, SID)
    assert event.details == {"recording": "RE1", "url": "https://api.twilio.com/RE1"}


def test_a_busy_call_that_is_made_again(line: Line, logged: Logged) -> None:
    """The outcome of the first attempt stays an event; the row goes on with the second one."""
    line.say(line.placed(), "busy", sequence=1)
    row, events = logged()
    assert (row.state, row.outcome) == ("delayed", "busy")
    assert [event.event for event in events[-2:]] == ["line_ended", "put_off"]
    while not (held := taken(line.worker_queue)):
        pass
    assert held == ["1"]
    row, events = logged()
    assert row.state == "active"
    assert [event.event for event in events[-2:]] == ["due", "taken"]


def test_an_attempt_that_was_given_up_and_rang(line: Line, logged: Logged) -> None:
    """It is completed after all, and its attempt is counted once."""
    started = line.dial()
    line.worker_queue.finish(
        started, Decision(result=AttemptResult.FAILED, reason="it is not known whether it rang")
    )
    line.worker_queue.release("1")
    assert logged()[0].state == "failed"
    line.say(started, "ringing", sequence=1)
    row, events = logged()
    assert (row.state, row.call_status, row.attempts) == ("completed", "ringing", 1)
    assert [event.event for event in events[-3:]] == ["failed", "revived", "line"]
