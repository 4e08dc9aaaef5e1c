"""Schedules on a real server: one script a moment, and no moment in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis

from tests.integration.conftest import begin, place, taken
from vomind_queue.calls import Call, IdempotencyKey, Priority, State
from vomind_queue.errors import (
    JobNotFound,
    KeyReused,
    ScheduleChanged,
    ScheduleExists,
    StoreUnavailable,
)
from vomind_queue.recurring import Recurring
from vomind_queue.schedules import Overlap, Recurrence, Removed, Schedule, ScheduleView
from vomind_queue.store.desk import WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.store.timetable import Timetable
from vomind_queue.ticks import Look, Outcome, Turn, decide
from vomind_queue.timekeeping import Timekeeper
from vomind_queue.verdicts import Ending, Verdict

MINUTE = 60_000
NAME = "scheduler"


#: Has no tick near the ones that tests put into the past.
RARELY = "0 0 29 2 *"


def wanted(to: str = "+1234567890", cron: str = RARELY, **changes: Any) -> Recurrence:
    """A recurring call."""
    message = changes.pop("message", "Reminder")
    priority = changes.pop("priority", Priority.NORMAL)
    call = Call(to=to, message=message, priority=priority)
    return Recurrence(call=call, cron=cron, zone="UTC", **changes)


def make_due(valkey: redis.Redis, schedule_id: str, ago_ms: int = 1_000) -> int:
    """Sets the next tick of a schedule into the past, as time itself does; answers it."""
    seconds, micros = valkey.time()
    tick = seconds * 1000 + micros // 1000 - ago_ms
    valkey.hset(f"{{calls}}:schedule:{schedule_id}", "next", tick)
    valkey.zadd("{calls}:schedules", {f"a{schedule_id}": tick})
    return tick


def look(timetable: Timetable, name: str = NAME) -> Look:
    """One look of a scheduler."""
    return timetable.look(name, 5_000, 100)


def decided(seen: Look) -> list[Turn]:
    """What the scheduler makes of it."""
    return [decide(due, seen.now_ms) for due in seen.due]


def fire(timetable: Timetable) -> list[Outcome]:
    """One look, and what comes of it."""
    seen = look(timetable)
    return timetable.fire(decided(seen), seen.now_ms + 5_000)


def shown(timetable: Timetable, schedule_id: str = "1") -> Schedule:
    """The schedule alone."""
    return timetable.show(schedule_id).schedule


def listed(view: ScheduleView | str) -> str:
    """The number of a schedule that can be read."""
    assert isinstance(view, ScheduleView)
    return view.schedule.id


def waiting(queue: CallQueue) -> Sequence[str]:
    """Ids of the waiting jobs, in the order of dialing."""
    return [job.id for job in queue.page(State.WAITING, 0, 99).jobs]


def put(timetable: Timetable, recurrence: Recurrence) -> str:
    """Stores a recurring call with its next tick."""
    return timetable.put(recurrence, recurrence.first(timetable.now_ms())).schedule_id


def test_a_tick_becomes_a_job_of_its_own_id(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis, desk: WorkDesk
) -> None:
    """It has all that a call has, and the schedule has moved on."""
    put(timetable, wanted(priority=Priority.HIGH))
    tick = make_due(valkey, "1")
    assert fire(timetable) == [Outcome.FIRED]
    job_id = f"recurring:1:{tick}"
    assert waiting(queue) == [job_id]
    job = queue.job(job_id)
    assert (job.due_ms, job.call.message, job.call.priority) == (tick, "Reminder", "high")
    assert taken(desk) == [job_id]
    place(desk, job_id)
    view = timetable.show("1")
    assert view.schedule.fired == 1
    assert view.schedule.next_ms == wanted().first(tick)
    assert view.occurrences[0].job == queue.job(job_id)


def test_whoever_decides_twice_fires_once(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis
) -> None:
    """Two schedulers that saw the same tick, and a command that was sent again."""
    put(timetable, wanted())
    make_due(valkey, "1")
    seen = look(timetable)
    assert timetable.fire(decided(seen), seen.now_ms + 5_000) == [Outcome.FIRED]
    assert timetable.fire(decided(seen), seen.now_ms + 5_000) == [Outcome.LOST]
    assert len(waiting(queue)) == 1
    assert shown(timetable).fired == 1


def test_a_decision_on_what_was_changed_meanwhile_is_void(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis
) -> None:
    """The scheduler saw the old pattern; the next look sees the new one."""
    put(timetable, wanted())
    make_due(valkey, "1")
    seen = look(timetable)
    timetable.change(shown(timetable), wanted(message="Other"), None, keep_due=True)
    assert timetable.fire(decided(seen), seen.now_ms + 5_000) == [Outcome.LOST]
    assert fire(timetable) == [Outcome.FIRED]
    assert queue.page(State.WAITING, 0, 9).jobs[0].call.message == "Other"


def test_a_decision_that_comes_late_changes_nothing(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis
) -> None:
    """A server that was stopped must not ring at a time that nobody decided on."""
    put(timetable, wanted())
    tick = make_due(valkey, "1")
    seen = look(timetable)
    with pytest.raises(StoreUnavailable):
        timetable.fire(decided(seen), seen.now_ms - 1)
    assert waiting(queue) == []
    assert shown(timetable).next_ms == tick


def test_a_tick_is_left_out_while_the_one_before_waits(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis, desk: WorkDesk
) -> None:
    """No three reminders in a row after a pause; the tick is counted."""
    put(timetable, wanted())
    make_due(valkey, "1", 3_000)
    assert fire(timetable) == [Outcome.FIRED]
    second = make_due(valkey, "1", 2_000)
    assert fire(timetable) == [Outcome.SKIPPED]
    assert len(waiting(queue)) == 1
    assert (shown(timetable).skipped, shown(timetable).skipped_ms) == (1, [second])
    [job_id] = taken(desk)
    make_due(valkey, "1", 1_500)
    assert fire(timetable) == [Outcome.SKIPPED], "an active one has not ended either"
    place(desk, job_id)
    make_due(valkey, "1")
    assert fire(timetable) == [Outcome.FIRED]


def test_overlapping_runs_are_queued_when_wanted(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis
) -> None:
    """Each of them, and removing the schedule removes them all."""
    put(timetable, wanted(overlap=Overlap.QUEUE))
    ticks = []
    for number in range(14):
        ticks.append(make_due(valkey, "1", 30_000 - number * 1_000))
        assert fire(timetable) == [Outcome.FIRED]
    jobs = [f"recurring:1:{tick}" for tick in ticks]
    assert waiting(queue) == jobs
    assert sorted(timetable.remove("1").cancelled) == sorted(jobs)
    assert queue.stats().total == 0
    assert [key for key in valkey.keys("*") if "schedule:" in key or "runs:" in key] == []


def test_the_list_of_runs_does_not_grow_for_ever(
    timetable: Timetable, valkey: redis.Redis, desk: WorkDesk
) -> None:
    """Runs that ended and are shown no more are forgotten."""
    put(timetable, wanted())
    for number in range(25):
        make_due(valkey, "1", 30_000 - number * 1_000)
        assert fire(timetable) == [Outcome.FIRED]
        [job_id] = taken(desk)
        place(desk, job_id)
    assert valkey.llen("{calls}:runs:1") <= 12
    assert len(timetable.show("1").occurrences) == 10


def test_missed_ticks_are_counted_and_shown(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis
) -> None:
    """The last one fires if its grace allows; of the others the last ten are told."""
    put(timetable, wanted(cron="* * * * *", grace_ms=30_000))
    tick = make_due(valkey, "1", 20 * MINUTE)
    seen = look(timetable)
    assert fire(timetable) in ([Outcome.MISSED], [Outcome.FIRED])
    schedule = shown(timetable)
    assert schedule.missed + schedule.fired >= 20
    assert len(schedule.missed_ms) == 10
    assert list(schedule.missed_ms) == sorted(schedule.missed_ms, reverse=True)
    assert tick not in schedule.missed_ms
    assert schedule.next_ms is not None
    assert schedule.next_ms > seen.now_ms
    assert len(waiting(queue)) == schedule.fired


def test_after_its_last_run_a_schedule_rests(
    timetable: Timetable, valkey: redis.Redis, desk: WorkDesk
) -> None:
    """``maxRuns`` counts occurrences; the schedule stays to be seen."""
    put(timetable, wanted(max_runs=2))
    for number in range(2):
        make_due(valkey, "1", 5_000 - number * 1_000)
        assert fire(timetable) == [Outcome.FIRED]
        place(desk, taken(desk)[0])
    schedule = shown(timetable)
    assert schedule.status == "ended"
    assert schedule.next_runs(5) == []
    assert look(timetable).due == []
    assert timetable.page(0, 9).total == 1
    timetable.change(schedule, wanted(max_runs=3), timetable.now_ms() + MINUTE, keep_due=True)
    assert len(shown(timetable).next_runs(5)) == 1


def test_the_same_recurrence_again_is_an_update(timetable: Timetable) -> None:
    """Number, pattern and zone make the identity; the rest is taken over."""
    assert put(timetable, wanted()) == "1"
    assert put(timetable, wanted(message="Edited", max_runs=7)) == "1"
    assert put(timetable, wanted(to="+1234567891")) == "2"
    assert put(timetable, wanted(cron="@daily")) == "3"
    schedule = shown(timetable)
    assert (schedule.recurrence.call.message, schedule.recurrence.max_runs) == ("Edited", 7)
    assert put(timetable, wanted()) == "1"
    assert shown(timetable).recurrence.max_runs is None


def test_an_update_keeps_the_pause_and_the_tick_that_is_due(
    timetable: Timetable, valkey: redis.Redis
) -> None:
    """Registering again at each start of an app undoes no operator's pause and loses no run."""
    put(timetable, wanted())
    tick = make_due(valkey, "1")
    put(timetable, wanted(message="Edited"))
    assert shown(timetable).next_ms == tick
    timetable.pause(shown(timetable), "ops")
    put(timetable, wanted())
    assert shown(timetable).pause is not None
    assert look(timetable).due == []


