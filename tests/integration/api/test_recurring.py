"""Recurring calls as an app asks for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from tests.integration.api.conftest import TO, Api
from tests.integration.api.test_errors import assert_problem
from tests.integration.recurring_calls import fire, make_due, spoil
from vomind_queue.queue.recurring_store import RecurringStore

DAILY = {
    "to": TO,
    "message": "Daily reminder",
    "cronExpression": "0 9 * * *",
    "priority": "normal",
}
#: As the server's clock may be some milliseconds away from the client's.
LATER = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")


def schedule(api: Api, **fields: Any) -> str:
    """Schedules a recurring call; its id."""
    answer = api.post("/schedule-recurring-call", {**DAILY, **fields})
    assert answer.status_code == 200, answer.text
    job_id: str = answer.get_json()["jobId"]
    return job_id


def shown(api: Api, job_id: str = "recurring:1") -> dict[str, Any]:
    """The schedule as the API shows it."""
    answer = api.get(f"/job/{job_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_example_of_the_contract(api: Api) -> None:
    """Id, pattern, zone and the next three runs; and where it is to be seen."""
    answer = api.post("/schedule-recurring-call", DAILY)
    body = answer.get_json()
    runs = body.pop("nextRuns")
    assert body == {
        "success": True,
        "message": "Recurring call scheduled successfully",
        "jobId": "recurring:1",
        "status": "recurring",
        "cronExpression": "0 9 * * *",
        "timezone": "UTC",
        "data": {"to": TO, "message": "Daily reminder", "priority": "normal", "metadata": {}},
    }
    assert answer.headers["Location"] == "/api/queue/job/recurring:1"
    assert len(runs) == 3
    assert all(run.endswith("T09:00:00.000Z") for run in runs)
    assert runs == sorted(set(runs))
    assert runs[0] > datetime.now(UTC).isoformat()


def test_a_schedule_is_shown_with_its_runs(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """Next five, the last ones with job ids and outcomes, and counts."""
    schedule(api, timezone="Europe/Berlin", maxRuns=40, graceMs=60_000, overlap="queue")
    tick = make_due(valkey, "1")
    fire(recurring_store)
    document = shown(api)
    job_id = f"recurring:1:{tick}"
    assert document["lastJob"]["jobId"] == job_id
    assert document["lastRuns"] == [document["lastJob"]]
    assert (
        document["lastJob"]["state"] == api.get(f"/job/{job_id}").get_json()["state"] == "waiting"
    )
    assert (document["status"], document["description"]) == ("recurring", "At 09:00 every day")
    assert len(document["nextRuns"]) == 5
    assert document["firedRuns"] == {"count": 1}
    assert document["missedRuns"] == document["skippedRuns"] == {"count": 0, "last": []}
    kept = {name: document[name] for name in ("timezone", "maxRuns", "graceMs", "overlap")}
    assert kept == {
        "timezone": "Europe/Berlin",
        "maxRuns": 40,
        "graceMs": 60_000,
        "overlap": "queue",
    }


def test_an_occurrence_is_a_job_like_any_other(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """In the list of waiting jobs, to be cancelled alone; the schedule goes on."""
    schedule(api)
    job_id = f"recurring:1:{make_due(valkey, '1')}"
    fire(recurring_store)
    [job] = api.get("/waiting").get_json()["jobs"]
    assert (job["jobId"], job["data"]["message"]) == (job_id, "Daily reminder")
    assert api.delete(f"/job/{job_id}").get_json()["was"] == "waiting"
    assert api.get(f"/job/{job_id}").status_code == 404
    document = shown(api)
    assert document["lastJob"]["state"] is None
    assert document["nextRuns"]


def test_sending_it_again_updates_it(api: Api) -> None:
    """An edited message never rings twice; another recipient is another schedule."""
    assert schedule(api) == "recurring:1"
    assert schedule(api, message="Edited") == "recurring:1"
    assert schedule(api, to="+1234567891") == "recurring:2"
    assert shown(api)["data"]["message"] == "Edited"
    assert api.get("/recurring").get_json()["total"] == 2


def test_the_list_is_paged_soonest_first(api: Api) -> None:
    """As the other lists are, each item as its own address shows it."""
    for number, cron in enumerate(("@yearly", "* * * * *", "@monthly")):
        schedule(api, cronExpression=cron, to=f"+12345678{number}")
    page = api.get("/recurring?start=0&end=1").get_json()
    assert (page["count"], page["total"]) == (2, 3)
    assert [job["jobId"] for job in page["jobs"]] == ["recurring:2", "recurring:3"]
    alone = shown(api, "recurring:2")
    del alone["lastRuns"], alone["success"]
    assert page["jobs"][0] == {**alone, "nextRuns": alone["nextRuns"][:1]}
    assert api.get("/recurring?start=2&end=1").status_code == 422


def test_delete_stops_it_with_its_unstarted_call(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """Then it is gone: 404."""
    schedule(api)
    tick = make_due(valkey, "1")
    fire(recurring_store)
    answer = api.delete("/job/recurring:1").get_json()
    assert answer == {
        "success": True,
        "message": "Recurring call cancelled successfully",
        "jobId": "recurring:1",
        "was": "recurring",
        "cancelledJobs": [f"recurring:1:{tick}"],
        "activeJobs": [],
    }
    assert api.total() == 0
    for gone in (api.delete("/job/recurring:1"), api.get("/job/recurring:1")):
        assert_problem(gone, 404)


def test_pause_and_resume(make_api: Callable[..., Api]) -> None:
    """By whom and when is shown; both may be said twice; nothing is made up for."""
    api = make_api(API_KEYS="ops:secret")
    headers = {"X-API-Key": "secret"}
    api.post("/schedule-recurring-call", DAILY, headers=headers)
    for _ in range(2):
        answer = api.post("/job/recurring:1/pause", headers=headers).get_json()
        assert (answer["jobId"], answer["status"]) == ("recurring:1", "paused")
    document = api.get("/job/recurring:1", headers=headers).get_json()
    assert (document["status"], document["pausedBy"]) == ("paused", "ops")
    assert document["pausedAt"]
    assert document["nextRuns"] == []
    for _ in range(2):
        assert api.post("/job/recurring:1/resume", headers=headers).status_code == 200
    document = api.get("/job/recurring:1", headers=headers).get_json()
    assert (document["status"], document["pausedBy"]) == ("recurring", None)
    assert len(document["nextRuns"]) == 5


def test_patch_keeps_the_id_and_what_is_not_named(api: Api) -> None:
    """Pattern, zone, message, priority, end; null takes a field back to its default."""
    schedule(api, lead_id=7, maxRuns=5, endAt=LATER)
    change = {
        "cronExpression": "30 8 * * 1-5",
        "timezone": "Asia/Kolkata",
        "message": "Edited",
        "priority": "high",
        "endAt": None,
        "note": 1,
    }
    answer = api.patch("/job/recurring:1", change).get_json()
    assert answer["ignored"] == ["note"]
    document = shown(api)
    assert document["data"] == {
        "to": TO,
        "message": "Edited",
        "lead_id": 7,
        "priority": "high",
        "metadata": {},
    }
    assert (document["cronExpression"], document["timezone"]) == ("30 8 * * 1-5", "Asia/Kolkata")
    assert (document["endAt"], document["maxRuns"]) == (None, 5)
    assert all(run.endswith("T03:00:00.000Z") for run in document["nextRuns"])
    assert schedule(api) == "recurring:2", "the old pattern is nobody's any more"


def test_two_schedules_never_become_one(api: Api) -> None:
    """A change to what another one is already: 409 that names it."""
    schedule(api)
    schedule(api, cronExpression="@weekly")
    answer = api.patch("/job/recurring:2", {"cronExpression": "0 9 * * *"})
    assert_problem(answer, 409)
    assert "recurring:1" in answer.get_json()["detail"]


def test_an_idempotency_key_replays_the_first_answer(api: Api) -> None:
    """Whatever has become of the schedule, and even when its end has passed by now."""
    headers = {"Idempotency-Key": "k"}
    first = api.post("/schedule-recurring-call", DAILY, headers=headers)
    api.delete("/job/recurring:1")
    again = api.post("/schedule-recurring-call", DAILY, headers=headers)
    assert again.get_json() == first.get_json()
    assert api.get("/recurring").get_json()["total"] == 0
    other = {**DAILY, "message": "Other"}
    assert_problem(api.post("/schedule-recurring-call", other, headers=headers), 422)


def test_the_default_zone_is_a_setting(make_api: Callable[..., Api]) -> None:
    """It is part of the identity, so that changing the setting later moves no schedule."""
    schedule(make_api(DEFAULT_TIMEZONE="Europe/Berlin"))
    api = make_api()
    assert shown(api)["timezone"] == "Europe/Berlin"
    assert schedule(api) == "recurring:2"


def test_a_preview_shows_the_runs_and_the_changes_of_the_clock(api: Api) -> None:
    """Stores nothing."""
    asked = {
        "cronExpression": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "from": "2027-03-27T00:00:00Z",
        "count": 2,
    }
    assert api.post("/schedule-recurring-call/preview", asked).get_json() == {
        "success": True,
        "cronExpression": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "description": "At 02:30 every day",
        "runs": [
            {"local": "2027-03-27T02:30:00+01:00", "utc": "2027-03-27T01:30:00.000Z"},
            {"local": "2027-03-28T03:00:00+02:00", "utc": "2027-03-28T01:00:00.000Z"},
        ],
        "clockChanges": [
            {
                "utc": "2027-03-28T01:00:00.000Z",
                "from": "2027-03-28T02:00:00+01:00",
                "to": "2027-03-28T03:00:00+02:00",
            }
        ],
    }
    assert api.get("/recurring").get_json()["total"] == 0
    whole = api.post("/schedule-recurring-call/preview", {"cronExpression": "@yearly", "count": 50})
    assert len(whole.get_json()["runs"]) == 50
    bare = api.post("/schedule-recurring-call/preview", {"cronExpression": "* * * * *"})
    assert len(bare.get_json()["runs"]) == 10
    too_many = {"cronExpression": "@daily", "count": 51}
    assert_problem(api.post("/schedule-recurring-call/preview", too_many), 422)


def test_the_answer_says_where_it_is(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """No "recurring" for what is paused, or has used its runs up."""
    schedule(api, maxRuns=1)
    api.post("/job/recurring:1/pause")
    again = api.post("/schedule-recurring-call", {**DAILY, "maxRuns": 1}).get_json()
    assert (again["status"], again["nextRuns"]) == ("paused", [])
    api.post("/job/recurring:1/resume")
    make_due(valkey, "1")
    fire(recurring_store)
    headers = {"Idempotency-Key": "k"}
    answers = [
        api.post("/schedule-recurring-call", {**DAILY, "maxRuns": 1}, headers=headers).get_json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert (answers[0]["status"], answers[0]["nextRuns"]) == ("ended", [])
    assert "maxRuns" in answers[0]["message"]
    assert api.post("/job/recurring:1/resume").get_json()["status"] == "ended"
    assert api.post("/schedule-recurring-call", {**DAILY, "maxRuns": 2}).get_json()["nextRuns"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [("cron", "99 * * * *", "recurring"), ("overlap", "new", "unreadable")],
)
def test_what_another_version_stored_is_told_and_can_be_deleted(
    api: Api, valkey: redis.Redis, field: str, value: str, status: str
) -> None:
    """No 500, and the rest of the list is there."""
    schedule(api)
    schedule(api, to="+1234567891")
    spoil(valkey, "1", field, value)
    jobs = {job["jobId"]: job for job in api.get("/recurring").get_json()["jobs"]}
    assert jobs["recurring:1"]["status"] == status
    assert jobs["recurring:2"]["status"] == "recurring"
    for answer in (
        api.get("/job/recurring:1"),
        api.post("/job/recurring:1/pause"),
        api.post("/job/recurring:1/resume"),
        api.patch("/job/recurring:1", {"message": "x"}),
    ):
        assert answer.status_code in {200, 409, 422}
    assert api.delete("/job/recurring:1").status_code == 200


def test_a_schedule_is_not_retried(api: Api) -> None:
    """Its runs are, each by its own id."""
    schedule(api)
    assert_problem(api.post("/job/recurring:1/retry"), 409)
    assert_problem(api.post("/job/recurring:2/retry"), 404)
    assert_problem(api.post("/job/recurring:01/pause"), 404)


def test_readiness_misses_a_scheduler_where_there_are_recurring_calls(
    api: Api, recurring_store: RecurringStore, valkey: redis.Redis
) -> None:
    """Without any it is not missed; stats tell it all the same."""
    seconds, _ = valkey.time()
    valkey.zadd("{calls}:workers", {"w": seconds * 1000})
    assert api.web.get("/readyz").status_code == 200
    schedule(api)
    answer = api.web.get("/readyz")
    assert_problem(answer, 503)
    assert "scheduler" in answer.get_json()["errors"]
    stats = api.get("/stats").get_json()
    assert (stats["recurring"], stats["schedulerActive"]) == (1, False)
    recurring_store.due_entries(1)
    assert api.web.get("/readyz").status_code == 200
    assert api.get("/stats").get_json()["schedulerActive"] is True
