"""Parameters of a request for a call: what it says, and where Twilio reports its progress."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from vomind_queue.attempts import Attempt
from vomind_queue.dialer.callbacks import status_path, twiml_path
from vomind_queue.progress import Detection
from vomind_queue.speech import FORBIDDEN, say

#: What Twilio reports to the status callback.
CALLBACK_EVENTS = ("initiated", "ringing", "answered", "completed")

#: Twilio's names for the two ways to detect a machine.
_DETECTIONS = {Detection.ENABLE: "Enable", Detection.MESSAGE_END: "DetectMessageEnd"}


def instructions(
    attempt: Attempt, twiml_url: str | None, public_url: str | None = None
) -> dict[str, str]:
    """Return what happens once the phone is picked up: ``twiml``, or the ``url`` it comes from.

    ``twiml_url`` is the operator's own application. The message, the job id and the lead id are
    added to its parameters. Without one, Twilio asks us only for a call with a voicemail message.
    """
    call = attempt.call
    if twiml_url is None:
        if call.voicemail_message is None or public_url is None:
            return {"twiml": say(call.message)}
        return {"url": public_url + twiml_path(attempt.job_id, attempt.token)}
    parameters = {"message": FORBIDDEN.sub("", call.message), "jobId": attempt.job_id}
    if call.lead_id is not None:
        parameters["lead_id"] = str(call.lead_id)
    if call.voicemail_message is not None:
        parameters["voicemailMessage"] = FORBIDDEN.sub("", call.voicemail_message)
    parts = urlsplit(twiml_url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters, errors="replace"))))
    return {"url": urlunsplit(parts._replace(query=query))}


def detection(attempt: Attempt, default: Detection, public_url: str | None) -> dict[str, str]:
    """Return how Twilio tells a machine from a person.

    With a voicemail message, Twilio has to know who answered before it asks what to say.
    Otherwise it speaks at once and reports the result later.
    """
    call = attempt.call
    wanted = Detection(call.machine_detection) if call.machine_detection else default
    if call.voicemail_message is not None:
        spoken_to = wanted if wanted is not Detection.OFF else Detection.MESSAGE_END
        return {"machine_detection": _DETECTIONS[spoken_to]}
    if wanted is Detection.OFF:
        return {}
    parameters = {"machine_detection": _DETECTIONS[wanted], "async_amd": "true"}
    if public_url is not None:
        parameters["async_amd_status_callback"] = status_callback(attempt, public_url)
        parameters["async_amd_status_callback_method"] = "POST"
    return parameters


def hang_up() -> str:
    """Return TwiML that ends a call without a word."""
    return "<Response><Hangup/></Response>"


def status_callback(attempt: Attempt, public_url: str) -> str:
    """Return where Twilio reports on an attempt; the token proves which attempt it was."""
    return public_url + status_path(attempt.job_id, attempt.token)


def token_in(event: object, public_url: str) -> str | None:
    """Return the attempt's token from one of a call's events, if it names our status callback.

    The event shows either the request that created the call, with the callback among its
    parameters, or a request that Twilio made to the callback.
    """
    callback = re.compile(re.escape(public_url) + r"/api/twilio/status/[^/\s]+/([^/?#\s]+)")
    for text in _texts(event):
        if found := callback.search(text):
            return unquote(found[1])
    return None


def shows_creation(event: object) -> bool:
    """Return whether an event is the request that created the call, with its parameters."""
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
