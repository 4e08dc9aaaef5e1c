"""What is read of the queue for people who look after it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from tests.integration.conftest import begin, new, place, taken
from tests.integration.placed_call import Line
from vomind_queue.calls.call import State
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.errors import JobNotFound
from vomind_queue.observability.last_hour import longest_ms
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.inspection import SLICE, Inspection
from vomind_queue.queue.lua_sources import whole
from vomind_queue.queue.worker_queue import WorkerQueue

GONE = Decision(
    result=AttemptResult.FAILED, reason="Twilio will not place this call: no (error 21211)."
)


@pytest.fixture
def inspection(client: redis.Redis) -> Inspection:
    """Looks at the queue."""
    return Inspection(RedisStore(client))


def test_starts_and_waiting_times_are_counted(
    queue: CallQueue, worker_queue: WorkerQueue, inspection: Inspection
) -> None:
    """Each start once, by the time that the call waited in its turn."""
    queue.add([new(1), new(2, "high")])
    time.sleep(0.1)
    for job_id in taken(worker_queue, 2):
        place(worker_queue, job_id)
    hour = inspection.hour()
    assert sum(minute.starts for minute in hour.minutes) == 2
    waited = hour.waited_ms(0.5)
    assert waited is not None
    assert 100 <= waited < 10_000


def test_outcomes_are_counted(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis, inspection: Inspection
) -> None:
    """By Twilio's last word, once; machines apart; and calls that Twilio did not take."""
    line = Line(queue, worker_queue, client)
    for sid, status, more in (
        ("CA1", "completed", {}),
        ("CA2", "completed", {"answered_by": "machine_start"}),
        ("CA3", "busy", {}),
    ):
        started = line.placed(sid)
        for _ in range(2):
            line.say(started, status, sid=sid, **more)
    worker_queue.finish(line.dial(), GONE)
    assert inspection.hour().outcomes == {"completed": 1, "machine": 1, "busy": 1, "not-placed": 1}


def test_the_numbers_of_a_minute_go_by_themselves(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis
) -> None:
    """An hour later they are not needed any more."""
    queue.add([new(1)])
    place(worker_queue, *taken(worker_queue))
    (minute,) = client.keys(f"{keys.MINUTE}*")
    assert 3_600_000 < client.pttl(minute) <= 3_900_000


def test_times_are_sorted_as_python_reads_them(client: redis.Redis) -> None:
    """A time lies within its half octave, and not within the one before."""
    text = '--- @include "totals"\nreturn half_octave(tonumber(ARGV[1]))'
    script = client.register_script(whole(text))
    for ms in (*range(40), 95, 96, 97, 767, 768, 1_000, 3_600_000, 86_400_000):
        octave = script(args=[ms])
        assert longest_ms(octave - 1) <= ms <= longest_ms(octave), ms


def test_a_waiting_call_knows_how_many_are_before_it(
    queue: CallQueue, inspection: Inspection
) -> None:
    """Those of higher priority, and those of the same that came first."""
    ids = queue.add([new(1, "low"), new(2), new(3, "high"), new(4)]).job_ids
    assert [inspection.place(job_id).ahead for job_id in ids] == [3, 1, 0, 2]
    assert inspection.place(ids[0]).state is State.WAITING


def test_a_delayed_call_knows_when(queue: CallQueue, inspection: Inspection) -> None:
    """On Redis's clock."""
    (job_id,) = queue.add([new(1, delay_ms=60_000)]).job_ids
    seen = inspection.place(job_id)
    assert seen.at_ms is not None
    assert seen.state is State.DELAYED
    assert 0 < seen.at_ms - seen.now_ms <= 60_000


def test_an_attempt_with_an_unknown_outcome_knows_when_it_is_looked_for(
    queue: CallQueue, worker_queue: WorkerQueue, inspection: Inspection
) -> None:
    """And one under way that it is."""
    queue.add([new(1)])
    started = begin(worker_queue, *taken(worker_queue))
    assert (inspection.place("1").marked, inspection.place("1").at_ms) == (True, None)
    worker_queue.finish(
        started, Decision(result=AttemptResult.UNKNOWN, reason="Silence.", wait_ms=500)
    )
    seen = inspection.place("1")
    assert (seen.state, seen.marked) == (State.ACTIVE, True)
    assert seen.at_ms is not None


def test_a_call_to_a_number_in_use_says_so(
    queue: CallQueue, worker_queue: WorkerQueue, inspection: Inspection
) -> None:
    """It stands back for the other one."""
    queue.add([new(1), new(1)])
    first, second = taken(worker_queue, 2)
    begin(worker_queue, first)
    worker_queue.start_dialing(second, "token")
    seen = inspection.place(second)
    assert (seen.state, seen.stood_back) == (State.DELAYED, 1)


def test_no_such_call(inspection: Inspection) -> None:
    """Nothing is told of it."""
    with pytest.raises(JobNotFound):
        inspection.place("7")


def test_failures_are_read_in_slices(
    queue: CallQueue, make_worker_queue: Callable[..., WorkerQueue], inspection: Inspection
) -> None:
    """All of them, the last one to fail first."""
    count = SLICE + 3
    ids = queue.add([new(number) for number in range(count - 3)]).job_ids
    ids = [*ids, *queue.add([new(number) for number in range(3)]).job_ids]
    worker_queue = make_worker_queue()
    for job_id in taken(worker_queue, count):
        worker_queue.finish(begin(worker_queue, job_id), GONE)
        worker_queue.release(job_id)
    found = list(inspection.failures())
    assert len(found) == len({job_id for job_id, _ in found}) == count
    assert {reason for _, reason in found} == {GONE.reason}
    assert inspection.cleanable(0)[State.FAILED] == count
    assert inspection.cleanable(60_000) == {State.COMPLETED: 0, State.FAILED: 0}


def test_any_change_of_a_call_makes_another_version(
    queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis, inspection: Inspection
) -> None:
    """A page that shows lists asks again only then."""
    before = inspection.hour().version
    line = Line(queue, worker_queue, client)
    line.placed()
    placed = inspection.hour().version
    assert placed != before
    assert inspection.hour().version == placed
