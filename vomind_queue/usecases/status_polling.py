"""Poll placed calls whose callbacks do not report their end, and end orphaned calls."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from vomind_queue.calls.attempts import DialerUnavailable
from vomind_queue.calls.call_status import (
    CallbackResult,
    LineStatus,
    PolledCall,
    StatusUpdate,
    next_poll_ms,
)
from vomind_queue.usecases.status_callbacks import log_callback

logger = logging.getLogger(__name__)


class CallbackStore(Protocol):
    """What polling needs of the queue."""

    def due_status_polls(self) -> list[PolledCall]: ...
    def record(
        self, job_id: str, token: str, update: StatusUpdate, *, poll_ms: int, price_ms: int
    ) -> CallbackResult: ...
    def due_orphans(self) -> Sequence[str]: ...
    def orphan_ended(self, sid: str) -> None: ...


class Operator(Protocol):
    """What polling needs of a telephone provider."""

    def fetch(self, sid: str) -> StatusUpdate | None: ...
    def cancel(self, sid: str) -> None: ...


class StatusPolling:
    """Polls silent calls and ends orphaned ones. May raise StoreUnavailable."""

    def __init__(
        self,
        *,
        callback_store: CallbackStore,
        operator: Operator,
        silence_ms: int,
        price_ms: int,
        callbacks: bool,
    ) -> None:
        """``callbacks``: whether Twilio can reach us. The times are those of `StatusCallbacks`."""
        self._callback_store = callback_store
        self._operator = operator
        self._silence_ms = silence_ms
        self._price_ms = price_ms
        self._callbacks = callbacks

    def poll_due(self) -> int:
        """Poll calls that were silent for too long; return how many there were."""
        due = self._callback_store.due_status_polls()
        for call in due:
            self._poll(call)
        return len(due)

    def end_orphans(self) -> int:
        """End calls at Twilio that belong to no attempt; return how many were ended."""
        ended = 0
        for sid in self._callback_store.due_orphans():
            try:
                self._operator.cancel(sid)
            except DialerUnavailable as error:
                logger.error("📞 ❌ orphaned call not ended yet: %s", error, extra={"sid": sid})
                continue
            self._callback_store.orphan_ended(sid)
            logger.warning("orphaned call ended", extra={"sid": sid})
            ended += 1
        return ended

    def _poll(self, call: PolledCall) -> None:
        fields = {"job_id": call.job_id, "sid": call.sid}
        poll_ms = next_poll_ms(call.polls, silence_ms=self._silence_ms, callbacks=self._callbacks)
        try:
            update = self._operator.fetch(call.sid)
        except DialerUnavailable as error:
            # Its lease hands it on.
            logger.warning("poll delayed: %s", error, extra=fields)
            return
        if update is None:
            logger.warning("call not known to Twilio", extra=fields)
            update, poll_ms = StatusUpdate(sid=call.sid, status=LineStatus.UNKNOWN), 0
        result = self._callback_store.record(
            call.job_id,
            call.token,
            update,
            poll_ms=poll_ms,
            # The price is requested once, and this was it.
            price_ms=0 if call.over else self._price_ms,
        )
        log_callback(call.job_id, update, result)
