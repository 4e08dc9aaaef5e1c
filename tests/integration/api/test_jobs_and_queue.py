"""Looking at jobs and acting on them and on the queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.api.conftest import TO, Api
from tests.integration.conftest import begin, place, taken
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.queue.worker_queue import WorkerQueue

FAILED = Decision(result=AttemptResult.FAILED, reason="Nobody has that number.")


def fill(api: Api, worker_queue: WorkerQueue) -> None:
    """Jobs 1 to 5: completed, failed, active, waiting and delayed."""
    for number in range(4):
        api.post("/schedule-call", {"to": f"+1555000000{number}"})
    api.post("/schedule-delayed-call", {"to": TO, "delayMs": 60_000})
    place(worker_queue, *taken(worker_queue))
    (job_id,) = taken(worker_queue)
    worker_queue.finish(begin(worker_queue, job_id), FAILED)
    worker_queue.release(job_id)
    begin(worker_queue, *taken(worker_queue))


def test_a_job_in_each_state(api: Api, worker_queue: WorkerQueue) -> None:
    """State, progress, attempts and what Twilio said; what is absent is null."""
    fill(api, worker_queue)
    jobs = [api.get(f"/job/{number}").get_json() for number in range(1, 6)]
    assert [job["state"] for job in jobs] == [
        "completed", "failed", "active", "waiting", "delayed",
    ]  # fmt: skip
    assert [job["progress"] for job in jobs] == [100, jobs[1]["progress"], 50, 0, 0]
    assert [job["attemptsMade"] for job in jobs] == [1, 1, 0, 0, 0]
    assert jobs[1]["failedReason"] == "Nobody has that number."
    assert jobs[0]["call"] == {
        "sid": "CA1", "from": None, "status": "queued", "duration": None, "answeredBy": None,
        "sipResponseCode": None, "price": None, "priceUnit": None,
    }  # fmt: skip
    assert [len(job["attempts"]) for job in jobs] == [1, 1, 1, 0, 0]
    assert [job["attempts"][0]["sid"] for job in jobs[:3]] == ["CA1", None, None]
    assert jobs[1]["attempts"][0]["failedReason"] == "Nobody has that number."
    absent = ("failedReason", "scheduledFor", "startedAt", "finishedAt", "call", "finishedOn")
    assert [jobs[3][name] for name in absent] == [None] * 6


@pytest.mark.parametrize("job_id", ["99", "x", "recurring:7", "0", "-1", "%20", "%00", "9" * 500])
def test_an_unknown_job_is_a_404(api: Api, job_id: str) -> None:
    """For each thing that can be asked of a job."""
    answers = (
        api.get(f"/job/{job_id}"), api.delete(f"/job/{job_id}"), api.post(f"/job/{job_id}/retry"),
    )  # fmt: skip
    for answer in answers:
        assert answer.status_code == 404
        assert answer.content_type == "application/problem+json"


def test_cancelling_takes_a_call_out(api: Api, worker_queue: WorkerQueue) -> None:
    """Waiting and delayed ones; afterwards they are unknown. One that is being placed stays."""
    fill(api, worker_queue)
    for number, was in ((4, "waiting"), (5, "delayed")):
        assert api.delete(f"/job/{number}").get_json() == {
            "success": True,
            "message": "Call cancelled successfully",
            "jobId": str(number),
            "was": was,
        }
        assert api.get(f"/job/{number}").status_code == 404
        assert api.delete(f"/job/{number}").status_code == 404
    active = api.delete("/job/3")
    assert active.status_code == 409
    assert "3" in active.get_json()["error"]
    assert api.get("/job/3").status_code == 200


def test_deleting_a_finished_job_forgets_it(api: Api, worker_queue: WorkerQueue) -> None:
    """It goes from history."""
    fill(api, worker_queue)
    for number, was in ((1, "completed"), (2, "failed")):
        assert api.delete(f"/job/{number}").get_json() == {
            "success": True,
            "message": "Job removed",
            "jobId": str(number),
            "was": was,
        }
        assert api.get(f"/job/{number}").status_code == 404


def test_only_failed_jobs_are_retried(api: Api, worker_queue: WorkerQueue) -> None:
    """It waits again and goes on counting; any other state is a 409."""
    fill(api, worker_queue)
    assert api.post("/job/2/retry").get_json() == {
        "success": True,
        "message": "Call retry initiated",
        "jobId": "2",
        "status": "retrying",
    }
    job = api.get("/job/2").get_json()
    assert (job["state"], job["attemptsMade"]) == ("waiting", 1)
    for number in (1, 2, 3, 4, 5):
        assert api.post(f"/job/{number}/retry").status_code == 409


def test_stats_count_every_state(api: Api, worker_queue: WorkerQueue) -> None:
    """The total is their sum; beside them stands what governs the starts."""
    fill(api, worker_queue)
    stats = api.get("/stats").get_json()
    assert stats["stats"] == {
        "waiting": 1, "active": 1, "completed": 1, "failed": 1, "delayed": 1, "total": 5,
    }  # fmt: skip
    assert stats["byPriority"] == {"high": 0, "normal": 1, "low": 0}
    assert (stats["paused"], stats["workers"], stats["rateLimit"]) == (False, 1, None)


def test_pause_and_resume(make_api: Callable[..., Api]) -> None:
    """Both may be said twice; who paused is known by the name of the key."""
    api = make_api(API_KEYS="ops:secret,nameless")
    key = {"headers": {"X-API-Key": "secret"}}
    for _ in range(2):
        paused = api.post("/pause", **key)
        assert paused.get_json() == {"success": True, "message": "Queue paused"}
    stats = api.get("/stats", **key).get_json()
    assert (stats["paused"], stats["pausedBy"]) == (True, "ops")
    for _ in range(2):
        resumed = api.post("/resume", {}, **key)
        assert resumed.get_json() == {"success": True, "message": "Queue resumed"}
    assert api.get("/stats", **key).get_json()["paused"] is False
    api.post("/pause", headers={"X-API-Key": "nameless"})
    assert api.get("/stats", **key).get_json()["pausedBy"] == "API"


def test_lists_show_their_state_in_their_order(api: Api, worker_queue: WorkerQueue) -> None:
    """Waiting by priority and then by age; each item is a job as it is shown alone."""
    for number, priority in enumerate(("low", "normal", "high", "normal")):
        api.post("/schedule-call", {"to": f"+1555000000{number}", "priority": priority})
    for delay in (9_000, 5_000):
        api.post("/schedule-delayed-call", {"to": TO, "delayMs": delay})
    waiting = api.get("/waiting").get_json()
    assert [job["jobId"] for job in waiting["jobs"]] == ["3", "2", "4", "1"]
    assert (waiting["success"], waiting["count"], waiting["total"]) == (True, 4, 4)
    shown_alone = api.get("/job/3").get_json()
    assert {"success": True, **waiting["jobs"][0]} == shown_alone
    assert [job["jobId"] for job in api.get("/delayed").get_json()["jobs"]] == ["6", "5"]
    for number in taken(worker_queue, 4):
        place(worker_queue, number)
    completed = api.get("/completed").get_json()["jobs"]
    assert [job["finishedOn"] for job in completed] == sorted(
        (job["finishedOn"] for job in completed), reverse=True
    )


def test_the_end_of_a_page_is_included(api: Api) -> None:
    """start=0&end=10 gives eleven; past the end it is empty."""
    api.post("/schedule-bulk-calls", {"calls": [{"to": TO}] * 15})

    def ids(query: str) -> list[str]:
        return [job["jobId"] for job in api.get(f"/waiting{query}").get_json()["jobs"]]

    everything = [str(number) for number in range(1, 16)]
    assert ids("") == ids("?start=0&end=10") == everything[:11]
    assert ids("?start=3&end=3") == ["4"]
    assert ids("?start=12&end=400") == everything[12:]
    assert ids("?start=15&end=20") == ids(f"?start={'9' * 30}&end={'9' * 30}") == []
    assert api.get("/waiting?start=15&end=20").get_json()["total"] == 15


@pytest.mark.parametrize("path", ["/waiting", "/active", "/failed", "/completed", "/delayed"])
@pytest.mark.parametrize("query", ["start=-1", "end=x", "start=5&end=4", "start=", "end=1000"])
def test_a_senseless_page_is_a_422(api: Api, path: str, query: str) -> None:
    """On every list; the parameter is named."""
    answer = api.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]) <= {"start", "end"}


def test_clean_removes_finished_jobs_alone(api: Api, worker_queue: WorkerQueue) -> None:
    """By default those older than an hour; its answer lists the ids."""
    fill(api, worker_queue)
    for nothing in (None, {}, {"grace": None, "limit": None}, {"grace": 60_000}):
        assert api.post("/clean", nothing).get_json() == {
            "success": True,
            "message": "Old jobs cleaned",
            "completedCleaned": [],
            "failedCleaned": [],
            "total": 0,
        }
    cleaned = api.post("/clean", {"grace": 0, "limit": 1}).get_json()
    assert (cleaned["completedCleaned"], cleaned["failedCleaned"]) == (["1"], [])
    cleaned = api.post("/clean", {"grace": 0}).get_json()
    assert (cleaned["failedCleaned"], cleaned["total"]) == (["2"], 1)
    assert api.total() == 3


def test_a_slip_at_clean_is_refused(api: Api, worker_queue: WorkerQueue) -> None:
    """A mistyped bound would mean the default one."""
    fill(api, worker_queue)
    answer = api.post("/clean", {"grace": 0, "limt": 1})
    assert answer.status_code == 422
    assert "limit" in answer.get_json()["errors"]["limt"][0]
    assert api.total() == 5


def test_readiness_wants_a_worker(api: Api, worker_queue: WorkerQueue) -> None:
    """Without one it is a 503 that says so; the process is up all the same."""
    assert api.web.get("/healthz").get_json()["success"] is True
    answer = api.web.get("/readyz")
    assert answer.status_code == 503
    assert list(answer.get_json()["errors"]) == ["worker"]
    assert answer.headers["Retry-After"]
    taken(worker_queue)
    assert api.web.get("/readyz").status_code == 200
