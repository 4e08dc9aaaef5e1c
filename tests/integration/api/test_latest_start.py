"""A call's latest start over the API: taken, shown, changed, and what is refused."""

from __future__ import annotations

import time

import pytest

from tests.integration.api.conftest import TO, Api
from tests.integration.api.test_calls import in_ms
from vomind_queue.queue.worker_queue import WorkerQueue

HOUR_MS = 3_600_000


def expire(api: Api, worker_queue: WorkerQueue) -> None:
    """Schedules a call that may start at once only, and lets its time pass."""
    assert api.post("/schedule-call", {"to": TO, "notAfter": in_ms(150)}).status_code == 200
    while not worker_queue.expire_due(9)[1]:
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("path", "times"),
    [("/schedule-call", {}), ("/schedule-delayed-call", {"delayMs": HOUR_MS // 2})],
)
def test_it_comes_back_in_utc(api: Api, path: str, times: dict[str, int]) -> None:
    """In the call as it was asked for, and beside it as it holds."""
    latest = in_ms(HOUR_MS)
    sent = latest.replace("Z", "+00:00")
    answer = api.post(path, {"to": TO, "notAfter": sent, **times}).get_json()
    assert answer["data"]["notAfter"] == latest
    shown = api.get("/job/1").get_json()
    assert (shown["notAfter"], shown["data"]["notAfter"]) == (latest, latest)
    assert shown["failedKind"] is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"notAfter": "2020-01-01T00:00:00Z"}, "Must be in the future; got"),
        ({"notAfter": "2030-01-01T00:00:00"}, "Must be a time with an offset"),
        ({"notAfter": 5}, "Must be a time with an offset"),
        ({"notAfter": in_ms(HOUR_MS), "delayMs": 2 * HOUR_MS}, "Must not be before the time"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(
    api: Api, body: dict[str, object], text: str
) -> None:
    """Alone and in a bulk; nothing is stored."""
    calls = {"calls": [{"to": TO}, {"to": TO, **body}]}
    errors = api.post("/schedule-bulk-calls", calls).get_json()["errors"]
    assert errors["calls"]["1"]["notAfter"][0].startswith(text)
    path = "/schedule-delayed-call" if "delayMs" in body else "/schedule-call"
    errors = api.post(path, {"to": TO, **body}).get_json()["errors"]
    assert errors["notAfter"][0].startswith(text)
    assert api.get("/stats").get_json()["stats"]["total"] == 0


def test_a_recurring_call_has_none(api: Api) -> None:
    """The refusal names what it has."""
    body = {"to": TO, "cronExpression": "0 9 * * *", "notAfter": in_ms(HOUR_MS)}
    answer = api.post("/schedule-recurring-call", body)
    assert answer.status_code == 422
    (text,) = answer.get_json()["errors"]["notAfter"]
    assert text.startswith("Must not be set here. Recurring calls have endAt, and graceMs")


def test_a_change_moves_it(api: Api) -> None:
    """But never before the time at which the call is due."""
    api.post("/schedule-delayed-call", {"to": TO, "delayMs": HOUR_MS})
    latest = in_ms(2 * HOUR_MS)
    assert api.patch("/job/1", {"notAfter": latest}).get_json()["notAfter"] == latest
    refused = api.patch("/job/1", {"notAfter": in_ms(HOUR_MS // 2)})
    assert refused.status_code == 422
    assert refused.get_json()["errors"] == {
        "notAfter": ["Must not be before the time at which the call is due."]
    }
    assert api.patch("/job/1", {"delayMs": 3 * HOUR_MS}).status_code == 422
    assert api.patch("/job/1", {"notAfter": None}).get_json()["notAfter"] is None


def test_an_expired_call_names_its_kind_and_is_retried_with_another_time(
    api: Api, worker_queue: WorkerQueue
) -> None:
    """Without one the answer says how."""
    expire(api, worker_queue)
    shown = api.get("/job/1").get_json()
    assert (shown["state"], shown["failedKind"]) == ("failed", "expired")
    assert shown["failedReason"].startswith("Expired: ")
    kinds = api.get("/failed/reasons").get_json()["reasons"]
    assert [each["kind"] for each in kinds] == ["expired"]
    assert api.get("/job/1/why").get_json()["reasons"][0]["text"] == shown["failedReason"]
    refused = api.post("/job/1/retry", {})
    assert refused.status_code == 409
    assert "retry it with a later one" in refused.get_json()["error"]
    assert api.post("/job/1/retry", {"notAfter": "2020-01-01T00:00:00Z"}).status_code == 422
    latest = in_ms(HOUR_MS)
    assert api.post("/job/1/retry", {"notAfter": latest}).status_code == 200
    assert api.get("/job/1").get_json()["notAfter"] == latest
