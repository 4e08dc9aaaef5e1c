"""People who were forgotten and must not be called; a list that is not whole."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.conftest import KEEP, QUICK, begin, new, taken
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted, NotStarted
from vomind_queue.calls.do_not_call import Wish
from vomind_queue.calls.number_key import NumberKey
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.do_not_call_changes import DoNotCallChanges
from vomind_queue.queue.do_not_call_list import DoNotCallList, ListAccess
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue

TO = new(1).call.to
WISH = Wish(by="ops", source="api", reason="She is called Ada.")
KEY, OTHER = NumberKey("a key that is long enough"), NumberKey("another key, as long as that")
Start = Callable[..., DialStarted | NotStarted]


@pytest.fixture
def start(client: redis.Redis, queue: CallQueue) -> Start:
    """Start the one call with a key, as another worker each time."""

    def one(key: NumberKey | None = None, *, whole: bool = False) -> DialStarted | NotStarted:
        access = ListAccess(key=key, must_be_whole=lambda: whole)
        protocol = Protocol(**QUICK)
        worker = WorkerQueue(RedisStore(client), secrets.token_hex(4), protocol, access)
        (job_id,) = taken(worker)
        return worker.start_dialing(job_id, secrets.token_hex(4))

    queue.add([new(1)])
    return one


def listed(client: redis.Redis, key: NumberKey | None) -> DoNotCallList:
    """A list with one number on it."""
    made = DoNotCallList(RedisStore(client), KEEP, key)
    list(made.add([TO], WISH))
    return made


def everything(client: redis.Redis) -> str:
    """All that Redis has of the list."""
    hashes: Any = client.hgetall(keys.DO_NOT_CALL_ENTRIES)
    return str((client.zrange(keys.DO_NOT_CALL, 0, -1), hashes))


def test_a_digest_takes_the_place_of_a_forgotten_number(client: redis.Redis, start: Start) -> None:
    """Neither the number nor the reason is left, and the phone still does not ring."""
    numbers = listed(client, KEY)
    assert numbers.forget(TO) is True
    assert TO not in everything(client)
    assert "Ada" not in everything(client)
    entry = numbers.entry(TO)
    assert entry is not None
    assert (entry.number, entry.wish.by, entry.wish.reason) == (None, "ops", None)
    assert start(KEY) is NotStarted.DO_NOT_CALL
    assert (numbers.forget(TO), numbers.page(None, 10).total) == (None, 1)
    assert numbers.remove(TO, WISH)
    assert numbers.entry(TO) is None


@pytest.mark.parametrize("key", [None, OTHER])
def test_without_the_key_of_the_digests_nothing_rings(
    client: redis.Redis, start: Start, queue: CallQueue, key: NumberKey | None
) -> None:
    """Whether a number is among them cannot be known; the call says what it waits for."""
    listed(client, KEY).forget(TO)
    assert start(key) is NotStarted.NO_LIST
    assert (queue.job("1").failed_reason or "").startswith("The do-not-call list cannot be read")


def test_without_a_key_the_number_stays(client: redis.Redis, start: Start) -> None:
    """It is said to the one who forgets the person."""
    numbers = listed(client, None)
    assert numbers.forget(TO) is False
    assert start(KEY) is NotStarted.DO_NOT_CALL


def test_a_list_that_is_not_whole_lets_nothing_ring(
    client: redis.Redis, start: Start, queue: CallQueue
) -> None:
    """Until it was restored; then who is on it does not ring, and others do; the numbers say so."""
    assert not queue.stats().lacks_list
    assert start(whole=True) is NotStarted.NO_LIST
    assert queue.stats().lacks_list
    changes = DoNotCallChanges(RedisStore(client))
    assert not changes.is_whole()
    assert changes.restore({"+15550009999": (1, WISH)}) == 1
    assert changes.restore({"+15550009999": (1, WISH)}) == 0
    assert changes.is_whole()
    assert not queue.stats().lacks_list
    client.zadd(keys.DELAYED, {keys.member("1"): 1})
    assert isinstance(start(whole=True), DialStarted)


def test_digests_of_two_keys_are_read_by_none(client: redis.Redis, start: Start) -> None:
    """The key was changed while the list was restored from two times."""
    changes = DoNotCallChanges(RedisStore(client))
    changes.restore({KEY.member("+15550009999"): (1, WISH), OTHER.member(TO): (1, WISH)})
    assert start(OTHER, whole=True) is NotStarted.NO_LIST


def test_a_list_that_cannot_be_read_leaves_earlier_attempts_their_reason(
    client: redis.Redis, queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """What the first one came to is told as long as the call is kept."""
    worker = make_worker_queue()
    queue.add([new(1)])
    assert taken(worker) == ["1"]
    worker.finish(begin(worker, "1"), Decision(result=AttemptResult.AGAIN, reason="Refused."))
    worker.release("1")
    listed(client, KEY).forget(TO)
    assert taken(worker) == ["1"]
    assert worker.start_dialing("1", "token") is NotStarted.NO_LIST
    assert [each.reason for each in queue.job("1").attempts] == ["Refused."]
