"""Placed calls are followed to their end where callbacks do not tell it, and strays are ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from vomind_queue.calls.attempts import DialerUnavailable
from vomind_queue.calls.call_status import (
    CallbackResult,
    Followed,
    LineStatus,
    Report,
    next_look_ms,
)
from vomind_queue.usecases.status_callbacks import log_callback

logger = logging.getLogger(__name__)


class Silence(Protocol):
    """What following needs of the queue."""

    def silent(self) -> list[Followed]: ...
    def report(
        self, job_id: str, token: str, report: Report, *, look_ms: int, price_ms: int
    ) -> CallbackResult: ...
    def strays(self) -> Sequence[str]: ...
    def ended(self, sid: str) -> None: ...


class Operator(Protocol):
    """What following needs of a telephone provider."""

    def fetch(self, sid: str) -> Report | None: ...
    def cancel(self, sid: str) -> None: ...


class StatusPolling:
    """Asks for silent calls and ends strays. May raise StoreUnavailable."""

    def __init__(
        self,
        *,
        reports: Silence,
        operator: Operator,
        silence_ms: int,
        price_ms: int,
        callbacks: bool,
    ) -> None:
        """``callbacks``: whether Twilio can reach us. The times are those of `StatusCallbacks`."""
        self._reports = reports
        self._operator = operator
        self._silence_ms = silence_ms
        self._price_ms = price_ms
        self._callbacks = callbacks

    def follow_due(self) -> int:
        """Asks Twilio for calls of which nothing was heard for too long; how many there were."""
        due = self._reports.silent()
        for followed in due:
            self._follow(followed)
        return len(due)

    def end_orphans(self) -> int:
        """Ends calls at Twilio that no attempt accounts for; how many were ended."""
        ended = 0
        for sid in self._reports.strays():
            try:
                self._operator.cancel(sid)
            except DialerUnavailable as error:
                logger.error(
                    "📞 ❌ a stray ring could not be ended yet: %s", error, extra={"sid": sid}
                )
                continue
            self._reports.ended(sid)
            logger.warning("stray ring ended", extra={"sid": sid})
            ended += 1
        return ended

    def _follow(self, followed: Followed) -> None:
        fields = {"job_id": followed.job_id, "sid": followed.sid}
        look_ms = next_look_ms(
            followed.looks, silence_ms=self._silence_ms, callbacks=self._callbacks
        )
        try:
            report = self._operator.fetch(followed.sid)
        except DialerUnavailable as error:
            # Its lease hands it on.
            logger.warning("cannot ask for a call yet: %s", error, extra=fields)
            return
        if report is None:
            logger.warning("Twilio does not know this call", extra=fields)
            report, look_ms = Report(sid=followed.sid, status=LineStatus.UNKNOWN), 0
        heard = self._reports.report(
            followed.job_id,
            followed.token,
            report,
            look_ms=look_ms,
            # One fetch for the price: this was it.
            price_ms=0 if followed.over else self._price_ms,
        )
        log_callback(followed.job_id, report, heard)
