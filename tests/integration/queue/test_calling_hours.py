"""Hours are judged by the script that writes the dial marker, on Redis's clock."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.integration.conftest import QUICK, begin, new, run_out, taken
from vomind_queue.calls.call import Call, NewCall, Priority, State
from vomind_queue.calls.decisions import (
    AttemptResult,
    Decision,
    DialStarted,
    NotStarted,
    OpenHours,
)
from vomind_queue.calls.job import Held
from vomind_queue.calls.limits import Rate
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.inspection import Inspection
from vomind_queue.queue.lua_sources import whole
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.rules.caps import Cap, Event, History, parse
from vomind_queue.rules.closed_days import name_of
from vomind_queue.rules.hours import local_time
from vomind_queue.rules.judge import HORIZON_MS, Kind, Subject, judge
from vomind_queue.rules.law import Mode, Purpose, Why
from vomind_queue.rules.places import Place, places_of
from vomind_queue.rules.rulebook import Rulebook, rulebook
from vomind_queue.usecases.calling_rules import CallingRules

Judge = Callable[[Call, int, str, History, str], OpenHours]
MINUTE = 60_000
NEVER = OpenHours(intervals=(), why="unknown-zone", recheck_ms=MINUTE)


@pytest.fixture
def make_ruled(client: redis.Redis) -> Callable[..., WorkerQueue]:
    """Makes a worker whose calls are judged; ``make_ruled(judge, lease_ms=…)``."""

    def make(judge: Judge, **changes: object) -> WorkerQueue:
        protocol = Protocol(**{**QUICK, "lease_ms": 10_000, **changes})
        return WorkerQueue(RedisStore(client), secrets.token_hex(4), protocol, judge=judge)

    return make


def between(start_ms: int, end_ms: int) -> Judge:
    """Hours relative to the instant at which the call is judged."""
    return lambda _, now, *__: OpenHours(
        intervals=((now + start_ms, now + end_ms),), why="hours", recheck_ms=MINUTE
    )


def start(worker: WorkerQueue) -> DialStarted | NotStarted:
    """What becomes of the next call."""
    (job_id,) = taken(worker)
    return worker.start_dialing(job_id, secrets.token_urlsafe(4))


def test_a_call_outside_its_hours_is_held_until_they_begin(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """It says by what and until when; nothing else holds it up, and it rings then."""
    worker = make_ruled(between(2_000, MINUTE))
    queue.add([new(1)])
    assert start(worker) is NotStarted.HELD
    job = queue.job("1")
    assert job.state is State.DELAYED
    assert job.held == Held(by="hours", until_ms=job.next_attempt_ms)
    assert queue.stats().held == {"hours": 1}
    assert Inspection(RedisStore(client)).place("1").held == "hours"
    assert taken(worker) == []
    assert job.next_attempt_ms is not None
    time.sleep(max(job.next_attempt_ms + 50 - queue.now_ms(), 0) / 1_000)
    assert isinstance(start(make_ruled(between(-MINUTE, MINUTE))), DialStarted)
    assert queue.job("1").held is None
    assert queue.stats().held == {}


def test_hours_that_end_between_judge_and_marker_do_not_let_a_call_through(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue]
) -> None:
    """A tenth of a second before the marker they were open; it waits for the next ones."""

    def judged(_: Call, now: int, *__: object) -> OpenHours:
        time.sleep(0.1)
        intervals = ((now - MINUTE, now + 50), (now + 60 * MINUTE, now + 70 * MINUTE))
        return OpenHours(intervals=intervals, why="hours", recheck_ms=MINUTE)

    queue.add([new(1)])
    before = queue.now_ms()
    assert start(make_ruled(judged)) is NotStarted.HELD
    held = queue.job("1").held
    assert held is not None
    assert held.until_ms is not None
    assert 60 * MINUTE <= held.until_ms - before < 61 * MINUTE


def test_a_worker_that_knows_no_hours_starts_nothing(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """Whatever is wrong with the rules: no phone rings, it says why, and it heals by itself."""
    queue.add([NewCall(call=Call(to="+12125550100"))])
    broken = rulebook(Mode.LAW)
    broken = replace(broken, law=None)  # type: ignore[arg-type]
    before = queue.now_ms()
    assert (
        start(make_ruled(CallingRules(broken, ClosedDays(RedisStore(client))).open_hours))
        is NotStarted.HELD
    )
    job = queue.job("1")
    assert job.held == Held(by="rules-behind", until_ms=None)
    assert queue.stats().held == {"rules-behind": 1}
    assert job.next_attempt_ms is not None
    assert before + MINUTE <= job.next_attempt_ms <= queue.now_ms() + MINUTE
    run_out(client, keys.DELAYED)
    assert isinstance(start(make_ruled(between(-MINUTE, MINUTE))), DialStarted)
    assert queue.stats().held == {}


@pytest.mark.alone
def test_a_held_call_keeps_its_place_and_gives_its_start_back(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue]
) -> None:
    """The allowance is for calls that ring; who came first is first when the hours begin."""
    worker = make_ruled(between(1_000, MINUTE), rate=Rate(max_starts=2, window_ms=60_000))
    queue.add([new(number) for number in range(6)])
    for _ in range(6):
        assert start(worker) is NotStarted.HELD
    queue.add([new(7)])
    time.sleep(1.05)
    assert taken(worker) == ["1"]


def test_other_rules_wake_what_is_held(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """Once for each change, and nothing is lost of what was held."""
    worker = make_ruled(lambda *_: NEVER)
    queue.add([new(number) for number in range(1, 4)])
    for _ in range(3):
        assert start(worker) is NotStarted.HELD
    held = HeldCalls(RedisStore(client), "law")
    assert (held.pending, held.wake(), held.wake(), held.pending) == (True, 3, 0, False)
    assert queue.stats().held == {}
    assert taken(worker, 3) == ["1", "2", "3"]
    assert HeldCalls(RedisStore(client), "law").wake() == 0


def test_a_changed_call_is_judged_again_at_once(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue]
) -> None:
    """Its time zone was told: it need not wait for the day's end."""
    queue.add([new(1), new(2)])
    assert start(make_ruled(lambda *_: NEVER)) is NotStarted.HELD
    queue.change("1", lambda old: NewCall(call=replace(old, timezone="America/Chicago")))
    job = queue.job("1")
    assert (job.state, job.held, job.due_ms) == (State.WAITING, None, None)
    assert queue.stats().held == {}
    assert start(make_ruled(between(-MINUTE, MINUTE))).attempt.job_id == "1"  # type: ignore[union-attr]


