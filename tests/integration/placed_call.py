"""One call on the line, for tests of what Twilio reports of it."""

from __future__ import annotations

from dataclasses import replace

import redis

from tests.integration.conftest import begin, taken
from tests.twilio import a_sid
from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.call_status import CallbackResult, LineStatus, OutcomePolicy, Report
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.calls.job import Job
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
        self, queue: CallQueue, desk: WorkerQueue, client: redis.Redis, policy: OutcomePolicy = NONE
    ) -> None:
        self.queue, self.desk = queue, desk
        self.reports = CallbackStore(RedisStore(client), desk, policy)

    def dial(self, **fields: object) -> DialStarted:
        """Schedules one call and begins it; the mark stands."""
        call = Call(to="+15550000001", **fields)  # type: ignore[arg-type]
        self.queue.add([NewCall(call=call)])
        return self.again()

    def again(self) -> DialStarted:
        """Begins the next attempt."""
        (job_id,) = taken(self.desk)
        return begin(self.desk, job_id)

    def placed(self, sid: str = SID, **fields: object) -> DialStarted:
        """Twilio took it."""
        return self.took(self.dial(**fields), sid)

    def took(self, begun: DialStarted, sid: str) -> DialStarted:
        """Twilio took that attempt."""
        self.desk.finish(begun, accepted(sid))
        self.desk.release(begun.attempt.job_id)
        return begun

    def say(
        self, begun: DialStarted, status: str = "", *, sid: str = SID, **more: object
    ) -> CallbackResult:
        """Twilio says something of an attempt's call."""
        report = Report(sid=sid, status=LineStatus(status) if status else None)
        report = replace(report, **more)  # type: ignore[arg-type]
        return self.reports.report(
            begun.attempt.job_id, begun.attempt.token, report, look_ms=HOUR_MS, price_ms=HOUR_MS
        )

    def job(self) -> Job:
        """The one job."""
        return self.queue.job("1")

    def status(self) -> str:
        """Where its call is."""
        placed = self.job().placed
        assert placed is not None
        return placed.status


def accepted(sid: str) -> Decision:
    """The verdict on a call that Twilio took."""
    return Decision(ending=AttemptResult.COMPLETED, accepted=Accepted(sid=sid, status="queued"))
