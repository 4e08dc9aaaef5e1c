"""One call on the line, for tests of what Twilio reports of it."""

from __future__ import annotations

from dataclasses import replace

import redis

from tests.integration.conftest import begin, run_out, taken
from tests.twilio import a_sid
from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.call_status import CallbackResult, LineStatus, OutcomePolicy, StatusUpdate
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.calls.job import Job
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.callback_store import CallbackStore
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_queue import WorkerQueue

SID, OTHER = a_sid(1), a_sid(2)
NONE = OutcomePolicy(retry_on=(), delay_ms=100, most=2)
HOUR_MS = 3_600_000


class Line:
    """One call that was placed, and what is said of it."""

    def __init__(
        self,
        queue: CallQueue,
        worker_queue: WorkerQueue,
        client: redis.Redis,
        policy: OutcomePolicy = NONE,
    ) -> None:
        self.queue, self.worker_queue, self.client = queue, worker_queue, client
        self.reports = CallbackStore(RedisStore(client), worker_queue, policy)

    def dial(self, **fields: object) -> DialStarted:
        """Schedules one call and begins it; the mark stands."""
        call = Call(to="+15550000001", **fields)  # type: ignore[arg-type]
        self.queue.add([NewCall(call=call)])
        return self.again()

    def again(self) -> DialStarted:
        """Begins the next attempt."""
        (job_id,) = taken(self.worker_queue)
        return begin(self.worker_queue, job_id)

    def put_forward(self) -> None:
        """Lets the wait for the next attempt pass."""
        run_out(self.client, keys.DELAYED)

    def placed(self, sid: str = SID, **fields: object) -> DialStarted:
        """Twilio took it."""
        return self.took(self.dial(**fields), sid)

    def took(self, started: DialStarted, sid: str) -> DialStarted:
        """Twilio took that attempt."""
        self.worker_queue.finish(started, accepted(sid))
        self.worker_queue.release(started.attempt.job_id)
        return started

    def say(
        self, started: DialStarted, status: str = "", *, sid: str = SID, **more: object
    ) -> CallbackResult:
        """Twilio says something of an attempt's call."""
        report = StatusUpdate(sid=sid, status=LineStatus(status) if status else None)
        report = replace(report, **more)  # type: ignore[arg-type]
        return self.reports.record(
            started.attempt.job_id, started.attempt.token, report, poll_ms=HOUR_MS, price_ms=HOUR_MS
        )

    def job(self) -> Job:
        """The one job."""
        return self.queue.job("1")

    def status(self) -> str:
        """Where its call is."""
        placed = self.job().placed
        assert placed is not None
        return placed.status


def place_and_end(worker_queue: WorkerQueue, client: redis.Redis, job_id: str) -> None:
    """Begins and completes a call that is held; then its line is over, and the number free."""
    started, sid = begin(worker_queue, job_id), f"CA{job_id}"
    worker_queue.finish(started, accepted(sid))
    worker_queue.release(job_id)
    CallbackStore(RedisStore(client), worker_queue, NONE).record(
        job_id,
        started.attempt.token,
        StatusUpdate(sid=sid, status=LineStatus.COMPLETED),
        poll_ms=HOUR_MS,
        price_ms=HOUR_MS,
    )


def accepted(sid: str) -> Decision:
    """The verdict on a call that Twilio took."""
    return Decision(result=AttemptResult.COMPLETED, accepted=Accepted(sid=sid, status="queued"))
