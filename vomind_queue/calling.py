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

from vomind_queue.attempts import Dialer, DialerUnavailable
from vomind_queue.calls import mask_number
from vomind_queue.errors import StoreUnavailable
from vomind_queue.retry import RetryPolicy, decide
from vomind_queue.settling import Evidence, judge, look_again
from vomind_queue.verdicts import (
    Begun,
    Ending,
    InDoubt,
    Reception,
    Refusal,
    Verdict,
    Written,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: How long a worker goes on trying to write an outcome down while Redis is away, s.
#: After that the mark stands, and the outcome is settled as one in doubt.
WRITE_PATIENCE_S = 60.0
#: Between two tries, s.
WRITE_PAUSE_S = 0.5
#: Attempts in doubt that are looked at in one go.
DOUBTS_AT_ONCE = 5


class Desk(Protocol):
    """What placing calls needs of the queue."""

    def begin(self, job_id: str, token: str) -> Begun | Refusal: ...
    def abandon(self, job_id: str, token: str) -> None: ...
    def finish(self, begun: Begun, verdict: Verdict, *, deferred: bool = False) -> Written: ...
    def release(self, job_id: str) -> None: ...
    def doubts(self, wanted: int) -> list[InDoubt]: ...
    def accounted(self, sids: list[str]) -> set[str]: ...


class Calling:
    """Places calls and settles attempts in doubt."""

    def __init__(
        self,
        *,
        desk: Desk,
        dialer: Dialer,
        policy: RetryPolicy,
        horizon_ms: int,
        tokens: bool,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        self._desk = desk
        self._dialer = dialer
        self._policy = policy
        self._horizon_ms = horizon_ms
        self._tokens = tokens
        self._sleep = sleep
        self._monotonic = monotonic
        self._wall_ms = wall_ms

    def place(self, job_id: str) -> Verdict | Refusal:
        """Places a call that this process holds; answers what became of it.

        A call that is to be tried again stays held: the caller puts it off.
        """
        begun = self._begin(job_id)
        if isinstance(begun, Refusal):
            logger.info("call given back: %s", begun, extra={"job_id": job_id})
            return begun
        attempt = begun.attempt
        logger.info("📞 🔄 call started", extra=_fields(begun))
        outcome = self._dialer.place(attempt)
        verdict = decide(outcome, begun.round, self._policy)
        written = self._write(begun, verdict, deferred=True)
        if written is None:
            return Verdict(ending=Ending.DOUBT, reason="the outcome could not be written down")
        if verdict.ending is not Ending.AGAIN or written.uncounted:
            self._desk.release(job_id)
        if written.uncounted:
            return Verdict(ending=Ending.POSTPONED, reason=verdict.reason, refused=True)
        return verdict

    def _begin(self, job_id: str) -> Begun | Refusal:
        token = secrets.token_urlsafe(16)
        try:
            return self._desk.begin(job_id, token)
        except StoreUnavailable as error:
            # The mark may stand, but nothing was sent: no need to look for a ring.
            logger.warning("call not started: %s", error, extra={"job_id": job_id})
            self._persist(lambda: self._desk.abandon(job_id, token))
            return Refusal.LOST

    def settle_due(self) -> int:
        """Looks into every attempt in doubt that is due; answers how many there were."""
        asked = self._monotonic()
        doubts = self._desk.doubts(DOUBTS_AT_ONCE)
        for doubt in doubts:
            verdict = self._look(doubt, asked)
            if self._write(doubt.begun, verdict) and verdict.ending is not Ending.DOUBT:
                logger.info(
                    "attempt in doubt settled: %s", verdict.ending, extra=_fields(doubt.begun)
                )
        return len(doubts)

    def _look(self, doubt: InDoubt, asked: float) -> Verdict:
        try:
            search = self._dialer.find(doubt.begun.attempt, self._aged(doubt, asked).age_ms)
        except DialerUnavailable as error:
            logger.warning("cannot settle yet: %s", error, extra=_fields(doubt.begun))
            return look_again(doubt, self._horizon_ms, self._policy)
        evidence = Evidence(
            rings=search.rings,
            twilio_now_ms=int(self._wall_ms()) + search.clock_ahead_ms,
            accounted=self._desk.accounted([ring.sid for ring in search.rings]),
            tokens=self._tokens,
        )
        # The look took its time, and the attempt grew older with its rings.
        return judge(self._aged(doubt, asked), evidence, self._horizon_ms, self._policy)

    def _aged(self, doubt: InDoubt, asked: float) -> InDoubt:
        grown_ms = int((self._monotonic() - asked) * 1000)
        return replace(doubt, age_ms=doubt.age_ms + grown_ms)

    def _write(self, begun: Begun, verdict: Verdict, *, deferred: bool = False) -> Written | None:
        written = self._persist(lambda: self._desk.finish(begun, verdict, deferred=deferred))
        if written is not None:
            self._report(begun, verdict, written)
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

    def _report(self, begun: Begun, verdict: Verdict, written: Written) -> None:
        fields = _fields(begun, verdict)
        if written.reception in (Reception.SUPERSEDED, Reception.MISSING):
            self._withdraw(begun, verdict)
        elif verdict.ending is Ending.COMPLETED:
            logger.info("📞 ✅ call completed", extra=fields)
        elif verdict.ending is Ending.FAILED and not written.uncounted:
            logger.warning("📞 ❌ call failed: %s", verdict.reason, extra=fields)
        elif verdict.ending is Ending.ACCOUNT:
            logger.error("📞 ❌ queue paused: %s", verdict.reason, extra=fields)
        elif verdict.reason:
            logger.warning(
                "📞 ⏰ call put off (%s): %s", verdict.ending, verdict.reason, extra=fields
            )
        if written.breaker_open:
            logger.warning("starts are held back: Twilio refused call after call", extra=fields)

    def _withdraw(self, begun: Begun, verdict: Verdict) -> None:
        """An attempt that was given up did ring after all: that ring must end."""
        if verdict.accepted is None:
            return
        fields = _fields(begun, verdict)
        logger.error("📞 ❌ a ring came from an attempt that was given up; ending it", extra=fields)
        try:
            self._dialer.cancel(verdict.accepted.sid)
        except DialerUnavailable as error:
            logger.error("📞 ❌ it could not be ended: %s", error, extra=fields)


def _fields(begun: Begun, verdict: Verdict | None = None) -> dict[str, object]:
    attempt = begun.attempt
    fields: dict[str, object] = {
        "job_id": attempt.job_id,
        "attempt": attempt.number,
        "to": mask_number(attempt.call.to),
        "origin_request_id": attempt.call.request_id,
    }
    if verdict is not None and verdict.accepted is not None:
        fields["sid"] = verdict.accepted.sid
    return fields
