"""A call's own application: the one of the docs, asked by the simulator."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.calls.test_status_callbacks import until_over
from tests.acceptance.conftest import Api, fresh_phone, number, reached
from tests.ports import free_port
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import ROOT, Stack, until

STREAM = "wss://agents.example.com/media"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application of the docs; where it is asked."""
    folder, port = tmp_path_factory.mktemp("agent"), free_port()
    page = (ROOT / "docs/voice-agents.md").read_text("utf-8")
    code, *_ = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (folder / "agent.py").write_text(code, "utf-8")
    flask = str(Path(sys.executable).with_name("flask"))
    process = subprocess.Popen([flask, "--app", "agent", "run", "--port", str(port)], cwd=folder)
    url = f"http://127.0.0.1:{port}/voice"
    until(lambda: _listens(url), within_s=30, what="the application listens")
    yield url
    process.terminate()
    process.wait(10)


def _listens(url: str) -> bool:
    try:
        return requests.post(url, timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def stack(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests of this file: each looks at its own number."""
    directory = tmp_path_factory.mktemp("application")
    with reached(shared_server, directory, TWIML_HOSTS="127.0.0.1,agents.example.com") as made:
        yield made


@pytest.fixture
def phone(stack: Stack) -> Iterator[SimulatorClient]:
    """Its simulator, without rings and rules."""
    with fresh_phone(stack, {"pace": 0.3}) as client:
        yield client


@pytest.fixture
def api(stack: Stack) -> Api:
    """Its API."""
    return Api(stack.queue_url)


def ring(phone: SimulatorClient, to: str) -> dict[str, Any]:
    """The one call to a number."""
    (found,) = phone.rings(to)
    return found


def test_a_call_reaches_the_agent_of_the_docs(api: Api, phone: SimulatorClient, agent: str) -> None:
    """Asked to the letter; on the line to the stream until the callee hangs up."""
    url = f"{agent}?agent=reception&x=%2F~/"
    job_id = api.schedule(number(1), twimlUrl=url)
    assert api.job(job_id)["data"]["twimlUrl"] == url
    assert until_over(api, job_id)["call"]["status"] == "completed"
    rung = ring(phone, number(1))
    assert rung["parameters"]["Url"] == url
    assert [(each["verb"], each["words"]) for each in rung["heard"]] == [("Connect", STREAM)]
    assert (rung["problems"], rung["endedBy"]) == ([], "callee")


def test_a_machine_hears_its_words_in_place_of_the_agent(
    api: Api, phone: SimulatorClient, agent: str
) -> None:
    """The agent speaks at once, and gives way once the greeting is over."""
    phone.as_usual()
    phone.outcomes({"pace": 0.3, "outcome": "machine"})
    job_id = api.schedule(number(2), twimlUrl=agent, voicemailMessage="Call us back")
    until_over(api, job_id)
    heard = ring(phone, number(2))["heard"]
    assert [(each["verb"], each["words"]) for each in heard] == [
        ("Connect", STREAM),
        ("Say", "Call us back"),
    ]
    assert heard[-1]["whole"]


def test_an_address_that_twilio_refuses_fails_its_call_alone(
    api: Api, phone: SimulatorClient, agent: str
) -> None:
    """Nothing pauses; the next call rings."""
    phone.faults({"fault": "error", "status": 400, "code": 21205, "to": number(3)})
    job_id = api.schedule(number(3), twimlUrl=f"{agent}?x=1")
    job = api.until_state(job_id, "failed")
    assert "21205" in job["failedReason"]
    assert api("GET", "/stats")["paused"] is False
    until_over(api, api.schedule(number(4)))


def test_bulk_and_recurring_calls_have_their_own(
    api: Api, phone: SimulatorClient, agent: str
) -> None:
    """Each asks for itself, and keeps its address over a change of something else."""
    url = "https://agents.example.com/voice/"
    (job_id,) = api.bulk([{"to": number(5), "twimlUrl": f"{agent}?x=5"}])
    until_over(api, job_id)
    assert ring(phone, number(5))["parameters"]["Url"] == f"{agent}?x=5"
    made = api(
        "POST",
        "/schedule-recurring-call",
        {"to": number(6), "twimlUrl": url, "cronExpression": "0 9 1 1 *"},
    )
    found = api("PATCH", f"/job/{made['jobId']}", {"priority": "high"})
    assert found["data"]["twimlUrl"] == url
