"""``wsgi:app`` behind a server of the operator's choice: the same service, on the same terms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
import requests

from tests.servers import Server
from tests.stack import Process, Stack, until

KEY = {"X-API-Key": "secret"}


def start_gunicorn(stack: Stack, *arguments: str, **settings: str) -> Process:
    """Starts it in the web process's place, and does not wait for it."""
    process = Process(
        name="gunicorn",
        arguments=(
            *("-m", "gunicorn", "--no-control-socket", "--bind", f"127.0.0.1:{stack.web_port}"),
            *("--threads", "4", *arguments, "wsgi:app"),
        ),
        environment=stack.environment() | settings,
        log=stack.directory / f"gunicorn-{len(stack.processes)}.log",
    )
    stack.processes.append(process)
    process.start()
    return process


def test_it_answers_the_same(stack: Stack) -> None:
    """A call is stored, a stranger is refused, and all answers have what all answers have."""
    gunicorn = start_gunicorn(stack, "--workers", "2", API_KEYS="ops:secret")

    def answers() -> bool:
        try:
            return requests.get(f"{stack.web_url}/healthz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    until(answers, within_s=30, what="gunicorn answers")
    url, body = f"{stack.queue_url}/schedule-call", {"to": "+15551234567"}
    assert requests.post(url, json=body, timeout=30).status_code == 401
    taken = requests.post(url, json=body, headers=KEY, timeout=30)
    assert taken.status_code == 200
    assert taken.headers["X-Frame-Options"] == "DENY"
    assert len(taken.headers["X-Request-Id"]) == 32
    chunked = requests.post(url, data=iter([b'{"to":', b'"+15551234568"}']), timeout=30,
                            headers=KEY | {"Content-Type": "application/json"})  # fmt: skip
    assert chunked.status_code == 200
    stats = requests.get(f"{stack.queue_url}/stats", headers=KEY, timeout=30).json()["stats"]
    assert stats["waiting"] == 2
    assert gunicorn.stop() == 0


@pytest.mark.parametrize("preload", [False, True])
def test_a_server_that_drops_data_is_refused(
    stack: Stack, start_server: Callable[..., Server], preload: bool
) -> None:
    """As by our own web process: with the words, and an end that is no success."""
    server = start_server()
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    arguments = ["--preload"] if preload else []
    gunicorn = start_gunicorn(stack, *arguments, API_KEYS="ops:secret", REDIS_URL=server.url)
    assert gunicorn.wait() != 0
    assert "allkeys-lru" in gunicorn.output
    assert "ALLOW_EVICTION" in gunicorn.output


def test_it_is_open_only_where_that_is_wanted(stack: Stack) -> None:
    """It cannot know where it listens."""
    gunicorn = start_gunicorn(stack)
    assert gunicorn.wait() != 0
    assert "API_KEYS is unset" in gunicorn.output
