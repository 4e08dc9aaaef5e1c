"""Requests that run on the event loop's thread: none of them may make the others wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.api.conftest import TO, Api
from tests.integration.strands import together
from vomind_queue.api.quick import is_quick
from vomind_queue.store.queue import CallQueue
from vomind_queue.store.relay import in_strand
from vomind_queue.store.wire import Line

KEY = {"Idempotency-Key": "k"}
QUICK: dict[str, Callable[[Api], Any]] = {
    "POST /api/queue/schedule-call": lambda api: api.post("/schedule-call", {"to": TO}),
    "POST /api/queue/schedule-delayed-call": lambda api: api.post(
        "/schedule-delayed-call", {"to": TO, "scheduleAt": "2001-01-01T00:00:00Z"}, headers=KEY
    ),
    "GET /api/queue/stats": lambda api: api.get("/stats"),
    "GET /api/queue/job/1": lambda api: api.get("/job/1"),
    "POST /api/queue/job/1/retry": lambda api: api.post("/job/1/retry"),
    "DELETE /api/queue/job/1": lambda api: api.delete("/job/1"),
    "GET /healthz": lambda api: api.web.get("/healthz"),
    "GET /readyz": lambda api: api.web.get("/readyz"),
}


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would hold up the loop's thread for an answer of Redis fails."""

    def refuse(real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **options: Any) -> Any:
            assert not in_strand()
            return real(*args, **options)

        return guarded

    monkeypatch.setattr(Line, "send", refuse(Line.send))
    monkeypatch.setattr(redis.Redis, "execute_command", refuse(redis.Redis.execute_command))


@pytest.mark.usefixtures("no_waiting")
def test_no_quick_request_waits_for_redis(make_api: Callable[..., Api], queue: CallQueue) -> None:
    """Each is laid aside instead; what it is answered is the same as in a thread."""
    api = make_api(API_KEYS="", PAST_SCHEDULE_GRACE="1m")
    api.post("/schedule-call", {"to": TO})
    expected = {"POST /api/queue/schedule-delayed-call": 422, "POST /api/queue/job/1/retry": 409}
    for name, work in QUICK.items():
        assert is_quick(*name.encode().split(b" "))
        [answer] = together(queue._gate._wire, lambda work=work: work(api))  # type: ignore[misc]
        assert not isinstance(answer, Exception), answer
        ready = 503 if name == "GET /readyz" else 200
        assert answer.status_code == expected.get(name, ready), (name, answer.text)


def test_what_takes_long_is_not_quick() -> None:
    """Neither by its address nor by its method."""
    for line in (
        "POST /api/queue/schedule-bulk-calls",
        "GET /api/queue/waiting",
        "GET /api/calls",
        "GET /api/queue/job/recurring:1",
        "GET /api/queue/job/1/",
        "GET /metrics",
        "HEAD /api/queue/stats",
        "GET /api/queue/stats?a=b",
        "GET /api/queue/%73tats",
    ):
        assert not is_quick(*line.encode().split(b" "))
