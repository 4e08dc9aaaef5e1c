"""What a request for a call says."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from vomind_queue.attempts import Attempt
from vomind_queue.calls import Call
from vomind_queue.dialer.twiml import instructions, status_callback, token_in


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
    assert token_in([made], public_url) == "to/k en"
    assert token_in([called], public_url) == "to/k en"
    assert (
        token_in([{"url": "https://other.example.com/api/twilio/status/7/x"}], public_url) is None
    )
    assert token_in([None, 3, {"url": None}], public_url) is None
