"""Flower as an operator sees it: workers, tasks, true lengths, and nobody's number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from tests.servers import Server
from tests.stack import READY_S, Stack, until

LOGIN = ("ann", "pass")
NUMBER = "+1234567890"


def _get(stack: Stack, path: str) -> requests.Response:
    url = f"http://127.0.0.1:{stack.flower_port}{path}"
    return requests.get(url, auth=LOGIN, timeout=5)


def _up(stack: Stack) -> bool:
    try:
        return _get(stack, "/healthcheck").ok
    except requests.RequestException:
        return False


def _post(stack: Stack, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = requests.post(f"{stack.queue_url}/{path}", json=body, timeout=5)
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
    """Pages and API are closed to whoever does not have it."""
    stack.start("flower", FLOWER_BASIC_AUTH=":".join(LOGIN))
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    for path in ("/", "/tasks", "/api/workers", "/broker"):
        url = f"http://127.0.0.1:{stack.flower_port}{path}"
        assert requests.get(url, timeout=5).status_code == 401


def test_flower_refuses_to_stand_open(stack: Stack) -> None:
    """Beyond loopback and without a password it ends with one line that says so."""
    process = stack.start("flower", FLOWER_HOST="0.0.0.0")
    assert process.wait() == 1
    assert process.output.startswith("FLOWER_HOST: '0.0.0.0' is not allowed without")
    assert process.output.count("\n") == 1


def test_flower_ends_while_redis_is_away(stack: Stack, start_server: Callable[..., Server]) -> None:
    """Its threads that wait for a server that went away do not hold it back."""
    server = start_server()
    process = stack.start("flower", REDIS_URL=server.url)
    until(lambda: _up(stack), within_s=READY_S, what="Flower answers")
    server.kill()
    for _ in range(3):
        _get(stack, "/workers?refresh=1")
    assert process.stop(within_s=5) == 0
