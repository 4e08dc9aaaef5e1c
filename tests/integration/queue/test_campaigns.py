"""Campaigns in the queue: whose turn it is, and that pause and cancel hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import redis

from tests.integration.conftest import begin, new, place, placed, taken
from vomind_queue.calls.call import Priority, State
from vomind_queue.calls.campaign import Campaign, CampaignState, Part
from vomind_queue.calls.decisions import AttemptResult, Decision, NotStarted
from vomind_queue.errors import CampaignNotFound, JobNotFound, WrongCampaignState, WrongState
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_queue import WorkerQueue


@pytest.fixture
def store(client: redis.Redis) -> CampaignStore:
    """The campaigns."""
    return CampaignStore(RedisStore(client))


@pytest.fixture
def worker_queue(make_worker_queue: Callable[..., WorkerQueue]) -> WorkerQueue:
    """A worker that keeps its calls for as long as a test takes."""
    return make_worker_queue(lease_ms=600_000)


class Made:
    """A campaign with calls."""

    #: Numbers that were given out.
    numbers = 0

    def __init__(
        self,
        queue: CallQueue,
        store: CampaignStore,
        calls: int,
        *,
        running: bool = True,
        **said: int,
    ) -> None:
        self.id = store.create(Campaign(name="One", **said), None).id
        self._queue, self._store = queue, store
        self.calls = self.add(calls) if calls else []
        if running:
            store.steer(self.id, "start", "ann")

    def add(self, count: int, priority: Priority = Priority.NORMAL, **times: int) -> list[str]:
        """Gives it calls; their ids."""
        first = Made.numbers
        Made.numbers += count
        news = [new(first + index, priority, **times) for index in range(count)]
        return list(self._queue.add(news, campaign=self.id).job_ids)

    @property
    def parts(self) -> dict[Part, int]:
        """Where its calls are, those parts aside that have none."""
        shown = self._store.show(self.id)
        assert sum(shown.parts.values()) == shown.total
        return {part: count for part, count in shown.parts.items() if count}

    @property
    def state(self) -> CampaignState:
        """Of the campaign."""
        return self._store.show(self.id).state


@pytest.fixture
def make(queue: CallQueue, store: CampaignStore) -> Callable[..., Made]:
    """Makes campaigns."""
    return lambda calls=0, **said: Made(queue, store, calls, **said)


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
    while store.sweep():
        pass
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
    while store.sweep():
        pass
    worker_queue.finish(begun, Decision(result=AttemptResult.AGAIN, reason="Busy.", wait_ms=9_000))
    assert made.parts == {Part.DELAYED: 1}
    assert valkey.zadd(keys.SWEEPING, {made.id: 1}, xx=True) == 0
    while store.sweep():
        pass
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
    while store.sweep():
        pass
    store.sweep()
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
