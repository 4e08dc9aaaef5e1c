"""Campaigns keep their limits and their times, whatever becomes of single calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import KEEP, begin, taken
from tests.integration.placed_call import HOUR_MS, NONE, SID
from tests.integration.queue.conftest import Made, sweep_all
from vomind_queue.calls.call_status import LineStatus, StatusUpdate
from vomind_queue.calls.campaign import CampaignState, Part
from vomind_queue.calls.decisions import AttemptResult, Decision, NotStarted
from vomind_queue.calls.limits import Rate
from vomind_queue.errors import WrongState
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.callback_store import CallbackStore
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.worker_queue import WorkerQueue

AGAIN = Decision(result=AttemptResult.AGAIN, reason="Busy.", wait_ms=HOUR_MS)
FAILED = Decision(result=AttemptResult.FAILED, reason="Words.")


def test_a_failed_call_is_not_retried_once_the_end_of_its_campaign_has_come(
    make: Callable[..., Made], queue: CallQueue, worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """Nor if the campaign was finished before: it could never start."""
    made = make(1, end_ms=queue.now_ms() + HOUR_MS)
    worker_queue.finish(begin(worker_queue, *taken(worker_queue)), FAILED)
    assert made.state is CampaignState.FINISHED
    valkey.hset(keys.campaign(made.id), "endat", 1)
    valkey.zadd(keys.CAMPAIGN_TIMES, {f"end:{made.id}": 1}, xx=True)
    assert taken(worker_queue) == []
    with pytest.raises(WrongState, match="finished"):
        queue.retry(made.calls[0])
    assert made.parts == {Part.FAILED: 1}


def test_the_reserved_start_of_somebody_who_is_forgotten_is_another_calls(
    make: Callable[..., Made], client: redis.Redis, queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """The phone never rang: the campaign is not below its pace for that."""
    made = make(2, pace=Rate(max_starts=1, window_ms=HOUR_MS))
    (held,) = taken(worker_queue, 9)
    Erasure(RedisStore(client)).forget(queue.job(held).call.to)
    assert taken(worker_queue, 9) == made.calls[1:]
    assert made.parts == {Part.CANCELLED: 1, Part.ACTIVE: 1}


def test_a_call_that_rings_after_all_takes_its_place_in_a_campaign(
    make: Callable[..., Made], client: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """No other one is placed beside it where only one may be."""
    made = make(2, max_concurrent=1)
    started = begin(worker_queue, *taken(worker_queue))
    worker_queue.finish(started, AGAIN)
    callbacks = CallbackStore(RedisStore(client), worker_queue, NONE)
    said = [StatusUpdate(sid=SID, status=each) for each in (LineStatus.RINGING, LineStatus.BUSY)]
    attempt = started.attempt
    callbacks.record(attempt.job_id, attempt.token, said[0], poll_ms=HOUR_MS, price_ms=HOUR_MS)
    assert made.parts == {Part.ON_LINE: 1, Part.WAITING: 1}
    assert taken(worker_queue, 9) == []
    callbacks.record(attempt.job_id, attempt.token, said[1], poll_ms=HOUR_MS, price_ms=HOUR_MS)
    assert taken(worker_queue, 9) == made.calls[1:]


def test_a_running_campaign_that_is_to_begin_later_stops_until_then(
    make: Callable[..., Made],
    queue: CallQueue,
    store: CampaignStore,
    worker_queue: WorkerQueue,
    valkey: redis.Redis,
) -> None:
    """As does one that is resumed before; calls that were claimed do not start, either."""
    made = make(3)
    later = queue.now_ms() + HOUR_MS
    (claimed,) = taken(worker_queue)
    store.change(made.id, lambda old: replace(old.campaign, start_ms=later))
    assert made.state is CampaignState.SCHEDULED
    assert worker_queue.start_dialing(claimed, "token") is NotStarted.CAMPAIGN
    assert taken(worker_queue, 9) == []
    store.change(made.id, lambda old: replace(old.campaign, start_ms=None))
    assert taken(worker_queue) == made.calls[:1]
    store.steer(made.id, "pause", "ann")
    store.change(made.id, lambda old: replace(old.campaign, start_ms=later))
    store.steer(made.id, "resume", "ann")
    assert (made.state, taken(worker_queue, 9)) == (CampaignState.SCHEDULED, [])
    valkey.zadd(keys.CAMPAIGN_TIMES, {f"start:{made.id}": 1}, xx=True)
    assert taken(worker_queue, 9) == made.calls[1:]


def test_calls_of_a_cancelled_campaign_are_gone_through_once(
    make: Callable[..., Made], store: CampaignStore, worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """Not again and again while one with an unknown outcome is reconciled; that one goes later."""
    made = make(40)
    started = begin(worker_queue, *taken(worker_queue))
    store.steer(made.id, "cancel", "ann")
    sweep_all(store)
    valkey.zadd(keys.SWEEPING, {made.id: 1}, xx=True)
    assert store.sweep(KEEP) == 0
    worker_queue.finish(started, AGAIN)
    valkey.zadd(keys.SWEEPING, {made.id: 1}, xx=True)
    sweep_all(store)
    valkey.zadd(keys.SWEEPING, {made.id: 1}, xx=True)
    assert store.sweep(KEEP) == 0
    assert made.parts == {Part.CANCELLED: 40}
    assert valkey.zcard(keys.SWEEPING) == 0


def test_a_pace_counts_calls_that_were_claimed_before_it_was_set(
    make: Callable[..., Made], store: CampaignStore, worker_queue: WorkerQueue
) -> None:
    """They had reserved no start; once one has started, no other one is claimed."""
    made = make(3)
    (claimed,) = taken(worker_queue)
    pace = Rate(max_starts=1, window_ms=HOUR_MS)
    store.change(made.id, lambda old: replace(old.campaign, pace=pace))
    begin(worker_queue, claimed)
    assert taken(worker_queue, 9) == []