def test_a_removed_schedule_gives_its_identity_free_but_never_its_number(
    timetable: Timetable,
) -> None:
    """Runs of the old one stay apart from those of the new one."""
    put(timetable, wanted())
    assert timetable.remove("1") == Removed(cancelled=[], active=[])
    with pytest.raises(JobNotFound):
        timetable.show("1")
    with pytest.raises(JobNotFound):
        timetable.remove("1")
    assert put(timetable, wanted()) == "2"


def test_changes_meet_nobody_elses(timetable: Timetable) -> None:
    """Of two at the same time one is told; two schedules never become the same one."""
    put(timetable, wanted())
    put(timetable, wanted(cron="@daily"))
    old = shown(timetable)
    timetable.change(old, wanted(cron="@weekly"), 1, keep_due=False)
    with pytest.raises(ScheduleChanged):
        timetable.change(old, wanted(cron="@monthly"), 1, keep_due=False)
    with pytest.raises(ScheduleExists, match="recurring:2"):
        timetable.change(shown(timetable), wanted(cron="@daily"), 1, keep_due=False)
    assert put(timetable, wanted()) == "3", "the old pattern is free again"


def test_a_pause_is_not_made_up_for(timetable: Timetable, valkey: redis.Redis) -> None:
    """What was due when it was paused is missed, and told; it goes on with the next tick."""
    put(timetable, wanted())
    tick = make_due(valkey, "1")
    timetable.pause(shown(timetable), "ops")
    assert look(timetable).due == []
    paused = shown(timetable)
    assert paused.pause is not None
    assert (paused.pause.by, paused.next_ms, paused.missed_ms) == ("ops", None, [tick])
    timetable.resume(paused, timetable.now_ms() + MINUTE)
    assert shown(timetable).pause is None
    assert look(timetable).next_in_ms is not None


