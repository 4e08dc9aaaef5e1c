"""Redis servers that must not hold calls: told at the start, with what to change."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import requests

from tests.acceptance.broker.test_operating import asked, patient
from tests.pages import ROOT, Page
from tests.ports import free_port
from tests.servers import Server, binary
from tests.stack import Process, Stack, until

#: All that connect to Redis; none may accept what another refuses.
PARTS = ["web", "worker", "beat", "shipper", "flower"]


@pytest.mark.parametrize("part", ["web", "worker"])
def test_a_server_that_drops_data_is_refused(stack: Stack, part: str) -> None:
    """Unless that is allowed by a setting."""
    with redis.Redis.from_url(stack.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            process = stack.start(part)
            assert process.wait() != 0
            assert "allkeys-lru" in process.output
            assert "ALLOW_EVICTION" in process.output
            assert "Traceback" not in process.output
            start = {"web": stack.start_web, "worker": stack.start_worker}[part]
            assert start(ALLOW_EVICTION="1").alive
        finally:
            client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize("part", ["web", "worker"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_is_told(
    stack: Stack, start_server: Callable[..., Server], part: str, password: str
) -> None:
    """One line that names the settings, and an end that is no success."""
    server = start_server()
    with server.client() as client:
        client.config_set("requirepass", "right")
    stack.settings["REDIS_URL"] = server.url.replace("//", f"//:{password}@")
    process = stack.start(part)
    assert process.wait() != 0
    assert "Redis refuses our credentials" in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize("part", ["web", "worker"])
def test_a_database_that_is_not_there_is_told(stack: Stack, part: str) -> None:
    """One line, and an end that is no success."""
    stack.settings["REDIS_URL"] = stack.redis_url.removesuffix("0") + "99"
    process = stack.start(part)
    assert process.wait() != 0
    assert "Redis does not take our connection" in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize("part", PARTS)
def test_cluster_mode_is_refused(
    stack: Stack, start_server: Callable[..., Server], part: str
) -> None:
    """Such a node takes calls that no worker would ever see."""
    server = start_server("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    stack.settings["REDIS_URL"] = server.url
    assert "Redis runs in cluster mode" in refusal(stack.start(part))


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[str]:
    """Address of a Sentinel, as a client might take it for a server's."""
    port, file = free_port(), tmp_path / "sentinel.conf"
    file.write_text(f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n")
    process = subprocess.Popen([binary("valkey"), str(file), "--sentinel"])
    client = redis.Redis(port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    until(answers, within_s=30, what="the Sentinel answers")
    yield f"redis://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.mark.parametrize("part", ["web", "flower"])
def test_a_sentinel_is_refused(stack: Stack, sentinel: str, part: str) -> None:
    """It says by name what it is, and what to name in its place."""
    stack.settings["REDIS_URL"] = sentinel
    assert "This is a Sentinel" in refusal(stack.start(part))


@pytest.fixture
def own_user(start_server: Callable[..., Server]) -> Iterator[Callable[..., str]]:
    """Makes the user of docs/redis.md, with further rules, and returns its address."""
    server = start_server()
    page = Page(ROOT / "docs" / "redis.md")
    line = next(each for each in page.text.splitlines() if each.startswith("ACL SETUSER"))

    with server.client() as client:

        def make(*rules: str) -> str:
            client.execute_command(*shlex.split(line), *rules)
            return server.url.replace("//", "//vomind:change-me@")

        yield make


def test_the_user_of_the_documentation_suffices(stack: Stack, own_user: Callable[..., str]) -> None:
    """All processes start, a call rings, Celery's remote control answers."""
    stack.settings["REDIS_URL"] = own_user()
    stack.start_all()
    others = [stack.start(part) for part in ("beat", "shipper", "flower")]
    body = {"to": "+1234567890"}
    requests.post(f"{stack.queue_url}/schedule-call", json=body, timeout=30).raise_for_status()
    recurring = body | {"cronExpression": "0 9 * * *"}
    url = f"{stack.queue_url}/schedule-recurring-call"
    requests.post(url, json=recurring, timeout=30).raise_for_status()
    until(
        lambda: _get(f"{stack.queue_url}/job/1")["state"] == "completed",
        within_s=30,
        what="the call is placed",
    )
    until(
        lambda: requests.get(f"{stack.web_url}/readyz", timeout=30).ok,
        within_s=30,
        what="a scheduler is seen",
    )
    assert all(process.alive for process in others)
    assert list(asked(stack, "inspect", *patient(), "ping").values()) == [{"ok": "pong"}]
    assert all("NOPERM" not in each.output for each in stack.processes)


@pytest.mark.parametrize(
    ("part", "rule", "named"),
    [
        ("web", "resetchannels", "channel /0.celeryev/"),
        ("web", "resetkeys", "keys {calls}:*"),
        ("web", "-eval", "EVAL"),
        ("worker", "-script", "SCRIPT LOAD"),
        ("beat", "-info", "INFO"),
        ("shipper", "-brpop", "BRPOP"),
        ("flower", "-psubscribe", "channel /0.celeryev/"),
    ],
)
def test_a_missing_right_is_named(
    stack: Stack, own_user: Callable[..., str], part: str, rule: str, named: str
) -> None:
    """One line says what the user may not do, in place of calls that never ring."""
    stack.settings["REDIS_URL"] = own_user(rule)
    said = refusal(stack.start(part))
    assert f"Redis does not let our user use {named}" in said


def refusal(process: Process) -> str:
    """What a process says that refuses to start."""
    assert process.wait() == 1
    assert "Traceback" not in process.output
    return process.output


def _get(url: str) -> dict[str, object]:
    return dict(requests.get(url, timeout=30).json())