def test_what_leaves_the_queue_is_held_no_more(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """Cancelled or forgotten: nothing of it is left."""
    queue.add([new(1), new(2)])
    worker = make_ruled(lambda *_: NEVER)
    for _ in range(2):
        assert start(worker) is NotStarted.HELD
    queue.cancel("1")
    Erasure(RedisStore(client)).forget(new(2).call.to)
    assert queue.stats().held == {}
    assert not client.exists(keys.HELD + "unknown-zone")


#: All of a place's clocks and days: two zones, states, a half hour, lunch, eves, no hours in law.
NUMBERS = (
    "+18125550100", "+13055550100", "+12085550100", "+15045550100", "+14015550100", "+390612345678",
    "+33612345678", "+498912345678", "+61412345678", "+5511912345678",
    "+914023456789",
)  # fmt: skip
QUARTER = 15 * MINUTE


@pytest.mark.timeout(1_200)
@pytest.mark.randomised
def test_judge_marker_and_a_look_at_the_clocks_agree(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue], client: redis.Redis, full: bool
) -> None:
    """Random people, purposes, starts and instants, moved to where Redis's clock is."""
    choose = random.Random(20261130)
    caps = parse("2/6h, 5/30d, 12h after a conversation")
    book = rulebook(Mode.LAW, own_caps=caps, unknown_zone="strictest")
    days = [1_798_761_600_000 + choose.randrange(0, 365) * 86_400_000 for _ in range(12)]
    seen: list[int] = []
    case: dict[str, Any] = {}

    def judged(_: Call, now: int, __: str, past: History, ___: str) -> OpenHours:
        moved = now - case["at"]
        there = History(
            starts=[each - moved for each in past.starts],
            conversations=[each - moved for each in past.conversations],
            refusals=[each - moved for each in past.refusals],
        )
        verdict = judge(case["subject"], case["at"], book, there)
        seen[:] = [moved, verdict.kind]
        capped = verdict.why is Why.CAP
        hours = verdict.hours if capped else verdict.hours[:2]
        return OpenHours(
            intervals=tuple((first + moved, last + moved) for first, last in hours),
            why=Why.HOURS if capped else verdict.why or Why.HOURS,
            recheck_ms=MINUTE,
            caps=[(cap.most, cap.window_ms, cap.event) for cap in verdict.caps],
        )

    worker = make_ruled(judged, lease_ms=60_000, starts_kept=book.starts_kept)
    (job_id,) = queue.add([new(1)]).job_ids
    for number in range(10_000 if full else 300):
        subject = Subject(
            places=places_of(choose.choice(NUMBERS)), purpose=choose.choice(list(Purpose))
        )
        # Not within a second of the end of anything.
        at = choose.choice(days) + choose.randrange(0, 1440) * MINUTE + 20_000
        span = choose.choice((8 * 60, 48 * 60, 29 * 1440))
        ago = {
            Event.START: choose.sample(range(1, span), choose.randrange(0, 7)),
            Event.CONVERSATION: choose.sample(range(1, 8 * 1440), choose.randrange(0, 2)),
            Event.REFUSAL: choose.sample(range(1, 62 * 1440), choose.choice((0, 0, 0, 1))),
        }
        case.update(subject=subject, at=at, ago=ago)
        forget(client)
        noted_at = queue.now_ms()
        for event, minutes in ago.items():
            note(client, event, [noted_at - each * MINUTE for each in minutes])
        past = {event: [at - each * MINUTE for each in ago[event]] for event in ago}
        expected = first_open(subject, at, book, past)
        assert taken(worker) == [job_id]
        started = worker.start_dialing(job_id, secrets.token_urlsafe(4))
        moved, kind = seen
        if expected == at:
            assert isinstance(started, DialStarted), case
            assert kind is Kind.GO
            worker.finish(started, Decision(result=AttemptResult.POSTPONED))
            worker.release(job_id)
            continue
        assert started is NotStarted.HELD, case
        assert kind is not Kind.GO
        until = queue.job(job_id).next_attempt_ms
        assert until is not None
        if expected is not None:
            # Starts were moved when they were noted, hours at the marker.
            assert 0 <= expected - (until - moved) <= moved + at - noted_at, case
        HeldCalls(RedisStore(client), str(number)).wake()


