"""From a script's change of a call to its line in the log, over a real server."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.call_log.whole import everything
from tests.integration.conftest import new, place, placed, taken
from tests.log_judge import faults
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.call_log.models import Batch, DeadLetter, Search
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.errors import JobNotFound, LogUnavailable, QueueError
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.lua_sources import whole
from vomind_queue.queue.outbox import Outbox
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.outbox_relay import OutboxRelay


class Unsteady(SqliteLog):
    """A log that now and then is away, before or after it has taken something."""

    def __init__(self, log_path: Path, rng: random.Random) -> None:
        super().__init__(log_path)
        self._rng = rng

    def write(self, batch: Batch) -> Sequence[DeadLetter]:
        """Fails twice in five."""
        chance = self._rng.random()
        if chance < 0.2:
            raise LogUnavailable("away")
        done = super().write(batch)
        if chance < 0.4:
            raise LogUnavailable("its answer was lost")
        return done


def story(log_path: Path, job_id: str) -> list[str]:
    """Names of a call's events, in order."""
    found = SqliteLog(log_path).call(job_id)
    assert found is not None
    return [event.event for event in found[1]]


def pending(client: redis.Redis) -> int:
    """Entries in the outbox."""
    return int(client.xlen(keys.OUTBOX_DETAILS)) + int(client.xlen(keys.OUTBOX_FINALS))


def test_a_call_is_logged_from_its_acceptance_to_its_end(
    queue: CallQueue, worker_queue: WorkerQueue, ship: Callable[[], None], log_path: Path
) -> None:
    """One row as the API shows the call, and each change with its attempt and SID."""
    receipt = queue.add([new(1, "high")])
    place(worker_queue, *taken(worker_queue))
    ship()
    found = SqliteLog(log_path).call("1")
    assert found is not None
    row, events = found
    assert (row.state, row.call_sid, row.attempts, row.priority) == ("completed", "CA1", 1, "high")
    assert row.queued_ms == receipt.accepted_ms
    assert [event.event for event in events] == ["accepted", "taken", "started", "completed"]
    last = events[-1]
    assert (last.attempt, last.call_sid, last.call_status) == (1, "CA1", "queued")
    assert (last.from_number, last.to_number) == ("+15005550006", "+15550000001")


def test_a_bulk_of_ten_thousand_is_one_entry(
    queue: CallQueue, client: redis.Redis, ship: Callable[[], None], log_path: Path
) -> None:
    """It costs nothing to speak of, and every call of it is logged."""
    queue.add([new(index) for index in range(10_000)])
    assert pending(client) == 1
    assert client.memory_usage(keys.OUTBOX_DETAILS) < 5_000
    ship()
    rows, events = everything(log_path)
    assert len(rows) == len(events) == 10_000
    assert pending(client) == 0


def test_calls_of_one_request_share_an_entry(queue: CallQueue, client: redis.Redis) -> None:
    """A list of three hundred is one entry, those for later included."""
    queue.add([new(index, delay_ms=(index % 2) * 60_000) for index in range(300)])
    assert pending(client) == 1


def test_a_cancelled_call_is_logged_though_its_record_is_gone(
    queue: CallQueue, client: redis.Redis, ship: Callable[[], None], log_path: Path
) -> None:
    """The record is kept aside until the log has it, and no longer."""
    queue.add([new(1)])
    queue.cancel("1")
    with pytest.raises(JobNotFound):
        queue.job("1")
    assert client.exists(keys.GONE + "1")
    ship()
    assert story(log_path, "1") == ["accepted", "cancelled"]
    assert [row.state for row in SqliteLog(log_path).find(Search())] == ["cancelled"]
    assert list(client.scan_iter("*gone*")) == []


