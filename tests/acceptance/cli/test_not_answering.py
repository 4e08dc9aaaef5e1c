"""Twilio gives no clear answer: the command line, the API, the metric and the alarm say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.acceptance.cli.typist import Done, Typist
from tests.acceptance.conftest import FAST, Api, calls
from tests.integration.api.test_alerts import alarms
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

#: Twilio is said not to answer at the latest so long after the fifth unknown outcome, s.
WITHIN_S = 30
#: Here no outcome is reconciled while the test looks on.
LONG = {"UNKNOWN_OUTCOME_HORIZON": "5m"}


@pytest.fixture
def silent(stack: Stack, web_of_all: Stack, api: Api) -> Iterator[SimulatorClient]:
    """A worker whose Twilio drops every connection, with five calls of unknown outcome."""
    stack.settings.update(FAST | LONG)
    stack.use_web_of(web_of_all)
    stack.start_simulator()
    phone = SimulatorClient(stack.simulator_url)
    phone.faults({"fault": "drop", "on": None})
    stack.start_worker()
    api.bulk(calls(5))
    until(
        lambda: api("GET", "/stats")["unknownOutcomes"] == 5, within_s=60, what="five are unknown"
    )
    yield phone
    phone.close()


def sample(stack: Stack, name: str) -> float:
    """Return a metric's value."""
    text = requests.get(f"{stack.web_url}/metrics", timeout=30).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def sounds(stack: Stack, name: str) -> bool:
    """Whether an alarm of the form ``max(metric) == value`` sounds."""
    found = re.fullmatch(r"max\((\w+)\) == (\S+)", alarms()[name]["expr"])
    assert found is not None, name
    return sample(stack, found[1]) == float(found[2])


def overview(stack: Stack) -> dict[str, Any]:
    """Return what the page shows."""
    found: dict[str, Any] = requests.get(f"{stack.web_url}/api/overview", timeout=30).json()
    return found


def test_twilio_that_does_not_answer_is_told_everywhere(
    stack: Stack, web_of_all: Stack, api: Api, typed: Typist, silent: SimulatorClient
) -> None:
    """With since when, by when each call is reconciled, and what to do; and its end as well."""

    def says_so() -> Done | None:
        done = typed("status")
        return done if "Twilio is not answering" in done.out else None

    status: Done = until(says_so, within_s=WITHIN_S, what="the status says so")
    assert status.status == 1
    by = max(job["reconciledBy"] for job in api("GET", "/active")["jobs"])
    assert f"Each is reconciled by {by[11:19]} UTC" in status.out
    assert re.search(r"Twilio is not answering since \d\d:\d\d:\d\d UTC", status.out)
    assert "→ Look at Twilio's status page" in status.out

    shown = overview(web_of_all)
    assert (shown["state"], shown["level"]) == ("unanswered", "warning")
    reason = shown["reasons"][0]
    assert (reason["kind"], reason["until"]) == ("not-answering", by)
    assert "5 calls may or may not have rung" in reason["detail"]
    assert reason["remedy"]

    assert sounds(web_of_all, "VomindTwilioNotAnswering")
    assert sample(web_of_all, "vomind_reconciled_by_timestamp_seconds") > 0

    # What holds one call up says the same, and when that ends.
    job_id = api("GET", "/active")["jobs"][0]["jobId"]
    (why,) = api("GET", f"/job/{job_id}/why")["reasons"]
    assert why["kind"] == "unknown-outcome"
    assert why["until"] == api.job(job_id)["reconciledBy"]

    silent.mend()
    # Twilio's list can be read again, and shows none of them: the next call tells.
    api.schedule("+15559999999")
    until(
        lambda: overview(web_of_all)["state"] != "unanswered",
        within_s=WITHIN_S,
        what="Twilio answers again",
    )
    assert not sounds(web_of_all, "VomindTwilioNotAnswering")
    assert typed("status").status == 0


def test_a_killed_worker_is_no_silence_of_twilios(
    stack: Stack, web_of_all: Stack, api: Api, typed: Typist
) -> None:
    """Its calls have unknown outcomes, for which Twilio is not to blame."""
    stack.settings.update(FAST | LONG)
    stack.use_web_of(web_of_all)
    stack.start_simulator()
    phone = SimulatorClient(stack.simulator_url)
    phone.faults({"fault": "slow", "ms": 120_000, "when": "after", "on": None})
    worker = stack.start_worker(DIAL_DEADLINE="100s")
    api.bulk(calls(3))
    # Not before: one that is not dialed yet would be dialed by the next worker.
    until(lambda: len(phone.rings()) == 3, within_s=60, what="three are being placed")
    worker.kill()
    stack.start_worker(DIAL_DEADLINE="100s")
    until(lambda: api("GET", "/stats")["unknownOutcomes"] > 0, within_s=60, what="they are unknown")
    assert "Twilio is not answering" not in typed("status").out
    phone.close()