def forget(client: redis.Redis) -> None:
    """Nobody was ever called."""
    for key in client.scan_iter(f"{keys.STARTS}*"):
        client.delete(key)


def note(client: redis.Redis, event: Event, times: Sequence[int]) -> None:
    """Calls to the person of `new(1)` started then, or were answered; or the person refused."""
    kind = {Event.START: "", Event.CONVERSATION: "c", Event.REFUSAL: "r"}[event]
    lines = "for i = 3, #ARGV do note_time(person_of(ARGV[1]), ARGV[2], tonumber(ARGV[i]), 10) end"
    text = whole(f'--- @include "starts"\n{lines}\n')
    client.eval(text, 1, keys.ACTIVE, new(1).call.to, kind, *times)


def first_open(
    subject: Subject, at: int, book: Rulebook, past: Mapping[Event, Sequence[int]]
) -> int | None:
    """The first instant with room at which every place's clock shows open hours.

    All hours end with a quarter.
    """
    rules = {
        rule for place in subject.places.places for rule in book.rules_for(place, subject.purpose)
    }
    caps = [*book.own_caps, *(cap for rule in rules for cap in rule.caps)]
    frees = [each + cap.window_ms for cap in caps for each in past[cap.event]]
    quarters = range(at - at % QUARTER + QUARTER, at + HORIZON_MS + 61 * 86_400_000, QUARTER)
    places = subject.places.places
    return next(
        (
            instant
            for instant in sorted({at, *quarters, *(each for each in frees if each > at)})
            if all(has_room(cap, past[cap.event], instant) for cap in caps)
            and all(clock_is_open(place, subject.purpose, instant, book) for place in places)
        ),
        None,
    )