def test_history_that_is_cleaned_before_it_was_delivered_is_logged_all_the_same(
    queue: CallQueue,
    worker_queue: WorkerQueue,
    client: redis.Redis,
    ship: Callable[[], None],
    log_path: Path,
) -> None:
    """A call that the log has already is simply removed."""
    queue.add([new(1), new(2)])
    place(worker_queue, *taken(worker_queue))
    ship()
    place(worker_queue, *taken(worker_queue))
    assert queue.clean(0, 10).completed == ["1", "2"]
    assert client.exists(keys.GONE + "1", keys.GONE + "2") == 1
    ship()
    assert [row.state for row in SqliteLog(log_path).find(Search())] == ["completed"] * 2
    assert list(client.scan_iter("*gone*")) == []


def test_no_history_kept_at_all_is_logged_all_the_same(
    queue: CallQueue,
    make_worker_queue: Callable[..., WorkerQueue],
    ship: Callable[[], None],
    log_path: Path,
) -> None:
    """With room for no completed call, its end removes it in the same script."""
    from vomind_queue.calls.limits import Retention

    worker_queue = make_worker_queue(keep_completed=Retention(age_ms=1_000, count=0))
    queue.add([new(1)])
    place(worker_queue, *taken(worker_queue))
    ship()
    assert story(log_path, "1")[-1] == "completed"


def test_an_id_given_out_again_is_another_call(
    queue: CallQueue, ship: Callable[[], None], log_path: Path, client: redis.Redis
) -> None:
    """As when a server lost its data: the log keeps both, and what it had is not overwritten."""
    queue.add([new(1)])
    ship()
    client.flushall()
    queue.add([new(2)])
    ship()
    rows = SqliteLog(log_path).find(Search(job_id="1"))
    assert [row.to_number for row in rows] == ["+15550000002", "+15550000001"]
    found = SqliteLog(log_path).call("1")
    assert found is not None
    assert [event.to_number for event in found[1]] == ["+15550000002"]


def test_an_older_row_never_overwrites_a_newer_one(
    queue: CallQueue, client: redis.Redis, worker_queue: WorkerQueue, log_path: Path
) -> None:
    """A shipper that was stopped in the middle of a delivery and goes on much later."""
    outbox = Outbox(RedisStore(client), "one", None)
    log = SqliteLog(log_path)
    queue.add([new(1)])
    entries = outbox.read()
    assert entries is not None
    stale = [batch for batch, _ in outbox.batches(entries)]
    place(worker_queue, *taken(worker_queue))
    OutboxRelay(outbox, log, None).step()
    for batch in stale:
        log.write(batch)
    assert [row.state for row in log.find(Search())] == ["completed"]
    assert story(log_path, "1") == ["accepted", "taken", "started", "completed"]


def test_one_shipper_leads(client: redis.Redis, queue: CallQueue) -> None:
    """The other one waits until the first has stopped or was not heard of."""
    first, second = (Outbox(RedisStore(client), name, None) for name in ("one", "two"))
    queue.add([new(1)])
    assert first.read()
    assert second.read() is None
    second.release_leadership()
    assert second.read() is None
    first.release_leadership()
    assert second.read()


def test_beyond_its_bound_details_go_before_final_states(
    client: redis.Redis, make_worker_queue: Callable[..., WorkerQueue], log_path: Path
) -> None:
    """The oldest first, each counted; every call's end is logged."""
    store = RedisStore(client, 150)
    queue, worker_queue = (
        CallQueue(store, None),
        WorkerQueue(store, "w", make_worker_queue().protocol),
    )
    for index in range(100):
        queue.add([new(index)])
        place(worker_queue, *taken(worker_queue))
    left = pending(client)
    # It is looked now and then only.
    assert 150 <= left < 158
    assert queue.stats().outbox.lost == {"details": 400 - left}
    shipping = OutboxRelay(Outbox(store, "one", None), SqliteLog(log_path), None)
    while shipping.step():
        pass
    rows, events = everything(log_path)
    assert [row.state for row in rows] == ["completed"] * 100
    assert len(events) == left
    assert sum(event.event == "completed" for event in events) == 100


