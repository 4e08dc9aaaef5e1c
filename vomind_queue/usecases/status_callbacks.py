"""Twilio reports: what it says of a call on the line is taken in, at most once and in order."""

from __future__ import annotations

import logging
from typing import Protocol

from vomind_queue.calls.call_status import (
    CallbackResult,
    Hearing,
    Report,
    first_look_ms,
    is_machine,
)
from vomind_queue.calls.job import Job
from vomind_queue.errors import JobNotFound

logger = logging.getLogger(__name__)

#: How often an attempt is settled by a report before it is left to the settler: a mark that
#: stands again by then is another attempt's.
SETTLED_AT_MOST = 2


class Reports(Protocol):
    """What taking in reports needs of the queue."""

    def report(
        self, job_id: str, token: str, report: Report, *, look_ms: int, price_ms: int
    ) -> CallbackResult: ...
    def settle(self, job_id: str, token: str, sid: str) -> None: ...
    def knows(self, job_id: str, token: str) -> bool: ...


class Jobs(Protocol):
    """What is to be spoken stands in the job."""

    def job(self, job_id: str) -> Job: ...


class StatusCallbacks:
    """Takes callbacks in. Everything may raise StoreUnavailable."""

    def __init__(self, *, reports: Reports, jobs: Jobs, silence_ms: int, price_ms: int) -> None:
        """``silence_ms``: after so long without a callback Twilio is asked for the call.

        ``price_ms``: when to ask for the price of a call that is over.
        """
        self._reports = reports
        self._jobs = jobs
        self._look_ms = first_look_ms(silence_ms=silence_ms, callbacks=True)
        self._price_ms = price_ms

    def expects(self, job_id: str, token: str) -> bool:
        """Whether an attempt at that call, the last one or one before it, has this token."""
        return self._reports.knows(job_id, token)

    def take(self, job_id: str, token: str, report: Report) -> CallbackResult:
        """What became of a report on an attempt's call.

        The report is evidence: an attempt in doubt is completed by it. A call that no attempt
        accounts for is noted, to be ended at Twilio by a worker.
        """
        heard = self._report(job_id, token, report)
        for _ in range(SETTLED_AT_MOST):
            if heard.hearing is not Hearing.UNDECIDED:
                break
            # Twilio took the call, whatever became of its answer to us.
            self._reports.settle(job_id, token, report.sid)
            heard = self._report(job_id, token, report)
        log_callback(job_id, report, heard)
        return heard

    def words(self, job_id: str, token: str, report: Report) -> str | None:
        """What to speak to whoever answered; ``None`` when the call should not be."""
        heard = self.take(job_id, token, report)
        if heard.hearing is Hearing.SUPERSEDED:
            return None
        try:
            call = self._jobs.job(job_id).call
        except JobNotFound:
            return None
        if is_machine(report.answered_by) and call.voicemail_message is not None:
            return call.voicemail_message
        return call.message

    def _report(self, job_id: str, token: str, report: Report) -> CallbackResult:
        return self._reports.report(
            job_id, token, report, look_ms=self._look_ms, price_ms=self._price_ms
        )


def log_callback(job_id: str, report: Report, heard: CallbackResult) -> None:
    """One line for what is new."""
    fields: dict[str, object] = {
        "job_id": job_id,
        "sid": report.sid,
        "origin_request_id": heard.request_id,
    }
    if heard.hearing is Hearing.SUPERSEDED:
        logger.error(
            "📞 ❌ a ring came from an attempt that was given up; it will be ended", extra=fields
        )
    elif heard.hearing is Hearing.OK and (heard.moved or report.answered_by):
        fields |= {"duration": report.duration_s, "answered_by": report.answered_by}
        logger.info("📞 on the line: %s", heard.status, extra=fields)
        if heard.repeated:
            logger.warning("📞 ⏰ call made again, it ended with %s", heard.status, extra=fields)
