"""Parameters of calls: those that we send to Twilio, and those that its callbacks bring.

A request for a call names our addresses and what the call says. Twilio's requests to those
addresses, and its record of the first request, are read here as well.

Parameters: https://www.twilio.com/docs/voice/api/call-resource#statuscallback and
https://www.twilio.com/docs/voice/answering-machine-detection; signature:
https://www.twilio.com/docs/usage/security#validating-requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from werkzeug.datastructures import MultiDict

from vomind_queue.calls.attempts import Attempt
from vomind_queue.calls.call import Call
from vomind_queue.calls.call_status import MACHINE, Detection, StatusUpdate, status_of
from vomind_queue.calls.job import Recording
from vomind_queue.calls.opt_out import NO_OPT_OUT, OptOut
from vomind_queue.calls.voices import Voice
from vomind_queue.twilio.twiml import FORBIDDEN, MAX_TWIML, PLAIN, open_with

#: What Twilio reports to the status callback.
CALLBACK_EVENTS = ("initiated", "ringing", "answered", "completed")

#: Twilio's names for the two ways to detect a machine.
_DETECTIONS = {Detection.ENABLE: "Enable", Detection.MESSAGE_END: "DetectMessageEnd"}

_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_RECORDING = re.compile(r"RE[0-9a-fA-F]{32}")
_RECORDING_URL = re.compile(r"https://[!-~]{1,1000}")
_NUMBER = re.compile(r"[0-9]{1,9}")
#: A callback's address as a whole, so that no message can pass for one.
_CALLBACK = re.compile(
    r"https?://[^\s?#]+/api/twilio/(?:status|twiml|keys)/[^/\s?#]+/([^/?#\s]+)(?:[?#]\S*)?"
)
_ANSWERED_BY = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectionPolicy:
    """Whether machines are detected if a call does not say so itself."""

    default: Detection = Detection.OFF
    #: Outcomes on the line after which calls are made again.
    retry_on: Sequence[str] = ()

    def wanted(self, call: Call) -> Detection:
        """Return what a call needs.

        A message is left once the greeting is over. A call that is made again for a machine needs
        to know of one. Twilio detects none on a call that presses keys.
        """
        if call.send_digits is not None:
            return Detection.OFF
        if call.voicemail_message is not None:
            return Detection.MESSAGE_END
        if call.machine_detection is not None:
            return Detection(call.machine_detection)
        retry_on = self.retry_on if call.retry_on is None else call.retry_on
        if self.default is Detection.OFF and MACHINE in retry_on:
            return Detection.ENABLE
        return self.default


def status_path(job_id: str, token: str) -> str:
    """Return the path of status callbacks, relative to the public address."""
    return f"/api/twilio/status/{_quoted(job_id)}/{_quoted(token)}"


def twiml_path(job_id: str, token: str) -> str:
    """Return the path at which Twilio asks what to say, relative to the public address."""
    return f"/api/twilio/twiml/{_quoted(job_id)}/{_quoted(token)}"


def keys_path(job_id: str, token: str) -> str:
    """Return the path to which Twilio sends a key that was pressed, relative to the public one."""
    return f"/api/twilio/keys/{_quoted(job_id)}/{_quoted(token)}"


def _quoted(part: str) -> str:
    # Twilio signs the address as it writes it, and an escaped colon may be written either way.
    return quote(part, safe=":")


def instructions(
    attempt: Attempt,
    twiml_url: str | None,
    public_url: str | None = None,
    voice: Voice = PLAIN,
    opt_out: OptOut = NO_OPT_OUT,
) -> dict[str, str]:
    """Return what happens once the phone is picked up: ``twiml``, or the ``url`` it comes from.

    The address of a call's own application is passed on unchanged. ``twiml_url`` is the operator's:
    the message, the job id and the lead id are added to its parameters. Without either, Twilio asks
    us only about a call with a voicemail message, or one whose words do not fit into the request.
    ``voice``: for calls that name none. ``opt_out``: what is said besides the message.
    """
    call = attempt.call
    if call.twiml_url is not None:
        return {"url": call.twiml_url}
    if twiml_url is None:
        if call.voicemail_message is None or public_url is None:
            twiml = opening(attempt, public_url or "", call.spoken(voice), opt_out)
            if public_url is None or len(twiml.encode("utf-16-le")) // 2 <= MAX_TWIML:
                return {"twiml": twiml}
        return {"url": public_url + twiml_path(attempt.job_id, attempt.token)}
    return {"url": application_url(call, attempt.job_id, twiml_url)}


def opening(attempt: Attempt, public_url: str, voice: Voice, opt_out: OptOut) -> str:
    """Return TwiML with what a person hears first: who is calling, the key, and the message."""
    url = public_url + keys_path(attempt.job_id, attempt.token)
    return open_with(opt_out.caller_name, opt_out.offer, attempt.call.message, voice, url)


def application_url(call: Call, job_id: str, twiml_url: str) -> str:
    """Return where the operator's application is asked what to say in a call."""
    parameters = {"message": FORBIDDEN.sub("", call.message), "jobId": job_id}
    if call.lead_id is not None:
        parameters["lead_id"] = str(call.lead_id)
    if call.voicemail_message is not None:
        parameters["voicemailMessage"] = FORBIDDEN.sub("", call.voicemail_message)
    spoken = {"language": call.language, "voice": call.voice}
    parameters |= {name: value for name, value in spoken.items() if value}
    parts = urlsplit(twiml_url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters, errors="replace"))))
    return urlunsplit(parts._replace(query=query))


