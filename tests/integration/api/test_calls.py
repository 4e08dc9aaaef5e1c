"""Calls come in: each example of the contract, replays, and refusals that store nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.api.conftest import TO, Api
from vomind_queue.api.serializers.times import parse_instant
from vomind_queue.calls.instants import iso
from vomind_queue.queue.call_queue import CallQueue

CALL = {
    "to": "+1234567890",
    "message": "Hello from VoMindAI",
    "lead_id": "123",
    "priority": "high",
    "metadata": {"campaign": "Q4 Outreach"},
}
BULK = {
    "calls": [
        {"to": "+1234567890", "message": "Bulk call 1", "lead_id": "123", "priority": "high"},
        {"to": "+0987654321", "message": "Bulk call 2", "lead_id": "124", "priority": "normal"},
    ]
}
SCHEDULING = ("/schedule-call", "/schedule-delayed-call", "/schedule-bulk-calls")


def in_ms(milliseconds: int) -> str:
    """A time that far from now, ISO 8601."""
    return iso(int(time.time() * 1000) + milliseconds)


def test_an_immediate_call(api: Api) -> None:
    """The example of the contract, its answer and its Location."""
    answer = api.post("/schedule-call", CALL)
    assert (answer.status_code, answer.headers["Location"]) == (200, "/api/queue/job/1")
    assert answer.content_type == "application/json"
    assert answer.get_json() == {
        "success": True,
        "message": "Call scheduled successfully",
        "jobId": "1",
        "status": "scheduled",
        "data": CALL,
    }
    assert api.get("/job/1").get_json()["state"] == "waiting"


def test_a_call_at_a_time(api: Api) -> None:
    """The time comes back in UTC, and the job waits for it."""
    body = {"to": TO, "message": "Scheduled call", "scheduleAt": in_ms(3_600_000)}
    answer = api.post("/schedule-delayed-call", {**body, "priority": "normal"})
    assert answer.status_code == 200
    assert answer.headers["Location"] == "/api/queue/job/1"
    assert answer.get_json() == {
        "success": True,
        "message": "Delayed call scheduled successfully",
        "jobId": "1",
        "status": "scheduled",
        "scheduledFor": body["scheduleAt"],
        "data": {"to": TO, "message": "Scheduled call", "priority": "normal", "metadata": {}},
    }
    job = api.get("/job/1").get_json()
    assert (job["state"], job["scheduledFor"]) == ("delayed", body["scheduleAt"])


def test_a_call_after_a_while(api: Api) -> None:
    """The delay counts from the moment of acceptance."""
    body = {"to": TO, "message": "Call in 1 hour", "delayMs": 3600000, "priority": "normal"}
    answer = api.post("/schedule-delayed-call", body).get_json()
    job = api.get("/job/1").get_json()
    assert job["scheduledFor"] == answer["scheduledFor"]
    assert parse_instant(answer["scheduledFor"]) - job["timestamp"] == 3_600_000


def test_a_bulk(api: Api) -> None:
    """The example of the contract: two jobs in the order sent."""
    api.post("/schedule-call", CALL)
    answer = api.post("/schedule-bulk-calls", BULK)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "success": True,
        "message": "2 calls scheduled successfully",
        "count": 2,
        "jobs": [
            {"jobId": "2", "status": "scheduled"},
            {"jobId": "3", "status": "scheduled"},
        ],
    }
    assert api.get("/job/3").get_json()["data"]["message"] == "Bulk call 2"


def test_calls_of_a_bulk_may_be_for_later(api: Api) -> None:
    """Each has its own time, or none."""
    calls = [{"to": TO}, {"to": TO, "delayMs": 60_000}, {"to": TO, "scheduleAt": in_ms(60_000)}]
    assert api.post("/schedule-bulk-calls", {"calls": calls}).status_code == 200
    assert [api.get(f"/job/{n}").get_json()["state"] for n in (1, 2, 3)] == [
        "waiting",
        "delayed",
        "delayed",
    ]


def test_ten_thousand_calls_go_in_together(api: Api) -> None:
    """The largest bulk, and one call more is refused."""
    calls = [{"to": TO, "lead_id": n} for n in range(10_001)]
    assert api.post("/schedule-bulk-calls", {"calls": calls}).status_code == 422
    assert api.total() == 0
    assert api.post("/schedule-bulk-calls", {"calls": calls[:-1]}).get_json()["count"] == 10_000
    assert api.total() == 10_000


def test_one_bad_call_refuses_the_bulk(api: Api) -> None:
    """It is named by its place and its field, and nothing is stored."""
    calls: list[dict[str, Any]] = [{"to": TO} for _ in range(5)]
    calls[3]["to"] = "12345"
    answer = api.post("/schedule-bulk-calls", {"calls": calls})
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]["calls"]) == ["3"]
    assert list(answer.get_json()["errors"]["calls"]["3"]) == ["to"]
    assert "calls[3].to" in answer.get_json()["detail"]
    assert api.total() == 0


def test_a_very_wrong_bulk_gets_a_short_answer(api: Api) -> None:
    """The first hundred calls are listed, and the detail says how many there are."""
    answer = api.post("/schedule-bulk-calls", {"calls": [{"to": "x"}] * 10_000})
    assert len(answer.get_json()["errors"]["calls"]) == 100
    assert "10000 errors" in answer.get_json()["detail"]


def test_what_was_ignored_is_said(api: Api) -> None:
    """The call is taken, and the client learns of the fields that nothing was done with."""
    answer = api.post("/schedule-call", {"to": TO, "name": "Ada", "email": None})
    assert answer.get_json()["ignored"] == ["email", "name"]


@pytest.mark.parametrize("path", SCHEDULING)
def test_no_body_at_all_is_an_invalid_call(api: Api, path: str) -> None:
    """Not unreadable and not of the wrong type: what is missing is named."""
    answer = api.post(path)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_a_time_long_past_is_refused_with_how_long(api: Api) -> None:
    """At a time nobody chose nobody is called."""
    answer = api.post("/schedule-delayed-call", {"to": TO, "scheduleAt": in_ms(-7_260_000)})
    assert answer.status_code == 422
    assert "2 hours 1 minute ago" in answer.get_json()["detail"]
    calls = [{"to": TO}, {"to": TO, "scheduleAt": in_ms(-7_260_000)}]
    bulk = api.post("/schedule-bulk-calls", {"calls": calls})
    assert list(bulk.get_json()["errors"]["calls"]) == ["1"]
    assert api.total() == 0


def test_a_time_just_past_is_now(api: Api) -> None:
    """A slow client's call goes out, and says the time that it asked for."""
    when = in_ms(-60_000)
    answer = api.post("/schedule-delayed-call", {"to": TO, "scheduleAt": when})
    assert answer.get_json()["scheduledFor"] == when