def test_the_list_is_in_the_order_of_the_next_ticks(timetable: Timetable) -> None:
    """Soonest first, those without a next tick last."""
    now = timetable.now_ms()
    for number, ahead in enumerate((3_000, None, 1_000, 2_000)):
        tick = None if ahead is None else now + ahead
        timetable.put(wanted(to=f"+12345678{number:02}"), tick)
    page = timetable.page(0, 9)
    assert [listed(view) for view in page.views] == ["3", "4", "1", "2"]
    assert [listed(view) for view in timetable.page(1, 2).views] == ["4", "1"]
    assert page.total == 4


def test_a_request_with_a_key_is_one_request(timetable: Timetable) -> None:
    """The first answer comes again; another request with the key is refused."""
    key = IdempotencyKey(name="k", fingerprint="f")
    first = timetable.put(wanted(), 1, key)
    timetable.remove("1")
    again = timetable.put(wanted(), 1, key)
    assert (again.schedule_id, again.replayed) == (first.schedule_id, True)
    assert timetable.recall(key) == again
    assert timetable.page(0, 9).total == 0
    with pytest.raises(KeyReused):
        timetable.put(wanted(), 1, IdempotencyKey(name="k", fingerprint="other"))


def test_one_scheduler_leads_and_another_takes_over(
    timetable: Timetable, valkey: redis.Redis
) -> None:
    """When it steps down at once, when it is silent after its time."""
    put(timetable, wanted())
    make_due(valkey, "1")
    assert len(look(timetable, "one").due) == 1
    seen = look(timetable, "two")
    assert (seen.leads, seen.due) == (False, [])
    assert seen.next_in_ms is not None
    timetable.step_down("two")
    assert not look(timetable, "two").leads, "only the leader can step down"
    timetable.step_down("one")
    assert look(timetable, "two").leads
    assert not look(timetable, "one").leads
    valkey.hset("{calls}:scheduler", "until", 1)
    assert look(timetable, "one").leads


