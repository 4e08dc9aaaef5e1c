"""A Redis server that is full: said everywhere, and over as soon as there is room."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import FAST, TO, Api, number
from tests.servers import Server
from tests.stack import ROOT, Stack, until

#: A worker has looked at the memory, and not only once, after so long, s.
LOOKED_S = 12.0
_RATIO = re.compile(r"^vomind_redis_memory_ratio ([0-9.]+)", re.MULTILINE)


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A server of the test's own; beside what it holds, its buffers are small."""
    server = start_server()
    with server.client() as direct:
        direct.set("ballast", "x" * 20_000_000)
    return server


@pytest.fixture
def stack(server: Server, tmp_path: Path) -> Iterator[Stack]:
    """Everything but a scheduler."""
    made = Stack(directory=tmp_path, redis_url=server.url)
    made.settings.update(FAST)
    made.start_all()
    made.start("shipper")
    yield made
    made.close()


def test_a_full_server_is_told_and_left_behind(server: Server, stack: Stack) -> None:
    """It warns before, says what to do while, and goes on by itself after."""
    api = Api(stack.queue_url)
    api.until_state(api.schedule(TO), "completed")
    recurring = {"to": TO, "cronExpression": "0 9 * * *"}
    api("POST", "/schedule-recurring-call", recurring)
    _use_up(server, 0.85)
    found = _reasons(stack)["memory"]
    assert found["level"] == "warning"
    assert "maxmemory" in found["remedy"]
    assert _doctor(stack) == "advice"
    time.sleep(LOOKED_S)
    said = "".join(process.output for process in stack.processes)
    assert said.count("Redis memory is nearly full") == 1

    _use_up(server, 1.2)
    waiting = number(1)
    refused = api.ask("POST", "/schedule-call", {"to": waiting})
    assert refused.status_code == 503
    _says_what_to_do(refused.json()["detail"])
    assert "Nothing was changed" in refused.json()["detail"]
    ready = requests.get(f"{stack.web_url}/readyz", timeout=30)
    assert ready.status_code == 503
    _says_what_to_do(ready.json()["errors"]["redis"][0])
    beat = stack.start("beat")
    beat.wait_for("maxmemory")
    reasons = _reasons(stack)
    assert set(reasons) == {"memory", "no-scheduler"}
    assert reasons["memory"]["level"] == "error"
    _says_what_to_do(reasons["memory"]["remedy"])
    assert "Start one" not in reasons["no-scheduler"]["remedy"]
    metrics = requests.get(f"{stack.web_url}/metrics", timeout=30).text
    assert float(_RATIO.search(metrics)[1]) > 0.9  # type: ignore[index]
    assert _doctor(stack) == "wrong"
    # What it advises can be done.
    assert api("POST", "/clean", {"grace": 0})["total"] == 1

    _use_up(server, 0)
    job_id = api.schedule(waiting)
    assert api.until_state(job_id, "completed", within_s=30)
    until(
        lambda: requests.get(f"{stack.web_url}/readyz", timeout=30).ok,
        within_s=30,
        what="a scheduler leads, and all is ready",
    )
    assert _reasons(stack) == {}
    assert all(process.alive for process in stack.processes)
    with server.client() as direct:
        until(lambda: direct.xlen("{calls}:outbox:finals") == 0, within_s=30, what="all is logged")


def _says_what_to_do(text: str) -> None:
    assert "Redis is full" in text or "maxmemory" in text, text
    assert "vomind-queue clean" in text, text


def _use_up(server: Server, share: float) -> None:
    """Sets maxmemory so that this share of it is in use; 0 takes it away."""
    with server.client() as direct:
        used = direct.info("memory")["used_memory"]
        direct.config_set("maxmemory", int(used / share) if share else 0)


def _reasons(stack: Stack) -> dict[str, dict[str, Any]]:
    time.sleep(1.1)  # One look serves all who ask within a second.
    document = requests.get(f"{stack.web_url}/api/overview", timeout=30).json()
    return {reason["kind"]: reason for reason in document["reasons"]}


def _doctor(stack: Stack) -> str:
    typist = Typist(directory=ROOT, environment=stack.environment(), url=stack.web_url)
    checks = typist("doctor", "--json").document["checks"]
    return next(str(each["grade"]) for each in checks if each["what"] == "memory")
