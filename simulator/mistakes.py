"""Twilio's errors: their bodies, their codes, and the numbers that provoke them.

Codes: https://www.twilio.com/docs/api/errors. Magic numbers:
https://www.twilio.com/docs/iam/test-credentials, section "Making calls".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from simulator.http1 import Reply

#: HTTP status and message of the codes that the simulator gives by itself or on demand.
KNOWN: Mapping[int, tuple[int, str]] = {
    10001: (403, "Account is not active"),
    10004: (429, "Call concurrency limit exceeded"),
    10005: (403, "Voice calling has been disabled for this account"),
    13224: (400, "Dial: Twilio does not support calling this number or the number is invalid"),
    13225: (400, "Dial: Forbidden phone number"),
    13226: (400, "Dial: Invalid country code"),
    13227: (400, "Dial: No international authorization"),
    20001: (400, "Unknown parameter"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20005: (403, "Account not active"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required."),
    21206: (400, "Invalid SendDigits"),
    21210: (400, "The source phone number provided is not yet verified for your account."),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "The source phone number provided is not valid."),
    21213: (400, "A 'From' phone number is required."),
    21214: (400, "The phone number you are attempting to call cannot be reached."),
    21215: (400, "Account not authorized to call this number: check your geographic permissions."),
    21216: (403, "Account not allowed to call this number."),
    21217: (400, "Phone number does not appear to be valid."),
    21218: (400, "Invalid ApplicationSid"),
    21219: (400, "The number is unverified. Trial accounts may only call verified numbers."),
    21220: (400, "Call is not in a state that allows this."),
    22005: (400, "Call queue is full"),
    32018: (400, "Twiml size exceeded maximum allowed value of 4000 characters"),
}

#: What Twilio says to a call to its magic numbers.
MAGIC_TO: Mapping[str, int] = {
    "+15005550001": 21217,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
}
#: What Twilio says to a call from its magic numbers; +15005550006 is the good one.
MAGIC_FROM: Mapping[str, int] = {
    "+15005550001": 21212,
    **{f"+1500555000{digit}": 21210 for digit in "02345789"},
}

#: Longest TwiML in a request, characters (error 32018).
MAX_TWIML = 4_000
_NUMBER = re.compile(r"\+[0-9]{7,15}", re.ASCII)
_DIGITS = re.compile(r"[0-9A-D*#wW]{0,32}")


class MistakeError(Exception):
    """A request that Twilio answers with an error."""

    def __init__(
        self,
        code: int,
        message: str | None = None,
        *,
        status: int | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """The usual message and HTTP status of the code, if none are given."""
        usual_status, usual_message = KNOWN.get(code, (400, "Unknown error"))
        self.code = code
        self.message = usual_message if message is None else message
        self.status = status or usual_status
        self.retry_after_s = retry_after_s
        super().__init__(self.message)

    def reply(self) -> Reply:
        """Twilio's answer to it."""
        body = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        headers = {}
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return Reply(status=self.status, body=json.dumps(body).encode(), headers=headers)


def check_create(parameters: Mapping[str, str]) -> None:
    """Raise the MistakeError that Twilio finds in a request for a call, if any."""
    to, caller = parameters.get("To", ""), parameters.get("From", "")
    if not to:
        raise MistakeError(21201)
    if not caller:
        raise MistakeError(21213)
    if caller in MAGIC_FROM:
        raise MistakeError(MAGIC_FROM[caller])
    if not _NUMBER.fullmatch(caller):
        raise MistakeError(21212, message=f"The source phone number provided, {caller}, is bad.")
    if to in MAGIC_TO:
        raise MistakeError(MAGIC_TO[to])
    if not _NUMBER.fullmatch(to):
        raise MistakeError(21211, message=f"The phone number {to} is not valid.")
    if not _DIGITS.fullmatch(parameters.get("SendDigits", "")):
        raise MistakeError(21206)
    check_instructions(parameters)


def check_instructions(parameters: Mapping[str, str]) -> None:
    """Raise the MistakeError that Twilio finds in what a call is to do, if any."""
    if not any(parameters.get(name) for name in ("Twiml", "Url", "ApplicationSid")):
        raise MistakeError(21205)
    if len(parameters.get("Twiml", "")) > MAX_TWIML:
        raise MistakeError(32018)
    url = parameters.get("Url", "")
    if url and not url.startswith(("http://", "https://")):
        raise MistakeError(21205, message=f"Url is not a valid URL: {url}")
