"""The web process: who may reach it, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.servers import Server
from tests.stack import ROOT, Process, Stack, until

BULK = {"calls": [{"to": f"+1555{number:07d}"} for number in range(10_000)]}


def children(process: Process) -> list[int]:
    """Process ids of the serving processes."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    # Where processes are spawned and not forked, Python has its own, which serves nothing.
    return [
        int(pid)
        for pid in listed.split()
        if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def free(port: int) -> bool:
    """Whether nothing listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_no_open_door_beyond_loopback(stack: Stack, host: str) -> None:
    """Without keys the process ends with one line that names the setting."""
    web = stack.start("web", HOST=host)
    assert web.wait() == 1
    assert web.output.startswith(f"Invalid HOST ('{host}'): ")
    assert "API_KEYS" in web.output
    assert web.output.count("\n") == 1


def test_an_open_door_can_be_wanted(stack: Stack) -> None:
    """With ALLOW_ANONYMOUS it is open to everybody, with keys to those who have one."""
    web = stack.start_web(HOST="0.0.0.0", ALLOW_ANONYMOUS="1")
    assert requests.get(f"{stack.queue_url}/stats", timeout=30).status_code == 200
    assert web.stop() == 0
    stack.start_web(HOST="0.0.0.0", API_KEYS="ops:secret")
    assert requests.get(f"{stack.queue_url}/stats", timeout=30).status_code == 401
    headers = {"Authorization": "Bearer secret"}
    answer = requests.get(f"{stack.queue_url}/stats", headers=headers, timeout=30)
    assert answer.status_code == 200


@pytest.mark.parametrize("form", ["text", "json"])
def test_log_lines_tell_whose_request_it_was(stack: Stack, form: str) -> None:
    """The name of the key and the id of the request stand in them; secret and number do not."""
    web = stack.start_web(API_KEYS="ops:very-secret", LOG_FORMAT=form)
    headers = {"X-API-Key": "very-secret", "X-Request-Id": "the-id"}
    body = {"to": "+1234567890"}
    url = f"{stack.queue_url}/schedule-call"
    assert requests.post(url, json=body, headers=headers, timeout=30).status_code == 200
    web.wait_for("the-id")
    (line,) = [line for line in web.output.splitlines() if "the-id" in line]
    assert "ops" in line
    assert "very-secret" not in web.output
    assert body["to"] not in web.output


def test_another_server_is_open_only_where_it_is_wanted(stack: Stack) -> None:
    """``wsgi:app`` cannot know where it listens: it wants keys, or the word that none are."""

    def load(**settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "import wsgi; print(wsgi.app.name)"],
            env=stack.environment() | settings,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    refused = load()
    assert refused.returncode == 1
    assert refused.stderr.startswith("API_KEYS is unset")
    assert load(API_KEYS="secret").returncode == 0
    assert load(ALLOW_ANONYMOUS="1").returncode == 0


def test_a_port_in_use_is_named(stack: Stack) -> None:
    """Two copies never share a port."""
    stack.start_web()
    second = stack.start("web")
    assert second.wait() == 1
    assert second.output.startswith(f"PORT: {stack.web_port} ")


@pytest.mark.alone
@pytest.mark.parametrize("to_all", [False, True])
def test_a_request_under_way_is_answered_at_the_end(
    start_server: Callable[..., Server], stack: Stack, to_all: bool
) -> None:
    """After SIGTERM, to the process or to its whole group, with status 0 and the port free."""
    server = start_server()
    web = stack.start_web(REDIS_URL=server.url, WEB_PROCESSES="2")
    assert requests.post(f"{stack.queue_url}/pause", timeout=30).status_code == 200
    answers: list[requests.Response] = []

    def ask() -> None:
        answers.append(
            requests.post(f"{stack.queue_url}/schedule-bulk-calls", json=BULK, timeout=30)
        )

    server.freeze()
    client = threading.Thread(target=ask)
    client.start()
    time.sleep(0.5)
    if to_all:
        os.killpg(web.pid, signal.SIGTERM)
    else:
        web.send(signal.SIGTERM)
    time.sleep(0.3)
    server.thaw()
    client.join()
    assert [answer.json().get("count") for answer in answers] == [10_000]
    assert web.wait() == 0
    assert free(stack.web_port)


@pytest.mark.slow
def test_a_client_that_never_finishes_does_not_keep_it(stack: Stack) -> None:
    """A body that does not come is waited for ten seconds."""
    web = stack.start_web()
    with socket.create_connection(("127.0.0.1", stack.web_port)) as connection:
        head = b"POST /api/queue/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        connection.sendall(head)
        time.sleep(0.2)
        assert web.stop() == 0


def test_a_killed_process_leaves_nothing_behind(stack: Stack) -> None:
    """Its serving processes go, too, so that it can be started again on its port."""
    web = stack.start_web(WEB_PROCESSES="2")
    web.send(signal.SIGKILL)
    web.wait()
    until(lambda: free(stack.web_port), within_s=30, what="the port is free")
    stack.start_web()


def answers(stack: Stack) -> bool:
    """Whether some process of the stack's API answers."""
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{stack.web_url}/healthz", timeout=1).ok
    return False


def test_a_killed_serving_process_is_replaced(stack: Stack) -> None:
    """The others answer meanwhile."""
    web = stack.start_web(WEB_PROCESSES="2")
    first, second = children(web)
    # The second one may still be starting: it serves once it answers alone.
    os.kill(first, signal.SIGSTOP)
    until(lambda: answers(stack), within_s=30, what="the second one serves")
    os.kill(first, signal.SIGKILL)
    until(
        lambda: len(children(web)) == 2 and first not in children(web),
        within_s=30,
        what="there are two again",
    )
    assert second in children(web)
    assert requests.get(f"{stack.web_url}/healthz", timeout=30).status_code == 200


def test_redis_may_come_later(start_server: Callable[..., Server], stack: Stack) -> None:
    """The process starts without it, says so, and works once it is there."""
    server = start_server()
    server.kill()
    stack.start_web(REDIS_URL=server.url)
    assert requests.get(f"{stack.web_url}/readyz", timeout=30).status_code == 503
    server.start()

    def taken() -> bool:
        body = json.dumps({"to": "+1234567890"})
        headers = {"Content-Type": "application/json"}
        answer = requests.post(
            f"{stack.queue_url}/schedule-call", data=body, headers=headers, timeout=30
        )
        return answer.status_code == 200

    until(taken, within_s=30, what="a call is taken")