def has_room(cap: Cap, times: Sequence[int], instant: int) -> bool:
    """Whether a window that ends then has room for one more."""
    return sum(instant - cap.window_ms < each <= instant for each in times) < cap.most


def clock_is_open(place: Place, purpose: Purpose, instant: int, book: Rulebook) -> bool:
    """What a person would find with a clock, a calendar of holidays and the table."""
    clock = local_time(instant, place.zone)
    day, minute = clock.date(), clock.hour * 60 + clock.minute
    for rule in book.rules_for(place, purpose):
        days = rule.holidays
        if days and name_of(day, days, place.region):
            return False
        if rule.hours and not any(a <= minute < b for a, b in rule.hours.days[day.weekday()]):
            return False
        if days and days.eves and name_of(day + timedelta(days=1), days, place.region):
            first, last = days.eves
            if not first <= minute < last:
                return False
    return True


def test_the_digest_tells_rules_apart() -> None:
    """Also in another process: it hangs on no order of sets."""
    law = rulebook(Mode.LAW)
    assert law.digest == rulebook(Mode.LAW).digest
    others = {
        rulebook(Mode.OFF).digest,
        rulebook(Mode.COURTESY).digest,
        rulebook(Mode.LAW, unknown_zone="strictest").digest,
        rulebook(Mode.LAW, purpose=Purpose.DEBT).digest,
        rulebook(Mode.LAW, own_caps=parse("3/24h")).digest,
        rulebook(Mode.OFF, own_caps=parse("3/24h")).digest,
    }
    assert len(others | {law.digest}) == 7


def test_begun_calls_need_no_judge(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """Without rules the marker asks for nothing."""
    queue.add([new(1)])
    assert begin(worker_queue, *taken(worker_queue)).attempt.job_id == "1"


def test_a_held_call_that_an_older_process_let_go_is_in_one_place_only(
    queue: CallQueue, make_ruled: Callable[..., WorkerQueue], client: redis.Redis
) -> None:
    """It knows no rules, and leaves behind that one holds the call: that must not count."""
    queue.add([new(1), new(2)])
    for _ in range(2):
        assert start(make_ruled(lambda *_: NEVER)) is NotStarted.HELD
    # The first was due by then, the second was given another time.
    client.zrem(keys.DELAYED, keys.member("1"))
    client.hset(keys.job("1"), "state", "waiting")
    client.zadd(f"{keys.WAITING}2", {keys.member("1"): 1})
    client.zadd(keys.DELAYED, {keys.member("2"): queue.now_ms() + 60 * MINUTE})
    for job_id in ("1", "2"):
        queue.change(job_id, lambda old: NewCall(call=replace(old, priority=Priority.HIGH)))
    ranks = [client.zrange(f"{keys.WAITING}{rank}", 0, -1) for rank in (1, 2, 3)]
    assert ranks == [[keys.member("1")], [], []]
    assert client.zrange(keys.DELAYED, 0, -1) == [keys.member("2")]
