"""What Twilio sends to us: where to, whether it is Twilio, and what the parameters say.

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
    """Tells requests that Twilio signed from all others."""

    def __init__(self, auth_token: str, public_url: str) -> None:
        """``public_url``: where Twilio reaches this service, as it was told."""
        self._validator = RequestValidator(auth_token)
        self._public_url = public_url

    def genuine(self, path: str, query: str, form: MultiDict[str, str], signature: str) -> bool:
        """Whether Twilio signed a request.

        ``path``: below the public address, as Twilio was given it; ``query``: as it stood in the
        address; ``form``: empty for a GET.
        """
        address = f"{self._public_url}{path}{f'?{query}' if query else ''}"
        return bool(signature and self._validator.validate(address, form, signature))


def status_path(job_id: str, token: str) -> str:
    """Where status callbacks come in, below the public address."""
    return f"/api/twilio/status/{_quoted(job_id)}/{_quoted(token)}"


def twiml_path(job_id: str, token: str) -> str:
    """Where Twilio asks what to say, below the public address."""
    return f"/api/twilio/twiml/{_quoted(job_id)}/{_quoted(token)}"


def _quoted(part: str) -> str:
    # A colon may stand in a path as it is, and need not be the same to everybody when escaped:
    # what is signed is the address as Twilio writes it.
    return quote(part, safe=":")


def read(parameters: Mapping[str, str]) -> Report | None:
    """What Twilio says of a call; ``None`` without the SID of one.

    A value of an unknown form counts as not said: Twilio adds to its words.
    """
    sid = parameters.get("CallSid", "")
    if not _SID.fullmatch(sid):
        return None
    answered_by = parameters.get("AnsweredBy", "")
    return Report(
        sid=sid,
        status=known(parameters.get("CallStatus")),
        sequence=_number(parameters, "SequenceNumber"),
        # Not Duration: that one is billed, in minutes.
        duration_s=_number(parameters, "CallDuration"),
        answered_by=answered_by if _ANSWERED_BY.fullmatch(answered_by) else None,
        sip_code=_number(parameters, "SipResponseCode"),
    )


def _number(parameters: Mapping[str, str], name: str) -> int | None:
    value = parameters.get(name, "")
    return int(value) if _NUMBER.fullmatch(value) else None