def test_any_past_can_be_allowed(make_api: Callable[..., Api]) -> None:
    """As the service that this one replaces did."""
    api = make_api(PAST_SCHEDULE_GRACE="any")
    body = {"to": TO, "scheduleAt": "0001-01-01T00:00:00Z"}
    assert api.post("/schedule-delayed-call", body).status_code == 200
    assert api.get("/delayed").status_code == 200
    assert api.get("/job/1").get_json()["scheduledFor"] == "0001-01-01T00:00:00.000Z"


def test_more_than_a_year_ahead_is_refused(api: Api) -> None:
    """By a slip in the year's digits somebody would wait for ever."""
    answer = api.post("/schedule-delayed-call", {"to": TO, "scheduleAt": in_ms(366 * 86_400_000)})
    assert answer.status_code == 422
    assert api.total() == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/schedule-call", CALL),
        ("/schedule-delayed-call", {"to": TO, "delayMs": 60_000, "name": "Ada"}),
        ("/schedule-bulk-calls", BULK),
    ],
)
def test_a_key_makes_one_request_of_two(api: Api, path: str, body: dict[str, Any]) -> None:
    """The second answer is the first one byte for byte, and nothing more is stored."""
    first = api.post(path, body, headers={"Idempotency-Key": "a"})
    stored = api.total()
    time.sleep(0.01)
    second = api.post(path, body, headers={"Idempotency-Key": "a"})
    assert (second.status_code, second.data) == (200, first.data)
    assert second.headers.get("Location") == first.headers.get("Location")
    assert api.total() == stored


