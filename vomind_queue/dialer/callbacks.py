"""Requests that Twilio makes to us: where to, whether they are genuine, what they say.

Parameters: https://www.twilio.com/docs/voice/api/call-resource#statuscallback and
https://www.twilio.com/docs/voice/answering-machine-detection; signature:
https://www.twilio.com/docs/usage/security#validating-requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from werkzeug.datastructures import MultiDict

from vomind_queue.progress import Report, known

_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_ANSWERED_BY = re.compile(r"[a-z_]{1,40}")


class Postmark:
    """Tell requests that Twilio signed from all others."""

    def __init__(self, auth_token: str, public_url: str) -> None:
        """``public_url``: where Twilio reaches this service, as Twilio was given it."""
        self._validator = RequestValidator(auth_token)
        self._public_url = public_url

    def genuine(self, path: str, query: str, form: MultiDict[str, str], signature: str) -> bool:
        """Return whether Twilio signed a request.

        ``path`` is relative to the public address, as Twilio was given it; ``query`` is the query
        string as received; ``form`` is empty for a GET.
        """
        address = f"{self._public_url}{path}{f'?{query}' if query else ''}"
        return bool(signature and self._validator.validate(address, form, signature))


def status_path(job_id: str, token: str) -> str:
    """Return the path of status callbacks, relative to the public address."""
    return f"/api/twilio/status/{_quoted(job_id)}/{_quoted(token)}"


def twiml_path(job_id: str, token: str) -> str:
    """Return the path at which Twilio asks what to say, relative to the public address."""
    return f"/api/twilio/twiml/{_quoted(job_id)}/{_quoted(token)}"


def _quoted(part: str) -> str:
    # Twilio signs the address as it writes it, and an escaped colon may be written either way.
    return quote(part, safe=":")


def read(parameters: Mapping[str, str]) -> Report | None:
    """Return what Twilio says about a call, or ``None`` without a call SID.

    A value in an unknown format counts as missing: Twilio adds new ones over time.
    """
    sid = parameters.get("CallSid", "")
    if not _SID.fullmatch(sid):
        return None
    answered_by = parameters.get("AnsweredBy", "")
    return Report(
        sid=sid,
        status=known(parameters.get("CallStatus")),
        sequence=_number(parameters, "SequenceNumber"),
        # Not Duration, which is the billed time in minutes.
        duration_s=_number(parameters, "CallDuration"),
        answered_by=answered_by if _ANSWERED_BY.fullmatch(answered_by) else None,
        sip_code=_number(parameters, "SipResponseCode"),
    )


def _number(parameters: Mapping[str, str], name: str) -> int | None:
    value = parameters.get(name, "")
    return int(value) if _NUMBER.fullmatch(value) else None
