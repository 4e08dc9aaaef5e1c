"""The next call is taken with the end of one."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from tests.integration.conftest import begin, new, place, placed, taken
from vomind_queue.calls import State
from vomind_queue.store import keys
from vomind_queue.store.desk import Intake, WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.verdicts import Ending, Verdict

AGAIN = Verdict(ending=Ending.AGAIN, reason="refused", wait_ms=50)
FAILED = Verdict(ending=Ending.FAILED, reason="refused")


@pytest.fixture
def found(desk: WorkDesk) -> list[Intake]:
    """What the desk was given with the end of its calls; it wants all priorities."""
    given: list[Intake] = []
    desk.wants_next = lambda: "123"
    desk.on_next = given.append
    return given


def ids(found: list[Intake]) -> list[list[str]]:
    """Job ids of each."""
    return [[call.job_id for call in each.calls] for each in found]


@pytest.mark.parametrize("verdict", [placed("CA1"), FAILED])
def test_the_end_of_a_call_brings_the_next_one(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], verdict: Verdict
) -> None:
    """One, the most urgent, held like any other; the end itself is as without it."""
    queue.add([new(1), new(2), new(3, "high")])
    assert taken(desk) == ["3"]
    desk.finish(begin(desk, "3"), verdict, deferred=True)
    assert queue.job("3").state is State(verdict.ending)
    assert ids(found) == [["1"]]
    desk.release("3")
    assert desk.book.held() == [("1", found[0].calls[0].lease)]
    assert (queue.job("1").state, queue.job("2").state) == (State.ACTIVE, State.WAITING)
    place(desk, "1")
    assert queue.job("1").state is State.COMPLETED


def test_it_keeps_to_what_a_look_keeps_to(
    queue: CallQueue, desk: WorkDesk, found: list[Intake]
) -> None:
    """A paused queue gives none, and says when to look again."""
    queue.add([new(1), new(2), new(3, delay_ms=60_000)])
    taken(desk)
    first = begin(desk, "1")
    queue.pause("test")
    desk.finish(first, placed("CA1"), deferred=True)
    assert ids(found) == [[]]
    assert found[0].next_ms is not None
    assert queue.job("2").state is State.WAITING


@pytest.mark.parametrize(("verdict", "deferred"), [(AGAIN, True), (placed("CA1"), False)])
def test_a_call_that_is_held_still_brings_none(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], verdict: Verdict, *, deferred: bool
) -> None:
    """Nor does one that is settled by somebody without a slot."""
    queue.add([new(1), new(2)])
    taken(desk)
    desk.finish(begin(desk, "1"), verdict, deferred=deferred)
    assert found == []
    assert queue.job("2").state is State.WAITING


def test_the_log_hears_of_both(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], client: redis.Redis
) -> None:
    """The end of one and the taking of the next each have their entry."""
    queue.add([new(1), new(2)])
    taken(desk)
    desk.finish(begin(desk, "1"), placed("CA1"), deferred=True)
    assert ids(found) == [["2"]]
    entries: Any = [
        *client.xrange(keys.OUTBOX_DETAILS),
        *client.xrange(keys.OUTBOX_FINALS),
    ]
    heard = [json.loads(fields["e"]) for _, fields in entries]
    ends = [entry for entry in heard if entry[0] in ("completed", "taken")]
    assert [(kind, calls) for kind, _, calls, *_ in ends] == [
        ("taken", ["1"]),
        ("taken", ["2"]),
        ("completed", ["1"]),
    ]
