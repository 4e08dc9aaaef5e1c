"""Write the outcome of an attempt, retrying while Redis is unreachable, and log it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from vomind_queue.calls.attempts import DialerUnavailable
from vomind_queue.calls.call import mask_number
from vomind_queue.calls.decisions import (
    AttemptResult,
    Decision,
    DialStarted,
    FinishResult,
    FinishStatus,
)
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: How long a worker keeps trying to write an outcome while Redis is unreachable, s. After that
#: the dial marker stays, and the call is reconciled like any with an unknown outcome.
WRITE_PATIENCE_S = 60.0
#: Between two tries, s.
WRITE_PAUSE_S = 0.5


class WorkerQueue(Protocol):
    """What recording outcomes needs of the queue."""

    def finish(
        self, started: DialStarted, decision: Decision, *, deferred: bool = False
    ) -> FinishResult: ...


class Canceller(Protocol):
    """What recording outcomes needs of a telephone provider."""

    def cancel(self, sid: str) -> None: ...


class OutcomeRecorder:
    """Writes outcomes of attempts, and logs a line for each. Safe to share between threads."""

    def __init__(
        self,
        worker_queue: WorkerQueue,
        dialer: Canceller,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker_queue = worker_queue
        self._dialer = dialer
        self._sleep = sleep
        self._monotonic = monotonic

    def write(
        self, started: DialStarted, decision: Decision, *, deferred: bool = False
    ) -> FinishResult | None:
        """Write an attempt's outcome; return ``None`` when Redis was away for too long.

        ``deferred``: the caller delays the call itself when it is to be tried again.
        """
        written = self.persist(
            lambda: self._worker_queue.finish(started, decision, deferred=deferred)
        )
        if written is not None:
            self._report(started, decision, written)
        return written

    def persist(self, write: Callable[[], T]) -> T | None:
        """Retry writing while Redis is unreachable; return ``None`` if that takes too long."""
        give_up_at = self._monotonic() + WRITE_PATIENCE_S
        while True:
            try:
                return write()
            except StoreUnavailable as error:
                if self._monotonic() > give_up_at:
                    logger.error("outcome not written, it will be reconciled later: %s", error)
                    return None
                self._sleep(WRITE_PAUSE_S)

    def _report(self, started: DialStarted, decision: Decision, written: FinishResult) -> None:
        fields = fields_of(started, decision)
        if written.status is FinishStatus.SUPERSEDED:
            self._withdraw(started, decision)
        elif written.status is FinishStatus.MISSING:
            # The data is gone, which proves nothing: somebody may be speaking.
            logger.error("📞 ❌ the queue has no such call any more", extra=fields)
        elif decision.result is AttemptResult.COMPLETED:
            logger.info("📞 ✅ call completed", extra=fields)
        elif decision.result is AttemptResult.FAILED and not written.uncounted:
            logger.warning("📞 ❌ call failed: %s", decision.reason, extra=fields)
        elif decision.result is AttemptResult.ACCOUNT:
            logger.error("📞 ❌ queue paused: %s", decision.reason, extra=fields)
        elif decision.reason:
            logger.warning(
                "📞 ⏰ call delayed (%s): %s", decision.result, decision.reason, extra=fields
            )
        if written.circuit_open:
            logger.warning("circuit open: Twilio refused call after call", extra=fields)

    def _withdraw(self, started: DialStarted, decision: Decision) -> None:
        """End the call of an attempt that had been abandoned."""
        if decision.accepted is None:
            return
        fields = fields_of(started, decision)
        logger.error("📞 ❌ call of an abandoned attempt found, ending it", extra=fields)
        try:
            self._dialer.cancel(decision.accepted.sid)
        except DialerUnavailable as error:
            logger.error("📞 ❌ call of an abandoned attempt not ended: %s", error, extra=fields)


def fields_of(started: DialStarted, decision: Decision | None = None) -> dict[str, object]:
    """Return the fields of a log line about an attempt."""
    attempt = started.attempt
    fields: dict[str, object] = {
        "job_id": attempt.job_id,
        "attempt": attempt.number,
        "to": mask_number(attempt.call.to),
        "origin_request_id": attempt.call.request_id,
    }
    if decision is not None and decision.accepted is not None:
        fields["sid"] = decision.accepted.sid
    return fields
