"""A client that a generator makes of the document talks to the service."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.stack import Stack
from vomind_queue.api.openapi.document import encoded

CONFIG = "post_hooks: []\nliteral_enums: true\n"
TO = "+1234567890"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package that openapi-python-client makes, without a warning."""
    (tmp_path / "openapi.json").write_bytes(encoded())
    (tmp_path / "config.yaml").write_text(CONFIG)
    options = ["--path", "openapi.json", "--config", "config.yaml", "--meta", "none"]
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", *options],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr, done.stdout
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("vo_mind_queue_client")
    for name in [each for each in sys.modules if each.startswith("vo_mind_queue_client")]:
        del sys.modules[name]


def ask(endpoint: str, **options: Any) -> Any:
    """Calls one of the client's functions."""
    return importlib.import_module(f"vo_mind_queue_client.api.{endpoint}").sync(**options)


@pytest.mark.slow
def test_a_generated_client_schedules_reads_and_cancels(made: ModuleType, stack: Stack) -> None:
    """With a key, by functions and models that are typed."""
    stack.start_web(API_KEYS="ops:secret")
    models = importlib.import_module("vo_mind_queue_client.models")
    with made.AuthenticatedClient(base_url=stack.web_url, token="secret") as client:
        wanted = models.DelayedCallRequest(to=TO, delay_ms=60_000, priority="high")
        accepted = ask("calls.schedule_delayed_call", client=client, body=wanted)
        assert (accepted.job_id, accepted.data.to) == ("1", TO)
        job = ask("jobs.get_job", client=client, job_id=accepted.job_id)
        assert (job.state, job.priority, job.scheduled_for) == (
            "delayed",
            "high",
            accepted.scheduled_for,
        )
        cancelled = ask("jobs.cancel_job", client=client, job_id=accepted.job_id)
        assert cancelled.was == "delayed"
        gone = ask("jobs.get_job", client=client, job_id=accepted.job_id)
        assert isinstance(gone, models.Problem)
        assert gone.detail == "No such job: 1."


@pytest.mark.slow
def test_a_generated_client_reads_numbers_lists_and_refusals(
    made: ModuleType, stack: Stack
) -> None:
    """A bulk, the numbers, a page of jobs; a wrong number is a problem, a missing key as well."""
    stack.start_web(API_KEYS="ops:secret")
    models = importlib.import_module("vo_mind_queue_client.models")
    with made.AuthenticatedClient(base_url=stack.web_url, token="secret") as client:
        calls = [models.BulkCall(to=TO), models.BulkCall(to="+1222222222", delay_ms=1000)]
        bulk = ask("calls.schedule_bulk_calls", client=client, body=models.BulkRequest(calls=calls))
        assert [job.job_id for job in bulk.jobs] == ["1", "2"]
        stats = ask("queue.get_stats", client=client)
        assert (stats.stats.waiting, stats.stats.delayed) == (1, 1)
        waiting = ask("queue.list_waiting", client=client, start=0, end=10)
        assert [job.data.to for job in waiting.jobs] == [TO]
        wrong = models.CallRequest(to="1234567890")
        refused = ask("calls.schedule_call", client=client, body=wrong)
        assert refused.status == 422
        assert refused.errors["to"]
    with made.Client(base_url=stack.web_url) as stranger:
        assert ask("queue.get_stats", client=stranger).status == 401
