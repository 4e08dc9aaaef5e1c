"""Calls to a person who is to be forgotten, on a store that goes on meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.integration.conftest import taken
from tests.integration.placed_call import OTHER, SID, Line, accepted
from tests.integration.recurring_calls import set_tick, wanted
from vomind_queue.calls.call import Call, NewCall, State
from vomind_queue.calls.call_status import UpdateOutcome
from vomind_queue.calls.decisions import AttemptResult, Decision, FinishStatus, NotStarted
from vomind_queue.errors import JobNotFound
from vomind_queue.queue import erasure, keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue

NUMBER = "+15550000001"
#: Later than any tick of the tests' recurring calls, unix ms.
LATE_MS = 4_000_000_000_000


def test_a_tick_that_fires_meanwhile_hides_no_recurring_call(
    client: redis.Redis, recurring_store: RecurringStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It moves the first one to the end, and all others one place to the front."""
    for index in range(3):
        recurring_store.put(wanted(NUMBER, key=f"key{index}"), LATE_MS - 10 + index)
    monkeypatch.setattr(erasure, "SCHEDULES", 1)

    fires = ["once"]

    class Meanwhile(RedisStore):
        def read(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
            answer = super().read(name, key_names, *args)
            if name in ("recurring_page", "find_recurring") and fires:
                fires.pop()
                first = str(client.zrange(keys.SCHEDULES, 0, 0)[0])
                set_tick(client, first.removeprefix(keys.SCHEDULE), LATE_MS)
            return answer

    removed, _ = Erasure(Meanwhile(client)).forget(NUMBER)
    assert removed == {f"recurring:{number}": "recurring" for number in (1, 2, 3)}
    assert recurring_store.page(0, 9).total == 0


def test_recurring_calls_that_are_not_in_the_index_are_forgotten(
    client: redis.Redis, recurring_store: RecurringStore
) -> None:
    """An older version stored them, and no scheduler has come by since."""
    for index in range(1_200):
        to = NUMBER if index % 400 == 0 else "+15550000002"
        recurring_store.put(wanted(to, key=f"key{index}"), LATE_MS)
    client.delete(keys.RECURRING_INDEX)
    removed, _ = Erasure(RedisStore(client)).forget(NUMBER)
    assert sorted(removed) == ["recurring:1", "recurring:401", "recurring:801"]
    assert recurring_store.page(0, 0).total == 1_197


def test_an_entry_of_nothing_leaves_the_index(
    client: redis.Redis, recurring_store: RecurringStore
) -> None:
    """Its recurring call was deleted by other means."""
    recurring_store.put(wanted(NUMBER), LATE_MS)
    client.delete(keys.SCHEDULES)
    assert Erasure(RedisStore(client)).forget(NUMBER) == ({}, [])
    assert client.exists(keys.RECURRING_INDEX) == 0


@pytest.fixture
def line(queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis) -> Line:
    """One call, which Twilio is asked for."""
    return Line(queue, worker_queue, client)


def nothing_is_left(line: Line) -> bool:
    """Whether the call is gone, and its number is free for another one."""
    with pytest.raises(JobNotFound):
        line.job()
    is_free = not line.queue._store.client.exists(keys.DIALING, keys.ACTIVE, keys.LEASES)
    return is_free and not line.queue.stats().total


@pytest.mark.parametrize("way", ["answer", "callback", "reconciled"])
def test_a_call_that_is_being_placed_is_hung_up_once_its_sid_is_known(
    line: Line, client: redis.Redis, way: str
) -> None:
    """By Twilio's answer, by a callback before it, or by its list; then nothing is left of it."""
    started = line.dial()
    assert Erasure(RedisStore(client)).forget(NUMBER) == ({}, ["1"])
    assert line.job().state is State.ACTIVE
    if way == "reconciled":
        line.worker_queue.finish(started, Decision(result=AttemptResult.UNKNOWN, wait_ms=0))
        assert Erasure(RedisStore(client)).forget(NUMBER) == ({}, ["1"])
    if way == "callback":
        assert line.say(started, "ringing").outcome is UpdateOutcome.UNDECIDED
        line.reports.reconcile("1", started.attempt.token, SID)
    else:
        line.worker_queue.finish(started, accepted(SID))
    assert nothing_is_left(line)
    assert line.reports.due_orphans() == [SID]
    assert line.say(started, "busy").outcome is UpdateOutcome.AGAIN
    assert Erasure(RedisStore(client)).forget(NUMBER) == ({}, [])


@pytest.mark.parametrize(
    "result", [each for each in AttemptResult if each not in ("completed", "unknown")]
)
@pytest.mark.parametrize("deferred", [False, True])
def test_a_call_that_is_being_placed_is_not_placed_again(
    line: Line, client: redis.Redis, result: AttemptResult, deferred: bool
) -> None:
    """Twilio refused it, or its list shows none; should the phone ring after all, it is ended."""
    started = line.dial()
    Erasure(RedisStore(client)).forget(NUMBER)
    decision = Decision(result=result, reason="No.", wait_ms=0)
    line.worker_queue.finish(started, decision, deferred=deferred)
    assert line.worker_queue.defer("1", 0) is False
    assert nothing_is_left(line)
    assert line.worker_queue.finish(started, accepted(OTHER)).status is FinishStatus.SUPERSEDED
    assert line.reports.has_token("1", started.attempt.token)
    assert line.say(started, "ringing", sid=OTHER).outcome is UpdateOutcome.SUPERSEDED
    assert line.reports.due_orphans() == [OTHER]


def test_a_call_that_is_claimed_never_starts(line: Line, client: redis.Redis) -> None:
    """A worker holds it, and has not begun: it goes at once."""
    line.queue.add([NewCall(call=Call(to=NUMBER))])
    assert taken(line.worker_queue) == ["1"]
    assert Erasure(RedisStore(client)).forget(NUMBER) == ({"1": "waiting"}, [])
    assert line.worker_queue.start_dialing("1", "token") is NotStarted.LOST
    assert nothing_is_left(line)


@pytest.mark.parametrize("way", ["cancel", "forget"])
def test_a_call_that_was_given_up_is_ended_if_it_rings_after_all(
    line: Line, client: redis.Redis, way: str
) -> None:
    """It was removed meanwhile, so nobody wants it any more."""
    started = line.dial()
    line.worker_queue.finish(started, Decision(result=AttemptResult.FAILED, reason="Unknown."))
    if way == "cancel":
        line.queue.cancel("1")
    else:
        Erasure(RedisStore(client)).forget(NUMBER)
    assert line.say(started, "ringing").outcome is UpdateOutcome.SUPERSEDED
    assert line.reports.due_orphans() == [SID]


def test_numbers_that_an_older_version_stored_as_they_came_are_found(
    line: Line, client: redis.Redis, recurring_store: RecurringStore
) -> None:
    """In the queue, in history, being placed and recurring; another number with that end stays."""
    number, trunk, carrier = "+551198765432", "+5501198765432", "+550211198765432"
    stored = [trunk, carrier, number, "+15558765432"]
    line.queue.add([NewCall(call=Call(to=to), delay_ms=3_600_000) for to in stored])
    line.queue.add([NewCall(call=Call(to=trunk))])
    assert taken(line.worker_queue) == ["5"]
    for to in stored:
        recurring_store.put(wanted(to), LATE_MS)
    removed, being_placed = Erasure(RedisStore(client)).forget(number)
    gone = {"1", "2", "3", "5", "recurring:1", "recurring:2", "recurring:3"}
    assert (removed.keys(), being_placed) == (gone, [])
    assert line.queue.job("4").call.to == stored[3]
    assert recurring_store.page(0, 9).total == 1
