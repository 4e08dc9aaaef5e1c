"""PATCH of a call that has not begun: read as at creation, never twice and never lost."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.integration.api.conftest import Api
from tests.integration.conftest import begin, place, taken
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.queue import keys
from vomind_queue.queue.worker_queue import WorkerQueue

TO, OTHER = "+1234567890", "+1222222222"
HOUR_MS = 3_600_000


@pytest.fixture
def delayed(api: Api) -> str:
    """A call in an hour, with all that it may have."""
    body = {"to": TO, "message": "one", "delayMs": HOUR_MS, "lead_id": 7, "metadata": {"a": [1]}}
    answer = api.post("/schedule-delayed-call", body, headers={"X-Request-Id": "its-own"})
    return str(answer.get_json()["jobId"])


def changed(api: Api, job_id: str, **fields: Any) -> dict[str, Any]:
    """The answer to a change that is made."""
    answer = api.patch(f"/job/{job_id}", fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_what_is_named_changes_and_the_rest_stays(
    api: Api, delayed: str, valkey: redis.Redis
) -> None:
    """Its time, too, and the id of the request that asked for it."""
    before = api.get(f"/job/{delayed}").get_json()
    answer = changed(api, delayed, to=OTHER, message=None, priority="high", metadata=None)
    assert answer["data"] == {
        **before["data"],
        "to": OTHER,
        "message": "Hello from VoMindAI",
        "priority": "high",
        "metadata": {},
    }
    assert (answer["state"], answer["scheduledFor"]) == ("delayed", before["scheduledFor"])
    assert "its-own" in str(valkey.hget(keys.job(delayed), "data"))
    assert api.get(f"/job/{delayed}").get_json()["data"] == answer["data"]


def test_a_new_time_moves_it_there_and_back(api: Api, delayed: str, valkey: redis.Redis) -> None:
    """It is in one list only, and no delay at all lets it wait for its turn."""
    at = changed(api, delayed, scheduleAt="2027-03-01T09:00:00+01:00")
    assert at["scheduledFor"] == "2027-03-01T08:00:00.000Z"
    valkey.delete(keys.NOTIFY)
    assert changed(api, delayed, delayMs=0, priority="low")["state"] == "waiting"
    assert valkey.llen(keys.NOTIFY) == 1
    stats = api.get("/stats").get_json()["stats"]
    assert (stats["waiting"], stats["delayed"]) == (1, 0)
    assert changed(api, delayed, delayMs=HOUR_MS)["state"] == "delayed"
    stats = api.get("/stats").get_json()["stats"]
    assert (stats["waiting"], stats["delayed"]) == (0, 1)


def test_a_waiting_call_keeps_its_place(api: Api, worker_queue: WorkerQueue) -> None:
    """Words do not move it; another priority puts it where its age belongs."""
    ids = [api.post("/schedule-call", {"to": f"+1555000000{n}"}).get_json()["jobId"] for n in "123"]
    changed(api, ids[0], message="two")
    changed(api, ids[2], priority="high")
    assert taken(worker_queue, 3) == [ids[2], ids[0], ids[1]]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"to": "12"}, "to"),
        ({"to": None}, "to"),
        ({"message": ""}, "message"),
        ({"priority": "urgent"}, "priority"),
        ({"scheduleAt": "2020-01-01T00:00:00Z"}, "scheduleAt"),
        ({"scheduleAt": "2100-01-01T00:00:00Z"}, "scheduleAt"),
        ({"scheduleAt": "2027-01-01T00:00:00Z", "delayMs": 5}, "scheduleAt"),
        ({"scheduleAt": None}, "scheduleAt"),
        ({"delayMs": None}, "delayMs"),
        ({"sendAt": "2027-01-01T00:00:00Z"}, "sendAt"),
        ({"voicemailMessage": "hello"}, "voicemailMessage"),
    ],
)
def test_it_is_checked_as_at_creation(
    api: Api, delayed: str, fields: dict[str, Any], wrong: str
) -> None:
    """What was wrong then is wrong now, and nothing has changed."""
    before = api.get(f"/job/{delayed}").get_json()
    answer = api.patch(f"/job/{delayed}", fields)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [wrong]), answer.text
    assert api.get(f"/job/{delayed}").get_json() == before


def test_a_call_that_has_begun_or_ended_is_left_alone(api: Api, worker_queue: WorkerQueue) -> None:
    """Taken, at Twilio, completed: 409; unknown: 404."""
    assert api.patch("/job/9", {"message": "x"}).status_code == 404
    job_id = api.post("/schedule-call", {"to": TO}).get_json()["jobId"]
    assert taken(worker_queue) == [job_id]
    refused = api.patch(f"/job/{job_id}", {"message": "x"})
    assert refused.status_code == 409
    assert "has begun (active)" in refused.get_json()["detail"]
    place(worker_queue, job_id)
    refused = api.patch(f"/job/{job_id}", {"message": "x"})
    assert (refused.status_code, "(completed)" in refused.text) == (409, True)


def test_a_call_that_waits_for_another_attempt_has_begun(
    api: Api, worker_queue: WorkerQueue
) -> None:
    """Twilio was asked to call its number, so it is reconciled with that number."""
    job_id = api.post("/schedule-call", {"to": TO}).get_json()["jobId"]
    taken(worker_queue)
    again = Decision(result=AttemptResult.AGAIN, reason="Busy.", refused=True, wait_ms=60_000)
    worker_queue.finish(begin(worker_queue, job_id), again)
    refused = api.patch(f"/job/{job_id}", {"to": OTHER})
    assert (refused.status_code, "(delayed)" in refused.text) == (409, True)
