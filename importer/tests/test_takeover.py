"""Calls of a BullMQ queue are taken over, each once, whatever is cut off and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import redis
from vomind_queue_bullmq.account import Account
from vomind_queue_bullmq.source import SourceUnusable
from vomind_queue_bullmq.takeover import OtherTarget, StillActive

from importer.tests.conftest import BASE, fill, image
from tests.integration.conftest import KEEP, QUICK, taken
from vomind_queue.calls.call import State
from vomind_queue.calls.decisions import NotStarted
from vomind_queue.calls.do_not_call import Wish
from vomind_queue.calls.limits import Rate
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import API_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.rules.law import Mode
from vomind_queue.rules.rulebook import rulebook
from vomind_queue.usecases.calling_rules import CallingRules

TakeOver = Callable[..., Account]
#: Instant of the two delayed calls, unix ms.
LATER = 2_139_645_600_123


@pytest.fixture
def queue(redis_url: str) -> CallQueue:
    """The queue that takes over."""
    return CallQueue(
        RedisStore(connect(redis_url, timeout_s=API_TIMEOUT_S)),
        Rate(max_starts=10, window_ms=60_000),
    )


def numbers(queue: CallQueue, state: State) -> list[str]:
    """Last three digits of the numbers in a state, in its order."""
    return [job.call.to[-3:] for job in queue.page(state, 0, 99).jobs]


def old_ids(account: Account) -> dict[str, str]:
    """New ids by the old ones."""
    return {str(old): str(new) for old, new in account.as_json()["ids"].items()}


def test_all_states_are_taken_over(
    old: redis.Redis, take_over: TakeOver, queue: CallQueue, redis_url: str
) -> None:
    """Waiting calls keep their order, delayed ones their instant, failed ones their reason."""
    account = take_over()

    # The retried one waits without a priority there, and between two attempts one is due again.
    assert numbers(queue, State.WAITING) == ["101", "108", *numbers(queue, State.WAITING)[2:]]
    assert Counter(numbers(queue, State.WAITING)) == Counter(
        ["101", "108", "102", "110", "205", "203", "103", "109"]
    )
    assert [n for n in numbers(queue, State.WAITING) if n in {"203", "103", "109"}] == [
        "203",
        "103",
        "109",
    ]
    delayed = queue.page(State.DELAYED, 0, 99).jobs
    assert [(job.call.to[-3:], job.due_ms) for job in delayed] == [("104", LATER), ("105", LATER)]
    failed = {job.call.to[-3:]: job for job in queue.page(State.FAILED, 0, 99).jobs}
    assert set(failed) == {"202", "204"}
    assert (failed["202"].attempts_made, failed["202"].failed_reason) == (3, "Simulated failure 3")
    assert failed["204"].failed_reason is not None
    assert "may have rung" in failed["204"].failed_reason
    pages = RecurringStore(RedisStore(connect(redis_url, timeout_s=API_TIMEOUT_S))).page(0, 9)
    taken = {
        (view.schedule.recurrence.cron, view.schedule.recurrence.zone)
        for view in pages.views
        if not isinstance(view, str)
    }
    assert taken == {("0 9 * * 1-5", "Europe/Berlin"), ("30 3 * * *", "Europe/Berlin")}
    left = {line.place: line.left for line in account.lines if line.left}
    assert left == {
        "failed": "to: Must be a phone number in E.164 form, such as +1234567890; got 12345.",
        "recurring": "pattern: seconds (*/10): a call repeats once a minute",
    }
    assert not account.whole


def test_a_default_latest_start_counts_from_now_on(
    old: redis.Redis, take_over: TakeOver, queue: CallQueue
) -> None:
    """What waited there for long has its full time here; a delayed call's counts from its own."""
    began_ms = queue.now_ms()
    take_over(expiry_ms=60_000)
    waiting = queue.page(State.WAITING, 0, 99).jobs
    ended_ms = queue.now_ms()
    assert waiting
    assert all(began_ms <= (job.not_after_ms or 0) - 60_000 <= ended_ms for job in waiting)
    delayed = queue.page(State.DELAYED, 0, 99).jobs
    assert {job.not_after_ms for job in delayed} == {LATER + 60_000}
    failed = queue.page(State.FAILED, 0, 99).jobs
    assert {job.not_after_ms for job in failed} == {None}


