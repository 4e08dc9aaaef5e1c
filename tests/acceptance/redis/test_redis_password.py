"""The password of the Redis server is shown nowhere: not by Flower, Celery, a log or a page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
import redis
import requests

from tests.acceptance.broker.test_operating import patient
from tests.servers import Server
from tests.stack import READY_S, Stack, until

#: Holds all that an address must encode, and all that somebody may take for its end.
PASSWORD = "Sesame;opens:the@door/with#100%+"
#: What is looked for: as it is, as it stands in an address, and its readable middle.
SPELLINGS = (PASSWORD, quote(PASSWORD, safe=""), "opens")
USER = "operator"
#: What a process says whose password is wrong.
REFUSED = re.compile("WRONGPASS|invalid username-password")
#: Flower's API wants a login.
LOGIN = ("ann", "pass")

PAGES = ("/", "/workers", "/tasks", "/broker", "/metrics", "/healthcheck")
API = ("/api/workers?refresh=1", "/api/tasks", "/api/queues/length", "/api/task/types")
INSPECT = " ".join(("inspect", *patient()))
COMMANDS = (
    f"{INSPECT} conf",
    f"{INSPECT} conf 1",
    f"{INSPECT} stats",
    f"{INSPECT} report",
    f"{INSPECT} registered",
    "report",
)
#: Runs Celery's commands one after the other: its start would take longer than all of them.
TYPED = """
import sys
from celery.bin.celery import celery
for command in sys.argv[1:]:
    print("$", command)
    try:
        celery(["-A", "celery_app", *command.split()], auto_envvar_prefix="CELERY")
    except SystemExit as ended:
        print("status", ended.code)
"""


def _hides(shown: str, where: str) -> None:
    for spelling in SPELLINGS:
        assert spelling not in shown, f"{where} shows the password"


@pytest.fixture
def plain(start_server: Callable[..., Server]) -> Server:
    """A server that asks for a password, as `tls_server` does over TLS."""
    return start_server()


@pytest.fixture(params=["password", "user over tls"])
def guarded(request: pytest.FixtureRequest) -> Iterator[tuple[redis.Redis, str]]:
    """A client of a server that wants a password, and the address that has it."""
    encrypted = request.param == "user over tls"
    server: Server = request.getfixturevalue("tls_server" if encrypted else "plain")
    shown = quote(PASSWORD, safe="")
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", USER, "on", "~*", "&*", "+@all", f">{PASSWORD}")
        client.config_set("requirepass", PASSWORD)
        client.execute_command("AUTH", PASSWORD)
        address = {
            "password": f"redis://:{shown}@127.0.0.1:{server.port}/0",
            "user over tls": f"rediss://{USER}:{shown}@127.0.0.1:{server.tls_port}/0",
        }
        yield client, address[request.param]


def _flower(stack: Stack, path: str) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{stack.flower_port}{path}", auth=LOGIN, timeout=30)


def _flower_knows_the_worker(stack: Stack) -> bool:
    try:
        return "redbeat_redis_url" in _flower(stack, API[0]).text
    except requests.RequestException:
        return False


def _what_flower_shows(stack: Stack) -> dict[str, str]:
    """All of its pages and answers; the worker's page has the configuration."""
    until(lambda: _flower_knows_the_worker(stack), within_s=READY_S, what="Flower has asked")
    worker = next(iter(_flower(stack, API[0]).json()))
    task = next(iter(_flower(stack, "/api/tasks").json()), "none")
    paths = (*PAGES, *API, f"/worker/{worker}", f"/task/{task}", f"/api/task/info/{task}")
    shown = {path: _flower(stack, path).text for path in paths}
    assert "broker_url" in shown[f"/worker/{worker}"]
    return shown


@pytest.mark.slow
def test_the_redis_password_is_shown_nowhere(
    stack: Stack, guarded: tuple[redis.Redis, str]
) -> None:
    """Pages, answers, reports and logs, also of what fails, name the server at most."""
    client, stack.redis_url = guarded
    stack.settings["LEASE_TIME"] = "1s"
    stack.start_all()
    stack.start("flower", FLOWER_BASIC_AUTH=":".join(LOGIN))
    stack.start("beat").wait_for("leads")
    stack.start("shipper").wait_for("shipper started")
    body = {"to": "+1234567890"}
    answer = requests.post(f"{stack.queue_url}/schedule-call", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    for path, text in _what_flower_shows(stack).items():
        _hides(text, f"Flower's {path}")
    done = stack.run("-c", TYPED, *COMMANDS)
    assert "Traceback" not in done.stdout + done.stderr
    _hides(done.stderr, "celery")
    shown = re.split(r"^\$ (.*)\n", done.stdout, flags=re.MULTILINE)[1:]
    printed = dict(zip(shown[::2], shown[1::2], strict=True))
    assert tuple(printed) == COMMANDS
    for command, text in printed.items():
        assert text.endswith("status 0\n"), text
        _hides(text, f"celery {command}")
        if "conf" in command or "report" in command:
            assert "redbeat" in text
    done = stack.run("-m", "vomind_queue", "doctor")
    _hides(done.stdout + done.stderr, "doctor")
    for path in ("/metrics", "/readyz", "/api/queue/stats", "/api/queue/overview"):
        _hides(requests.get(stack.web_url + path, timeout=30).text, path)
    _refuse_all(client)
    until(lambda: REFUSED.search(_said(stack)), within_s=READY_S, what="a process complains")
    time.sleep(3)
    _hides(_said(stack), "a log")


def _said(stack: Stack) -> str:
    """All that its processes wrote."""
    return "\n".join(process.output for process in stack.processes)


def _refuse_all(client: redis.Redis) -> None:
    """From now on the password is wrong, so that every process complains."""
    client.config_set("requirepass", "another")
    client.execute_command("ACL", "SETUSER", USER, "resetpass", ">another")
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
