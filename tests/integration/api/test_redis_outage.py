"""Redis away: a 503 in time, which says whether something may have happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.integration.api.conftest import TO, Api
from tests.integration.api.test_callbacks import post
from tests.ports import free_port
from tests.servers import Server
from tests.stack import until
from tests.twilio import REACHED, a_sid, callback
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.calls.instants import iso
from vomind_queue.config.settings import Settings
from vomind_queue.container.log_services import open_log
from vomind_queue.container.web_services import build
from vomind_queue.processes.application import create_app


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A server that may be frozen and killed."""
    return start_server()


@pytest.fixture
def away(server: Server, tmp_path: Path) -> Iterator[Api]:
    """The API with a connection to that server."""
    settings = Settings.from_env({"REDIS_URL": server.url, "DATA_DIR": str(tmp_path)})
    services = build(settings, open_log(settings))
    made = Api(create_app(services).test_client())
    assert made.post("/schedule-call", {"to": TO}).status_code == 200
    yield made
    server.thaw()


REQUESTS = (
    ("POST", "/schedule-call", {"to": TO}),
    ("POST", "/schedule-delayed-call", {"to": TO, "delayMs": 5}),
    # Not of now: it would lie too far in the past by the time that a long run comes to it.
    (
        "POST",
        "/schedule-delayed-call",
        {"to": TO, "scheduleAt": iso(int(time.time() + 86_400) * 1000)},
    ),
    ("POST", "/schedule-bulk-calls", {"calls": [{"to": TO}]}),
    ("GET", "/job/1", None),
    ("DELETE", "/job/1", None),
    ("POST", "/job/1/retry", None),
    ("GET", "/stats", None),
    ("GET", "/waiting", None),
    ("POST", "/clean", None),
    ("POST", "/pause", None),
    ("POST", "/resume", None),
)


def back(api: Api) -> Any:
    """The stats, as soon as they are answered again."""
    return until(
        lambda: (answer := api.get("/stats")).status_code == 200 and answer.get_json(),
        within_s=30,
        what="the queue is back",
    )


@pytest.mark.alone
def test_a_dead_redis_is_a_503(away: Api, server: Server) -> None:
    """From every endpoint, at once, with a time to try again."""
    server.kill()
    for method, path, body in REQUESTS:
        began = time.monotonic()
        answer = away.web.open(f"/api/queue{path}", method=method, json=body)
        assert time.monotonic() - began < 2
        assert answer.status_code == 503, (path, answer.text)
        assert answer.content_type == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
    assert away.web.get("/healthz").status_code == 200
    ready = away.web.get("/readyz")
    assert ready.status_code == 503
    assert list(ready.get_json()["errors"]) == ["redis"]
    server.start()
    back(away)


def test_a_replica_is_not_ready(away: Api, server: Server) -> None:
    """It answers questions, and takes no calls."""
    with server.client() as direct:
        direct.replicaof("127.0.0.1", str(free_port()))
        ready = away.web.get("/readyz")
        assert ready.status_code == 503
        assert list(ready.get_json()["errors"]) == ["redis"]
        assert away.post("/schedule-call", {"to": TO}).status_code == 503
        direct.replicaof("NO", "ONE")
    assert list(away.web.get("/readyz").get_json()["errors"]) == ["worker"]


@pytest.mark.alone
def test_a_frozen_redis_is_a_503_within_two_seconds(away: Api, server: Server) -> None:
    """Who asked for a change learns that its outcome is unknown; later ones are not kept waiting.

    Nothing that was refused happens when Redis goes on.
    """

    def ask(request: tuple[str, str, object]) -> tuple[float, TestResponse]:
        method, path, body = request
        began = time.monotonic()
        client = away.web.application.test_client()
        answer = client.open(f"/api/queue{path}", method=method, json=body)
        return time.monotonic() - began, answer

    server.freeze()
    with ThreadPoolExecutor(len(REQUESTS)) as clients:
        answers = list(clients.map(ask, REQUESTS))
    for (method, path, _), (took, answer) in zip(REQUESTS, answers, strict=True):
        assert took < 2, path
        assert answer.status_code == 503, path
        assert ("unknown" in answer.get_json()["detail"]) is (method != "GET"), path
    began = time.monotonic()
    refused = away.post("/schedule-call", {"to": TO})
    assert time.monotonic() - began < 0.1
    assert "nothing was changed" in refused.get_json()["detail"]
    server.thaw()
    stats = back(away)
    assert (stats["stats"]["total"], stats["paused"]) == (1, False)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "a"}])
def test_an_unknown_outcome_says_what_to_do(
    away: Api, server: Server, headers: dict[str, str]
) -> None:
    """The same key may be sent again, and then the call is there once."""
    server.freeze()
    answer = away.post("/schedule-call", {"to": TO}, headers=headers)
    assert "Idempotency-Key" in answer.get_json()["detail"]
    server.thaw()
    back(away)
    if headers:
        again = away.post("/schedule-call", {"to": TO}, headers=headers)
        assert again.status_code == 200
        assert away.total() == 2


@pytest.mark.alone
def test_a_callback_gets_the_same_answer(server: Server, tmp_path: Path) -> None:
    """Twilio is told in time, too; Twilio's own record is asked later."""
    settings = Settings.from_env({**REACHED, "REDIS_URL": server.url})
    services = build(settings, SqliteLog(tmp_path / "calls.sqlite3"))
    api = Api(create_app(services).test_client())
    server.kill()
    path = "/api/twilio/status/1/token"
    began = time.monotonic()
    answer = post(api, path, callback(a_sid(1), "ringing", 1))
    assert time.monotonic() - began < 2
    assert answer.status_code == 503
    assert post(api, path, callback(a_sid(1), "busy", 2), signature="x").status_code == 403
