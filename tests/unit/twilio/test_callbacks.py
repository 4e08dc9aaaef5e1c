"""What a request for a call says, and what Twilio's record of one shows."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from vomind_queue.calls.attempts import Attempt
from vomind_queue.calls.call import Call
from vomind_queue.calls.call_status import Detection
from vomind_queue.twilio.callbacks import (
    DetectionPolicy,
    detection,
    instructions,
    status_callback,
    tokens_in,
)


def an_attempt(**fields: object) -> Attempt:
    """An attempt with a token that wants quoting."""
    call = Call(to="+15005550100", **fields)  # type: ignore[arg-type]
    return Attempt(job_id="7", token="to/k en", call=call, number=1, marked_ms=0)


def test_the_message_is_spoken() -> None:
    """Without a URL of the operator's the message itself is the TwiML."""
    assert instructions(an_attempt(message="1 < 2"), None) == {
        "twiml": "<Response><Say>1 &lt; 2</Say></Response>"
    }


def test_an_application_is_told_what_to_say() -> None:
    """With a URL its own parameters stay, and the message and the ids are added."""
    attempt = an_attempt(message="Grüße & Küsse? #1 +2", lead_id=42)
    given = instructions(attempt, "https://example.com/voice/start?tenant=a%20b&x=#part")
    assert set(given) == {"url"}
    url = urlsplit(given["url"])
    assert (url.netloc, url.path, url.fragment) == ("example.com", "/voice/start", "part")
    assert parse_qsl(url.query, keep_blank_values=True) == [
        ("tenant", "a b"),
        ("x", ""),
        ("message", "Grüße & Küsse? #1 +2"),
        ("jobId", "7"),
        ("lead_id", "42"),
    ]


def test_no_lead_no_parameter() -> None:
    """A call without a lead has no lead_id."""
    assert "lead_id" not in instructions(an_attempt(), "https://example.com/")["url"]


def test_the_callback_carries_the_token_there_and_back() -> None:
    """The token is found again in both kinds of event that Twilio shows."""
    public_url = "https://queue.example.com"
    callback = status_callback(an_attempt(), public_url)
    assert callback == f"{public_url}/api/twilio/status/7/to%2Fk%20en"
    made = {"method": "POST", "parameters": {"to": "+15", "status_callback": callback}}
    called = {"url": f"{callback}?x=1", "parameters": {"CallStatus": "ringing"}}
    assert tokens_in([made]) == ["to/k en"]
    assert tokens_in([called]) == ["to/k en"]
    assert tokens_in([None, 3, {"url": None}]) == []


def test_a_token_is_known_under_any_host_and_in_an_address_alone() -> None:
    """The public address may change between attempts; words of a message are no address."""
    old = [{"url": "https://old.example.com:8443/base/api/twilio/status/7/x"}]
    assert tokens_in(old) == ["x"]
    spoken = "<Response><Say>https://a.example/api/twilio/status/7/fake</Say></Response>"
    assert tokens_in([{"parameters": {"twiml": spoken}}]) == []


PUBLIC_URL = "https://queue.example.com/q"
BACK = {
    "async_amd": "true",
    "async_amd_status_callback": f"{PUBLIC_URL}/api/twilio/status/7/to%2Fk%20en",
    "async_amd_status_callback_method": "POST",
}
#: Fields of the call, what is wanted, the public address, and what Twilio is asked for.
DETECTIONS = [
    ({}, "off", PUBLIC_URL, {}),
    ({}, "enable", PUBLIC_URL, {"machine_detection": "Enable", **BACK}),
    ({}, "detect-message-end", PUBLIC_URL, {"machine_detection": "DetectMessageEnd", **BACK}),
    # Nobody to tell: the result is in Twilio's own record of the call.
    ({}, "enable", None, {"machine_detection": "Enable", "async_amd": "true"}),
    # A person hears the message at once.
    (
        {"voicemail_message": "Hi"},
        "detect-message-end",
        PUBLIC_URL,
        {"machine_detection": "DetectMessageEnd", **BACK},
    ),
    # Nobody but the operator's application could put the words in: it is asked afterwards.
    (
        {"voicemail_message": "Hi"},
        "detect-message-end",
        None,
        {"machine_detection": "DetectMessageEnd"},
    ),
]


@pytest.mark.parametrize(("fields", "wanted", "public_url", "asked"), DETECTIONS)
def test_machines_are_told_as_wanted(
    fields: dict[str, Any], wanted: str, public_url: str | None, asked: dict[str, str]
) -> None:
    """In the background wherever the result can reach us."""
    assert detection(an_attempt(**fields), Detection(wanted), public_url) == asked


def test_a_call_with_words_for_a_machine_asks_what_to_say() -> None:
    """Us; or the operator's application, which is told both messages."""
    attempt = an_attempt(message="Hello", voicemail_message="Call us")
    asks = {"url": f"{PUBLIC_URL}/api/twilio/twiml/7/to%2Fk%20en"}
    assert instructions(attempt, None, PUBLIC_URL) == asks
    assert instructions(an_attempt(message="Hello"), None, PUBLIC_URL).keys() == {"twiml"}
    url = instructions(attempt, "https://example.com/voice", PUBLIC_URL)["url"]
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "message": "Hello",
        "jobId": "7",
        "voicemailMessage": "Call us",
    }


#: Fields of the call, the setting, outcomes that are retried by default, and what is detected.
WANTED: list[tuple[dict[str, Any], str, list[str], str]] = [
    ({}, "off", [], "off"),
    ({}, "enable", [], "enable"),
    ({"machine_detection": "off"}, "enable", [], "off"),
    ({"machine_detection": "detect-message-end"}, "off", [], "detect-message-end"),
    # Words are left once the greeting is over.
    ({"voicemail_message": "Hi"}, "off", [], "detect-message-end"),
    ({"voicemail_message": "Hi", "machine_detection": "enable"}, "off", [], "detect-message-end"),
    # Twilio presses the keys instead.
    ({"send_digits": "1#"}, "enable", ["machine"], "off"),
    # What a machine's answer is to lead to wants to be known.
    ({"retry_on": ["machine"]}, "off", [], "enable"),
    ({}, "off", ["machine"], "enable"),
    ({"retry_on": ["busy"]}, "off", ["machine"], "off"),
    ({"machine_detection": "off"}, "off", ["machine"], "off"),
    ({"retry_on": ["machine"]}, "detect-message-end", [], "detect-message-end"),
]


@pytest.mark.parametrize(("fields", "default", "retry_on", "wanted"), WANTED)
def test_machines_are_detected_where_that_is_needed(
    fields: dict[str, Any], default: str, retry_on: list[str], wanted: str
) -> None:
    """A call's own words come first, but for what its other fields need."""
    policy = DetectionPolicy(default=Detection(default), retry_on=retry_on)
    assert policy.wanted(Call(to="+15005550100", **fields)) == Detection(wanted)