def test_what_a_call_was_called_before_is_kept(
    old: redis.Redis, take_over: TakeOver, queue: CallQueue
) -> None:
    """The old id stands in the metadata, the rest is as it was sent; no new id is an old one."""
    account = take_over()
    ids = old_ids(account)
    job = queue.job(ids["7"])
    assert job.call.as_data() == {
        "to": "+15550000101",
        "message": "Waiting high",
        "lead_id": "L1",
        "priority": "high",
        "metadata": {
            "campaign": "Q4 Outreach",
            "importedFrom": {"queue": "outbound-calls", "jobId": "7"},
        },
    }
    last = int(old.get(BASE + "id") or 0)
    assert all(int(new) > last for old_id, new in ids.items() if not old_id.startswith("repeat:"))
    assert queue.job(ids["6"]).attempts_made == 1


def test_the_source_keeps_what_is_left_and_nothing_else(
    old: redis.Redis, take_over: TakeOver
) -> None:
    """What was taken over is out of reach of the old service; its queue is paused."""
    take_over()
    assert old.hget(BASE + "meta", "paused") == b"1"
    for name in ("wait", "paused", "prioritized", "active"):
        assert not old.exists(BASE + name), name
    # The next run of the recurring call that could not be read.
    assert [key[:7] for key in old.zrange(BASE + "delayed", 0, -1)] == [b"repeat:"]
    assert old.zrange(BASE + "failed", 0, -1) == [b"4"]
    assert old.zrange(BASE + "completed", 0, -1) == [b"1"]
    assert not old.exists(BASE + "7")


def test_calls_that_were_taken_over_keep_to_the_rules(
    old: redis.Redis, take_over: TakeOver, queue: CallQueue, redis_url: str
) -> None:
    """They have no purpose, and numbers of no place; who is listed never rings."""
    store = RedisStore(connect(redis_url, timeout_s=30))
    rules = CallingRules(rulebook(Mode.LAW), ClosedDays(store))
    worker = WorkerQueue(store, "one", Protocol(**QUICK), judge=rules.open_hours)
    take_over()
    first, *_ = queue.page(State.WAITING, 0, 99).jobs
    wish = Wish(by="ops", source="api", reason="She said no.")
    list(DoNotCallList(store, KEEP).add([first.call.to], wish))
    waiting = taken(worker, 99)
    assert waiting
    for job_id in waiting:
        expected = NotStarted.DO_NOT_CALL if job_id == first.id else NotStarted.HELD
        assert worker.start_dialing(job_id, "token") is expected
    assert queue.stats().held == {"unknown-zone": len(waiting) - 1}


def test_a_dry_run_changes_nothing(old: redis.Redis, take_over: TakeOver, redis_url: str) -> None:
    """It tells the same as the run itself does afterwards."""
    with redis.Redis.from_url(redis_url) as here:
        before = image(old), image(here)
        foreseen = take_over(dry=True)
        assert (image(old), image(here)) == before
    done = take_over()
    assert _told(foreseen) == _told(done)


def _told(account: Account) -> Counter[tuple[str, str | None, str | None]]:
    # A call between two attempts is told as what it is by now.
    return Counter(
        (line.place, "open" if line.state in {"waiting", "delayed"} else line.state, line.left)
        for line in account.lines
    )


def test_a_second_run_finds_nothing_to_do(
    old: redis.Redis, take_over: TakeOver, queue: CallQueue
) -> None:
    """It names the new ids all the same."""
    first = take_over()
    total = queue.stats().total
    second = take_over()
    assert queue.stats().total == total
    assert [line for line in second.lines if not line.left] == []
    assert old_ids(second) == old_ids(first)


class CutOff(Exception):
    """The run dies here."""