@pytest.mark.parametrize(
    ("field", "value"), [("zone", "Mars/Olympus"), ("cron", "99 * * * *"), ("overlap", "new")]
)
def test_a_schedule_that_cannot_be_read_stops_alone(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis, field: str, value: str
) -> None:
    """The others go on; it is looked at again in a minute, and then its ticks count as ever."""
    put(timetable, wanted())
    put(timetable, wanted(to="+1234567891"))
    real = valkey.hget("{calls}:schedule:1", field)
    valkey.hset("{calls}:schedule:1", field, value)
    make_due(valkey, "1")
    tick = make_due(valkey, "2")
    keeper = Timekeeper(timetable, NAME, lead_ms=1_000)
    assert keeper.beat().leads
    assert waiting(queue) == [f"recurring:2:{tick}"]
    assert queue.stats().scheduler_leads
    assert timetable.page(0, 9).total == 2
    valkey.hset("{calls}:schedule:1", field, str(real))
    tick = make_due(valkey, "1")
    keeper.beat()
    assert waiting(queue)[-1] == f"recurring:1:{tick}"


def test_the_record_is_the_truth(timetable: Timetable, valkey: redis.Redis) -> None:
    """A place that was edited is put right, one without a record goes."""
    put(timetable, wanted())
    next_ms = shown(timetable).next_ms
    assert next_ms is not None
    valkey.zadd("{calls}:schedules", {"a1": 5, "a9": 6})
    assert look(timetable).due == []
    assert valkey.zrange("{calls}:schedules", 0, -1, withscores=True) == [("a1", float(next_ms))]


def test_a_full_server_takes_no_new_schedule_and_lets_old_ones_go(
    timetable: Timetable, client: redis.Redis
) -> None:
    """As for calls: what frees goes through, what fills is refused with nothing half-written."""
    put(timetable, wanted())
    put(timetable, wanted(to="+1234567891"))
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable):
            put(timetable, wanted(to="+1234567892"))
        timetable.pause(shown(timetable), "ops")
        timetable.remove("2")
        assert look(timetable).leads
    finally:
        client.config_set("maxmemory", 0)
    assert timetable.page(0, 9).total == 1
    assert put(timetable, wanted(to="+1234567892")) == "3"


def test_five_thousand_at_one_moment(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis
) -> None:
    """All are queued, each once, by as many scripts as it takes."""
    seconds, micros = valkey.time()
    now_ms = seconds * 1000 + micros // 1000
    for number in range(5_000):
        timetable.put(wanted(to=f"+1555{number:07}", cron="@hourly"), now_ms)
    assert Timekeeper(timetable, NAME, lead_ms=20_000).beat().leads
    stats = queue.stats()
    assert (stats.waiting, stats.recurring, stats.scheduler_leads) == (5_000, 5_000, True)


