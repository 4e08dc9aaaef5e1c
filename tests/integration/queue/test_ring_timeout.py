"""How long a phone may ring, and how long its call is then waited for, on a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.integration.conftest import QUICK, begin, run_out
from tests.integration.placed_call import HOUR_MS, Line, accepted
from vomind_queue.calls.attempts import DialerUnavailable, Search
from vomind_queue.calls.decisions import AttemptResult, Decision, UnknownOutcome
from vomind_queue.calls.job import Job
from vomind_queue.calls.retry import RetryPolicy
from vomind_queue.calls.ring_timeout import MOST_RING_MS, USUAL_RING_MS
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.reconcile import Reconciliation
from vomind_queue.usecases.record_outcome import OutcomeRecorder

#: By how much the longest ring is longer than usual, ms.
LONGER_MS = MOST_RING_MS - USUAL_RING_MS
HORIZON_MS = QUICK["unknown_outcome_horizon_ms"]
MakeWorkerQueue = Callable[..., WorkerQueue]


@pytest.fixture
def line(queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis) -> Line:
    """A line at a worker whose phones ring as usual."""
    return Line(queue, worker_queue, client)


def unknown(worker_queue: WorkerQueue) -> UnknownOutcome:
    """The one attempt with an unknown outcome that is due."""
    (found,) = worker_queue.due_reconciliations(5)
    return found


def give_no_answer(line: Line, **fields: object) -> Job:
    """Twilio gave no clear answer to an attempt at a call."""
    line.worker_queue.finish(line.dial(**fields), Decision(result=AttemptResult.UNKNOWN))
    return line.job()


def waited_for_ms(job: Job) -> int:
    """How long after its start an attempt is reconciled at the latest, ms."""
    assert job.reconciled_by_ms is not None
    assert job.started_ms is not None
    return job.reconciled_by_ms - job.started_ms


def test_a_call_says_how_long_it_rings_and_else_the_setting_does(
    queue: CallQueue, make_worker_queue: MakeWorkerQueue, client: redis.Redis
) -> None:
    """What the attempt is made with; data and metadata of another kind do not count."""
    settings = make_worker_queue(ring_timeout_ms=45_000)
    line = Line(queue, settings, client)
    assert line.dial(message='"ringTimeoutMs":5').attempt.ring_ms == 45_000
    client.flushdb()
    assert line.dial(metadata={"ringTimeoutMs": 7}).attempt.ring_ms == 45_000
    client.flushdb()
    assert line.dial(ring_timeout_ms=5_000).attempt.ring_ms == 5_000


def test_a_longer_ring_is_waited_for(line: Line) -> None:
    """An unknown outcome is looked up for so much longer."""
    job = give_no_answer(line, ring_timeout_ms=MOST_RING_MS)
    assert waited_for_ms(job) == HORIZON_MS + LONGER_MS
    assert unknown(line.worker_queue).started.attempt.ring_ms == MOST_RING_MS


def test_a_shorter_ring_shortens_nothing(line: Line) -> None:
    """Requests linger and lists lag as long as ever."""
    assert waited_for_ms(give_no_answer(line, ring_timeout_ms=5_000)) == HORIZON_MS


def test_a_changed_setting_does_not_cut_an_older_attempt_short(
    queue: CallQueue, make_worker_queue: MakeWorkerQueue, client: redis.Redis
) -> None:
    """The worker restarts with a shorter ring; its attempt is waited for as it was made.

    The next attempt is made with the setting that is in force then.
    """
    before = make_worker_queue(ring_timeout_ms=MOST_RING_MS)
    after = make_worker_queue(ring_timeout_ms=USUAL_RING_MS)
    line = Line(queue, before, client)
    line.dial()
    run_out(client)
    after.claim(1, "123")
    found = unknown(after)
    assert found.started.attempt.ring_ms == MOST_RING_MS
    after.finish(found.started, Decision(result=AttemptResult.UNKNOWN))
    assert waited_for_ms(line.job()) == HORIZON_MS + LONGER_MS
    after.finish(found.started, Decision(result=AttemptResult.AGAIN))
    (job_id,) = [call.job_id for call in after.claim(1, "123").calls]
    assert begin(after, job_id).attempt.ring_ms == USUAL_RING_MS


class Nothing:
    """A Twilio whose list shows no call, or that cannot be asked."""

    def __init__(self) -> None:
        self.away = False

    def find(self, _attempt: object, _age_ms: int) -> Search:
        """Nothing rang."""
        if self.away:
            raise DialerUnavailable("away")
        return Search(rings=[], clock_ahead_ms=0)

    place = cancel = None


@pytest.mark.parametrize("away", [False, True])
def test_it_is_not_tried_again_before_its_phone_can_have_stopped_ringing(
    line: Line, client: redis.Redis, away: bool
) -> None:
    """Absent from Twilio's list right up to the longer horizon; tried again after it."""
    give_no_answer(line, ring_timeout_ms=MOST_RING_MS)
    twilio = Nothing()
    reconciliation = Reconciliation(
        worker_queue=line.worker_queue,
        dialer=twilio,  # type: ignore[arg-type]
        recorder=OutcomeRecorder(line.worker_queue, twilio),  # type: ignore[arg-type]
        policy=RetryPolicy(max_attempts=3, backoff_s=lambda _: 60.0, first_check_ms=100),
        horizon_ms=HORIZON_MS,
    )

    def look(age_ms: int) -> str:
        mark = int(str(client.hget(f"{keys.JOB}1", "mark")))
        now = int(str(client.time()[0])) * 1000  # type: ignore[index]
        assert mark
        client.hset(f"{keys.JOB}1", "mark", now - age_ms)
        client.zadd(keys.RECONCILING, dict.fromkeys(client.zrange(keys.ACTIVE, 0, -1), 0))  # type: ignore[union-attr]
        assert reconciliation.reconcile_due() == 1
        return str(line.job().state)

    twilio.away = away
    for age_ms in (HORIZON_MS + 1_000, LONGER_MS, HORIZON_MS + LONGER_MS - 60_000):
        assert look(age_ms) == "active"
    twilio.away = False
    assert look(HORIZON_MS + LONGER_MS + 1_000) == "delayed"


