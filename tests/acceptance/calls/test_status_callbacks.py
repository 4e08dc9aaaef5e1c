"""What became of the call: through real web, worker, Valkey, and a simulator that calls back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.acceptance.conftest import FAST, Api, calls, number
from tests.ports import free_port
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Process, Stack, until

BUSY, NO_ANSWER, FAILED, MACHINE = (f"+1500555001{digit}" for digit in (1, 2, 3, 4))
QUICK = {"pace": 0.2}


@pytest.fixture(scope="module")
def web(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The API as `web_of_all`, where Twilio reaches it."""
    made = Stack(directory=tmp_path_factory.mktemp("web"), redis_url=shared_server.url)
    made.settings.update(FAST, PUBLIC_URL=made.web_url)
    made.start_web()
    yield made
    made.close()


@pytest.fixture
def reached(fast: Stack, phone: SimulatorClient, web: Stack) -> Stack:
    """The stack, where Twilio reaches it, and calls go five times faster than usual."""
    fast.use_web_of(web)
    fast.settings["PUBLIC_URL"] = fast.web_url
    phone.outcomes(QUICK)
    return fast


@pytest.fixture
def reached_api(reached: Stack) -> Api:
    """Its API."""
    return Api(reached.queue_url)


def start_own_web(stack: Stack, **settings: str) -> Api:
    """The API of a web with these settings, which the worker gets, too."""
    stack.web_port = free_port()
    stack.settings.update(settings, PUBLIC_URL=stack.web_url)
    stack.start_web()
    return Api(stack.queue_url)


def until_over(api: Api, job_id: str, within_s: float = 30) -> dict[str, Any]:
    """Waits until the call of a completed job is over; the job."""
    over = {"completed", "busy", "no-answer", "failed", "canceled", "unknown"}

    def ended() -> dict[str, Any]:
        job = api.job(job_id)
        return job if job["call"] and job["call"]["status"] in over else {}

    return until(ended, within_s=within_s, what=f"the call of {job_id} is over")


def test_a_call_is_followed_to_its_end(
    reached_api: Api, reached: Stack, phone: SimulatorClient
) -> None:
    """Each status is seen once and in order; in the end its duration."""
    phone.as_usual()
    reached.start_worker()
    job_id = reached_api.schedule(number(1))
    seen: list[str] = []

    def followed() -> bool:
        call = reached_api.job(job_id)["call"]
        if call and call["status"] not in seen:
            seen.append(call["status"])
        return bool(call and call["status"] == "completed")

    until(followed, within_s=30, what="the call is over")
    order = ["queued", "initiated", "ringing", "in-progress", "completed"]
    assert seen == [status for status in order if status in seen]
    assert {"ringing", "in-progress", "completed"} <= set(seen)
    job = reached_api.job(job_id)
    assert (job["call"]["duration"], job["call"]["sipResponseCode"]) == (4, 200)
    assert [callback["answer"] for callback in phone.callbacks()] == [204] * 4
    (attempt,) = job["attempts"]
    assert (attempt["number"], attempt["sid"]) == (1, phone.rings()[0]["sid"])
    assert attempt["startedAt"] < attempt["endedAt"]


def test_the_price_comes_later(reached: Stack) -> None:
    """No callback carries it: one fetch, a while after the end."""
    reached_api = start_own_web(reached, PRICE_DELAY="5s")
    reached.start_worker()
    job_id = reached_api.schedule(number(1))
    assert until_over(reached_api, job_id)["call"]["price"] is None
    job = until(
        lambda: (job := reached_api.job(job_id))["call"]["price"] and job,
        within_s=30,
        what="the price is there",
    )
    assert (job["call"]["price"], job["call"]["priceUnit"]) == ("-0.01300", "USD")


def test_each_end_is_told(reached_api: Api, reached: Stack) -> None:
    """Busy, unanswered, failed: Twilio took it, so the job is completed; the call says the rest."""
    reached.start_worker()
    ids = [reached_api.schedule(to) for to in (BUSY, NO_ANSWER, FAILED)]
    jobs = [until_over(reached_api, job_id) for job_id in ids]
    assert [job["call"]["status"] for job in jobs] == ["busy", "no-answer", "failed"]
    assert [job["call"]["sipResponseCode"] for job in jobs] == [486, 487, 404]
    assert {job["state"] for job in jobs} == {"completed"}
    assert {job["call"]["duration"] for job in jobs} == {0}


