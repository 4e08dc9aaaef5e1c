"""REST in, a ringing phone out: through a real web process, worker, Valkey and simulator."""

from __future__ import annotations

import time
from xml.etree import ElementTree as ET

import pytest
import requests

from tests.acceptance.conftest import Api, calls, each_rang_once, number
from tests.simulator import SimulatorClient
from tests.stack import Stack, until


def test_a_call_rings_a_phone(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Within seconds the job is completed with a SID, and the phone rang once, as asked."""
    fast.start_worker()
    message = 'Grüße & <b>"Küsse"</b>'
    job_id = api.schedule(number(1), message=message, lead_id="123", metadata={"a": 1})
    job = api.until_state(job_id, "completed")
    (ring,) = phone.rings()
    parameters = ring["parameters"]
    assert job["call"]["sid"] == ring["sid"]
    assert (job["progress"], job["attemptsMade"], job["failedReason"]) == (100, 1, None)
    assert (parameters["To"], parameters["From"]) == (number(1), "+15005550006")
    assert parameters["Timeout"] == "30"
    assert "StatusCallback" not in parameters
    spoken = ET.fromstring(parameters["Twiml"])
    assert (spoken[0].tag, spoken[0].text) == ("Say", message)


def test_calls_ring_in_order(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """25 calls of mixed priority: high, normal, low, and first come first dialed."""
    api("POST", "/pause")
    priorities = ("low", "normal", "high", "normal", "low")
    bulk = [{**call, "priority": priorities[i % 5]} for i, call in enumerate(calls(25))]
    job_ids = api.bulk(bulk)
    wanted = sorted(range(25), key=lambda i: ("high", "normal", "low").index(priorities[i % 5]))
    listed = api("GET", "/waiting?start=0&end=24")
    in_list = [job["jobId"] for job in listed["jobs"]]
    assert in_list == [job_ids[i] for i in wanted]
    fast.start_worker("-c", "1")
    api("POST", "/resume")
    api.until_done()
    assert [ring["to"] for ring in phone.rings()] == [number(i) for i in wanted]


def test_delayed_calls_ring_at_their_time(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Never early, and without anything else going on."""
    fast.start_worker()
    body = {"to": number(1), "delayMs": 1_200}
    answer = api("POST", "/schedule-delayed-call", body)
    assert api.job(answer["jobId"])["state"] == "delayed"
    assert phone.rings() == []
    job = api.until_state(answer["jobId"], "completed")
    assert job["scheduledFor"] == answer["scheduledFor"]
    assert job["processedOn"] >= job["timestamp"] + 1_200


def test_a_number_that_cannot_be_called_fails_at_once(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """One attempt, with Twilio's own words as the reason; a person can retry it."""
    fast.start_worker()
    job_id = api.schedule("+15005550001")
    job = api.until_state(job_id, "failed")
    assert job["attemptsMade"] == 1
    assert "21217" in job["failedReason"]
    assert api("GET", "/failed")["jobs"][0]["jobId"] == job_id
    api("POST", f"/job/{job_id}/retry")
    job = api.until_state(job_id, "failed")
    assert job["attemptsMade"] == 2
    assert phone.rings() == []


def test_a_passing_refusal_is_tried_again(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Refused twice, the call completes on the third attempt, 3 s and 6 s later."""
    fast.start_worker(CALL_RETRY_DELAY="3")
    phone.faults({"fault": "error", "status": 400, "code": 29999, "times": 2})
    job_id = api.schedule(number(1))
    seen: list[tuple[int, str]] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not seen or seen[-1][1] != "completed"):
        job = api.job(job_id)
        seen.append((job["attemptsMade"], job["state"]))
        time.sleep(0.05)
    assert (1, "delayed") in seen
    assert (2, "delayed") in seen
    assert seen[-1] == (3, "completed")
    job = api.job(job_id)
    assert job["processedOn"] - job["timestamp"] >= 9_000
    assert job["failedReason"] is None
    assert len(phone.rings()) == 1


def test_three_refusals_are_enough(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Then the call fails; a manual retry gives it three attempts more."""
    fast.start_worker()
    phone.faults({"fault": "error", "status": 400, "code": 29999, "times": 4})
    job_id = api.schedule(number(1))
    job = api.until_state(job_id, "failed")
    assert job["attemptsMade"] == 3
    assert "3 attempts" in job["failedReason"]
    api("POST", f"/job/{job_id}/retry")
    job = api.until_state(job_id, "completed")
    assert job["attemptsMade"] == 5
    each = phone.rings()
    assert len(each) == 1


@pytest.mark.parametrize(("status", "code"), [(429, 10004), (400, 22005)])
def test_used_up_capacity_uses_up_no_attempt(
    fast: Stack, api: Api, phone: SimulatorClient, status: int, code: int
) -> None:
    """More refusals than a call has attempts; meanwhile the overview names the cause."""
    fast.start_worker(CIRCUIT_PROBE_INTERVAL="200ms")
    phone.faults({"fault": "error", "status": status, "code": code, "times": 8})
    job_ids = api.bulk(calls(3))
    until(
        lambda: "capacity" in requests.get(f"{fast.web_url}/api/overview", timeout=30).text,
        within_s=30,
        what="the overview names the cause",
    )
    for job_id in job_ids:
        assert api.until_state(job_id, "completed", "failed")["attemptsMade"] == 1
    each_rang_once(phone, 3)


def test_pause_and_cancel_hold(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Nothing rings while paused, on a worker started later either; a cancelled call never."""
    api("POST", "/pause")
    api("POST", "/pause")
    job_ids = api.bulk(calls(6))
    fast.start_worker()
    assert api("DELETE", f"/job/{job_ids[2]}")["was"] == "waiting"
    assert api.ask("GET", f"/job/{job_ids[2]}").status_code == 404
    time.sleep(1)
    assert phone.rings() == []
    stats = api("GET", "/stats")
    assert stats["paused"]
    assert stats["stats"]["waiting"] == 5
    api("POST", "/resume")
    api.until_done()
    assert sorted(ring["to"] for ring in phone.rings()) == [number(i) for i in (0, 1, 3, 4, 5)]
    assert not api("GET", "/stats")["paused"]


def test_history_is_cleaned(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Only what ended goes, and the answer names it."""
    fast.start_worker()
    api.bulk(calls(3))
    api.schedule("+15005550001")
    api.until_done()
    assert api("POST", "/clean")["total"] == 0
    cleaned = api("POST", "/clean", {"grace": 0, "limit": 1000})
    assert cleaned["total"] == 4
    assert sorted(cleaned["completedCleaned"]) == ["1", "2", "3"]
    assert cleaned["failedCleaned"] == ["4"]
    each_rang_once(phone, 3)


def test_an_existing_media_application_is_asked_for_the_words(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """With TWIML_URL Twilio is given that address with message, job and lead."""
    fast.start_worker(TWIML_URL="https://media.example/voice?x=1")
    job_id = api.schedule(number(1), message="Hi & bye", lead_id=7)
    api.until_state(job_id, "completed")
    (ring,) = phone.rings()
    url = ring["parameters"]["Url"]
    assert url.startswith("https://media.example/voice?x=1&")
    assert f"jobId={job_id}" in url
    assert "lead_id=7" in url
    assert "Twiml" not in ring["parameters"]
