"""The next call is taken and begun with the end of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from tests.integration.conftest import begin, new, place, placed, taken
from vomind_queue.broker import intake as broker
from vomind_queue.broker.link import Link
from vomind_queue.broker.names import CALL_QUEUES
from vomind_queue.calls import State
from vomind_queue.errors import StoreUnavailable
from vomind_queue.store import keys
from vomind_queue.store.desk import Intake, Taken, WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.verdicts import Ending, Reception, Refusal, Verdict

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


def go_on(queue: CallQueue, desk: WorkDesk, found: list[Intake]) -> None:
    """Call 1 is placed, and 2 comes with its end."""
    queue.add([new(1), new(2)])
    taken(desk)
    desk.finish(begin(desk, "1"), placed("CA1"), deferred=True)
    assert ids(found) == [["2"]]


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


def test_the_next_one_is_begun_already(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], client: redis.Redis
) -> None:
    """By a mark with a token that no other attempt has; its beginning asks Redis no more."""
    queue.add([new(1), new(2)])
    taken(desk)
    first = begin(desk, "1")
    desk.finish(first, placed("CA1"), deferred=True)
    assert ids(found) == [["2"]]
    mark, attempt = client.hmget(f"{keys.JOB}2", "mark", "attempt")
    client.config_resetstat()
    second = begin(desk, "2")
    assert "cmdstat_evalsha" not in client.info("commandstats")
    assert (str(second.attempt.marked_ms), second.attempt.token) == (mark, attempt)
    assert second.attempt.token != first.attempt.token
    assert second.attempt.call.to == new(2).call.to


def test_one_that_was_never_placed_waits_as_before(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], client: redis.Redis
) -> None:
    """Nobody has to look for a ring: what gives it back knows that nothing was asked for."""
    queue.add([new(1), new(2), new(3)])
    taken(desk)
    desk.finish(begin(desk, "1"), placed("CA1"), deferred=True)
    (next_one,) = found[0].calls
    desk.release("1")
    desk.give_back("2", next_one.lease)
    assert desk.book.held() == []
    assert queue.job("2").state is State.WAITING
    assert client.zcard(keys.SETTLING) == 0
    assert not client.hexists(keys.DIALING, new(2).call.to)
    assert taken(desk) == ["2"]
    place(desk, "2")
    assert queue.job("2").attempts_made == 1


def test_one_that_nobody_heard_of_is_given_back(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], client: redis.Redis
) -> None:
    """The answer was lost: the end is written once more, the next one waits again."""
    queue.add([new(1), new(2)])
    taken(desk)
    first = begin(desk, "1")
    write, desk._gate.write = desk._gate.write, losing(desk._gate.write)  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        desk.finish(first, placed("CA1"), deferred=True)
    desk._gate.write = write  # type: ignore[method-assign]
    assert queue.job("2").state is State.ACTIVE
    assert desk.finish(first, placed("CA1"), deferred=True).reception is Reception.AGAIN
    desk.release("1")
    assert found[-1].calls == []
    desk.extend()
    assert queue.job("2").state is State.WAITING
    assert client.zcard(keys.SETTLING) == 0
    assert taken(desk) == ["2"]
    place(desk, "2")


def test_a_worker_never_counts_a_slot_twice(
    queue: CallQueue, desk: WorkDesk, found: list[Intake]
) -> None:
    """The next call takes the place of the one that ended, at once."""
    queue.add([new(1), new(2)])
    taken(desk)
    desk.finish(begin(desk, "1"), placed("CA1"), deferred=True)
    assert desk.book.held() == [("2", found[0].calls[0].lease)]
    desk.release("1")
    desk.release("2")
    assert len(desk.book) == 1, "it was taken, and not placed yet"
    place(desk, "2")
    assert len(desk.book) == 0


def test_one_that_must_not_start_is_refused_as_ever(
    queue: CallQueue, desk: WorkDesk, found: list[Intake]
) -> None:
    """Another call to its number is being placed: it stands back, and nothing is held."""
    same = new(2)
    queue.add([new(1), same, same])
    assert taken(desk, 2) == ["1", "2"]
    begin(desk, "2")
    desk.finish(begin(desk, "1"), placed("CA1"), deferred=True)
    desk.release("1")
    assert ids(found) == [["3"]]
    assert desk.begin("3", "unused") is Refusal.BUSY
    assert [job_id for job_id, _ in desk.book.held()] == ["2"]
    assert queue.job("3").state is State.DELAYED


def test_one_that_is_taken_anew_with_its_own_end_stays(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], client: redis.Redis
) -> None:
    """What its first holding left behind is no word on the second."""
    queue.add([new(1)])
    taken(desk)
    first = begin(desk, "1")
    lease = str(desk.book.token("1"))
    # Somebody else had settled it: it waits again when the late end of its attempt comes in.
    desk.abandon("1", first.attempt.token)
    desk.finish(first, FAILED, deferred=True)
    assert ids(found) == [["1"]]
    desk.release("1")
    desk.give_back("1", lease)
    place(desk, "1")
    assert queue.job("1").state is State.COMPLETED
    assert client.zcard(keys.SETTLING) == 0


def test_one_whose_lease_was_lost_is_given_back_unrung(
    queue: CallQueue, desk: WorkDesk, found: list[Intake], client: redis.Redis
) -> None:
    """The worker slept for longer than its lease; it knows that it never asked for the call."""
    go_on(queue, desk, found)
    client.zadd(keys.LEASES, {"a2": 1}, xx=True)
    desk.extend()
    assert len(desk.book) == 0
    assert desk.begin("2", "unused") is Refusal.LOST
    desk.extend()
    assert queue.job("2").state is State.WAITING


def test_under_a_limit_the_next_one_is_only_taken(
    queue: CallQueue, limited: WorkDesk, client: redis.Redis
) -> None:
    """Its start counts from its beginning, and that is right before it is placed."""
    found: list[Intake] = []
    limited.wants_next, limited.on_next = (lambda: "123"), found.append
    queue.add([new(1), new(2)])
    taken(limited)
    limited.finish(begin(limited, "1"), placed("CA1"), deferred=True)
    assert ids(found) == [["2"]]
    assert not client.hexists(f"{keys.JOB}2", "mark")
    place(limited, "2")
    assert queue.job("2").state is State.COMPLETED


def test_a_reconnection_keeps_what_a_slot_was_given(
    queue: CallQueue, desk: WorkDesk, client: redis.Redis
) -> None:
    """The connection is replaced while a slot is told of its next call."""
    queue.add([new(1), new(2)])
    taken(desk)
    begun = begin(desk, "1")
    link = Link(queue=queue, desk=desk, timekeeper=Nobody(), drain_s=1)
    old = broker.Intake(Feed(desk), link, Hub())
    note = desk.on_next

    def close_first(found: Intake) -> None:
        old.close()
        note(found)

    desk.on_next = close_first
    desk.finish(begun, placed("CA1"), deferred=True)
    desk.release("1")
    feed = Feed(desk)
    broker.Intake(feed, link, Hub())
    link.counter.on_idle()
    assert feed.delivered == ["2"]
    place(desk, "2")
    assert queue.job("2").state is State.COMPLETED


def test_a_look_that_is_about_to_come_is_not_put_off(queue: CallQueue, desk: WorkDesk) -> None:
    """A slot had its next look set for later when a word came."""
    hub = Hub()
    link = Link(queue=queue, desk=desk, timekeeper=Nobody(), drain_s=1)
    intake = broker.Intake(Feed(desk), link, hub)
    intake.soon()
    intake._look_in(2.0)
    assert hub.later == [0.0]


class Nobody:
    """A timekeeper that is not asked."""

    def look(self) -> Any:
        """Not asked."""
        raise AssertionError

    def decide(self, _: Any) -> None:
        """Not asked."""
        raise AssertionError

    def fire(self) -> float:
        """Not asked."""
        raise AssertionError


class Feed:
    """A channel with one slot."""

    def __init__(self, desk: WorkDesk) -> None:
        self._desk = desk
        self.call_queues = list(CALL_QUEUES)
        self.delivered: list[str] = []
        self.qos = SimpleNamespace(prefetch_count=1, unacknowledged=lambda: len(self.delivered))

    def deliver(self, taken: Taken) -> None:
        """Notes it."""
        self.delivered.append(taken.job_id)

    def give_up(self, job_id: str, lease: str) -> None:
        """Gives it back."""
        self._desk.give_back(job_id, lease)


class Hub:
    """An event loop that does nothing."""

    def __init__(self) -> None:
        #: What it was asked to do later: in how many seconds each.
        self.later: list[float] = []

    def call_soon(self, *_: Any) -> None:
        """Not now."""

    def call_later(self, seconds: float, *_: Any) -> Any:
        """Nor then."""
        self.later.append(seconds)
        return SimpleNamespace(cancel=lambda: self.later.remove(seconds))

    def call_repeatedly(self, *_: Any) -> Any:
        """Never."""
        return SimpleNamespace(cancel=lambda: None)


def losing(write: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Carries a script out and loses its answer."""

    def lost(*args: Any) -> list[Any]:
        write(*args)
        raise StoreUnavailable("the reply was lost", outcome_unknown=True)

    return lost


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
    go_on(queue, desk, found)
    entries: Any = [
        *client.xrange(keys.OUTBOX_DETAILS),
        *client.xrange(keys.OUTBOX_FINALS),
    ]
    heard = [json.loads(fields["e"]) for _, fields in entries]
    ends = [entry for entry in heard if entry[0] in ("completed", "taken", "started")]
    assert [(kind, calls) for kind, _, calls, *_ in ends] == [
        ("taken", ["1"]),
        ("started", ["1"]),
        ("taken", ["2"]),
        ("started", ["2"]),
        ("completed", ["1"]),
    ]
