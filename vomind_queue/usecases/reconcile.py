"""Reconcile attempts with an unknown outcome with Twilio's list of calls.

An outcome is unknown if the process that was to record it died, or if Twilio gave no clear answer.
Such a call is never redialed before the list has been read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from vomind_queue.calls.attempts import Dialer, DialerUnavailable
from vomind_queue.calls.decisions import AttemptResult, Decision, UnknownOutcome
from vomind_queue.calls.reconciliation import Evidence, check_again, judge
from vomind_queue.calls.retry import RetryPolicy
from vomind_queue.calls.ring_timeout import longer_ms
from vomind_queue.usecases.record_outcome import OutcomeRecorder, fields_of

logger = logging.getLogger(__name__)

#: Attempts that are checked at once.
RECONCILED_AT_ONCE = 5


class WorkerQueue(Protocol):
    """What reconciliation needs of the queue."""

    def due_reconciliations(self, wanted: int) -> list[UnknownOutcome]: ...
    def known_sids(self, sids: list[str]) -> set[str]: ...


class Reconciliation:
    """Finds out what became of attempts with an unknown outcome. May raise StoreUnavailable."""

    def __init__(
        self,
        *,
        worker_queue: WorkerQueue,
        dialer: Dialer,
        recorder: OutcomeRecorder,
        policy: RetryPolicy,
        horizon_ms: int,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """``horizon_ms``: how long a call that rings as usual may be missing from Twilio's list."""
        self._worker_queue = worker_queue
        self._dialer = dialer
        self._recorder = recorder
        self._policy = policy
        self._horizon_ms = horizon_ms
        self._monotonic = monotonic
        self._wall_ms = wall_ms

    def reconcile_due(self) -> int:
        """Check every attempt that is due; return how many there were."""
        asked = self._monotonic()
        due = self._worker_queue.due_reconciliations(RECONCILED_AT_ONCE)
        for unknown in due:
            decision = self._check(unknown, asked)
            written = self._recorder.write(unknown.started, decision)
            if written and decision.result is not AttemptResult.UNKNOWN:
                logger.info(
                    "unknown outcome reconciled: %s",
                    decision.result,
                    extra=fields_of(unknown.started),
                )
        return len(due)

    def _check(self, unknown: UnknownOutcome, asked: float) -> Decision:
        attempt = unknown.started.attempt
        horizon_ms = self._horizon_ms + longer_ms(attempt.ring_ms)
        try:
            search = self._dialer.find(attempt, self._aged(unknown, asked).age_ms)
        except DialerUnavailable as error:
            logger.warning("reconciliation delayed: %s", error, extra=fields_of(unknown.started))
            return check_again(unknown, horizon_ms, self._policy)
        evidence = Evidence(
            rings=search.rings,
            twilio_now_ms=int(self._wall_ms()) + search.clock_ahead_ms,
            known_sids=self._worker_queue.known_sids([ring.sid for ring in search.rings]),
        )
        # The check took its time, and the attempt grew older with its calls.
        return judge(self._aged(unknown, asked), evidence, horizon_ms, self._policy)

    def _aged(self, unknown: UnknownOutcome, asked: float) -> UnknownOutcome:
        grown_ms = int((self._monotonic() - asked) * 1000)
        return replace(unknown, age_ms=unknown.age_ms + grown_ms)
