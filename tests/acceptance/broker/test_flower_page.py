"""Flower as an operator sees it: workers, tasks, true lengths, and nobody's number."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.servers import Server
from tests.stack import READY_S, Stack, until

LOGIN = ("ann", "pass")
NUMBER = "+1234567890"


def _get(stack: Stack, path: str) -> requests.Response:
    url = f"http://127.0.0.1:{stack.flower_port}{path}"
    return requests.get(url, auth=LOGIN, timeout=30)


def _up(stack: Stack, prefix: str = "") -> bool:
    try:
        return _get(stack, f"{prefix}/healthcheck").ok
    except requests.RequestException:
        return False


def _post(stack: Stack, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = requests.post(f"{stack.queue_url}/{path}", json=body, timeout=30)
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()
    return made


def test_flower_shows_lengths_and_tasks_but_no_number(stack: Stack) -> None:
    """What waits is counted by priority, what ran is listed, no phone number is shown."""
    stack.start_simulator()
    worker = stack.start_worker()
    stack.start_web()
    process = stack.start("flower", FLOWER_BASIC_AUTH=":".join(LOGIN))
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    until(lambda: "celery@" in _get(stack, "/workers").text, within_s=READY_S, what="a worker")

    # Events cost the worker much: it sends them only when somebody asks.
    worker.wait_for("Events of group {task} enabled by remote")

    _post(stack, "schedule-call", {"to": NUMBER})
    until(
        lambda: "vomind_queue.place_call" in _get(stack, "/api/tasks").text,
        within_s=READY_S,
        what="Flower has seen the task",
    )
    _post(stack, "pause")
    for priority in ("high", "low", "low"):
        _post(stack, "schedule-call", {"to": NUMBER, "priority": priority})

    queues = _get(stack, "/api/queues/length").json()["active_queues"]
    lengths = {queue["name"]: queue["messages"] for queue in queues}
    assert (lengths["calls.high"], lengths["calls.low"]) == (1, 2)
    assert "calls.high" in _get(stack, "/broker").text
    for path in ("/tasks", "/api/tasks", "/api/workers", "/broker", "/workers", "/metrics"):
        shown = _get(stack, path).text
        assert NUMBER.lstrip("+") not in shown, path
    assert process.stop() == 0


def test_flower_wants_the_password(stack: Stack) -> None:
    """Pages and API are closed to anyone without it."""
    stack.start("flower", FLOWER_BASIC_AUTH=":".join(LOGIN))
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    for path in ("/", "/tasks", "/api/workers", "/broker", "/metrics", "/healthcheck"):
        url = f"http://127.0.0.1:{stack.flower_port}{path}"
        assert requests.get(url, timeout=30).status_code == 401, path
        assert _get(stack, path).status_code == 200, path


def test_flower_refuses_to_stand_open(stack: Stack) -> None:
    """Beyond loopback and without a password it ends with one line that says so."""
    process = stack.start("flower", FLOWER_HOST="0.0.0.0")
    assert process.wait() == 1
    assert process.output.startswith("Invalid FLOWER_HOST ('0.0.0.0'): expected")
    assert process.output.count("\n") == 1


@pytest.mark.alone
def test_flower_ends_while_redis_is_away(stack: Stack, start_server: Callable[..., Server]) -> None:
    """Its threads that wait for a server that went away do not hold it back."""
    server = start_server()
    process = stack.start("flower", REDIS_URL=server.url)
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    server.kill()
    for _ in range(3):
        _get(stack, "/workers?refresh=1")
    assert process.stop(within_s=5) == 0


def test_a_rate_set_on_flowers_page_counts_for_all_workers(stack: Stack) -> None:
    """Asked of one worker, it is the limit of the queue; no worker starts more calls than that."""
    stack.settings["CALL_RATE_LIMIT"] = "off"
    stack.start_simulator()
    stack.start_worker("-n", "one@%h")
    stack.start_worker("-n", "two@%h")
    stack.start_web()
    stack.start("flower", FLOWER_BASIC_AUTH=":".join(LOGIN))
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    until(lambda: "one@" in _get(stack, "/workers").text, within_s=READY_S, what="the workers")
    names = _get(stack, "/api/workers?refresh=1").json()
    worker = next(name for name in names if name.startswith("one@"))
    url = f"http://127.0.0.1:{stack.flower_port}/api/task/rate-limit/vomind_queue.place_call"
    form = {"workername": worker, "ratelimit": "3/m"}
    assert requests.post(url, form, timeout=30).status_code == 401
    answer = requests.post(url, form, auth=LOGIN, timeout=30)
    assert answer.status_code == 200, answer.text
    limit = requests.get(f"{stack.queue_url}/stats", timeout=30).json()["rateLimit"]
    assert (limit["max"], limit["windowMs"], limit["overridden"]) == (3, 60_000, True)
    for number in range(6):
        _post(stack, "schedule-call", {"to": f"+1555000000{number}"})
    until(lambda: len(stack.rings()) == 3, within_s=READY_S, what="three calls ring")
    stats = requests.get(f"{stack.queue_url}/stats", timeout=30).json()
    assert (stats["stats"]["waiting"], stats["workers"]) == (3, 2)


def test_flower_answers_below_a_path(stack: Stack) -> None:
    """Pages, their files and what they ask lie below it, for a proxy that passes it on."""
    stack.start("flower", FLOWER_BASIC_AUTH=":".join(LOGIN), FLOWER_URL_PREFIX="/flower")
    until(lambda: _up(stack, "/flower"), within_s=READY_S, what="Flower answers")
    page = _get(stack, "/flower")
    assert page.url.endswith("/flower/")
    files = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))', page.text)
    assert files
    for path in [*files, "/flower/tasks", "/flower/broker", "/flower/metrics"]:
        assert path.startswith("/flower/")
        assert _get(stack, path).status_code == 200, path
    assert _get(stack, "/tasks").status_code == 404


def test_without_a_password_flower_only_shows(stack: Stack) -> None:
    """On loopback it needs none; a page of somebody else's cannot make it do anything."""
    stack.start("flower")
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    base = f"http://127.0.0.1:{stack.flower_port}"
    assert requests.get(f"{base}/tasks", timeout=30).status_code == 200
    for path in ("task/rate-limit/vomind_queue.place_call", "worker/shutdown/celery@here"):
        assert requests.post(f"{base}/api/{path}", timeout=30).status_code == 401


def test_flower_without_a_password_answers_to_known_names_only(stack: Stack) -> None:
    """A page whose own name leads to this machine sees neither pages nor the API."""
    stack.start_worker()
    stack.start("flower")
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    for path in ("/workers", "/api/tasks", "/tasks", "/broker"):
        url = f"http://127.0.0.1:{stack.flower_port}{path}"
        answer = requests.get(url, headers={"Host": "evil.example"}, timeout=30)
        assert answer.status_code == 403, path
    assert _get(stack, "/workers").status_code == 200