def test_white_space_and_order_make_no_other_request(api: Api) -> None:
    """The body counts as JSON, not as bytes."""
    headers = {"Idempotency-Key": "a", "Content-Type": "application/json"}
    api.post("/schedule-call", headers=headers, data=b'{"to":"+1234567890","lead_id":1}')
    again = api.post(
        "/schedule-call", headers=headers, data=b'{ "lead_id": 1, "to": "+1234567890"}'
    )
    assert again.get_json()["jobId"] == "1"
    other = api.post("/schedule-call", headers=headers, data=b'{"to":"+1234567890","lead_id":"1"}')
    assert other.status_code == 422
    assert "Idempotency-Key" in other.get_json()["detail"]


def test_a_key_counts_within_its_endpoint(api: Api) -> None:
    """Two endpoints have nothing to do with each other."""
    headers = {"Idempotency-Key": "a"}
    api.post("/schedule-call", {"to": TO}, headers=headers)
    answer = api.post("/schedule-delayed-call", {"to": TO, "delayMs": 5}, headers=headers)
    assert answer.get_json()["jobId"] == "2"


def test_a_key_counts_within_its_api_key(make_api: Callable[..., Api]) -> None:
    """One client cannot hit upon another one's request; a changed secret is the same client."""
    api = make_api(API_KEYS="a:one,b:two,three,four")
    same = make_api(API_KEYS="a:changed")

    def post(to: Api, secret: str) -> str:
        headers = {"Idempotency-Key": "k", "X-API-Key": secret}
        job_id: str = to.post("/schedule-call", {"to": TO}, headers=headers).get_json()["jobId"]
        return job_id

    assert [post(api, secret) for secret in ("one", "two", "three", "four")] == list("1234")
    assert post(same, "changed") == "1"


def test_a_key_seen_before_is_answered_though_its_time_is_past(
    api: Api, queue: CallQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that repeats its request an hour later gets the answer that it missed."""
    delayed = {"to": TO, "scheduleAt": in_ms(60_000)}
    bulk = {"calls": [delayed]}
    headers = {"Idempotency-Key": "a"}
    first = api.post("/schedule-delayed-call", delayed, headers=headers)
    first_bulk = api.post("/schedule-bulk-calls", bulk, headers=headers)
    later = queue.now_ms() + 3_600_000
    monkeypatch.setattr(CallQueue, "now_ms", lambda _: later)
    assert api.post("/schedule-delayed-call", delayed, headers=headers).data == first.data
    assert api.post("/schedule-bulk-calls", bulk, headers=headers).data == first_bulk.data
    assert api.post("/schedule-delayed-call", delayed).status_code == 422
    other = {"to": TO, "scheduleAt": in_ms(61_000)}
    refused = api.post("/schedule-delayed-call", other, headers=headers)
    assert "Idempotency-Key" in refused.get_json()["detail"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ".encode().decode("latin-1"), "a\tb"])
@pytest.mark.parametrize("path", SCHEDULING)
def test_a_key_that_cannot_be_one_is_refused(api: Api, path: str, key: str) -> None:
    """1 to 255 printable ASCII characters; the call is not stored as if it had none."""
    body = {"/schedule-call": CALL, "/schedule-bulk-calls": BULK}.get(path, {**CALL, "delayMs": 5})
    answer = api.post(path, body, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["Idempotency-Key"]
    assert api.total() == 0
    longest = api.post(path, body, headers={"Idempotency-Key": "x" * 255})
    assert longest.status_code == 200
