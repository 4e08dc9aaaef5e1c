"""Place a call that is due: write its dial marker, ask Twilio for it, record the outcome.

The marker is written before the request and the outcome after it. A process that dies in between
leaves the marker behind, and a call with a marker is never redialed blindly.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Protocol

from vomind_queue.calls.attempts import Dialer
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted, NotStarted
from vomind_queue.calls.retry import RetryPolicy, decide
from vomind_queue.errors import StoreUnavailable
from vomind_queue.usecases.record_outcome import OutcomeRecorder, fields_of

logger = logging.getLogger(__name__)


class WorkerQueue(Protocol):
    """What placing calls needs of the queue."""

    def start_dialing(
        self, job_id: str, token: str, *, callbacks: bool
    ) -> DialStarted | NotStarted: ...
    def abandon(self, job_id: str, token: str) -> None: ...
    def release(self, job_id: str) -> None: ...


class PlaceCall:
    """Places one call at a time for each thread that asks."""

    def __init__(
        self,
        *,
        worker_queue: WorkerQueue,
        dialer: Dialer,
        recorder: OutcomeRecorder,
        policy: RetryPolicy,
        callbacks: bool,
        restore_list: Callable[[], None] = lambda: None,
    ) -> None:
        """``callbacks``: whether the dialer asks for status callbacks, which name the attempt.

        ``restore_list``: restores the do-not-call
        list, without which no call starts.
        """
        self._restore_list = restore_list
        self._worker_queue = worker_queue
        self._dialer = dialer
        self._recorder = recorder
        self._policy = policy
        self._callbacks = callbacks

    def place(self, job_id: str) -> Decision | NotStarted:
        """Place a call that this process holds; return what became of it.

        A call that is to be tried again stays held: the caller delays it.
        """
        started = self._start(job_id)
        if isinstance(started, NotStarted):
            _log_not_started(job_id, started)
            if started is NotStarted.NO_LIST:
                self._restore_list()
            return started
        logger.info("📞 🔄 call started", extra=fields_of(started))
        outcome = self._dialer.place(started.attempt)
        decision = decide(outcome, started.round, self._policy)
        written = self._recorder.write(started, decision, deferred=True)
        if written is None:
            return Decision(result=AttemptResult.UNKNOWN, reason="the outcome could not be written")
        if decision.result is not AttemptResult.AGAIN or written.uncounted:
            self._worker_queue.release(job_id)
        if written.uncounted:
            return Decision(result=AttemptResult.POSTPONED, reason=decision.reason, refused=True)
        return decision

    def _start(self, job_id: str) -> DialStarted | NotStarted:
        token = secrets.token_urlsafe(16)
        try:
            return self._worker_queue.start_dialing(job_id, token, callbacks=self._callbacks)
        except StoreUnavailable as error:
            # The marker may have been written, but nothing was sent: there is no call to look for.
            logger.warning("call not started: %s", error, extra={"job_id": job_id})
            self._recorder.persist(lambda: self._worker_queue.abandon(job_id, token))
            return NotStarted.LOST


def _log_not_started(job_id: str, why: NotStarted) -> None:
    fields = {"job_id": job_id}
    if why in (NotStarted.DO_NOT_CALL, NotStarted.EXPIRED):
        logger.warning("📞 ❌ call failed: %s", why, extra=fields)
    else:
        logger.info("call given back: %s", why, extra=fields)
