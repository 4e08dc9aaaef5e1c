"""Ticks on a real server: each makes one job, in the step in which its schedule moves on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import redis

from tests.integration.conftest import place, taken
from tests.integration.placed_call import Line, place_and_end
from tests.integration.recurring_calls import (
    MINUTE,
    beat,
    decided,
    fire,
    look,
    make_due,
    put,
    shown,
    spoil,
    waiting,
    wanted,
)
from tests.twilio import a_sid
from vomind_queue.calls.call import Priority, State
from vomind_queue.calls.call_status import OutcomePolicy
from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.recurring.schedule import Overlap, Removed
from vomind_queue.recurring.ticks import Advance, Outcome
from vomind_queue.usecases.fire_recurring import RecurringScheduler


def test_a_tick_becomes_a_job_of_its_own_id(
    recurring_store: RecurringStore,
    queue: CallQueue,
    valkey: redis.Redis,
    worker_queue: WorkerQueue,
) -> None:
    """It has all that a call has, and the schedule has moved on."""
    put(recurring_store, wanted(priority=Priority.HIGH))
    tick = make_due(valkey, "1")
    assert fire(recurring_store) == [Outcome.FIRED]
    job_id = f"recurring:1:{tick}"
    assert waiting(queue) == [job_id]
    job = queue.job(job_id)
    assert (job.due_ms, job.call.message, job.call.priority) == (tick, "Reminder", "high")
    assert taken(worker_queue) == [job_id]
    place(worker_queue, job_id)
    view = recurring_store.show("1")
    assert view.schedule.fired == 1
    assert view.schedule.next_ms == wanted().first(tick)
    assert view.occurrences[0].job == queue.job(job_id)


def test_a_tick_that_is_decided_twice_fires_once(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """Two schedulers that saw the same tick, and a command that was sent again."""
    put(recurring_store, wanted())
    make_due(valkey, "1")
    seen = look(recurring_store)
    assert recurring_store.fire(decided(seen), seen.now_ms + 5_000) == [Outcome.FIRED]
    assert recurring_store.fire(decided(seen), seen.now_ms + 5_000) == [Outcome.LOST]
    assert len(waiting(queue)) == 1
    assert shown(recurring_store).fired == 1


def test_a_decision_on_what_was_changed_meanwhile_is_void(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """The scheduler saw the old pattern; the next look sees the new one."""
    put(recurring_store, wanted())
    make_due(valkey, "1")
    seen = look(recurring_store)
    recurring_store.change(shown(recurring_store), wanted(message="Other"), None, keep_due=True)
    assert recurring_store.fire(decided(seen), seen.now_ms + 5_000) == [Outcome.LOST]
    assert fire(recurring_store) == [Outcome.FIRED]
    assert queue.page(State.WAITING, 0, 9).jobs[0].call.message == "Other"


def test_a_decision_that_comes_late_changes_nothing(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """A server that was stopped must not ring at a time that nobody decided on."""
    put(recurring_store, wanted())
    tick = make_due(valkey, "1")
    seen = look(recurring_store)
    with pytest.raises(StoreUnavailable):
        recurring_store.fire(decided(seen), seen.now_ms - 1)
    assert waiting(queue) == []
    assert shown(recurring_store).next_ms == tick


def test_a_tick_is_left_out_while_the_one_before_waits(
    recurring_store: RecurringStore,
    queue: CallQueue,
    valkey: redis.Redis,
    worker_queue: WorkerQueue,
) -> None:
    """No three reminders in a row after a pause; the tick is counted."""
    put(recurring_store, wanted())
    make_due(valkey, "1", 3_000)
    assert fire(recurring_store) == [Outcome.FIRED]
    second = make_due(valkey, "1", 2_000)
    assert fire(recurring_store) == [Outcome.SKIPPED]
    assert len(waiting(queue)) == 1
    assert (shown(recurring_store).skipped, shown(recurring_store).skipped_ms) == (1, [second])
    [job_id] = taken(worker_queue)
    make_due(valkey, "1", 1_500)
    assert fire(recurring_store) == [Outcome.SKIPPED], "an active one has not ended either"
    place(worker_queue, job_id)
    make_due(valkey, "1")
    assert fire(recurring_store) == [Outcome.FIRED]


def test_overlapping_runs_are_queued_when_wanted(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """Each of them, and removing the schedule removes them all."""
    put(recurring_store, wanted(overlap=Overlap.QUEUE))
    ticks = []
    for number in range(14):
        ticks.append(make_due(valkey, "1", 30_000 - number * 1_000))
        assert fire(recurring_store) == [Outcome.FIRED]
    jobs = [f"recurring:1:{tick}" for tick in ticks]
    assert waiting(queue) == jobs
    assert sorted(recurring_store.remove("1").cancelled) == sorted(jobs)
    assert queue.stats().total == 0
    assert [key for key in valkey.keys("*") if "schedule:" in key or "runs:" in key] == []


def test_the_list_of_runs_does_not_grow_for_ever(
    recurring_store: RecurringStore, valkey: redis.Redis, worker_queue: WorkerQueue
) -> None:
    """Runs that ended and are shown no more are forgotten."""
    put(recurring_store, wanted())
    for number in range(25):
        make_due(valkey, "1", 30_000 - number * 1_000)
        assert fire(recurring_store) == [Outcome.FIRED]
        [job_id] = taken(worker_queue)
        place_and_end(worker_queue, valkey, job_id)
    assert valkey.llen("{calls}:runs:1") <= 12
    assert len(recurring_store.show("1").occurrences) == 10


def test_missed_ticks_are_counted_and_shown(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """The last one fires if its grace allows; of the others the last ten are told."""
    put(recurring_store, wanted(cron="* * * * *", misfire_grace_ms=30_000))
    tick = make_due(valkey, "1", 20 * MINUTE)
    seen = look(recurring_store)
    assert fire(recurring_store) in ([Outcome.MISSED], [Outcome.FIRED])
    schedule = shown(recurring_store)
    assert schedule.missed + schedule.fired >= 20
    assert len(schedule.missed_ms) == 10
    assert list(schedule.missed_ms) == sorted(schedule.missed_ms, reverse=True)
    assert tick not in schedule.missed_ms
    assert schedule.next_ms is not None
    assert schedule.next_ms > seen.now_ms
    assert len(waiting(queue)) == schedule.fired


@pytest.mark.parametrize(
    ("field", "value"), [("zone", "Mars/Olympus"), ("cron", "99 * * * *"), ("overlap", "new")]
)
def test_a_schedule_that_cannot_be_read_stops_alone(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis, field: str, value: str
) -> None:
    """The others go on; it is looked at again in a minute, and then its ticks count as ever."""
    put(recurring_store, wanted())
    put(recurring_store, wanted(to="+1234567891"))
    real = spoil(valkey, "1", field, value)
    make_due(valkey, "1")
    tick = make_due(valkey, "2")
    keeper = RecurringScheduler(recurring_store)
    beat(keeper)
    assert waiting(queue) == [f"recurring:2:{tick}"]
    assert queue.stats().scheduler_active
    assert recurring_store.page(0, 9).total == 2
    valkey.hset("{calls}:redbeat:recurring:1", mapping=real)
    tick = make_due(valkey, "1")
    beat(keeper)
    assert waiting(queue)[-1] == f"recurring:1:{tick}"


def test_five_thousand_at_one_moment(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """All are queued, each once, by as many scripts as it takes."""
    seconds, micros = valkey.time()
    now_ms = seconds * 1000 + micros // 1000
    for number in range(5_000):
        recurring_store.put(wanted(to=f"+1555{number:07}", cron="@hourly"), now_ms)
    beat(RecurringScheduler(recurring_store))
    stats = queue.stats()
    assert (stats.waiting, stats.recurring, stats.scheduler_active) == (5_000, 5_000, True)


def test_what_an_outage_left_is_caught_up_in_parts(
    recurring_store: RecurringStore, queue: CallQueue, valkey: redis.Redis
) -> None:
    """However slow the machine is; and a call that is due now is not behind it."""
    hour_ms = 3_600_000
    for number in range(30):
        put(recurring_store, wanted(to=f"+12345679{number:02}", cron=f"{number}-59 * * * *"))
        make_due(valkey, str(number + 1), 20 * hour_ms)
    put(recurring_store, wanted())
    tick = make_due(valkey, "31")
    slow = iter(range(10_000))
    beat(RecurringScheduler(recurring_store, monotonic=lambda: next(slow)))
    assert next(slow) > 60, "not all was decided at once"
    assert waiting(queue)[0] == f"recurring:31:{tick}"
    assert all(shown(recurring_store, str(number + 1)).missed > 100 for number in range(30))
    assert look(recurring_store).due == []


@pytest.fixture
def lost_reply(
    recurring_store: RecurringStore, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """The next turn is carried out, and its reply lost."""

    def lose() -> None:
        real = recurring_store.fire

        def fire_and_lose(turns: Sequence[Advance], deadline_ms: int) -> list[Outcome]:
            monkeypatch.setattr(recurring_store, "fire", real)
            real(turns, deadline_ms)
            raise StoreUnavailable("the reply was lost")

        monkeypatch.setattr(recurring_store, "fire", fire_and_lose)

    return lose


def test_a_lost_reply_loses_and_doubles_nothing(
    recurring_store: RecurringStore,
    queue: CallQueue,
    valkey: redis.Redis,
    lost_reply: Callable[[], None],
) -> None:
    """The scheduler looks again, and sees what became of it."""
    put(recurring_store, wanted())
    make_due(valkey, "1")
    keeper = RecurringScheduler(recurring_store)
    lost_reply()
    with pytest.raises(StoreUnavailable):
        beat(keeper)
    beat(keeper)
    assert len(waiting(queue)) == 1
    assert shown(recurring_store).fired == 1


def test_a_run_is_not_made_again_for_its_outcome_once_its_schedule_is_gone(
    recurring_store: RecurringStore,
    queue: CallQueue,
    valkey: redis.Redis,
    worker_queue: WorkerQueue,
) -> None:
    """Stopped for good while the phone rang. Before that it is made again, and can be stopped."""
    line = Line(
        queue, worker_queue, valkey, OutcomePolicy(retry_on=("busy",), delay_ms=3_600_000, most=2)
    )
    put(recurring_store, wanted())
    first = f"recurring:1:{make_due(valkey, '1')}"
    fire(recurring_store)
    started = line.took(line.again(), a_sid(1))
    valkey.delete("{calls}:runs:1")
    assert line.say(started, "busy").repeated
    assert recurring_store.remove("1") == Removed(cancelled=[first], active=[])
    put(recurring_store, wanted())
    make_due(valkey, "2")
    fire(recurring_store)
    started = line.took(line.again(), a_sid(2))
    recurring_store.remove("2")
    assert not line.say(started, "busy", sid=a_sid(2)).repeated
    assert queue.stats().delayed == 0