def test_beyond_its_bound_even_final_states_go_and_are_counted(
    client: redis.Redis, make_worker_queue: Callable[..., WorkerQueue]
) -> None:
    """Redis must not fill up for the sake of the log; nor with records kept aside for it."""
    store = RedisStore(client, 100)
    queue = CallQueue(store, None)
    for index in range(130):
        queue.add([new(index)])
        queue.cancel(str(index + 1))
    left = pending(client)
    assert 100 <= left < 108
    lost = dict(queue.stats().outbox.lost)
    assert lost.pop("records") == 30
    assert lost["details"] >= 128
    assert sum(lost.values()) == 260 - left
    assert len(list(client.scan_iter(keys.GONE + "*"))) == 100


def test_stats_tell_how_far_the_log_is_behind(
    queue: CallQueue, client: redis.Redis, ship: Callable[[], None]
) -> None:
    """Entries and their age while nobody delivers them; nothing once it is done."""
    queue.add([new(1)])
    before = queue.stats().outbox
    assert (before.pending, before.shipper_active, before.dead) == (1, False, 0)
    ship()
    after = queue.stats().outbox
    assert (after.pending, after.behind_ms, after.shipper_active) == (0, 0, True)


def test_an_event_of_another_room_is_logged_by_one_line_of_lua(
    queue: CallQueue,
    worker_queue: WorkerQueue,
    client: redis.Redis,
    ship: Callable[[], None],
    log_path: Path,
) -> None:
    """What Twilio says of a call on the line, with all its columns."""
    queue.add([new(1)])
    place(worker_queue, *taken(worker_queue))
    fields = {"sid": "CA1", "status": "busy", "duration": "7", "attempt": 1, "seq": 3, "sip": "486"}
    lua = ", ".join(f"{name} = {json.dumps(value)}" for name, value in fields.items())
    includes = '--- @include "job"\n--- @include "log"\n'
    change = "redis.call('HSET', job_key('1'), 'status', 'busy')"
    client.eval(whole(f"{includes}{change} log_event('1', 'line_ended', {{ {lua} }})"), 0)
    ship()
    found = SqliteLog(log_path).call("1")
    assert found is not None
    row, event = found[0], found[1][-1]
    assert (row.state, row.outcome) == ("completed", "busy")
    assert (event.event, event.call_sid, event.call_status) == ("line_ended", "CA1", "busy")
    assert (event.duration, event.attempt) == (7, 1)
    assert event.details == {"seq": 3, "sip": "486"}


