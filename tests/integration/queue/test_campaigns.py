"""Campaigns in the queue: whose turn it is, and that pause and cancel hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import KEEP, begin, new, place, placed, taken
from tests.integration.queue.conftest import Made, sweep_all
from vomind_queue.calls.call import Priority, State
from vomind_queue.calls.campaign import CampaignState, Part
from vomind_queue.calls.decisions import AttemptResult, Decision, NotStarted
from vomind_queue.calls.limits import Rate
from vomind_queue.errors import CampaignNotFound, JobNotFound, WrongCampaignState, WrongState
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.worker_queue import WorkerQueue


@pytest.fixture
def worker_queue(make_worker_queue: Callable[..., WorkerQueue]) -> WorkerQueue:
    """A worker that keeps its calls for as long as a test takes."""
    return make_worker_queue(lease_ms=600_000)


def owners(made: list[Made], ids: list[str]) -> Counter[str]:
    """How many of these calls belong to which campaign; '' for none."""
    whose = {job_id: each.id for each in made for job_id in each.calls}
    return Counter(whose.get(job_id, "") for job_id in ids)


def test_campaigns_share_a_priority_by_weight(
    make: Callable[..., Made], queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """Weights 1, 2 and 1, and the calls of none with 1: within one call of each at every moment."""
    queue.add([new(900_000 + number) for number in range(200)])
    made = [make(200), make(200, weight=2), make(200)]
    ids: list[str] = []
    for _ in range(40):
        ids += taken(worker_queue, 5)
        found, fair = owners(made, ids), len(ids) / 5
        for name, weight in (("", 1), (made[0].id, 1), (made[1].id, 2), (made[2].id, 1)):
            assert abs(found[name] - weight * fair) <= 2
    assert owners(made, ids) == {"": 40, made[0].id: 40, made[1].id: 80, made[2].id: 40}


def test_who_had_nothing_to_serve_has_saved_nothing(
    make: Callable[..., Made], queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """Neither a campaign, nor the calls of none."""
    busy, idle = make(300), make(1)
    taken(worker_queue, 100)
    idle = make(100) if idle.state is CampaignState.FINISHED else idle
    idle.calls = [*idle.calls, *idle.add(100)]
    queue.add([new(900_000 + number) for number in range(100)])
    found = owners([busy, idle], taken(worker_queue, 30))
    assert all(9 <= count <= 11 for count in found.values()), found


def test_a_higher_priority_goes_first(make: Callable[..., Made], worker_queue: WorkerQueue) -> None:
    """Whatever the weights are; and a claimed call yields to one that comes later."""
    heavy = make(3, weight=100)
    (low,) = taken(worker_queue)
    urgent = make()
    high = urgent.add(2, Priority.HIGH)
    assert worker_queue.start_dialing(low, "token") is NotStarted.PREEMPTED
    assert taken(worker_queue, 5) == [*high, *heavy.calls]


def test_a_pause_holds_once_it_is_answered(
    make: Callable[..., Made], store: CampaignStore, worker_queue: WorkerQueue
) -> None:
    """For calls that a worker has claimed, too; others go on, and resuming keeps their order."""
    made, other = make(3), make(1)
    claimed = taken(worker_queue, 2)
    store.steer(made.id, "pause", "ann")
    for job_id in claimed:
        started = worker_queue.start_dialing(job_id, "token")
        assert isinstance(started, NotStarted) == (job_id in made.calls)
    assert taken(worker_queue, 9) == []
    assert made.parts == {Part.WAITING: 3}
    assert other.parts == {Part.ACTIVE: 1}
    store.steer(made.id, "resume", "ann")
    assert taken(worker_queue, 9) == made.calls


def test_no_call_of_a_draft_is_claimed(
    make: Callable[..., Made], worker_queue: WorkerQueue
) -> None:
    """Nor one that becomes due; once it is started they are."""
    made = make(2, running=False)
    later = made.add(1, delay_ms=0)
    assert taken(worker_queue, 9) == []
    made._store.steer(made.id, "start", "ann")
    assert taken(worker_queue, 9) == [*made.calls, *later]


def test_a_cancel_withdraws_all_calls_at_once(
    make: Callable[..., Made], queue: CallQueue, store: CampaignStore, worker_queue: WorkerQueue
) -> None:
    """None is found, listed or started from then on; they are removed bit by bit."""
    made = make(200)
    later = made.add(3, delay_ms=600_000)
    (claimed, placed_one) = taken(worker_queue, 2)
    begun = begin(worker_queue, placed_one)
    store.steer(made.id, "cancel", "ann")
    for job_id in (made.calls[-1], later[0]):
        with pytest.raises(JobNotFound):
            queue.job(job_id)
    assert queue.page(State.WAITING, 0, 10).total == 0
    assert not queue.page(State.DELAYED, 0, 10).jobs
    assert taken(worker_queue, 9) == []
    assert worker_queue.start_dialing(claimed, "token") is NotStarted.CAMPAIGN
    with pytest.raises(JobNotFound):
        queue.job(claimed)
    sweep_all(store)
    assert made.parts == {Part.ACTIVE: 1, Part.CANCELLED: 202}
    # What was asked of Twilio goes its way.
    worker_queue.finish(begun, placed("CA1"))
    assert made.parts == {Part.ON_LINE: 1, Part.CANCELLED: 202}
    assert made.state is CampaignState.CANCELLED


def test_a_call_that_comes_back_to_a_cancelled_campaign_is_removed(
    make: Callable[..., Made], store: CampaignStore, worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """However late that is: the sweep goes on until there is none."""
    made = make(1)
    begun = begin(worker_queue, *taken(worker_queue))
    store.steer(made.id, "cancel", "ann")
    sweep_all(store)
    worker_queue.finish(begun, Decision(result=AttemptResult.AGAIN, reason="Busy.", wait_ms=9_000))
    assert made.parts == {Part.DELAYED: 1}
    assert valkey.zadd(keys.SWEEPING, {made.id: 1}, xx=True) == 0
    sweep_all(store)
    assert made.parts == {Part.CANCELLED: 1}


def test_a_campaign_finishes_with_its_last_call(
    make: Callable[..., Made], queue: CallQueue, store: CampaignStore, worker_queue: WorkerQueue
) -> None:
    """It takes no calls then, and runs again for one that is retried; an open one stays."""
    made, stays = make(1), make(1, open=True)
    for _ in range(2):
        decision = Decision(result=AttemptResult.FAILED, reason="Words.")
        worker_queue.finish(begin(worker_queue, *taken(worker_queue)), decision)
    assert (made.state, stays.state) == (CampaignState.FINISHED, CampaignState.RUNNING)
    with pytest.raises(WrongCampaignState):
        made.add(1)
    queue.retry(made.calls[0])
    assert made.state is CampaignState.RUNNING
    place(worker_queue, *taken(worker_queue))
    assert made.parts == {Part.ON_LINE: 1}


def test_a_failed_call_of_a_cancelled_campaign_is_not_retried(
    make: Callable[..., Made], queue: CallQueue, store: CampaignStore, worker_queue: WorkerQueue
) -> None:
    """Nor one of a campaign that was deleted."""
    made = make(2)
    decision = Decision(result=AttemptResult.FAILED, reason="Words.")
    worker_queue.finish(begin(worker_queue, *taken(worker_queue)), decision)
    with pytest.raises(WrongCampaignState):
        store.remove(made.id)
    store.steer(made.id, "cancel", "ann")
    with pytest.raises(WrongState, match="cancelled"):
        queue.retry(made.calls[0])
    sweep_all(store)
    store.sweep(KEEP)
    store.remove(made.id)
    with pytest.raises(WrongState, match="deleted"):
        queue.retry(made.calls[0])
    with pytest.raises(CampaignNotFound):
        made.add(1)


def test_a_large_bulk_is_counted_as_one(make: Callable[..., Made], queue: CallQueue) -> None:
    """Stored in parts and there at once, in two priorities, now and for later."""
    made = make(running=False)
    made.add(400)
    made.add(200, Priority.LOW, delay_ms=600_000)
    assert made.parts == {Part.WAITING: 400, Part.DELAYED: 200}
    assert queue.stats().total == 600
    assert queue.page(State.WAITING, 390, 410).total == 400


def test_the_calls_of_a_campaign_are_listed(
    make: Callable[..., Made], store: CampaignStore, worker_queue: WorkerQueue
) -> None:
    """In the order in which it was given them, page by page, and by state."""
    made, _ = make(100), make(3)
    held = taken(worker_queue, 1)
    first = store.calls(made.id, [], None, 60)
    second = store.calls(made.id, [], first.next, 60)
    assert [job.id for job in (*first.jobs, *second.jobs)] == made.calls
    assert {job.campaign_id for job in first.jobs} == {made.id}
    assert second.next is None
    assert [job.id for job in store.calls(made.id, [State.ACTIVE], None, 60).jobs] == held


def test_a_campaign_keeps_its_pace(
    make: Callable[..., Made], worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """In any such time; others go on meanwhile, and it goes on by itself."""
    made, other = make(5, pace=Rate(max_starts=2, window_ms=60_000)), make(3)
    ids = taken(worker_queue, 9)
    assert owners([made, other], ids) == {made.id: 2, other.id: 3}
    result = worker_queue.claim(9, "123")
    assert (result.calls, 0 < (result.next_ms or 0) <= 61_000) == ([], True)
    for job_id in made.calls[:2]:
        begin(worker_queue, job_id)
    # A minute passes.
    starts = keys.CAMPAIGN_STARTS + made.id
    for member, at in valkey.zrange(starts, 0, -1, withscores=True):
        valkey.zadd(starts, {member: at - 61_000})
    valkey.zadd(keys.RESTING, {made.id: 1}, xx=True)
    assert taken(worker_queue, 9) == made.calls[2:4]


def test_a_start_that_is_given_back_is_another_calls(
    make: Callable[..., Made], worker_queue: WorkerQueue
) -> None:
    """As with the limit of the queue."""
    made = make(3, pace=Rate(max_starts=1, window_ms=60_000))
    (first,) = taken(worker_queue, 9)
    worker_queue.give_back(first, str(worker_queue.leases.token(first)))
    assert taken(worker_queue, 9) == [first]
    begin(worker_queue, first)
    assert taken(worker_queue, 9) == []
    assert made.parts == {Part.ACTIVE: 1, Part.WAITING: 2}


def test_only_so_many_are_placed_at_a_time(
    make: Callable[..., Made], store: CampaignStore, worker_queue: WorkerQueue
) -> None:
    """On the line, too; one that is over makes room, and so does a greater number."""
    made = make(6, max_concurrent=2)
    ids = taken(worker_queue, 9)
    assert ids == made.calls[:2]
    worker_queue.finish(begin(worker_queue, ids[0]), placed("CA1"))
    assert taken(worker_queue, 9) == []
    decision = Decision(result=AttemptResult.FAILED, reason="Words.")
    worker_queue.finish(begin(worker_queue, ids[1]), decision)
    assert taken(worker_queue, 9) == [made.calls[2]]
    store.change(made.id, lambda old: replace(old.campaign, max_concurrent=4))
    assert taken(worker_queue, 9) == made.calls[3:5]


def test_a_campaign_begins_and_ends_when_it_says(
    make: Callable[..., Made],
    queue: CallQueue,
    store: CampaignStore,
    worker_queue: WorkerQueue,
    valkey: redis.Redis,
) -> None:
    """What is left then has expired; what was claimed does not start."""
    now = queue.now_ms()
    made = make(3, start_ms=now + 600_000, end_ms=now + 1_200_000)
    later = made.add(1, delay_ms=900_000)
    assert made.state is CampaignState.SCHEDULED
    result = worker_queue.claim(9, "123")
    assert (result.calls, 0 < (result.next_ms or 0) <= 600_000) == ([], True)
    valkey.zadd(keys.CAMPAIGN_TIMES, {f"start:{made.id}": 1}, xx=True)
    claimed, begun = taken(worker_queue, 2)
    assert made.state is CampaignState.RUNNING
    started = begin(worker_queue, begun)
    valkey.hset(keys.campaign(made.id), "endat", now - 1)
    assert worker_queue.start_dialing(claimed, "token") is NotStarted.CAMPAIGN
    valkey.zadd(keys.CAMPAIGN_TIMES, {f"end:{made.id}": 1}, xx=True)
    assert taken(worker_queue, 9) == []
    assert made.state is CampaignState.FINISHED
    sweep_all(store)
    assert made.parts == {Part.EXPIRED: 3, Part.ACTIVE: 1}
    assert "endAt" in str(queue.job(later[0]).failed_reason)
    worker_queue.finish(started, Decision(result=AttemptResult.AGAIN, reason="Busy.", wait_ms=0))
    valkey.zadd(keys.SWEEPING, {made.id: 1})
    sweep_all(store)
    assert made.parts == {Part.EXPIRED: 4}
    assert made.state is CampaignState.FINISHED
    with pytest.raises(WrongState, match="finished"):
        queue.retry(later[0])


def test_a_campaign_whose_end_has_come_is_not_started(
    make: Callable[..., Made], queue: CallQueue, store: CampaignStore
) -> None:
    """It says so, and starts with a later end."""
    made = make(1, running=False, end_ms=queue.now_ms() - 1)
    with pytest.raises(WrongCampaignState, match="endAt"):
        store.steer(made.id, "start", "ann")
    store.change(made.id, lambda old: replace(old.campaign, end_ms=None))
    assert store.steer(made.id, "start", "ann")
