"""What a call says, and whom Twilio tells how it goes: parameters of a request for a call."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from vomind_queue.attempts import Attempt
from vomind_queue.speech import FORBIDDEN, say

#: How long a phone rings before the call is given up, seconds.
RING_TIMEOUT_S = 30
#: What Twilio reports to the status callback.
CALLBACK_EVENTS = ("initiated", "ringing", "answered", "completed")


def instructions(attempt: Attempt, twiml_url: str | None) -> dict[str, str]:
    """What to do once the phone is picked up: ``twiml``, or the ``url`` that says so.

    With a URL an application of the operator's own answers: it is given the
    message, the job id and the lead id as parameters, beside those it has.
    """
    if twiml_url is None:
        return {"twiml": say(attempt.call.message)}
    parameters = {"message": FORBIDDEN.sub("", attempt.call.message), "jobId": attempt.job_id}
    if attempt.call.lead_id is not None:
        parameters["lead_id"] = str(attempt.call.lead_id)
    parts = urlsplit(twiml_url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters, errors="replace"))))
    return {"url": urlunsplit(parts._replace(query=query))}


def status_callback(attempt: Attempt, public_url: str) -> str:
    """Where Twilio reports on an attempt; the token proves which one it was."""
    job_id, token = quote(attempt.job_id, safe=""), quote(attempt.token, safe="")
    return f"{public_url}/api/twilio/status/{job_id}/{token}"


def token_in(event: object, public_url: str) -> str | None:
    """The attempt's token in one of a call's events, where it names our status callback.

    The event shows either the request that made the call, with the callback among
    its parameters, or the request that Twilio made to the callback.
    """
    callback = re.compile(re.escape(public_url) + r"/api/twilio/status/[^/\s]+/([^/?#\s]+)")
    for text in _texts(event):
        if found := callback.search(text):
            return unquote(found[1])
    return None


def shows_creation(event: object) -> bool:
    """Whether an event is the request that made the call, with what it asked for."""
    request = event[0] if isinstance(event, list) and event else event
    if not isinstance(request, dict):
        return False
    url, parameters = request.get("url"), request.get("parameters")
    is_creation = isinstance(url, str) and re.search(r"/Calls(/CA\w+)?(\.json)?$", url) is not None
    return is_creation and isinstance(parameters, dict) and bool(parameters)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return []