def test_a_tick_that_was_seen_to_does_not_come_again(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis, desk: WorkDesk
) -> None:
    """A change that was worked out before it fired is refused, however old its run is by now."""
    put(timetable, wanted())
    tick = make_due(valkey, "1")
    before = shown(timetable)
    assert fire(timetable) == [Outcome.FIRED]
    place(desk, taken(desk)[0])
    queue.clean(0, 9)
    for change in (
        lambda: timetable.change(before, wanted(), tick, keep_due=True),
        lambda: timetable.resume(before, tick),
        lambda: timetable.put(wanted(), tick),
    ):
        with pytest.raises(ScheduleChanged) as refused:
            change()
        assert refused.value.done_ms == tick
    assert shown(timetable).next_ms == wanted().first(tick)
    assert Recurring(timetable).schedule(wanted()).schedule_id == "1"
    assert fire(timetable) == []


def test_a_due_tick_survives_a_change_of_words_and_is_told_when_it_does_not(
    timetable: Timetable, valkey: redis.Redis
) -> None:
    """The same pattern in other words keeps it; another pattern misses it, and says so."""
    put(timetable, wanted(cron="0 0 1 1 *"))
    tick = make_due(valkey, "1")
    recurring = Recurring(timetable)
    for cron in ("@yearly", "0 0 1 JAN *"):
        recurring.amend("1", lambda _, cron=cron: wanted(cron=cron))  # type: ignore[misc]
        assert shown(timetable).next_ms == tick
    recurring.amend("1", lambda _: wanted())
    schedule = shown(timetable)
    assert (schedule.missed, schedule.missed_ms) == (1, [tick])


def test_what_an_outage_left_is_caught_up_in_parts(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis
) -> None:
    """However slow the machine is; and a call that is due now is not behind it."""
    hour_ms = 3_600_000
    for number in range(30):
        put(timetable, wanted(to=f"+12345679{number:02}", cron=f"{number}-59 * * * *"))
        make_due(valkey, str(number + 1), 20 * hour_ms)
    put(timetable, wanted())
    tick = make_due(valkey, "31")
    slow = iter(range(10_000))
    keeper = Timekeeper(timetable, NAME, lead_ms=60_000, monotonic=lambda: next(slow))
    assert keeper.beat().leads
    assert next(slow) > 60, "not all was decided at once"
    assert waiting(queue)[0] == f"recurring:31:{tick}"
    assert all(shown(timetable, str(number + 1)).missed > 100 for number in range(30))
    assert look(timetable).due == []


def test_a_retried_run_is_stopped_with_its_schedule(
    timetable: Timetable, queue: CallQueue, valkey: redis.Redis, desk: WorkDesk
) -> None:
    """Though it was shown no more; and one that is being placed is told."""
    put(timetable, wanted())
    first = f"recurring:1:{make_due(valkey, '1', 60_000)}"
    fire(timetable)
    taken(desk)
    desk.finish(begin(desk, first), Verdict(ending=Ending.FAILED, reason="no"))
    desk.release(first)
    for number in range(15):
        make_due(valkey, "1", 40_000 - number * 1_000)
        fire(timetable)
        place(desk, taken(desk)[0])
    queue.retry(first)
    last = f"recurring:1:{make_due(valkey, '1', 2_000)}"
    fire(timetable)
    assert taken(desk, 2) == [first, last]
    begin(desk, last)
    desk.give_back(first, str(desk.book.token(first)))
    assert timetable.remove("1") == Removed(cancelled=[first], active=[last])


@pytest.fixture
def lost_reply(timetable: Timetable, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The next turn is carried out, and its reply lost."""

    def lose() -> None:
        real = timetable.fire

        def fire_and_lose(turns: Sequence[Turn], deadline_ms: int) -> list[Outcome]:
            monkeypatch.setattr(timetable, "fire", real)
            real(turns, deadline_ms)
            raise StoreUnavailable("the reply was lost")

        monkeypatch.setattr(timetable, "fire", fire_and_lose)

    return lose


def test_a_lost_reply_loses_and_doubles_nothing(
    timetable: Timetable,
    queue: CallQueue,
    valkey: redis.Redis,
    lost_reply: Callable[[], None],
) -> None:
    """The scheduler looks again, and sees what became of it."""
    put(timetable, wanted())
    make_due(valkey, "1")
    keeper = Timekeeper(timetable, NAME, lead_ms=1_000)
    lost_reply()
    with pytest.raises(StoreUnavailable):
        keeper.beat()
    keeper.beat()
    assert len(waiting(queue)) == 1
    assert shown(timetable).fired == 1
