"""A call's latest start: it never begins later, and ends as failed soon after that time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from tests.integration.conftest import begin, new, place, placed, taken
from tests.integration.placed_call import Line
from vomind_queue.calls.call import NewCall, State
from vomind_queue.calls.call_status import OutcomePolicy
from vomind_queue.calls.decisions import AttemptResult, Decision, NotStarted
from vomind_queue.calls.instants import iso
from vomind_queue.errors import ExpiresTooSoon, WrongState
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.due_times import EXPIRIES, DueTimes
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.queue.worker_report import WorkerReport
from vomind_queue.usecases.expire_calls import EXPIRED_AT_ONCE

HOUR_MS = 3_600_000
#: Not so soon that a busy machine comes too late for it: `let_pass` ends the wait.
SOON_MS = HOUR_MS // 2


def until(not_after_ms: int, number: int = 0, **times: int) -> NewCall:
    """A call with a latest start."""
    made = new(number, **times)
    return replace(made, call=replace(made.call, not_after=iso(not_after_ms)))


def soon(queue: CallQueue) -> int:
    """A latest start that is yet to come."""
    return queue.now_ms() + SOON_MS


def let_pass(client: redis.Redis, *job_ids: str) -> None:
    """Puts the latest start of these calls, or of all that have one, into the past."""
    watched: list[str] = client.zrange(keys.EXPIRING, 0, -1)  # type: ignore[assignment]
    with client.pipeline() as pipe:
        for job_id in job_ids or [member[1:] for member in watched]:
            pipe.hset(keys.job(job_id), "notafter", 1)
            pipe.zadd(keys.EXPIRING, {keys.member(job_id): 2}, xx=True)
        pipe.execute()


def fields(client: redis.Redis, job_id: str = "1") -> dict[str, str]:
    """What the record says."""
    found: Any = client.hgetall(keys.job(job_id))
    return dict(found)


def assert_expired(queue: CallQueue, job_id: str = "1") -> None:
    """It has failed, with words."""
    job = queue.job(job_id)
    assert job.state is State.FAILED
    assert (job.failed_reason or "").startswith("Expired: its latest start (notAfter) passed")
    assert job.finished_ms is not None


def test_a_call_begins_until_its_latest_start_and_not_after(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """The script that writes the dial marker judges it, although the call was claimed in time."""
    late, early = until(soon(queue)), until(queue.now_ms() + HOUR_MS, 1)
    queue.add([late, early])
    held = taken(worker_queue, 2)
    assert begin(worker_queue, held[1]).attempt.left_s == pytest.approx(3600, abs=5)
    let_pass(client, "1")
    assert worker_queue.start_dialing(held[0], "token") is NotStarted.EXPIRED
    assert_expired(queue)
    assert "mark" not in fields(client)
    assert worker_queue.leases.token("1") is None
    assert (client.zcard(keys.ACTIVE), client.zcard(keys.LEASES)) == (1, 1)


@pytest.mark.parametrize("times", [{}, {"delay_ms": 50}, {"delay_ms": 100}])
def test_a_paused_queues_calls_end_at_their_time(
    times: dict[str, int], queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Waiting or delayed, whether somebody claims them or not; a pause is named."""
    made = until(soon(queue), **times)
    queue.add([made])
    queue.pause("ann")
    taken(worker_queue)
    assert worker_queue.expire_due(9) == (0, [])
    let_pass(client)
    assert worker_queue.expire_due(9) == (1, ["1"])
    assert_expired(queue)
    assert "The queue is paused." in (queue.job("1").failed_reason or "")
    assert worker_queue.expire_due(9) == (0, [])
    queue.resume()
    assert not taken(worker_queue)
    assert client.exists(keys.EXPIRING, keys.DELAYED, keys.ACTIVE, f"{keys.WAITING}2") == 0


@pytest.mark.alone
def test_a_worker_sleeps_until_the_first_call_expires(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis, redis_url: str
) -> None:
    """It is woken for a sooner one, and for none once the call is placed."""
    store = RedisStore(client)
    times = DueTimes(
        store, redis_url, HeldCalls(store, "off"), WorkerReport(store, "one", Report())
    )
    queue.add([until(queue.now_ms() + 30_000)])
    assert client.delete(keys.DUE) == 1
    assert 29 < times.next()[EXPIRIES] <= 30.1
    queue.add([until(queue.now_ms() + 40_000, 1)])
    assert client.delete(keys.DUE) == 0
    for job_id in taken(worker_queue, 2):
        place(worker_queue, job_id)
    assert EXPIRIES not in times.next()


