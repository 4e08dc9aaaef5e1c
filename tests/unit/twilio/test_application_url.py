"""The address of the operator's own application."""

from __future__ import annotations

from tests.integration.twilio.attempts import an_attempt
from vomind_queue.api.schemas.placeable import too_long
from vomind_queue.calls.attempts import Failure, Kind
from vomind_queue.calls.call import Call
from vomind_queue.config.settings import Settings
from vomind_queue.twilio.callbacks import instructions
from vomind_queue.twilio.dialer import TwilioDialer

URL = "https://bot.example.com/voice/"


def test_it_is_asked_to_the_letter() -> None:
    """A slash at its end is part of it; TWILIO_API_BASE has paths added to it, and wants none."""
    settings = Settings.from_env({"TWIML_URL": URL})
    assert settings.twiml_url == URL
    assert instructions(an_attempt(), settings.twiml_url)["url"].startswith(f"{URL}?message=")


def test_words_that_make_it_too_long_are_refused() -> None:
    """Encoded, each letter of most scripts takes six characters or more."""
    calls = [Call(to="+15005550001", message=text) for text in ("ü" * 3_000, "x" * 3_000)]
    assert list(too_long(calls, URL)) == [0]
    assert too_long(calls, None) == {}


def test_a_stored_call_that_makes_it_too_long_fails_alone() -> None:
    """Twilio would refuse it as an address that is wrong for every call, and the queue pause."""
    dialer = TwilioDialer(
        account_sid="AC" + "0" * 32,
        auth_token="x",
        from_numbers=["+15005550006"],
        api_base="http://127.0.0.1:9",
        twiml_url=URL,
    )
    outcome = dialer.place(an_attempt(message="ü" * 3_000))
    assert isinstance(outcome, Failure)
    assert (outcome.kind, "TWIML_URL" in outcome.reason) == (Kind.PERMANENT, True)