@pytest.mark.randomised
def test_a_run_that_dies_anywhere_loses_nothing_and_doubles_nothing(
    old: redis.Redis, take_over: TakeOver, queue: CallQueue, valkey: redis.Redis, full: bool
) -> None:
    """Cut off before or after each of its commands in turn, with --full both; and run again."""
    version = (old.hget(BASE + "meta", "version") or b"").decode().removeprefix("bullmq:")
    cut = 0
    while True:
        old.flushdb()
        valkey.flushdb()
        fill(old, version)
        countdown = {"left": cut}

        def wrap(client: Any, countdown: dict[str, int] = countdown) -> None:
            send = client.connection_pool.connection_class.send_packed_command

            def sparing(connection: Any, *args: Any, **kwargs: Any) -> Any:
                # Even: it dies before a command leaves. Odd: after it has been carried out.
                if countdown["left"] == 0:
                    raise CutOff
                countdown["left"] -= 1
                answer = send(connection, *args, **kwargs)
                if countdown["left"] == 0:
                    connection.read_response()
                    raise CutOff
                countdown["left"] -= 1
                return answer

            client.connection_pool.connection_class = type(
                "Sparing",
                (client.connection_pool.connection_class,),
                {"send_packed_command": sparing},
            )

        try:
            take_over(wrap=wrap)
        except CutOff:
            pass
        else:
            break
        take_over()
        found = Counter(job.call.to for state in State for job in queue.page(state, 0, 99).jobs)
        assert sorted(number[-3:] for number in found.elements()) == [
            *("101", "102", "103", "104", "105", "108", "109", "110", "202", "203", "204", "205")
        ], cut
        assert queue.stats().recurring == 2, cut
        # Three: a cut before one command, a cut after the next but one.
        cut += 1 if full else 3
    assert cut > 30


def test_calls_being_placed_are_waited_for(
    old: redis.Redis, take_over: TakeOver, queue: CallQueue
) -> None:
    """One that a worker holds is never taken; the old queue is paused meanwhile."""
    old.set(BASE + "5:lock", "token", px=60_000)
    with pytest.raises(StillActive, match="Being placed by the old service: 1"):
        take_over()
    assert queue.stats().total == 0
    assert old.hexists(BASE + "meta", "paused")


def test_calls_of_a_dead_worker_need_a_word(old: redis.Redis, take_over: TakeOver) -> None:
    """They may have rung: nobody takes them over unasked."""
    with pytest.raises(StillActive, match="--abandoned"):
        take_over(abandoned=False)


def test_a_queue_is_taken_over_by_one_only(
    old: redis.Redis, take_over: TakeOver, valkey: redis.Redis
) -> None:
    """Another store would not know what the first one has."""
    take_over()
    valkey.flushdb()
    with pytest.raises(OtherTarget):
        take_over()


def test_a_recurring_call_that_is_here_already_is_not_overwritten(
    old: redis.Redis, take_over: TakeOver, redis_url: str
) -> None:
    """It may have been edited since; the old one stays where it is."""
    account = take_over()
    recurring_store = RecurringStore(RedisStore(connect(redis_url, timeout_s=API_TIMEOUT_S)))
    number = next(new for old_id, new in old_ids(account).items() if new.startswith("recurring:"))
    before = recurring_store.show(number.removeprefix("recurring:"))
    version = (old.hget(BASE + "meta", "version") or b"").decode().removeprefix("bullmq:")
    old.flushdb()
    fill(old, version)
    old.set(BASE + "vomind:target", redis.Redis.from_url(redis_url).get("{calls}:name") or "")
    again = take_over()
    # The same words: it is the one that is here.
    assert old_ids(again)["repeat:" + _name(old, again)]
    assert recurring_store.show(number.removeprefix("recurring:")) == before


def _name(old: redis.Redis, account: Account) -> str:
    return next(
        key.removeprefix("repeat:") for key in old_ids(account) if key.startswith("repeat:")
    )


def test_a_queue_that_is_not_there_is_told(redis_url: str, take_over: TakeOver) -> None:
    """With the names of those that are."""
    from vomind_queue_bullmq.source import Source

    with redis.Redis.from_url(redis_url) as client:
        client.hset("bull:other:meta", "version", "bullmq:6.7.0")
    with pytest.raises(SourceUnusable, match="there are: other"):
        Source(redis_url, "outbound-calls", "bull").check()