def test_a_call_that_was_held_when_it_expired_ends_once_it_is_given_back(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Nobody takes it from its worker meanwhile."""
    made = until(soon(queue))
    queue.add([made])
    (job_id,) = taken(worker_queue)
    let_pass(client)
    assert worker_queue.expire_due(9) == (1, [])
    assert queue.job(job_id).state is State.ACTIVE
    worker_queue.give_back(job_id, str(worker_queue.leases.token(job_id)))
    assert worker_queue.expire_due(9) == (1, [job_id])
    assert_expired(queue)


def test_no_further_attempt_starts_too_late(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """A refused attempt's wait ends with the call; the attempt keeps its own reason."""
    made = until(soon(queue))
    queue.add([made])
    (job_id,) = taken(worker_queue)
    again = Decision(result=AttemptResult.AGAIN, reason="Twilio is away.", wait_ms=HOUR_MS)
    worker_queue.finish(begin(worker_queue, job_id), again)
    assert queue.job(job_id).state is State.DELAYED
    let_pass(client)
    assert worker_queue.expire_due(9)[1] == [job_id]
    assert_expired(queue)
    job = queue.job(job_id)
    assert (job.failed_reason or "").endswith("Before that: Twilio is away.")
    assert [attempt.reason for attempt in job.attempts] == ["Twilio is away."]
    assert job.attempts_made == 1


def test_an_unknown_outcome_is_reconciled_after_the_latest_start_and_not_dialed_again(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Found at Twilio it is placed, late or not; absent there it has expired."""
    made = until(soon(queue))
    queue.add([made, until(made.call.not_after_ms or 0, 1)])
    started = [begin(worker_queue, job_id) for job_id in taken(worker_queue, 2)]
    for each in started:
        worker_queue.finish(each, Decision(result=AttemptResult.UNKNOWN, wait_ms=0))
    let_pass(client)
    assert worker_queue.expire_due(9) == (2, [])
    assert len(worker_queue.due_reconciliations(9)) == 2
    worker_queue.finish(started[0], placed("CA1"))
    worker_queue.finish(started[1], Decision(result=AttemptResult.AGAIN, reason="Not listed."))
    assert queue.job("1").state is State.COMPLETED
    assert worker_queue.expire_due(9) == (1, ["2"])
    assert_expired(queue, "2")


def test_a_busy_call_is_not_made_again_where_that_would_be_too_late(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """It stays as it ended on the line."""
    policy = OutcomePolicy(retry_on=("busy",), delay_ms=HOUR_MS, most=1)
    line = Line(queue, worker_queue, client, policy)
    result = line.say(line.placed(not_after=iso(queue.now_ms() + HOUR_MS // 2)), "busy")
    assert not result.repeated
    assert (line.job().state, line.status()) == (State.COMPLETED, "busy")


def test_an_expired_call_is_retried_with_another_latest_start_only(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Its own would make it fail at once; one without a limit rings whenever its turn comes."""
    made = until(soon(queue))
    queue.add([made])
    let_pass(client)
    worker_queue.expire_due(9)
    with pytest.raises(WrongState, match="notAfter of call 1 has passed"):
        queue.retry("1")
    with pytest.raises(ExpiresTooSoon):
        queue.retry_until("1", iso(queue.now_ms() - 1))
    assert_expired(queue)
    later = queue.now_ms() + HOUR_MS
    queue.retry_until("1", iso(later))
    job = queue.job("1")
    assert (job.state, job.not_after_ms, job.call.not_after_ms) == (State.WAITING, later, later)
    assert client.zscore(keys.EXPIRING, "a1") == later + 1
    begin(worker_queue, *taken(worker_queue))


def test_a_call_that_failed_in_time_is_retried_as_it_is(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Its latest start still holds, unless that is taken away."""
    queue.add([until(queue.now_ms() + HOUR_MS)])
    failed = Decision(result=AttemptResult.FAILED, reason="No such number.")
    worker_queue.finish(begin(worker_queue, *taken(worker_queue)), failed)
    assert client.exists(keys.EXPIRING) == 0
    queue.retry("1")
    assert client.zcard(keys.EXPIRING) == 1
    worker_queue.finish(begin(worker_queue, *taken(worker_queue)), failed)
    queue.retry_until("1", None)
    assert queue.job("1").not_after_ms is None
    assert client.exists(keys.EXPIRING) == 0


def test_a_change_moves_the_latest_start(queue: CallQueue, client: redis.Redis) -> None:
    """With the time or alone, but never before the call is due."""
    now = queue.now_ms()
    queue.add([until(now + 2 * HOUR_MS, delay_ms=HOUR_MS)])
    with pytest.raises(ExpiresTooSoon):
        queue.change("1", lambda _: until(now + HOUR_MS // 2))
    queue.change("1", lambda _: until(now + 3 * HOUR_MS))
    assert queue.job("1").not_after_ms == now + 3 * HOUR_MS
    assert client.zscore(keys.EXPIRING, "a1") == now + 3 * HOUR_MS + 1
    queue.change("1", lambda _: new(0))
    assert queue.job("1").not_after_ms is None
    assert client.exists(keys.EXPIRING) == 0


def test_a_default_counts_from_the_time_at_which_a_call_is_due(client: redis.Redis) -> None:
    """A call's own latest start goes first; a retry by hand counts from then on."""
    queue = CallQueue(RedisStore(client), None, SOON_MS)
    own = queue.now_ms() + 2 * HOUR_MS
    ids = queue.add([new(0), new(1, delay_ms=HOUR_MS), until(own, 2)]).job_ids
    at_once, later, explicit = map(queue.job, ids)
    assert at_once.not_after_ms == at_once.created_ms + SOON_MS
    assert later.not_after_ms == later.created_ms + HOUR_MS + SOON_MS
    assert explicit.not_after_ms == own
    queue.change(ids[1], lambda call: NewCall(call=call, delay_ms=2 * HOUR_MS))
    assert (queue.job(ids[1]).not_after_ms or 0) >= later.created_ms + 2 * HOUR_MS + SOON_MS
    moved = queue.job(ids[1]).not_after_ms
    queue.change(ids[1], lambda call: NewCall(call=replace(call, message="Other words.")))
    assert queue.job(ids[1]).not_after_ms == moved


def test_a_call_that_expired_by_default_is_retried_from_now_on(
    client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """Nobody gave it its own time."""
    queue = CallQueue(RedisStore(client), None, SOON_MS)
    queue.add([new(0)])
    let_pass(client)
    worker_queue.expire_due(9)
    assert_expired(queue)
    queue.retry("1")
    begin(worker_queue, *taken(worker_queue))


def test_a_bulk_expires_call_by_call(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """A large one as well, which is staged; what has none costs no field."""
    moment = soon(queue)
    queue.add([until(moment, n) if n % 2 else new(n) for n in range(400)])
    assert client.zcard(keys.EXPIRING) == 200
    assert "notafter" not in fields(client, "1")
    assert fields(client, "2")["notafter"] == str(moment)
    let_pass(client)
    while worker_queue.expire_due(EXPIRED_AT_ONCE)[0]:
        pass
    stats = queue.stats()
    assert (stats.waiting, stats.failed) == (200, 200)


def test_a_removed_call_leaves_nothing_that_expires(queue: CallQueue, client: redis.Redis) -> None:
    """Cancelled before its time."""
    queue.add([until(queue.now_ms() + HOUR_MS)])
    queue.cancel("1")
    assert client.exists(keys.EXPIRING) == 0


def test_a_staged_bulk_does_not_expire_before_it_is_there(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """Nobody sees it yet; it is looked at again."""
    moment = queue.now_ms() - 1
    client.hset(keys.job("7"), mapping={"data": "{}", "priority": 2, "state": "waiting", "at": 1})
    client.hset(keys.job("7"), "notafter", moment)
    client.zadd(keys.STAGING, {"7:1": queue.now_ms() + HOUR_MS})
    client.zadd(keys.EXPIRING, {"a7": moment + 1})
    assert worker_queue.expire_due(9) == (1, [])
    assert client.hget(keys.job("7"), "state") == "waiting"
    assert (client.zscore(keys.EXPIRING, "a7") or 0) > queue.now_ms()


def test_what_expires_by_the_thousand_never_holds_the_server_for_long(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """So many a script, by the server's own clock."""
    worker_queue = make_worker_queue()
    moment = soon(queue)
    for start in range(0, 6_000, 2_000):
        queue.add([until(moment, start + n) for n in range(2_000)])
    let_pass(client)
    scripts, before = 0, used_cpu(client)
    while worker_queue.expire_due(EXPIRED_AT_ONCE)[0]:
        scripts += 1
    assert queue.stats().waiting == 0
    assert (used_cpu(client) - before) / scripts < 0.005


def used_cpu(client: redis.Redis) -> float:
    """Seconds that the server has worked: unlike a duration, the same on a machine that is busy."""
    info: Any = client.info("cpu")
    return float(info["used_cpu_user"] + info["used_cpu_sys"])


def test_an_attempt_has_no_reason_of_the_call_before_it(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """The call expired before any attempt, was retried, and was placed."""
    late = until(soon(queue))
    queue.add([late])
    let_pass(client)
    worker_queue.expire_due(1)
    assert_expired(queue)
    queue.retry_until("1", None)
    assert taken(worker_queue) == ["1"]
    place(worker_queue, "1")
    assert [each.reason for each in queue.job("1").attempts] == [None]