def detection(attempt: Attempt, wanted: Detection, public_url: str | None) -> dict[str, str]:
    """Return how Twilio tells a machine from a person.

    Twilio speaks at once and reports the result later. Only an application that is to speak a
    voicemail message, where no report can reach us, is asked once Twilio knows who answered.
    """
    if wanted is Detection.OFF:
        return {}
    parameters = {"machine_detection": _DETECTIONS[wanted]}
    if public_url is None and attempt.call.voicemail_message is not None:
        return parameters
    parameters["async_amd"] = "true"
    if public_url is not None:
        parameters["async_amd_status_callback"] = status_callback(attempt, public_url)
        parameters["async_amd_status_callback_method"] = "POST"
    return parameters


def recording(attempt: Attempt, public_url: str | None) -> dict[str, str | bool]:
    """Return whether Twilio records the call, and where it reports the recording."""
    if not attempt.call.record:
        return {"record": False}
    if public_url is None:
        return {"record": True}
    return {
        "record": True,
        "recording_status_callback": status_callback(attempt, public_url),
        "recording_status_callback_method": "POST",
    }


def status_callback(attempt: Attempt, public_url: str) -> str:
    """Return where Twilio reports on an attempt; the token proves which attempt it was."""
    return public_url + status_path(attempt.job_id, attempt.token)


class SignatureValidator:
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


def read(parameters: Mapping[str, str]) -> StatusUpdate | None:
    """Return what Twilio says about a call, or ``None`` without a call SID.

    A value in an unknown format counts as missing: Twilio adds new ones over time.
    """
    sid = parameters.get("CallSid", "")
    if not _SID.fullmatch(sid):
        return None
    answered_by = parameters.get("AnsweredBy", "")
    return StatusUpdate(
        sid=sid,
        status=status_of(parameters.get("CallStatus")),
        sequence=_number(parameters, "SequenceNumber"),
        # Not Duration, which is the billed time in minutes.
        duration_s=_number(parameters, "CallDuration"),
        answered_by=answered_by if _ANSWERED_BY.fullmatch(answered_by) else None,
        sip_code=_number(parameters, "SipResponseCode"),
        recording=_recording(parameters),
    )


def _recording(parameters: Mapping[str, str]) -> Recording | None:
    sid, url = parameters.get("RecordingSid", ""), parameters.get("RecordingUrl", "")
    # Neither one that has only begun, nor one that is empty.
    is_ready = parameters.get("RecordingStatus") == "completed"
    if is_ready and _RECORDING.fullmatch(sid) and _RECORDING_URL.fullmatch(url):
        return Recording(sid=sid, url=url)
    return None


def _number(parameters: Mapping[str, str], name: str) -> int | None:
    value = parameters.get(name, "")
    return int(value) if _NUMBER.fullmatch(value) else None


def tokens_in(event: object) -> list[str]:
    """Return the attempts' tokens from one of a call's events, if it names a callback of ours.

    The event shows either the request that created the call, with the callback among its
    parameters, or a request that Twilio made to the callback. The host proves nothing, because the
    public address may have changed since the attempt.
    """
    found = (_CALLBACK.fullmatch(text) for text in _texts(event))
    return [unquote(match[1]) for match in found if match]


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