def polled_in_ms(client: redis.Redis) -> int:
    """When Twilio is asked what became of the call, ms from now."""
    ((_, due_ms),) = client.zrange(keys.STATUS_POLLS, 0, -1, withscores=True)  # type: ignore[misc]
    seconds, _ = client.time()  # type: ignore[misc]
    return int(due_ms) - int(seconds) * 1000


def test_silence_is_measured_from_the_end_of_the_ring(line: Line, client: redis.Redis) -> None:
    """After it was placed and while it rings; once somebody has answered, as usual."""
    first_ms = QUICK["first_poll_ms"] + LONGER_MS
    started = line.placed(ring_timeout_ms=MOST_RING_MS)
    assert first_ms - 5_000 < polled_in_ms(client) <= first_ms + 1_000
    line.say(started, "ringing", sequence=1)
    assert HOUR_MS + LONGER_MS - 5_000 < polled_in_ms(client) <= HOUR_MS + LONGER_MS + 1_000
    line.say(started, "in-progress", sequence=2)
    assert polled_in_ms(client) <= HOUR_MS + 1_000


def test_a_late_callback_waits_for_the_ring_as_well(line: Line, client: redis.Redis) -> None:
    """It completes an attempt with an unknown outcome, whose phone may go on ringing."""
    started = line.dial(ring_timeout_ms=MOST_RING_MS)
    line.worker_queue.finish(started, Decision(result=AttemptResult.UNKNOWN))
    line.worker_queue.complete("1", started.attempt.token, accepted(f"CA{'1' * 32}").accepted)  # type: ignore[arg-type]
    assert polled_in_ms(client) > LONGER_MS - 5_000
