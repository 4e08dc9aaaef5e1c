"""Twilio as the dialer: place a call, ask about one, end one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from vomind_queue.calls.application import MAX_URL, ApplicationPolicy
from vomind_queue.calls.attempts import (
    Accepted,
    Attempt,
    DialerUnavailable,
    Failure,
    Outcome,
    Search,
)
from vomind_queue.calls.call import Call, mask_number
from vomind_queue.calls.call_status import (
    Detection,
    StatusUpdate,
    status_of,
)
from vomind_queue.calls.opt_out import NO_OPT_OUT, OptOut
from vomind_queue.calls.voices import Voice
from vomind_queue.twilio.call_search import CallSearch
from vomind_queue.twilio.callbacks import (
    CALLBACK_EVENTS,
    DetectionPolicy,
    detection,
    instructions,
    recording,
    status_callback,
)
from vomind_queue.twilio.connection import Exchange
from vomind_queue.twilio.failures import Trouble, failure
from vomind_queue.twilio.http_client import BoundedHttpClient
from vomind_queue.twilio.request_errors import failure_of, masked
from vomind_queue.twilio.twiml import MAX_TWIML, PLAIN, say

T = TypeVar("T")

#: Where Twilio is when no other address is set.
API_BASE = "https://api.twilio.com"
#: Twilio: the call is in a state that does not allow this.
_WRONG_STATE = 21220
#: Twilio: no such call, or no longer.
_NOT_FOUND = 20404


class TwilioDialer:
    """Implement ``attempts.Dialer``. Safe to use from many threads; connects on first use."""

    def __init__(  # noqa: PLR0913 - one for each setting
        self,
        *,
        account_sid: str | None,
        auth_token: str | None = None,
        api_key: str | None = None,
        api_secret: str | None = None,
        from_numbers: Sequence[str],
        api_base: str | None = None,
        twiml_url: str | None = None,
        public_url: str | None = None,
        detection: Detection = Detection.OFF,
        retry_on: Sequence[str] = (),
        voice: Voice = PLAIN,
        application_policy: ApplicationPolicy | None = None,
        opt_out: OptOut = NO_OPT_OUT,
        deadline_ms: int = 10_000,
        slots: int = 5,
    ) -> None:
        """``from_numbers``: those that calls may come from, the default first. ``voice``,
        ``detection``: where a call does not say. ``deadline_ms``: for one request in total.
        ``slots``: requests under way at once.
        """
        self._numbers = from_numbers
        self._twiml_url = twiml_url
        self._public_url = public_url
        self._detection = DetectionPolicy(default=detection, retry_on=retry_on)
        self._voice = voice
        self._opt_out = opt_out
        self._application_policy = application_policy or ApplicationPolicy()
        self._deadline_s = deadline_ms / 1000
        self._http = BoundedHttpClient(slots)
        user, secret = (api_key, api_secret) if api_key else (account_sid, auth_token)
        self._missing = _missing(
            TWILIO_ACCOUNT_SID=account_sid,
            TWILIO_PHONE_NUMBER=from_numbers[0] if from_numbers else None,
            **{"TWILIO_API_SECRET" if api_key else "TWILIO_AUTH_TOKEN": secret},
        )
        self._client = Client(
            user or "-",
            secret or "-",
            account_sid=account_sid or "-",
            http_client=self._http,
            # Not empty, or the library would read the environment of the process.
            environment={"TWILIO_EDGE": ""},
        )
        self._search = CallSearch(self._client, self._ask, callbacks=bool(public_url))
        self._client.api.base_url = api_base or API_BASE
        if self._client.api.base_url.startswith("https:"):
            # Reading the certificates takes time that the first call should not lose.
            _ = self._http.tls

    def place(self, attempt: Attempt) -> Outcome:
        """Ask Twilio for the call, at most once. Never raise; return within the deadline."""
        if self._missing:
            return failure(Trouble.UNCONFIGURED, detail=self._missing)
        exchange = Exchange(self._deadline_s, started_s=attempt.started_s, left_s=attempt.left_s)
        wanted = self._wanted(attempt)
        if fault := self._own_fault(attempt, wanted):
            return fault
        try:
            with self._http.exchange(exchange):
                made = self._client.calls.create(**wanted)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call must not be lost
            failed = failure_of(error, exchange, own_address=attempt.call.twiml_url is not None)
            return masked(failed, attempt.call.to, wanted["from_"])
        if not isinstance(made.sid, str) or not made.sid:
            return failure(Trouble.UNREADABLE, detail="it names no call SID")
        return Accepted(sid=made.sid, status=str(made.status or "queued"))

    def find(self, attempt: Attempt, age_ms: int) -> Search:
        """Return the calls to the attempt's number since shortly before its marker, ``age_ms`` ago.

        Raise DialerUnavailable when Twilio's list cannot be read.
        """
        return self._search.find(attempt, age_ms)

    def fetch(self, sid: str) -> StatusUpdate | None:
        """Return what Twilio says about a call now, or ``None`` when Twilio does not know it.

        Raise DialerUnavailable.
        """
        try:
            call, _ = self._ask(lambda: self._client.calls(sid).fetch())
        except DialerUnavailable as error:
            if _code(error) == _NOT_FOUND:
                return None
            raise
        return StatusUpdate(
            sid=sid,
            status=status_of(call.status),
            duration_s=int(call.duration) if str(call.duration or "").isdecimal() else None,
            answered_by=call.answered_by or None,
            price=None if call.price is None else str(call.price),
            price_unit=None if call.price is None else call.price_unit,
        )

    def cancel(self, sid: str) -> None:
        """End a call, whatever its state; leave one that is over or unknown as it is.

        Raise DialerUnavailable.
        """
        # Only a call that has not been answered can be canceled; the other is hung up.
        for status in ("canceled", "completed"):
            if self._end(sid, status):
                return

    def put_in(self, sid: str, call: Call) -> Failure | None:
        """Have a live call hear its voicemail message at once, in place of all else. Never raise.

        Return why it certainly, or perhaps, does not.
        """
        exchange = Exchange(self._deadline_s)
        words, voice = call.voicemail_message or "", call.spoken(self._voice)
        said = say(self._opt_out.for_machine(words), voice)
        if len(said) > MAX_TWIML:
            # The call was accepted before OPT_OUT_NUMBER was set.
            said = say(words, voice)
        try:
            with self._http.exchange(exchange):
                self._client.calls(sid).update(twiml=said)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller decides
            return masked(failure_of(error, exchange), call.to, *self._numbers)
        return None

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _wanted(self, attempt: Attempt) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "to": attempt.call.to,
            "from_": self._sender(attempt),
            "timeout": math.ceil(attempt.ring_ms / 1000),
            **recording(attempt, self._public_url),
            **instructions(attempt, self._twiml_url, self._public_url, self._voice, self._opt_out),
            **detection(attempt, self._detection.wanted(attempt.call), self._public_url),
        }
        if attempt.call.send_digits is not None:
            wanted["send_digits"] = attempt.call.send_digits
        if self._public_url:
            wanted["status_callback"] = status_callback(attempt, self._public_url)
            wanted["status_callback_event"] = list(CALLBACK_EVENTS)
            wanted["status_callback_method"] = "POST"
        return wanted

    def _sender(self, attempt: Attempt) -> str:
        """Return the number recorded with the marker; an older version had one number only."""
        return attempt.sender or self._numbers[0]

    def _own_fault(self, attempt: Attempt, wanted: Mapping[str, Any]) -> Failure | None:
        """Return why this call must not be requested, if the settings changed since it came in.

        Twilio would refuse it with a code that stands for an error in every call.
        """
        if wanted["from_"] not in self._numbers:
            return failure(Trouble.SENDER, detail=mask_number(wanted["from_"]))
        if elsewhere := self._elsewhere(attempt.call):
            return failure(Trouble.ELSEWHERE, detail=elsewhere)
        return failure(Trouble.TOO_LONG) if len(wanted.get("url", "")) > MAX_URL else None

    def _elsewhere(self, call: Call) -> str | None:
        """Return why the call's own application is not allowed any more; ``None`` if it is."""
        text = call.twiml_url and self._application_policy.objection(call.twiml_url)
        return text.rstrip(".") if text else None

    def _end(self, sid: str, status: str) -> bool:
        try:
            self._ask(lambda: self._client.calls(sid).update(status=status))
        except DialerUnavailable as error:
            if _code(error) == _WRONG_STATE:
                return False
            if _code(error) != _NOT_FOUND:
                raise
        return True

    def _ask(self, question: Callable[[], T]) -> tuple[T, Response]:
        """Ask Twilio something that may be asked again. Raise DialerUnavailable."""
        if self._missing:
            raise DialerUnavailable(f"Twilio is not configured: {self._missing}.")
        exchange = Exchange(self._deadline_s)
        try:
            with self._http.exchange(exchange):
                found = question()
            assert exchange.answer is not None  # noqa: S101 - every question is a request
            return found, exchange.answer
        except Exception as error:
            raise DialerUnavailable(failure_of(error, exchange).reason) from error


def _missing(**settings: str | None) -> str:
    names = [name for name, value in settings.items() if not value]
    return f"{' and '.join(names)} must be set" if names else ""


def _code(error: DialerUnavailable) -> int | None:
    cause = error.__cause__
    return getattr(cause, "code", None) if isinstance(cause, TwilioException) else None