class Walk:
    """Calls that go through everything, by the choice of a seed."""

    def __init__(
        self, queue: CallQueue, worker_queues: Sequence[WorkerQueue], rng: random.Random
    ) -> None:
        self.queue, self.worker_queues, self.rng = queue, worker_queues, rng
        self.ids: list[str] = []
        self.removed: dict[str, str] = {}
        self.held: list[tuple[WorkerQueue, str, DialStarted | None]] = []
        self.numbers = iter(range(10_000_000))

    def step(self) -> None:
        """Something happens."""
        deeds = (self.add, self.take, self.take, self.go_on, self.go_on, self.go_on, self.meddle)
        self.rng.choice(deeds)()

    def add(self) -> None:
        """One call, or some."""
        count = self.rng.choice((1, 1, 1, 3, 20, 20, 20, 600))
        delay = self.rng.choice(({}, {}, {"delay_ms": 1}, {"delay_ms": 40}))
        news = [
            new(next(self.numbers), self.rng.choice(("high", "low")), **delay) for _ in range(count)
        ]
        self.ids += self.queue.add(news).job_ids

    def take(self) -> None:
        """A worker takes what it may."""
        worker_queue = self.rng.choice(self.worker_queues)
        self.held += [
            (worker_queue, call.job_id, None) for call in worker_queue.claim(5, "123").calls
        ]

    def go_on(self) -> None:
        """A call that is held goes one step further, or its worker dies."""
        if not self.held:
            return
        worker_queue, job_id, started = self.held.pop(self.rng.randrange(len(self.held)))
        if started is None:
            token = f"t{self.rng.getrandbits(60):x}"
            answer = self.rng.choice(
                (worker_queue.start_dialing, worker_queue.start_dialing, self._lose)
            )(job_id, token)
            if isinstance(answer, DialStarted):
                self.held.append((worker_queue, job_id, answer))
            return
        self.end(worker_queue, job_id, started)

    def _lose(self, job_id: str, _token: str) -> None:
        for worker_queue in self.worker_queues:
            if lease := worker_queue.leases.token(job_id):
                worker_queue.give_back(job_id, lease)

    def end(self, worker_queue: WorkerQueue, job_id: str, started: DialStarted) -> None:
        """An outcome is written."""
        decision = self.rng.choice(
            (
                placed(f"CA{job_id}x{started.attempt.number}"),
                Decision(result=AttemptResult.FAILED, reason="no such number"),
                Decision(result=AttemptResult.AGAIN, reason="busy there", wait_ms=5),
                Decision(result=AttemptResult.UNKNOWN, reason="timed out", wait_ms=1),
                Decision(result=AttemptResult.POSTPONED, wait_ms=0),
                Decision(result=AttemptResult.POSTPONED, wait_ms=3),
            )
        )
        deferred = self.rng.random() < 0.5
        worker_queue.finish(started, decision, deferred=deferred)
        if decision.result is AttemptResult.AGAIN and deferred:
            worker_queue.defer(job_id, 0)
        if decision.result is AttemptResult.UNKNOWN:
            self.held += [
                (worker_queue, unknown.started.attempt.job_id, unknown.started)
                for unknown in worker_queue.due_reconciliations(5)
            ]

    def meddle(self) -> None:
        """Somebody cancels, retries, cleans."""
        for job_id in self.rng.sample(self.ids, min(5, len(self.ids))):
            try:
                if self.rng.random() < 0.5:
                    self.removed[job_id] = self.queue.cancel(job_id).value
                else:
                    self.queue.retry(job_id)
            except QueueError:
                continue
        if self.rng.random() < 0.2:
            cleaned = self.queue.clean(0, 5)
            self.removed |= dict.fromkeys(cleaned.completed, "completed")
            self.removed |= dict.fromkeys(cleaned.failed, "failed")


# Seeds that draw few bulks of 600 calls: with many of them a walk takes ten times as long.
@pytest.mark.parametrize("seed", [0, 2, 3])
def test_whatever_happens_the_log_is_as_the_api_and_without_a_gap(
    queue: CallQueue,
    make_worker_queue: Callable[..., WorkerQueue],
    client: redis.Redis,
    log_path: Path,
    seed: int,
) -> None:
    """Calls go every way there is, while two shippers deliver to a log that comes and goes."""
    rng = random.Random(seed)
    walk = Walk(queue, [make_worker_queue(lease_ms=40) for _ in range(2)], rng)
    shippers = [
        OutboxRelay(Outbox(RedisStore(client), name, None), Unsteady(log_path, rng), None)
        for name in "ab"
    ]
    for _ in range(250):
        walk.step()
        if rng.random() < 0.2:
            _try(rng.choice(shippers))
        if rng.random() < 0.05:
            client.delete(keys.OUTBOX_LEADER)
    steady = OutboxRelay(Outbox(RedisStore(client), "c", None), SqliteLog(log_path), None)
    client.delete(keys.OUTBOX_LEADER)
    while steady.step():
        pass
    rows, events = everything(log_path)
    jobs = dict(_jobs(queue, walk.ids))
    assert set(walk.ids) == set(jobs) | set(walk.removed)
    assert len(rows) == len(walk.ids)
    assert faults(jobs, rows, events, walk.removed) == []
    assert list(client.scan_iter("*gone*")) == []


def _try(shipping: OutboxRelay) -> None:
    try:
        shipping.step()
    except LogUnavailable:
        return


def _jobs(queue: CallQueue, ids: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for job_id in ids:
        try:
            yield job_id, job_serializer.job(queue.job(job_id))
        except JobNotFound:
            continue
