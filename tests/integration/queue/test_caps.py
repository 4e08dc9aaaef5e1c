"""How often a person is called is counted and judged by the script that writes the dial marker."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import redis

from tests.integration.conftest import QUICK, begin, new, place, placed, taken
from tests.integration.placed_call import Line
from vomind_queue.calls.attempts import Kind
from vomind_queue.calls.call import Call, NewCall, State
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted, NotStarted
from vomind_queue.calls.job import Held
from vomind_queue.calls.limits import Rate
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.lua_sources import whole
from vomind_queue.queue.person_history import PersonHistory
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.rules.caps import parse
from vomind_queue.rules.law import Mode, rows
from vomind_queue.rules.rulebook import Rulebook, rulebook
from vomind_queue.usecases.calling_rules import CallingRules

HOUR = 3_600_000
DAY = 24 * HOUR
PERSON, DEBTOR = "+15550000001", "+12125550100"

MakeCapped = Callable[..., WorkerQueue]


@pytest.fixture
def make_capped(client: redis.Redis) -> MakeCapped:
    """Makes a worker that keeps to caps; ``make_capped("3/24h", rate=…)``."""

    def make(caps: str, **changes: object) -> WorkerQueue:
        book = rulebook(Mode.OFF, own_caps=parse(caps))
        protocol = Protocol(
            **{
                **QUICK,
                "lease_ms": 10_000,
                "starts_kept": book.starts_kept,
                "talks_kept": 10,
                **changes,
            }
        )
        rules = CallingRules(book, ClosedDays(RedisStore(client)))
        return WorkerQueue(
            RedisStore(client), secrets.token_hex(4), protocol, judge=rules.open_hours
        )

    return make


@pytest.fixture
def make_lawful(client: redis.Redis) -> MakeCapped:
    """Makes a worker that keeps to the caps of law, at any hour."""

    def make() -> WorkerQueue:
        law = tuple(replace(rule, hours=None, holidays=None) for rule in rows())
        book = Rulebook(mode=Mode.LAW, law=law)
        kept = {"starts_kept": book.starts_kept, "talks_kept": book.starts_kept}
        protocol = Protocol(**{**QUICK, "lease_ms": 10_000, "number_gap_ms": 0, **kept})
        rules = CallingRules(book, ClosedDays(RedisStore(client)))
        return WorkerQueue(
            RedisStore(client), secrets.token_hex(4), protocol, judge=rules.open_hours
        )

    return make


@pytest.fixture
def starts(client: redis.Redis) -> Callable[[], Sequence[int]]:
    """When calls to the person started."""
    return lambda: list(PersonHistory(RedisStore(client)).of(PERSON).starts)


def call(**fields: object) -> NewCall:
    """One more call to the same person."""
    return NewCall(call=replace(Call(to=PERSON), **fields))  # type: ignore[arg-type]


def ended(queue: CallQueue, worker: WorkerQueue, client: redis.Redis) -> str:
    """Places a call to the person, whose line is free again."""
    (job_id,) = queue.add([call()]).job_ids
    assert taken(worker) == [job_id]
    place(worker, job_id)
    client.hdel(keys.DIALING, PERSON)
    return job_id


def test_the_call_after_the_last_one_allowed_waits_for_the_first_to_leave_the_window(
    queue: CallQueue, make_capped: MakeCapped, client: redis.Redis, starts: Callable[[], list[int]]
) -> None:
    """It is delayed, says so, and lets others pass."""
    worker = make_capped("3/24h", rate=Rate(max_starts=4, window_ms=60_000))
    for _ in range(3):
        ended(queue, worker, client)
    assert len(starts()) == 3
    queue.add([call(), new(2)])
    (job_id,) = taken(worker)
    assert worker.start_dialing(job_id, "token") is NotStarted.HELD
    job = queue.job(job_id)
    assert job.held == Held(by="cap", until_ms=starts()[0] + DAY)
    assert (job.state, job.next_attempt_ms) == (State.DELAYED, starts()[0] + DAY)
    assert queue.stats().held == {"cap": 1}
    # Its place in the window of the rate, and its number, are another one's.
    assert not client.hexists(keys.DIALING, PERSON)
    place(worker, *taken(worker))


def test_both_caps_hold(queue: CallQueue, make_capped: MakeCapped, client: redis.Redis) -> None:
    """The one that has room last decides."""
    worker = make_capped("2/24h, 1/1h, 50/30d")
    ended(queue, worker, client)
    (job_id,) = queue.add([call()]).job_ids
    taken(worker)
    assert worker.start_dialing(job_id, "token") is NotStarted.HELD
    held = queue.job(job_id).held
    first = PersonHistory(RedisStore(client)).of(PERSON).starts[0]
    assert held == Held(by="cap", until_ms=first + HOUR)


def test_a_start_that_rang_nobody_is_taken_back_and_one_in_doubt_counts(
    queue: CallQueue, make_capped: MakeCapped, starts: Callable[[], list[int]]
) -> None:
    """By the script that settles it; what is looked up in vain stays in doubt."""
    worker = make_capped("9/24h")
    refused = Decision(result=AttemptResult.AGAIN, kind=Kind.REFUSED, refused=True)
    permanent = Decision(result=AttemptResult.FAILED, kind=Kind.PERMANENT, reason="No.")
    unsent = Decision(result=AttemptResult.POSTPONED, kind=Kind.UNSENT)
    account = Decision(result=AttemptResult.ACCOUNT, kind=Kind.ACCOUNT, reason="Login.")
    for decision in (refused, permanent, unsent, account):
        queue.add([call()])
        started = begin(worker, *taken(worker))
        assert len(starts()) == 1
        worker.finish(started, decision)
        worker.release(started.attempt.job_id)
        assert starts() == [], decision
        queue.resume()
        if queue.job(started.attempt.job_id).state in (State.WAITING, State.DELAYED):
            queue.cancel(started.attempt.job_id)
    queue.add([call()])
    started = begin(worker, *taken(worker))
    unknown = Decision(result=AttemptResult.UNKNOWN, kind=Kind.UNKNOWN)
    worker.finish(started, unknown)
    worker.finish(started, Decision(result=AttemptResult.AGAIN, reason="Not on the list."))
    assert starts() == [started.attempt.marked_ms]


def test_a_ring_after_a_refusal_counts_after_all(
    queue: CallQueue, make_capped: MakeCapped, client: redis.Redis, starts: Callable[[], list[int]]
) -> None:
    """Twilio reports a call that it had refused: the phone does ring."""
    worker = make_capped("9/24h")
    line = Line(queue, worker, client)
    queue.add([call()])
    started = begin(worker, *taken(worker))
    worker.finish(started, Decision(result=AttemptResult.AGAIN, kind=Kind.REFUSED))
    worker.release(started.attempt.job_id)
    assert starts() == []
    assert line.say(started, "ringing", sequence=1).moved
    assert starts() == [started.attempt.marked_ms]


def test_a_worker_that_dies_between_marker_and_answer_is_counted_once(
    queue: CallQueue, make_capped: MakeCapped, client: redis.Redis, starts: Callable[[], list[int]]
) -> None:
    """The start stands with the marker; a repeated command and the rescue add nothing."""
    worker = make_capped("2/24h")
    (job_id,) = queue.add([call()]).job_ids
    taken(worker)
    for _ in range(2):
        assert isinstance(worker.start_dialing(job_id, "token"), DialStarted)
    assert len(starts()) == 1
    # Its lease runs out.
    client.zadd(keys.LEASES, {keys.member(job_id): 1})
    other = make_capped("2/24h")
    assert taken(other) == []
    (unknown,) = other.due_reconciliations(1)
    other.finish(unknown.started, placed("CA1"))
    assert len(starts()) == 1


def test_both_numbers_of_a_mexican_mobile_are_one_person(
    queue: CallQueue, make_capped: MakeCapped, client: redis.Redis
) -> None:
    """With and without the digit that networks do not need."""
    worker = make_capped("1/24h")
    queue.add([NewCall(call=Call(to="+525512345678")), NewCall(call=Call(to="+5215512345678"))])
    place(worker, *taken(worker))
    (job_id,) = taken(worker)
    assert worker.start_dialing(job_id, "token") is NotStarted.HELD
    for number in ("+525512345678", "+5215512345678"):
        assert len(PersonHistory(RedisStore(client)).of(number).starts) == 1


def debt() -> NewCall:
    """A call to a person of the United States about a debt."""
    return NewCall(call=Call(to=DEBTOR, purpose="debt"))


def test_after_a_conversation_about_a_debt_the_person_is_left_alone_for_a_week(
    queue: CallQueue, make_lawful: MakeCapped, client: redis.Redis
) -> None:
    """From its end; other calls may be made, and a machine or a busy line is no conversation."""
    worker, history = make_lawful(), PersonHistory(RedisStore(client))
    line = Line(queue, worker, client)
    for answered_by, status in (("machine_start", "completed"), (None, "busy")):
        queue.add([debt()])
        line.took(started := line.again(), sid := secrets.token_hex(4))
        line.say(started, status, sid=sid, answered_by=answered_by)
        assert history.of(DEBTOR).conversations == ()
    queue.add([debt()])
    line.took(started := line.again(), "CA3")
    line.say(started, "in-progress", sid="CA3", sequence=1)
    (answered_at,) = history.of(DEBTOR).conversations
    line.say(started, "completed", sid="CA3", sequence=2)
    (talked_at,) = history.of(DEBTOR).conversations
    assert answered_at <= talked_at
    queue.add([debt(), NewCall(call=Call(to=DEBTOR, purpose="informational"))])
    (held,) = taken(worker)
    assert worker.start_dialing(held, "token") is NotStarted.HELD
    assert queue.job(held).held == Held(by="cap", until_ms=talked_at + 7 * DAY)
    place(worker, *taken(worker))


def test_a_machine_that_is_found_out_late_was_no_conversation(
    queue: CallQueue, make_lawful: MakeCapped, client: redis.Redis
) -> None:
    """What was noted of that call is taken back, and the conversation before it stands."""
    worker, history = make_lawful(), PersonHistory(RedisStore(client))
    line = Line(queue, worker, client)
    queue.add([debt()])
    line.took(started := line.again(), "CA1")
    line.say(started, "completed", sid="CA1")
    before = history.of(DEBTOR).conversations
    queue.add([NewCall(call=Call(to=DEBTOR, purpose="informational"))])
    line.took(started := line.again(), "CA2")
    line.say(started, "completed", sid="CA2")
    assert len(history.of(DEBTOR).conversations) == 2
    line.say(started, sid="CA2", answered_by="machine_end_beep")
    assert history.of(DEBTOR).conversations == before


def test_a_conversation_that_ends_between_claim_and_marker_counts(
    queue: CallQueue, make_lawful: MakeCapped, client: redis.Redis
) -> None:
    """The script that writes the marker looks, and not the claim."""
    worker = make_lawful()
    line = Line(queue, worker, client)
    queue.add([debt(), debt()])
    line.took(started := line.again(), "CA1")
    (claimed,) = taken(worker)
    line.say(started, "completed", sid="CA1")
    assert worker.start_dialing(claimed, "token") is NotStarted.HELD
    held = queue.job(claimed).held
    assert held is not None
    assert held.by == "cap"


def test_after_a_refusal_a_person_in_france_is_left_alone_until_it_is_taken_back(
    queue: CallQueue, make_lawful: MakeCapped, client: redis.Redis
) -> None:
    """Sixty whole days; a time of long ago and one to come are refused."""
    worker, history = make_lawful(), PersonHistory(RedisStore(client))
    number, now = "+33612345678", queue.now_ms()
    assert not history.refuse(number, now + DAY)
    assert not history.refuse(number, now - 90 * DAY)
    for _ in range(2):
        assert history.refuse(number, now - 55 * DAY)
    assert history.of(number).refusals == (now - 55 * DAY,)
    queue.add([NewCall(call=Call(to=number)), NewCall(call=Call(to=number, purpose="debt"))])
    (job_id,) = taken(worker)
    assert worker.start_dialing(job_id, "token") is NotStarted.HELD
    assert queue.job(job_id).held == Held(by="cap", until_ms=now + 6 * DAY)
    place(worker, *taken(worker))
    assert history.withdraw(number)
    assert not history.withdraw(number)


def test_a_refusal_by_a_clock_that_is_a_little_ahead_counts_from_now(
    client: redis.Redis, queue: CallQueue
) -> None:
    """It would be lost otherwise, and the person called again."""
    history = PersonHistory(RedisStore(client))
    assert not history.refuse(PERSON, queue.now_ms() + HOUR)
    assert history.refuse(PERSON, queue.now_ms() + 30_000)
    (refused,) = history.of(PERSON).refusals
    # The server's own clock: `now_ms` lags behind it by up to a round trip.
    seconds, micros = client.time()
    assert refused <= seconds * 1_000 + micros // 1_000


def test_who_is_erased_was_never_called(
    queue: CallQueue, make_capped: MakeCapped, client: redis.Redis, starts: Callable[[], list[int]]
) -> None:
    """Also where the call is being placed just then."""
    worker = make_capped("1/24h")
    ended(queue, worker, client)
    Erasure(RedisStore(client)).forget(PERSON)
    assert starts() == []
    queue.add([call()])
    started = begin(worker, *taken(worker))
    Erasure(RedisStore(client)).forget(PERSON)
    worker.finish(started, placed("CA2"))
    assert starts() == []
    assert not list(client.scan_iter(f"{keys.STARTS}*"))


def test_without_caps_nothing_is_counted(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """It costs nothing then."""
    queue.add([call()])
    place(worker_queue, *taken(worker_queue))
    assert not list(client.scan_iter(f"{keys.STARTS}*"))


def test_a_hundred_thousand_people_take_less_than_4_mb(client: redis.Redis) -> None:
    """Their starts share hashes, which expire once nothing in them counts."""
    people, part = 100_000, 5_000
    lines = """
    for person = ARGV[1], ARGV[2] do
        local number = string.format('+1%010d', (person * 7919) % 10000000000)
        note_time(number, START, tonumber(ARGV[3]) - person, 10)
    end
    """
    script = whole(f'--- @include "starts"\n{lines}')
    before = client.info("memory")["used_memory"]
    now = int(client.time()[0]) * 1000
    for first in range(0, people, part):
        client.eval(script, 1, keys.ACTIVE, first, first + part - 1, now)
    used = client.info("memory")["used_memory"] - before
    print(f"{used / people:.1f} bytes a person")
    assert used < 4_000_000
    for key in client.scan_iter(f"{keys.STARTS}*", count=1_000):
        assert 30 * DAY <= client.pttl(key) + people <= 40 * DAY + people