def test_an_outcome_is_tried_again(reached: Stack, phone: SimulatorClient) -> None:
    """Three attempts with their own SIDs, the job delayed in between; no token is shown."""
    reached_api = start_own_web(reached, RETRY_ON="busy", RETRY_OUTCOME_DELAY="3s")
    reached.start_worker()
    job_id = reached_api.schedule(BUSY)
    job = reached_api.until_state(job_id, "delayed")
    assert job["failedReason"] == "The call ended with busy; it is made again."
    until(lambda: len(phone.callbacks("completed")) == 3, within_s=30, what="three calls are over")
    job = until_over(reached_api, job_id)
    assert (job["state"], job["attemptsMade"], job["call"]["status"]) == ("completed", 3, "busy")
    rung = phone.rings(BUSY)
    assert [attempt["sid"] for attempt in job["attempts"]] == [ring["sid"] for ring in rung]
    assert [attempt["status"] for attempt in job["attempts"]] == ["busy"] * 3
    tokens = {ring["parameters"]["StatusCallback"].rpartition("/")[2] for ring in rung}
    assert len(tokens) == 3
    shown = requests.get(f"{reached.queue_url}/job/{job_id}", timeout=30).text
    assert not any(token in shown for token in tokens)


def test_a_call_chooses_its_own_outcomes(reached: Stack, phone: SimulatorClient) -> None:
    """Made again until somebody answers; the one that did not ask for it is not."""
    reached_api = start_own_web(reached, RETRY_OUTCOME_DELAY="300ms")
    reached.start_worker()
    phone.as_usual()
    phone.outcomes({"outcome": "no-answer", "to": number(1), "times": 1, **QUICK}, QUICK)
    job_id = reached_api.schedule(number(1), retryOn=["no-answer"])
    other = reached_api.schedule(BUSY)
    until(lambda: len(phone.rings(number(1))) == 2, within_s=30, what="it rings again")
    job = until(
        lambda: (job := until_over(reached_api, job_id))["call"]["status"] == "completed" and job,
        within_s=30,
        what="somebody answered",
    )
    assert [attempt["status"] for attempt in job["attempts"]] == ["no-answer", "completed"]
    assert len(until_over(reached_api, other)["attempts"]) == 1


def test_who_answered_is_told(reached_api: Api, reached: Stack, phone: SimulatorClient) -> None:
    """In the background: the message is spoken at once, the result comes later."""
    reached.start_worker(MACHINE_DETECTION="enable")
    ids = [reached_api.schedule(to) for to in (MACHINE, number(1))]
    off = reached_api.schedule(number(2), machineDetection="off")
    keyed = reached_api.schedule(number(3), sendDigits="ww1#")
    jobs = [until_over(reached_api, job_id) for job_id in ids]
    assert [job["call"]["answeredBy"] for job in jobs] == ["machine_start", "human"]
    assert [until_over(reached_api, each)["call"]["answeredBy"] for each in (off, keyed)] == [
        None
    ] * 2
    assert [ring["digits"] for ring in phone.rings(number(3))] == ["ww1#"]
    parameters = phone.rings(MACHINE)[0]["parameters"]
    assert (parameters["AsyncAmd"], parameters["MachineDetection"]) == ("true", "Enable")
    assert "Twiml" in parameters
    assert [each["answer"] for each in phone.callbacks("detected")] == [204, 204]


def test_a_recording_is_told(reached_api: Api, reached: Stack, phone: SimulatorClient) -> None:
    """Of the calls that asked for one, and were answered."""
    reached.start_worker()
    wanted = reached_api.schedule(number(1), record=True)
    without = [reached_api.schedule(BUSY, record=True), reached_api.schedule(number(2))]
    job = until(
        lambda: (job := reached_api.job(wanted))["call"] and "recording" in job["call"] and job,
        within_s=30,
        what="the recording is ready",
    )
    (ring,) = phone.rings(number(1))
    sid = f"RE{ring['sid'].removeprefix('CA')}"
    assert (job["call"]["recording"]["sid"], ring["parameters"]["Record"]) == (sid, "true")
    assert job["call"]["recording"]["url"].endswith(f"/Recordings/{sid}")
    assert all("recording" not in until_over(reached_api, each)["call"] for each in without)
    assert [each["answer"] for each in phone.callbacks("recorded")] == [204]


