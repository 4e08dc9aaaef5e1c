"""A call that is due: mark it, ask for it, write down what became of it.

The dialing mark is written before the request and its outcome after it, so that
whatever dies in between leaves a mark behind, and a mark is never redialed
blindly.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from vomind_queue.calls.attempts import Dialer, DialerUnavailable
from vomind_queue.calls.call import mask_number
from vomind_queue.calls.decisions import (
    AttemptResult,
    Decision,
    DialStarted,
    FinishResult,
    FinishStatus,
    NotStarted,
    UnknownOutcome,
)
from vomind_queue.calls.reconciliation import Evidence, check_again, judge
from vomind_queue.calls.retry import RetryPolicy, decide
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: How long a worker goes on trying to write an outcome down while Redis is away, s.
#: After that the mark stands, and the outcome is settled as one in doubt.
WRITE_PATIENCE_S = 60.0
#: Between two tries, s.
WRITE_PAUSE_S = 0.5
#: Attempts in doubt that are looked at in one go.
RECONCILED_AT_ONCE = 5


class WorkerQueue(Protocol):
    """What placing calls needs of the queue."""

    def start_dialing(
        self, job_id: str, token: str, *, callbacks: bool
    ) -> DialStarted | NotStarted: ...
    def abandon(self, job_id: str, token: str) -> None: ...
    def finish(
        self, started: DialStarted, decision: Decision, *, deferred: bool = False
    ) -> FinishResult: ...
    def release(self, job_id: str) -> None: ...
    def due_reconciliations(self, wanted: int) -> list[UnknownOutcome]: ...
    def known_sids(self, sids: list[str]) -> set[str]: ...


class PlaceCall:
    """Places calls and settles attempts in doubt."""

    def __init__(
        self,
        *,
        worker_queue: WorkerQueue,
        dialer: Dialer,
        policy: RetryPolicy,
        horizon_ms: int,
        callbacks: bool,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """``callbacks``: whether the dialer asks for status callbacks, which name the attempt."""
        self._worker_queue = worker_queue
        self._dialer = dialer
        self._policy = policy
        self._horizon_ms = horizon_ms
        self._callbacks = callbacks
        self._sleep = sleep
        self._monotonic = monotonic
        self._wall_ms = wall_ms

    def place(self, job_id: str) -> Decision | NotStarted:
        """Places a call that this process holds; answers what became of it.

        A call that is to be tried again stays held: the caller puts it off.
        """
        started = self._begin(job_id)
        if isinstance(started, NotStarted):
            logger.info("call given back: %s", started, extra={"job_id": job_id})
            return started
        attempt = started.attempt
        logger.info("📞 🔄 call started", extra=_fields(started))
        outcome = self._dialer.place(attempt)
        decision = decide(outcome, started.round, self._policy)
        written = self._write(started, decision, deferred=True)
        if written is None:
            return Decision(
                result=AttemptResult.UNKNOWN, reason="the outcome could not be written down"
            )
        if decision.result is not AttemptResult.AGAIN or written.uncounted:
            self._worker_queue.release(job_id)
        if written.uncounted:
            return Decision(result=AttemptResult.POSTPONED, reason=decision.reason, refused=True)
        return decision

    def _begin(self, job_id: str) -> DialStarted | NotStarted:
        token = secrets.token_urlsafe(16)
        try:
            return self._worker_queue.start_dialing(job_id, token, callbacks=self._callbacks)
        except StoreUnavailable as error:
            # The mark may stand, but nothing was sent: no need to look for a ring.
            logger.warning("call not started: %s", error, extra={"job_id": job_id})
            self._persist(lambda: self._worker_queue.abandon(job_id, token))
            return NotStarted.LOST

    def reconcile_due(self) -> int:
        """Looks into every attempt in doubt that is due; answers how many there were."""
        asked = self._monotonic()
        unknown_outcomes = self._worker_queue.due_reconciliations(RECONCILED_AT_ONCE)
        for unknown in unknown_outcomes:
            decision = self._check(unknown, asked)
            if (
                self._write(unknown.started, decision)
                and decision.result is not AttemptResult.UNKNOWN
            ):
                logger.info(
                    "attempt in doubt settled: %s", decision.result, extra=_fields(unknown.started)
                )
        return len(unknown_outcomes)

    def _check(self, unknown: UnknownOutcome, asked: float) -> Decision:
        try:
            search = self._dialer.find(unknown.started.attempt, self._aged(unknown, asked).age_ms)
        except DialerUnavailable as error:
            logger.warning("cannot settle yet: %s", error, extra=_fields(unknown.started))
            return check_again(unknown, self._horizon_ms, self._policy)
        evidence = Evidence(
            rings=search.rings,
            twilio_now_ms=int(self._wall_ms()) + search.clock_ahead_ms,
            known_sids=self._worker_queue.known_sids([ring.sid for ring in search.rings]),
        )
        # The look took its time, and the attempt grew older with its rings.
        return judge(self._aged(unknown, asked), evidence, self._horizon_ms, self._policy)

    def _aged(self, unknown: UnknownOutcome, asked: float) -> UnknownOutcome:
        grown_ms = int((self._monotonic() - asked) * 1000)
        return replace(unknown, age_ms=unknown.age_ms + grown_ms)

    def _write(
        self, started: DialStarted, decision: Decision, *, deferred: bool = False
    ) -> FinishResult | None:
        written = self._persist(
            lambda: self._worker_queue.finish(started, decision, deferred=deferred)
        )
        if written is not None:
            self._report(started, decision, written)
        return written

    def _persist(self, write: Callable[[], T]) -> T | None:
        """Tries to write something down while Redis is away; ``None`` when that takes too long."""
        give_up_at = self._monotonic() + WRITE_PATIENCE_S
        while True:
            try:
                return write()
            except StoreUnavailable as error:
                if self._monotonic() > give_up_at:
                    logger.error("outcome not written, it will be settled later: %s", error)
                    return None
                self._sleep(WRITE_PAUSE_S)

    def _report(self, started: DialStarted, decision: Decision, written: FinishResult) -> None:
        fields = _fields(started, decision)
        if written.status in (FinishStatus.SUPERSEDED, FinishStatus.MISSING):
            self._withdraw(started, decision)
        elif decision.result is AttemptResult.COMPLETED:
            logger.info("📞 ✅ call completed", extra=fields)
        elif decision.result is AttemptResult.FAILED and not written.uncounted:
            logger.warning("📞 ❌ call failed: %s", decision.reason, extra=fields)
        elif decision.result is AttemptResult.ACCOUNT:
            logger.error("📞 ❌ queue paused: %s", decision.reason, extra=fields)
        elif decision.reason:
            logger.warning(
                "📞 ⏰ call put off (%s): %s", decision.result, decision.reason, extra=fields
            )
        if written.breaker_open:
            logger.warning("starts are held back: Twilio refused call after call", extra=fields)

    def _withdraw(self, started: DialStarted, decision: Decision) -> None:
        """An attempt that was given up did ring after all: that ring must end."""
        if decision.accepted is None:
            return
        fields = _fields(started, decision)
        logger.error("📞 ❌ a ring came from an attempt that was given up; ending it", extra=fields)
        try:
            self._dialer.cancel(decision.accepted.sid)
        except DialerUnavailable as error:
            logger.error("📞 ❌ it could not be ended: %s", error, extra=fields)


def _fields(started: DialStarted, decision: Decision | None = None) -> dict[str, object]:
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
