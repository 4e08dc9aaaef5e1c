"""The requests that the simulator has to send: what each says, and whether it is still due."""

from __future__ import annotations

import time
from dataclasses import dataclass

from simulator.book import SimulatedCall
from simulator.courses import ENDED
from simulator.listing import rfc2822


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One request to be sent."""

    call: SimulatedCall
    #: initiated, ringing, answered, completed; detected: who answered; recorded: a recording is
    #: ready; instructions: what to say;
    #: hangup, which is not a request: the instructions have ended.
    event: str
    #: Twilio's status then.
    status: str = ""
    #: When it happens in the call's life, unix s.
    happens_s: float
    sequence: int = 0
    #: Where instructions come from, where that is not the call's own ``Url``.
    url: str = ""
    #: The number of documents that the call had begun when this was planned; one more, and it
    #: will not happen.
    documents: int | None = None
    forged: bool = False
    #: A key that was pressed.
    digit: str = ""


def letter_at(
    call: SimulatedCall, event: str, age_s: float, *, status: str = "", sequence: int = 0
) -> Letter:
    """Make a letter for a moment in the call's life, s after its creation."""
    happens_s = call.created_s + age_s
    return Letter(call=call, event=event, status=status, happens_s=happens_s, sequence=sequence)


def overtaken(letter: Letter) -> bool:
    """Return whether the call was ended, or did something else, before that happened."""
    ended = letter.call.ended
    if ended is not None and letter.happens_s > ended[1]:
        return True
    if letter.documents is None:
        return False
    is_over = letter.call.status(time.time()) in ENDED
    return is_over or letter.documents != len(letter.call.documents)


def prolonged(letter: Letter) -> bool:
    """Return whether a call ends later than was planned."""
    is_end = letter.event in ("completed", "recorded") and not letter.call.ended
    return is_end and letter.call.ends_s > time.time()


def secret(letter: Letter) -> str:
    """Return the token that the request is signed with."""
    return "somebody else's" if letter.forged else letter.call.auth_token


def request(letter: Letter) -> tuple[str, str, dict[str, str]]:
    """Return address, method and form of a request."""
    call = letter.call
    form = {"CallSid": call.sid, "AccountSid": call.account}
    if letter.event == "detected":
        found = call.course.answered_by(call.detection) or "unknown"
        form |= {"AnsweredBy": found, "MachineDetectionDuration": "1000"}
        method = call.parameter("AsyncAmdStatusCallbackMethod") or "POST"
        return call.parameter("AsyncAmdStatusCallback"), method, form
    if letter.event == "recorded":
        method = call.parameter("RecordingStatusCallbackMethod") or "POST"
        form |= _recording(call, letter.happens_s)
        return call.parameter("RecordingStatusCallback"), method, form
    form |= _about(call, letter.status)
    if letter.event == "instructions":
        if letter.digit:
            form |= {"Digits": letter.digit, "FinishedOnKey": ""}
        if letter.url:
            return letter.url, "POST", form
        return call.parameter("Url"), call.parameter("Method") or "POST", form
    form |= {
        "Timestamp": rfc2822(letter.happens_s) or "",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(letter.sequence),
    }
    if letter.status in ENDED:
        seconds = call.duration_s(letter.happens_s)
        form["CallDuration"] = str(seconds)
        # Billed in whole minutes.
        form["Duration"] = str(-(-seconds // 60))
        form["SipResponseCode"] = "487" if call.ended else str(call.course.sip_code)
    method = call.parameter("StatusCallbackMethod") or "POST"
    return call.parameter("StatusCallback"), method, form


def _recording(call: SimulatedCall, at_s: float) -> dict[str, str]:
    sid = f"RE{call.sid.removeprefix('CA')}"
    return {
        "RecordingSid": sid,
        "RecordingUrl": (
            f"https://api.twilio.com/2010-04-01/Accounts/{call.account}/Recordings/{sid}"
        ),
        "RecordingStatus": "completed",
        "RecordingDuration": str(call.duration_s(at_s)),
        "RecordingChannels": "1",
        "RecordingSource": "OutboundAPI",
        "RecordingTrack": "both",
    }


def _about(call: SimulatedCall, status: str) -> dict[str, str]:
    about = {
        "ApiVersion": "2010-04-01",
        "CallStatus": status,
        "Direction": "outbound-api",
        "From": call.caller,
        "Caller": call.caller,
        "To": call.to,
        "Called": call.to,
        # Twilio knows where some numbers are, letters of other languages included.
        "ToCity": "São Paulo",
        "ToZip": "",
    }
    answered = status in ("in-progress", "completed") and call.detection
    if answered and (found := call.answered_by(time.time())):
        about["AnsweredBy"] = found
    return about
