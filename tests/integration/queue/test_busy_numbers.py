"""One call at a time to a number: the next one waits until the line is over, and for the gap."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import pytest
import redis

from tests.integration.conftest import begin, new, place, taken
from tests.integration.placed_call import OTHER, SID, Line
from vomind_queue.calls.call import State
from vomind_queue.calls.call_status import OutcomePolicy
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted, NotStarted
from vomind_queue.errors import JobNotFound
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.inspection import Inspection
from vomind_queue.queue.worker_queue import WorkerQueue

NUMBER = "+15550000001"
HOUR_MS = 3_600_000
GAP_MS = 60_000


def start(worker_queue: WorkerQueue, job_id: str) -> object:
    """Claims a call, whatever it waits for, and lets it begin if it may."""
    store = worker_queue._store.client
    if store.zrem(keys.DELAYED, keys.member(job_id)):
        store.hset(keys.job(job_id), "state", "waiting")
        store.zadd(f"{keys.WAITING}2", {keys.member(job_id): 1})
    assert taken(worker_queue) == [job_id]
    return worker_queue.start_dialing(job_id, secrets.token_urlsafe(4))


def taken_until(client: redis.Redis) -> float:
    """When the number is free at the latest, ms from now; less than 0: it is."""
    score = client.zscore(keys.BUSY_UNTIL, NUMBER)
    seconds, microseconds = client.time()
    return -1 if score is None else float(score) - seconds * 1000 - microseconds / 1000


@pytest.fixture
def worker_queue(make_worker_queue: Callable[..., WorkerQueue]) -> WorkerQueue:
    """A worker whose leases do not run out here."""
    return make_worker_queue(lease_ms=HOUR_MS)


@pytest.fixture
def line(queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis) -> Line:
    """Where calls go to one number."""
    return Line(queue, worker_queue, client)


@pytest.mark.parametrize("last", ["completed", "busy", "unknown"])
def test_the_next_call_to_a_number_waits_for_the_end_of_the_line(
    line: Line, worker_queue: WorkerQueue, client: redis.Redis, last: str
) -> None:
    """Not only for Twilio's answer; its place is kept, and no attempt is used."""
    first = line.placed()
    line.queue.add([new(1)])
    for status in ("", "ringing", "in-progress"):
        if status:
            line.say(first, status)
        assert start(worker_queue, "2") is NotStarted.BUSY
    job = line.queue.job("2")
    assert (job.state, job.attempts_made) == (State.DELAYED, 0)
    why = Inspection(RedisStore(client)).place("2")
    assert (why.stood_back, why.waits_for, why.on_the_line) == (3, "1", True)
    line.say(first, last)
    assert isinstance(start(worker_queue, "2"), DialStarted)
    assert client.exists(keys.BUSY_UNTIL) == 0


