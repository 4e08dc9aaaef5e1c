"""Placing calls, and everything that can go wrong with one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.twilio.attempts import (
    DEADLINE_MS,
    GRACE_S,
    PUBLIC_URL,
    MakeDialer,
    an_attempt,
)
from tests.simulator import ACCOUNT, CALLER, SimulatorClient, SimulatorProcess
from vomind_queue.calls.attempts import Accepted, Failure, Kind
from vomind_queue.twilio.dialer import TwilioDialer


def test_a_call_is_placed(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """One ring, with the message, from our number, unrecorded, for thirty seconds."""
    attempt = an_attempt(message="You & me <3")
    outcome = dialer.place(attempt)
    (ring,) = simulator.rings()
    assert outcome == Accepted(sid=ring["sid"], status="queued")
    assert ring["parameters"] == {
        "To": attempt.call.to,
        "From": CALLER,
        "Timeout": "30",
        "Record": "false",
        "Twiml": "<Response><Say>You &amp; me &lt;3</Say></Response>",
    }


@pytest.mark.parametrize(("ring_ms", "timeout"), [(5_000, "5"), (45_001, "46"), (600_000, "600")])
def test_a_phone_rings_as_long_as_its_attempt_says(
    dialer: TwilioDialer, simulator: SimulatorClient, ring_ms: int, timeout: str
) -> None:
    """In whole seconds, a part of one rounded up."""
    assert isinstance(dialer.place(replace(an_attempt(), ring_ms=ring_ms)), Accepted)
    (ring,) = simulator.rings()
    assert ring["parameters"]["Timeout"] == timeout


def test_an_application_of_the_operator_speaks(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """With TWIML_URL Twilio is sent there, with the message and the ids."""
    dialer = make_dialer(twiml_url="https://app.example.com/voice?tenant=1")
    assert isinstance(dialer.place(an_attempt(message="Hi", lead_id="L1")), Accepted)
    (ring,) = simulator.rings()
    assert "Twiml" not in ring["parameters"]
    assert ring["parameters"]["Url"] == (
        "https://app.example.com/voice?tenant=1&message=Hi&jobId=7&lead_id=L1"
    )


def test_the_status_callback_carries_the_token(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """With PUBLIC_URL Twilio reports every step to an address that names the attempt."""
    attempt = an_attempt()
    make_dialer(public_url=PUBLIC_URL).place(attempt)
    (ring,) = simulator.rings()
    assert ring["parameters"]["StatusCallback"] == (
        f"{PUBLIC_URL}/api/twilio/status/7/{attempt.token}"
    )
    assert ring["parameters"]["StatusCallbackEvent"] == [
        "initiated",
        "ringing",
        "answered",
        "completed",
    ]


def test_an_api_key_logs_in(
    make_dialer: MakeDialer, own_simulator: Callable[..., SimulatorProcess]
) -> None:
    """Key and secret replace the auth token; the account stays the same."""
    process = own_simulator("--key", f"SK1:secret:{ACCOUNT}")
    base = process.client.url
    by_key = make_dialer(api_base=base, auth_token=None, api_key="SK1", api_secret="secret")
    assert isinstance(by_key.place(an_attempt()), Accepted)
    by_token = make_dialer(api_base=base).place(an_attempt())
    assert isinstance(by_token, Failure)
    assert (by_token.kind, by_token.code) == (Kind.ACCOUNT, 20003)


def test_without_an_account_nothing_is_tried(make_dialer: MakeDialer) -> None:
    """What is missing is named, and the queue is to pause."""
    failed = make_dialer(account_sid=None, auth_token=None).place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.ACCOUNT
    assert "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN must be set" in failed.reason


#: A rule of the simulator's, what it means, and whether the phone rang.
FAULTS: list[tuple[dict[str, Any], Kind, bool]] = [
    ({"fault": "error", "status": 429, "retry_after": 7}, Kind.REFUSED, False),
    ({"fault": "error", "status": 429}, Kind.REFUSED, False),
    ({"fault": "error", "code": 10004}, Kind.REFUSED, False),
    ({"fault": "error", "status": 500}, Kind.UNKNOWN, False),
    ({"fault": "error", "status": 500, "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "error", "status": 502, "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "error", "status": 503}, Kind.UNKNOWN, False),
    ({"fault": "error", "status": 408, "code": 20500}, Kind.UNKNOWN, False),
    ({"fault": "error", "code": 20003}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 20005}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 10001}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 20404}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 13225}, Kind.PERMANENT, False),
    ({"fault": "html", "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "html", "status": 200, "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "html", "status": 302}, Kind.ACCOUNT, False),
    ({"fault": "empty"}, Kind.UNKNOWN, False),
    ({"fault": "empty", "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "drop"}, Kind.UNKNOWN, False),
    ({"fault": "drop", "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "reset", "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "cut", "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "half_close", "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "silent"}, Kind.UNKNOWN, False),
    ({"fault": "silent", "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "drip", "ms": 50, "when": "after"}, Kind.UNKNOWN, True),
    ({"fault": "slow", "ms": 5000, "when": "after"}, Kind.UNKNOWN, True),
]


@pytest.mark.alone
@pytest.mark.parametrize(
    ("rule", "kind", "rang"), FAULTS, ids=["-".join(map(str, r.values())) for r, _, _ in FAULTS]
)
def test_faults(
    make_dialer: MakeDialer,
    simulator: SimulatorClient,
    rule: dict[str, Any],
    kind: Kind,
    rang: bool,
) -> None:
    """Every fault has its meaning, within the deadline, and nothing is sent twice."""
    simulator.faults(rule)
    dialer = make_dialer(deadline_ms=DEADLINE_MS)
    attempt = an_attempt()
    start = time.monotonic()
    failed = dialer.place(attempt)
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is kind, failed.reason
    assert len(simulator.rings(attempt.call.to)) == rang
    assert simulator.faults()[0]["struck"] == 1
    if rule.get("retry_after"):
        assert failed.retry_after_ms == 7_000


@pytest.mark.parametrize(
    ("to", "code"),
    [("+15005550001", 21217), ("+15005550002", 21214), ("+15005550003", 21215)],
)
def test_twilios_words_reach_people(dialer: TwilioDialer, to: str, code: int) -> None:
    """A number that is refused for good is told with Twilio's message and code."""
    failed = dialer.place(an_attempt(to))
    assert isinstance(failed, Failure)
    assert (failed.kind, failed.code) == (Kind.PERMANENT, code)
    assert failed.reason.startswith("Twilio will not place this call: ")
    assert f"(error {code}, HTTP 400)" in failed.reason


def test_a_reason_shows_no_number(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """Twilio repeats the number; in a reason, which is logged, it is masked."""
    attempt = an_attempt()
    words = f"The number {attempt.call.to} is not allowed."
    simulator.faults({"fault": "error", "code": 21216, "message": words})
    failed = dialer.place(attempt)
    assert isinstance(failed, Failure)
    assert attempt.call.to not in failed.reason
    assert attempt.call.to[-4:] in failed.reason
