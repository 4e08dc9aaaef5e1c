"""The API on the real store, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.integration.conftest import begin, taken
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import build_on
from vomind_queue.processes.application import create_app
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue

TO = "+1234567890"


@dataclass(frozen=True, slots=True)
class Api:
    """A client of the API's routes below /api/queue."""

    web: FlaskClient

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET."""
        return self.web.get(f"/api/queue{path}", **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        """POST, with a JSON body when there is one."""
        if body is not None:
            options["json"] = body
        return self.web.post(f"/api/queue{path}", **options)

    def patch(self, path: str, body: Any) -> TestResponse:
        """PATCH, with a JSON body."""
        return self.web.patch(f"/api/queue{path}", json=body)

    def delete(self, path: str) -> TestResponse:
        """DELETE."""
        return self.web.delete(f"/api/queue{path}")

    def total(self) -> int:
        """Number of all jobs."""
        total: int = self.get("/stats").get_json()["stats"]["total"]
        return total


@pytest.fixture(scope="session")
def _routes_are_compiled_once() -> Iterator[None]:
    """Each application compiles a function per route, two thirds of what it takes to make one.

    That function is bound to its route by werkzeug, so routes that read the same can share it.
    """
    compiled: dict[tuple[Any, ...], Any] = {}
    compile_it = Rule._compile_builder

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, *rule._trace, repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_it(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture
def make_api(
    queue: CallQueue, tmp_path: Path, _routes_are_compiled_once: None
) -> Callable[..., Api]:
    """Makes the API with settings; ``make_api(API_KEYS="ops:secret")``."""

    def make(**environ: str) -> Api:
        settings = Settings.from_env({"CALL_RATE_LIMIT": "off", **environ})
        services = build_on(queue._store, settings, SqliteLog(tmp_path / "calls.sqlite3"))
        return Api(create_app(services).test_client())

    return make


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """The API as it is set up by default."""
    return make_api()


@pytest.fixture
def eventful(api: Api, worker_queue: WorkerQueue, valkey: redis.Redis) -> None:
    """A queue in which something of each kind has happened."""
    for number, result in ((1, AttemptResult.FAILED), (2, AttemptResult.UNKNOWN)):
        job = api.post("/schedule-call", {"to": f"+1555000000{number}"}).get_json()["jobId"]
        assert taken(worker_queue) == [job]
        worker_queue.finish(
            begin(worker_queue, job), Decision(result=result, reason="as an example")
        )
    recurring = {"to": "+15550000003", "cronExpression": "0 9 * * *"}
    api.post("/schedule-recurring-call", recurring)
    valkey.hset(keys.SCHEDULER, "seen", valkey.time()[0] * 1000)
    valkey.hset(keys.OUTBOX_LOST, "details", 1)
