"""Record Twilio's status callbacks, once and in order."""

from __future__ import annotations

import logging
from typing import Protocol

from vomind_queue.calls.call_status import (
    CallbackResult,
    StatusUpdate,
    UpdateOutcome,
    first_poll_ms,
)

logger = logging.getLogger(__name__)

#: How often a callback reconciles an attempt before that is left to the reconciler: a dial marker
#: that is set again by then is another attempt's.
RECONCILED_AT_MOST = 2


class CallbackStore(Protocol):
    """What recording callbacks needs of the queue."""

    def record(
        self, job_id: str, token: str, update: StatusUpdate, *, poll_ms: int, price_ms: int
    ) -> CallbackResult: ...
    def reconcile(self, job_id: str, token: str, sid: str) -> None: ...
    def has_token(self, job_id: str, token: str) -> bool: ...


class StatusCallbacks:
    """Records callbacks. Everything may raise StoreUnavailable."""

    def __init__(self, *, callback_store: CallbackStore, silence_ms: int, price_ms: int) -> None:
        """``silence_ms``: after this long without a callback, Twilio is asked about the call.

        ``price_ms``: when to ask for the price of a call that is over.
        """
        self._callback_store = callback_store
        self._poll_ms = first_poll_ms(silence_ms=silence_ms, callbacks=True)
        self._price_ms = price_ms

    def expects(self, job_id: str, token: str) -> bool:
        """Return whether an attempt at that call, the last one or one before it, has this token."""
        return self._callback_store.has_token(job_id, token)

    def record(self, job_id: str, token: str, update: StatusUpdate) -> CallbackResult:
        """Record a status update of an attempt's call; return what became of it.

        The update is evidence: it completes an attempt with an unknown outcome. A call that belongs
        to no attempt is noted, to be ended at Twilio by a worker.
        """
        result = self._record(job_id, token, update)
        for _ in range(RECONCILED_AT_MOST):
            if result.outcome is not UpdateOutcome.UNDECIDED:
                break
            # Twilio accepted the call, even if its answer to us was lost.
            self._callback_store.reconcile(job_id, token, update.sid)
            result = self._record(job_id, token, update)
        log_callback(job_id, update, result)
        return result

    def _record(self, job_id: str, token: str, update: StatusUpdate) -> CallbackResult:
        return self._callback_store.record(
            job_id, token, update, poll_ms=self._poll_ms, price_ms=self._price_ms
        )


def log_callback(job_id: str, update: StatusUpdate, result: CallbackResult) -> None:
    """Log one line for what is new."""
    fields: dict[str, object] = {
        "job_id": job_id,
        "sid": update.sid,
        "origin_request_id": result.request_id,
    }
    if result.outcome is UpdateOutcome.SUPERSEDED:
        logger.error("📞 ❌ call of an abandoned attempt found, it will be ended", extra=fields)
    elif result.outcome is UpdateOutcome.OK and update.recording:
        logger.info("📞 recording ready", extra={**fields, "recording": update.recording.sid})
    elif result.outcome is UpdateOutcome.OK and (result.moved or update.answered_by):
        fields |= {"duration": update.duration_s, "answered_by": update.answered_by}
        logger.info("📞 on the line: %s", result.status, extra=fields)
        if result.repeated:
            logger.warning("📞 ⏰ call repeated, it ended with %s", result.status, extra=fields)