def test_callbacks_in_any_order_end_right(
    reached_api: Api, reached: Stack, phone: SimulatorClient
) -> None:
    """Shuffled, repeated and late ones, some lost: each call ends as it did, and none goes back."""
    reached.start_worker()
    phone.mishaps(
        {"mishap": "lose", "event": "answered", "times": 10},
        {"mishap": "late", "event": "ringing", "ms": 800, "times": 20},
        {"mishap": "shuffle", "times": 60},
        {"mishap": "repeat", "ms": 300},
    )
    ids = reached_api.bulk([*calls(25), *({"to": BUSY} for _ in range(5))])
    # Busy calls stand back for each other; so the last of them is over last.
    jobs = [until_over(reached_api, job_id, within_s=60) for job_id in ids]
    assert [job["call"]["status"] for job in jobs] == ["completed"] * 25 + ["busy"] * 5
    until(lambda: len(phone.callbacks("completed")) == 60, within_s=30, what="all are repeated")
    after = [reached_api.job(job_id) for job_id in ids]
    assert [job["call"] for job in after] == [job["call"] for job in jobs]
    assert {callback["answer"] for callback in phone.callbacks()} == {204}
    assert reached_api("GET", "/stats")["orphanedCalls"] == 0


def test_forged_callbacks_change_nothing(
    reached_api: Api, reached: Stack, phone: SimulatorClient
) -> None:
    """Over real HTTP, without an API key: 403, and the call stays where it was."""
    reached.start_worker()
    phone.mishaps({"mishap": "forge"})
    job_id = reached_api.schedule(FAILED)
    until(lambda: len(phone.callbacks()) == 2, within_s=30, what="both were sent")
    assert [callback["answer"] for callback in phone.callbacks()] == [403, 403]
    assert reached_api.job(job_id)["call"]["status"] == "queued"


@pytest.mark.parametrize("when", ["before the answer", "after a lost answer"])
def test_a_callback_reconciles_the_unknown_outcome(
    reached_api: Api, reached: Stack, phone: SimulatorClient, when: str
) -> None:
    """Twilio took the call and nobody heard so: the callback tells, long before the list would."""
    reached.start_worker(
        RECONCILE_INTERVAL="60s", UNKNOWN_OUTCOME_HORIZON="10m", DIAL_DEADLINE="20s"
    )
    late = {"fault": "slow", "ms": 3_000, "when": "after"}
    lost = {"fault": "drop", "when": "after"}
    phone.faults({**(late if when == "before the answer" else lost), "times": 1})
    phone.faults({"fault": "list_lag", "ms": 600_000})
    job_id = reached_api.schedule(number(1))
    job = until_over(reached_api, job_id)
    (ring,) = phone.rings()
    assert (job["state"], job["attemptsMade"]) == ("completed", 1)
    assert (job["call"]["sid"], job["call"]["status"]) == (ring["sid"], "completed")
    assert reached_api("GET", "/stats")["unknownOutcomes"] == 0


def test_a_callback_completes_what_was_left_to_a_person(
    reached_api: Api, reached: Stack, phone: SimulatorClient
) -> None:
    """Failed for want of an answer; its phone rings, so it needs nobody's judgement."""
    reached.start_worker(ON_UNKNOWN_OUTCOME="fail")
    phone.faults({"fault": "drop", "when": "after", "times": 1})
    phone.mishaps({"mishap": "late", "event": "initiated", "ms": 200})
    job_id = reached_api.schedule(number(1))
    job = until_over(reached_api, job_id)
    assert (job["state"], job["attemptsMade"], job["failedReason"]) == ("completed", 1, None)
    assert job["call"]["sid"] == phone.rings()[0]["sid"]
    assert reached_api.stats()["failed"] == 0


def test_a_superseded_attempt_is_ended_at_twilio(
    reached_api: Api, reached: Stack, phone: SimulatorClient
) -> None:
    """It was given up at the horizon, the next one began, and then its phone rang after all."""
    worker = reached.start_worker()
    phone.as_usual()
    # The first call rings for long and says so late, in no list, to a number that is called again.
    phone.outcomes({"pace": 20, "times": 1}, QUICK)
    phone.mishaps({"mishap": "late", "ms": 5_000, "times": 5})
    phone.faults({"fault": "drop", "when": "after", "times": 1})
    phone.faults({"fault": "list_lag", "ms": 600_000})
    job_id = reached_api.schedule(number(1))
    until(lambda: len(phone.rings()) == 2, within_s=30, what="the next attempt is made")
    first, second = phone.rings()
    until(lambda: _status(phone, first) == "canceled", within_s=30, what="the first one is ended")
    job = until_over(reached_api, job_id)
    assert (job["call"]["sid"], job["attemptsMade"]) == (second["sid"], 2)
    assert reached_api("GET", "/stats")["orphanedCalls"] == 1
    assert "orphaned call ended" in worker.output
    assert [(made["number"], made["sid"]) for made in job["attempts"]] == [
        (1, None),
        (2, second["sid"]),
    ]


