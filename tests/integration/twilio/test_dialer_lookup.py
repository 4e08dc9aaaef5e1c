"""Looking for calls with unknown outcomes, and ending calls."""

from __future__ import annotations

import time
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
from tests.simulator import SimulatorClient
from vomind_queue.calls.attempts import Accepted, Attempt, DialerUnavailable
from vomind_queue.twilio.dialer import TwilioDialer


def age_ms(attempt: Attempt) -> int:
    """How long ago an attempt began, ms."""
    return int(time.time() * 1000) - attempt.marked_ms


def test_an_attempt_with_an_unknown_outcome_is_found(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """A call that was accepted without an answer stands in the list, with its time."""
    attempt = an_attempt()
    simulator.faults({"fault": "drop", "when": "after", "times": 1})
    dialer.place(attempt)
    search = dialer.find(attempt, age_ms(attempt))
    (ring,) = search.rings
    assert ring.sid == simulator.rings()[0]["sid"]
    assert ring.status in {"queued", "ringing"}
    assert ring.token is None
    # Twilio gives whole seconds, in the list and in its Date header.
    assert -1_000 <= ring.created_ms - attempt.marked_ms <= 5_000
    assert abs(search.clock_ahead_ms) <= 1_500


def test_an_attempt_that_never_arrived_is_not_found(dialer: TwilioDialer) -> None:
    """Nothing in the list, nothing found."""
    assert dialer.find(an_attempt(), 60_000).rings == []


def test_the_token_tells_two_rings_apart(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """With a public address each ring names its attempt, and a stranger none."""
    dialer = make_dialer(public_url=PUBLIC_URL)
    ours = an_attempt()
    other = replace(ours, token="other")
    dialer.place(ours)
    dialer.place(other)
    simulator.create(ours.call.to)
    tokens = [ring.token for ring in dialer.find(ours, age_ms(ours)).rings]
    assert tokens == ["", "other", ours.token], "newest first"


def test_a_call_is_found_under_the_spelling_that_twilio_gives_its_number(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """Twilio leaves out the code of a carrier, for one, wherever it lists the call."""
    attempt = an_attempt(to="+550211198765432")
    made = simulator.create("+551198765432").json()
    assert [ring.sid for ring in dialer.find(attempt, age_ms(attempt)).rings] == [made["sid"]]


def test_old_calls_are_not_shown(dialer: TwilioDialer) -> None:
    """A call from long before the mark is nobody's evidence."""
    attempt = an_attempt()
    dialer.place(attempt)
    later = replace(attempt, marked_ms=attempt.marked_ms + 3_600_000)
    assert dialer.find(later, age_ms(later)).rings == []


def test_pages_are_followed(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A number that was called often is read to the end."""
    attempt = an_attempt()
    for _ in range(60):
        simulator.create(attempt.call.to)
    found = dialer.find(attempt, age_ms(attempt)).rings
    assert {ring.sid for ring in found} == {ring["sid"] for ring in simulator.rings()}
    assert len(found) == 60


@pytest.mark.alone
@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "error", "status": 500},
        {"fault": "error", "code": 20003},
        {"fault": "html", "status": 200},
        {"fault": "empty"},
        {"fault": "drop"},
        {"fault": "silent"},
        {"fault": "drip", "ms": 30, "when": "after"},
    ],
    ids=lambda rule: "-".join(map(str, rule.values())),
)
def test_a_list_that_cannot_be_had(
    make_dialer: MakeDialer, simulator: SimulatorClient, rule: dict[str, Any]
) -> None:
    """A failed look is never taken for an empty list."""
    simulator.faults({**rule, "on": "list"})
    dialer = make_dialer(deadline_ms=DEADLINE_MS)
    start = time.monotonic()
    with pytest.raises(DialerUnavailable):
        dialer.find(an_attempt(), 60_000)
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S


def test_events_that_cannot_be_had(make_dialer: MakeDialer, simulator: SimulatorClient) -> None:
    """A ring whose token cannot be read makes the look a failed one."""
    dialer = make_dialer(public_url=PUBLIC_URL)
    attempt = an_attempt()
    dialer.place(attempt)
    simulator.faults({"fault": "error", "status": 500, "on": "events"})
    with pytest.raises(DialerUnavailable):
        dialer.find(attempt, age_ms(attempt))


def test_a_call_is_ended(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A ringing call is canceled; ending it once more changes nothing."""
    outcome = dialer.place(an_attempt())
    assert isinstance(outcome, Accepted)
    dialer.cancel(outcome.sid)
    dialer.cancel(outcome.sid)
    # A busy machine may take so long that somebody has picked up.
    assert simulator.get(f"/{outcome.sid}").json()["status"] in {"canceled", "completed"}


def test_an_answered_call_is_hung_up(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A call on the line cannot be canceled; it is completed."""
    outcome = dialer.place(an_attempt())
    assert isinstance(outcome, Accepted)
    simulator.faults({"fault": "error", "code": 21220, "on": "update", "times": 1})
    dialer.cancel(outcome.sid)
    assert simulator.get(f"/{outcome.sid}").json()["status"] == "completed"


def test_a_call_that_cannot_be_ended_is_told(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """Who wanted it ended hears that it may go on."""
    simulator.faults({"fault": "error", "status": 500, "on": "update"})
    with pytest.raises(DialerUnavailable):
        dialer.cancel("CA" + "0" * 32)
