"""The endpoints for people who look after the queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.api.conftest import TO, Api
from tests.integration.conftest import begin, place, taken
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.twilio.failures import Refused, failure

REASONS = [
    "Twilio will not place this call: Invalid number (error 21211, HTTP 400).",
    "Twilio will not place this call: Blocked (error 21610, HTTP 400).",
]


@pytest.fixture
def failed(api: Api, worker_queue: WorkerQueue) -> list[str]:
    """Three failed calls, two of them alike; their ids."""
    ids = []
    for number in range(3):
        job_id = api.post("/schedule-call", {"to": f"+1555000000{number}"}).get_json()["jobId"]
        assert taken(worker_queue) == [job_id]
        decision = Decision(result=AttemptResult.FAILED, reason=REASONS[number // 2])
        worker_queue.finish(begin(worker_queue, job_id), decision)
        worker_queue.release(job_id)
        ids.append(job_id)
    return ids


def test_the_overview_has_verdict_numbers_and_the_last_hour(
    api: Api, worker_queue: WorkerQueue
) -> None:
    """All that the page shows, in one answer."""
    api.post("/schedule-call", {"to": TO})
    place(worker_queue, *taken(worker_queue))
    shown = api.web.get("/api/overview").get_json()
    assert (shown["state"], shown["level"]) == ("idle", "info")
    assert shown["stats"]["completed"] == 1
    assert shown["lastHour"]["starts"] == 1
    assert [minute["starts"] for minute in shown["lastHour"]["minutes"]] == [1]
    assert shown["lastHour"]["waitMs"]["max"] is not None


def test_an_overview_that_has_not_changed_is_not_sent_again(api: Api) -> None:
    """A page that is open costs next to nothing."""
    first = api.web.get("/api/overview")
    tag = first.headers["ETag"]
    again = api.web.get("/api/overview", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


def test_the_overview_tells_of_a_pause_within_a_second(api: Api) -> None:
    """One look serves a second at most."""
    before = api.web.get("/api/overview")
    api.post("/pause")
    after = before
    while after.headers["ETag"] == before.headers["ETag"]:
        after = api.web.get("/api/overview")
    shown = after.get_json()
    assert shown["pausedBy"] == "API"
    assert "Paused by API" in [reason["title"] for reason in shown["reasons"]]


def test_a_call_is_told_why_it_has_not_rung(api: Api) -> None:
    """Here nobody dials, and another call is before it."""
    for _ in range(2):
        api.post("/schedule-call", {"to": TO})
    shown = api.get("/job/2/why").get_json()
    assert (shown["state"], shown["ahead"], shown["expectedAt"]) == ("waiting", 1, None)
    assert [reason["kind"] for reason in shown["reasons"]] == ["behind", "no-worker"]
    assert api.get("/job/99/why").status_code == 404


def test_failed_calls_are_grouped_by_reason(api: Api, failed: list[str]) -> None:
    """The most frequent reason first."""
    shown = api.get("/failed/reasons").get_json()
    assert shown["total"] == len(failed)
    assert [(each["kind"], each["count"]) for each in shown["reasons"]] == [
        ("twilio-21211", 2),
        ("twilio-21610", 1),
    ]
    assert shown["reasons"][0]["example"] == REASONS[0]


def test_failed_calls_of_one_reason_wait_again(api: Api, failed: list[str]) -> None:
    """The others stay; there is a bound, and a word that more are left."""
    asked = {"reason": "twilio-21211", "limit": 1}
    first = api.post("/retry-failed", asked).get_json()
    assert (first["jobIds"], first["more"]) == ([failed[1]], True)
    second = api.post("/retry-failed", asked).get_json()
    assert (second["jobIds"], second["more"]) == ([failed[0]], False)
    assert api.get(f"/job/{failed[2]}").get_json()["state"] == "failed"
    assert api.post("/retry-failed").get_json()["jobIds"] == [failed[2]]


def test_a_code_of_twilios_may_have_any_length(api: Api, worker_queue: WorkerQueue) -> None:
    """Calls that it failed are grouped by it, and that group can be tried again."""
    job_id = api.post("/schedule-call", {"to": TO}).get_json()["jobId"]
    assert taken(worker_queue) == [job_id]
    refused = failure(Refused(status=400, code=573005, message="Not permitted."))
    decision = Decision(result=AttemptResult.FAILED, reason=refused.reason)
    worker_queue.finish(begin(worker_queue, job_id), decision)
    worker_queue.release(job_id)
    (group,) = api.get("/failed/reasons").get_json()["reasons"]
    assert (group["kind"], group["count"]) == ("twilio-573005", 1)
    assert api.post("/retry-failed", {"reason": group["kind"]}).get_json()["jobIds"] == [job_id]


@pytest.mark.parametrize("body", [{"reason": "No such"}, {"limit": 0}, {"limit": 1_001}])
def test_a_bad_bulk_retry_changes_nothing(
    api: Api, failed: list[str], body: dict[str, object]
) -> None:
    """It is refused by its field."""
    answer = api.post("/retry-failed", body)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(body)
    assert api.get("/failed").get_json()["total"] == len(failed)


def test_what_clean_would_remove_can_be_asked(api: Api, failed: list[str]) -> None:
    """Nothing is removed by asking."""
    shown = api.post("/clean/preview", {"grace": 0, "limit": 2}).get_json()
    assert (shown["completed"], shown["failed"], shown["total"]) == (0, 3, 2)
    assert api.post("/clean/preview").get_json()["total"] == 0
    assert api.get("/failed").get_json()["total"] == len(failed)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://behind-a-proxy"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_pages_of_other_origins_change_nothing(
    api: Api, headers: dict[str, str], status: int
) -> None:
    """A browser tells where its page came from; a program has none."""
    assert api.post("/pause", headers=headers).status_code == status
    assert api.get("/stats", headers=headers).get_json()["paused"] == (status == 200)


def test_the_page_is_served_to_all_and_the_api_to_those_with_a_key(
    make_api: Callable[..., Api],
) -> None:
    """The page itself holds nothing; it asks with the key that a person gives it."""
    web = make_api(API_KEYS="ops:secret").web
    page = web.get("/")
    assert page.status_code == 200
    assert page.content_type == "text/html; charset=utf-8"
    assert web.get("/api/overview").status_code == 401
    assert web.get("/api/overview", headers={"X-API-Key": "secret"}).status_code == 200


def test_no_strangers_script_runs_in_the_page(api: Api) -> None:
    """Scripts and styles come from files of this server; nothing inline but what is known."""
    page = api.web.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert b"http://" not in page.data
    assert b"https://" not in page.data
    assert b" style=" not in page.data


def test_the_page_may_ask_its_own_server_and_the_notifier(make_api: Callable[..., Api]) -> None:
    """And where it has none, it is told of none."""
    page = make_api().web.get("/")
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]
    assert b'<meta name="notifier" content="">' in page.data
    page = make_api(NOTIFIER_URL="https://calls.test:8443/vomind/").web.get("/")
    assert "connect-src 'self' https://calls.test:8443;" in page.headers["Content-Security-Policy"]
    assert b'<meta name="notifier" content="https://calls.test:8443/vomind">' in page.data


def test_files_of_the_page_are_sent_once(api: Api) -> None:
    """Asked for again, they are unchanged; those that are not there are not found."""
    page = api.web.get("/")
    again = api.web.get("/", headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    font = api.web.get("/dashboard/vendor/inter/inter-latin-wght-normal.woff2")
    assert font.content_type == "font/woff2"
    assert api.web.get("/dashboard/../files.py").status_code == 404
    assert api.web.get("/dashboard/none.js").status_code == 404