@pytest.mark.parametrize("way", ["hangup", "delete", "forget"])
def test_a_call_on_the_line_is_hung_up(
    reached_api: Api, reached: Stack, phone: SimulatorClient, way: str
) -> None:
    """Asked for by itself, or because the job or the person leaves: the phone rings no longer."""
    phone.as_usual()
    phone.outcomes({"pace": 30})
    reached.start_worker()
    job_id = reached_api.schedule(number(1))
    reached_api.until_state(job_id, "completed")
    (ring,) = phone.rings()
    if way == "hangup":
        assert reached_api("POST", f"/job/{job_id}/hangup")["status"] == "hanging-up"
    elif way == "delete":
        assert reached_api("DELETE", f"/job/{job_id}")["was"] == "completed"
    else:
        person = f"{reached.web_url}/api/people/{number(1)}"
        assert requests.delete(person, timeout=30).status_code == 200
    until(lambda: _status(phone, ring) == "canceled", within_s=30, what="the call has ended")
    if way == "hangup":
        assert until_over(reached_api, job_id)["call"]["status"] == "canceled"
        assert reached_api.ask("POST", f"/job/{job_id}/hangup").status_code == 409


def _status(phone: SimulatorClient, ring: dict[str, Any]) -> str:
    return str(phone.get(f"/{ring['sid']}").json()["status"])


def test_without_an_address_twilio_is_asked(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """No callback can come: the reconciler finds out all the same, by its own clock."""
    phone.outcomes(QUICK)
    fast.start_worker(CALLBACK_SILENCE="500ms", MACHINE_DETECTION="enable")
    ids = [api.schedule(to) for to in (number(1), BUSY, MACHINE)]
    jobs = [until_over(api, job_id) for job_id in ids]
    assert [job["call"]["status"] for job in jobs] == ["completed", "busy", "completed"]
    assert jobs[2]["call"]["answeredBy"] == "machine_start"
    assert phone.callbacks() == []


def test_outcomes_are_retried_without_an_address(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """The reconciler acts on what it finds as a callback would."""
    phone.outcomes(QUICK)
    fast.start_worker(
        CALLBACK_SILENCE="500ms", RETRY_ON="busy", RETRY_OUTCOME_DELAY="0s", RETRY_OUTCOME_MAX="1"
    )
    job_id = api.schedule(BUSY)
    until(lambda: len(phone.rings()) == 2, within_s=30, what="it rings again")
    job = until_over(api, job_id)
    assert [attempt["status"] for attempt in job["attempts"]] == ["busy", "busy"]


def test_a_call_that_twilio_forgot_does_not_stay_open(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """The simulator lost its memory: our own word for that, and no further question."""
    fast.start_worker(CALLBACK_SILENCE="2s")
    job_id = api.schedule(number(1))
    api.until_state(job_id, "completed")
    simulator = fast.processes[0]
    simulator.kill()
    simulator.wait()
    fast.start_simulator()
    assert until_over(api, job_id)["call"]["status"] == "unknown"


@pytest.mark.slow
def test_lost_callbacks_are_made_up_for(
    reached_api: Api, reached: Stack, phone: SimulatorClient
) -> None:
    """Silence beyond the ring time-out: Twilio is asked, by whichever worker lives."""
    reached.settings["CALLBACK_SILENCE"] = "1s"
    phone.mishaps({"mishap": "lose"})
    first: Process = reached.start_worker("-n", "one@%h")
    ids = reached_api.bulk(calls(12))
    reached_api.until_done()
    first.kill()
    reached.start_worker("-n", "two@%h")
    jobs = [until_over(reached_api, job_id, within_s=90) for job_id in ids]
    assert {job["call"]["status"] for job in jobs} == {"completed"}
    assert phone.callbacks() == []
