"""Who did what: on the events of a call, and in the list of deeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.integration.api.conftest import TO, Api
from tests.integration.conftest import begin, place, taken
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.queue.worker_queue import WorkerQueue

DAILY = {"cronExpression": "0 9 * * *", "to": TO, "timezone": "Europe/Berlin"}


@pytest.fixture
def office(make_api: Callable[..., Api]) -> Api:
    """An API with two people."""
    return make_api(API_KEYS="ops:secret-of-ops-0123456,ann:secret-of-ann-0123456")


def send(office: Api, name: str, method: str, path: str, body: Any = None) -> TestResponse:
    """A request by one of them."""
    answer = office.web.open(
        f"/api{path}",
        method=method,
        json=body,
        headers={"Authorization": f"Bearer secret-of-{name}-0123456"},
    )
    assert answer.status_code == 200, answer.text
    return answer


def deeds(office: Api, query: str = "") -> list[tuple[str, str, str | None]]:
    """The list, newest first."""
    found = send(office, "ann", "GET", f"/activity{query}").get_json()["activity"]
    return [(each["by"], each["act"], each["subject"]) for each in found]


def test_what_is_done_to_calls_bears_a_name(
    office: Api, worker_queue: WorkerQueue, ship: Callable[[], None]
) -> None:
    """The events in the log do as well."""
    for _ in range(4):
        send(office, "ann", "POST", "/queue/schedule-call", {"to": TO})
    send(office, "ops", "PATCH", "/queue/job/2", {"message": "Hello"})
    send(office, "ops", "DELETE", "/queue/job/2")
    started = begin(worker_queue, *taken(worker_queue))
    worker_queue.finish(started, Decision(result=AttemptResult.FAILED, reason="no"))
    worker_queue.release("1")
    send(office, "ann", "POST", "/queue/job/1/retry")
    place(worker_queue, *taken(worker_queue))
    send(office, "ops", "POST", "/queue/job/3/hangup")
    send(office, "ops", "DELETE", "/queue/job/3")
    assert deeds(office) == [
        ("ops", "removed", "3"),
        ("ops", "hung up", "3"),
        ("ann", "retried", "1"),
        ("ops", "cancelled", "2"),
        ("ops", "changed", "2"),
    ]
    ship()
    named = {
        event["event"]: event["details"]["by"]
        for job_id in ("1", "2", "3")
        for event in send(office, "ann", "GET", f"/calls/{job_id}").get_json()["events"]
        if "by" in event["details"]
    }
    assert named == {
        "changed": "ops",
        "cancelled": "ops",
        "retried": "ann",
        "hung_up": "ops",
        "removed": "ops",
    }


def test_a_pause_has_a_reason_and_the_list_is_filtered(office: Api) -> None:
    """It is shown until somebody resumes; pages follow each other."""
    send(office, "ops", "POST", "/queue/pause", {"reason": "Wrong text in the campaign"})
    stats = send(office, "ann", "GET", "/queue/stats").get_json()
    assert (stats["pausedBy"], stats["pauseReason"]) == ("ops", "Wrong text in the campaign")
    send(office, "ann", "POST", "/queue/resume")
    job = send(office, "ann", "POST", "/queue/schedule-recurring-call", DAILY).get_json()["jobId"]
    for act in ("pause", "resume"):
        send(office, "ops", "POST", f"/queue/job/{job}/{act}")
    send(office, "ops", "DELETE", f"/queue/job/{job}")
    assert deeds(office, "?by=ann") == [("ann", "created", job), ("ann", "resumed", None)]
    page = send(office, "ann", "GET", "/activity?limit=2").get_json()
    assert [each["act"] for each in page["activity"]] == ["stopped", "resumed"]
    rest = deeds(office, f"?cursor={page['next']}")
    assert [act for _, act, _ in rest] == ["paused", "created", "resumed", "paused"]
    assert deeds(office, "?until=2020-01-01T00:00:00Z") == []
    assert len(deeds(office, "?since=2020-01-01T00:00:00Z")) == 6


def test_a_reason_is_a_line_of_text(api: Api) -> None:
    """Nothing else, and the queue goes on."""
    for reason in ("", "a\nb", 7, "x" * 201):
        assert api.post("/pause", {"reason": reason}).status_code == 422
    assert api.get("/stats").get_json()["paused"] is False