def test_its_waits_grow_to_half_a_minute(
    line: Line, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """The start that was reserved is given back each time."""
    line.placed()
    line.queue.add([new(1)])
    waits = []
    for _ in range(8):
        assert start(worker_queue, "2") is NotStarted.BUSY
        waits.append(round((line.queue.job("2").next_attempt_ms or 0) - line.queue.now_ms(), -3))
    assert waits == [1000, 2000, 4000, 8000, 16000, 32000, 32000, 32000]
    assert client.zcard(keys.WINDOW) == 1


def test_where_nothing_calls_back_twilio_is_asked_for_the_line_that_another_call_waits_for(
    line: Line, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Soon; where callbacks come, only after half a minute of waiting: the last may be lost."""

    def poll_in_ms() -> float:
        return float(client.zscore(keys.STATUS_POLLS, "a1") or 0) - line.queue.now_ms()

    first = line.placed()
    line.queue.add([new(1)])
    client.zadd(keys.STATUS_POLLS, {"a1": line.queue.now_ms() + HOUR_MS})
    assert start(worker_queue, "2") is NotStarted.BUSY
    assert poll_in_ms() > HOUR_MS / 2
    assert start(worker_queue, "2") is NotStarted.BUSY
    assert poll_in_ms() < 5_000
    line.say(first, "ringing", sequence=1)
    for _ in range(3):
        assert start(worker_queue, "2") is NotStarted.BUSY
        assert poll_in_ms() > HOUR_MS / 2
    assert start(worker_queue, "2") is NotStarted.BUSY
    assert poll_in_ms() < 5_000


def test_a_line_whose_end_is_never_told_is_over_some_time(
    line: Line, client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """As long as Twilio lets a call last; then the next one begins."""
    line.placed()
    assert taken_until(client) == pytest.approx(4 * HOUR_MS + 35_000, abs=5_000)
    line.queue.add([new(1)])
    client.zadd(keys.BUSY_UNTIL, {NUMBER: 1})
    assert isinstance(start(worker_queue, "2"), DialStarted)


@pytest.mark.parametrize("how", ["cancelled", "cleaned"])
def test_a_line_whose_record_is_gone_is_taken_while_the_phone_may_ring(
    line: Line, client: redis.Redis, how: str
) -> None:
    """Nobody will tell of its end."""
    line.placed()
    if how == "cancelled":
        line.queue.cancel("1")
    else:
        line.queue.clean(0, 1)
    with pytest.raises(JobNotFound):
        line.job()
    assert taken_until(client) == pytest.approx(35_000, abs=5_000)


def test_nothing_is_kept_of_the_number_of_a_person_who_was_forgotten(
    line: Line, client: redis.Redis
) -> None:
    """Neither on the line nor in the gap after it."""
    line.placed()
    Erasure(RedisStore(client)).forget(NUMBER)
    assert client.exists(keys.DIALING, keys.BUSY_UNTIL, keys.LINE) == 0
    client.hset(keys.DIALING, NUMBER, "9")
    client.zadd(keys.BUSY_UNTIL, {NUMBER: 2e12})
    Erasure(RedisStore(client)).forget(NUMBER)
    assert client.exists(keys.DIALING, keys.BUSY_UNTIL) == 0


def test_a_gap_lies_between_two_calls_to_a_number_and_a_retry_keeps_it(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """It counts from the end of the first; another number does not wait."""
    worker_queue = make_worker_queue(number_gap_ms=GAP_MS, lease_ms=HOUR_MS)
    policy = OutcomePolicy(retry_on=("busy",), delay_ms=0, most=1)
    line = Line(queue, worker_queue, client, policy)
    first = line.placed()
    assert line.say(first, "busy").repeated
    assert taken_until(client) == pytest.approx(GAP_MS, abs=2_000)
    assert start(worker_queue, "1") is NotStarted.BUSY
    until_ms = line.job().next_attempt_ms or 0
    assert until_ms - queue.now_ms() == pytest.approx(GAP_MS, abs=2_000)
    queue.add([new(1), new(2)])
    assert taken(worker_queue, 2) == ["2", "3"]
    assert worker_queue.start_dialing("2", "a") is NotStarted.BUSY
    begin(worker_queue, "3")
    client.zadd(keys.BUSY_UNTIL, {NUMBER: queue.now_ms() - 1})
    assert isinstance(start(worker_queue, "1"), DialStarted)
    assert start(worker_queue, "2") is NotStarted.BUSY


def test_an_attempt_that_rang_nobody_leaves_no_gap(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """Twilio refused it."""
    worker_queue = make_worker_queue(number_gap_ms=GAP_MS, lease_ms=HOUR_MS)
    queue.add([new(1), new(1)])
    refused = Decision(result=AttemptResult.FAILED, reason="No such number.")
    worker_queue.finish(begin(worker_queue, *taken(worker_queue)), refused)
    assert isinstance(start(worker_queue, "2"), DialStarted)


def test_gaps_that_are_over_are_forgotten(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """What is kept of numbers does not grow."""
    worker_queue = make_worker_queue(number_gap_ms=1, lease_ms=HOUR_MS)
    line = Line(queue, worker_queue, client)
    for each in range(2, 7):
        queue.add([new(each)])
        place(worker_queue, *taken(worker_queue))
    client.zadd(keys.BUSY_UNTIL, {f"+1555{each:07d}": each for each in range(2, 7)})
    line.say(line.took(begin_next(queue, worker_queue), SID), "completed", sid=SID)
    assert client.zcard(keys.BUSY_UNTIL) == client.hlen(keys.DIALING) == 3
    time.sleep(0.01)
    line.say(line.took(begin_next(queue, worker_queue), OTHER), "completed", sid=OTHER)
    assert client.zcard(keys.BUSY_UNTIL) == client.hlen(keys.DIALING) == 1


def begin_next(queue: CallQueue, worker_queue: WorkerQueue) -> DialStarted:
    """One more call to the number is begun."""
    queue.add([new(1)])
    return begin(worker_queue, *taken(worker_queue))


def test_numbers_that_an_older_version_holds_are_understood(
    line: Line, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Their calls are being placed, or the entry says nothing any more."""
    line.dial()
    line.queue.add([new(1)])
    assert start(worker_queue, "2") is NotStarted.BUSY
    client.hdel(keys.job("1"), "mark")
    assert isinstance(start(worker_queue, "2"), DialStarted)
    assert client.hget(keys.DIALING, NUMBER) == "2"


@pytest.mark.parametrize("other", [False, True])
def test_an_end_that_an_older_process_heard_of_frees_the_number(
    make_worker_queue: Callable[..., WorkerQueue],
    queue: CallQueue,
    client: redis.Redis,
    other: bool,
) -> None:
    """It leaves alone by when the number is free; the gap holds all the same."""
    worker_queue = make_worker_queue(lease_ms=HOUR_MS, number_gap_ms=GAP_MS)
    line = Line(queue, worker_queue, client)
    line.placed()
    if other:
        queue.add([new(1)])
    next_call = "2" if other else "1"
    over_ms = queue.now_ms()
    client.hset("{calls}:job:1", mapping={"over": over_ms, "rank": 9, "status": "no-answer"})
    client.zrem(keys.LINE, keys.member("1"))
    if not other:
        # It had it made again.
        client.hset("{calls}:job:1", mapping={"state": "delayed"})
        client.zadd(keys.DELAYED, {keys.member("1"): 1})
    assert start(worker_queue, next_call) is NotStarted.BUSY
    wait_ms = (queue.job(next_call).next_attempt_ms or 0) - over_ms
    assert wait_ms == pytest.approx(GAP_MS, abs=5_000)
    client.hset("{calls}:job:1", "over", over_ms - GAP_MS)
    assert isinstance(start(worker_queue, next_call), DialStarted)
