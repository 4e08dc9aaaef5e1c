"""Campaigns as a resource: create, list, show, change and delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis

from tests.integration.api.conftest import Api
from tests.integration.conftest import QUICK, taken
from vomind_queue.calls.decisions import NotStarted
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.rules.law import Mode
from vomind_queue.rules.rulebook import rulebook
from vomind_queue.usecases.calling_rules import CallingRules


def created(api: Api, **fields: Any) -> str:
    """Return the id of a new campaign."""
    answer = api.post("/campaigns", {"name": "Reminders", **fields})
    assert answer.status_code == 200, answer.text
    campaign_id: str = answer.get_json()["campaignId"]
    return campaign_id


def shown(api: Api, campaign_id: str) -> dict[str, Any]:
    """Return what is shown of a campaign."""
    found: dict[str, Any] = api.get(f"/campaigns/{campaign_id}").get_json()
    return found


def test_a_campaign_begins_as_a_draft(api: Api) -> None:
    """It has a short id, its fields as they were sent, and defaults for the others."""
    answer = api.post("/campaigns", {"name": "Reminders", "voice": "Polly.Vicki", "retryOn": []})
    assert answer.headers["Location"] == "/api/queue/campaigns/1"
    found = shown(api, "1")
    assert found["state"] == "draft"
    assert found["data"] == {
        "name": "Reminders",
        "country": None,
        "priority": "normal",
        "weight": 1,
        "open": False,
        "pace": None,
        "maxConcurrent": None,
        "startAt": None,
        "endAt": None,
        "hours": None,
        "voice": "Polly.Vicki",
        "retryOn": [],
    }


def test_the_list_begins_with_the_newest(api: Api) -> None:
    """Page by page, with the number of all."""
    for name in ("One", "Two", "Three"):
        created(api, name=name)
    found = api.get("/campaigns?start=0&end=1").get_json()
    assert [each["data"]["name"] for each in found["campaigns"]] == ["Three", "Two"]
    assert (found["count"], found["total"]) == (2, 3)


def test_a_request_that_is_repeated_makes_one_campaign(api: Api) -> None:
    """With an Idempotency-Key; without one, each makes a campaign."""
    headers = {"Idempotency-Key": "december"}
    answers = [api.post("/campaigns", {"name": "Once"}, headers=headers) for _ in range(2)]
    assert answers[0].get_json() == answers[1].get_json()
    assert api.get("/campaigns").get_json()["total"] == 1
    other = api.post("/campaigns", {"name": "Other"}, headers=headers)
    assert other.status_code == 422


def test_a_change_leaves_what_it_does_not_name(api: Api) -> None:
    """And null resets a field."""
    steady = {"pace": "10/m", "startAt": "2031-01-01T00:00:00.000Z", "maxConcurrent": 3}
    campaign_id = created(api, country="DE", message="Hello.", priority="low", **steady)
    answer = api.patch(f"/campaigns/{campaign_id}", {"message": None, "priority": "high"})
    assert answer.status_code == 200
    data = shown(api, campaign_id)["data"]
    assert (data["country"], data["priority"], "message" in data) == ("DE", "high", False)
    assert {name: data[name] for name in steady} == {
        **steady,
        "startAt": "2031-01-01T00:00:00.000Z",
    }


def test_what_no_call_can_say_is_refused(api: Api) -> None:
    """Field by field, as for a call."""
    for fields, wrong in (
        ({"country": "Germany"}, "country"),
        ({"country": "ZZ"}, "country"),
        ({"pace": "0/m"}, "pace"),
        ({"pace": 10}, "pace"),
        ({"startAt": "2030-01-01T00:00:00Z", "endAt": "2030-01-01T00:00:00Z"}, "endAt"),
        ({"to": "+1234567890"}, "to"),
        ({"notAfter": "2030-01-01T00:00:00Z"}, "notAfter"),
        ({"from": "+15005550006"}, "from"),
        ({"machineDetection": "off", "voicemailMessage": "Hello."}, "machineDetection"),
        ({"mesage": "Hello."}, "mesage"),
    ):
        answer = api.post("/campaigns", {"name": "Wrong", **fields})
        if wrong == "to":
            assert answer.get_json()["ignored"] == ["to"]
            continue
        assert answer.status_code == 422, fields
        assert wrong in answer.get_json()["errors"]


def test_a_draft_can_be_deleted(api: Api) -> None:
    """Its id is not given out again."""
    first = created(api)
    assert api.delete(f"/campaigns/{first}").status_code == 200
    for answer in (api.delete(f"/campaigns/{first}"), api.get(f"/campaigns/{first}")):
        assert answer.status_code == 404
    assert created(api) == "2"
    assert api.get("/campaigns/first").status_code == 404


def test_what_was_done_is_noted(api: Api) -> None:
    """With the campaign's id."""
    campaign_id = created(api)
    api.patch(f"/campaigns/{campaign_id}", {"priority": "low"})
    api.delete(f"/campaigns/{campaign_id}")
    deeds = api.web.get("/api/activity").get_json()["activity"]
    assert [(deed["act"], deed["details"]) for deed in deeds] == [
        (f"campaign {act}", {"campaign": "1"}) for act in ("deleted", "changed", "created")
    ]


TWO: dict[str, Any] = {"calls": [{"to": "+15550000091"}, {"to": "+15550000092", "voice": None}]}


def added(api: Api, campaign_id: str, body: dict[str, Any] = TWO) -> list[str]:
    """Give a campaign calls; return their ids."""
    answer = api.post(f"/campaigns/{campaign_id}/calls", body)
    assert answer.status_code == 200, answer.text
    return [job["jobId"] for job in answer.get_json()["jobs"]]


def test_calls_say_what_their_campaign_says(api: Api) -> None:
    """Unless they say it themselves, or that they go without."""
    campaign_id = created(api, message="Hello.", voice="Polly.Vicki", priority="low")
    first, second = added(api, campaign_id)
    one, other = (api.get(f"/job/{job_id}").get_json() for job_id in (first, second))
    assert (one["campaignId"], one["priority"]) == (campaign_id, "low")
    assert (one["data"]["message"], one["data"]["voice"]) == ("Hello.", "Polly.Vicki")
    assert other["data"]["message"] == "Hello."
    assert "voice" not in other["data"]
    counts = shown(api, campaign_id)["counts"]
    assert {part: count for part, count in counts.items() if count} == {"total": 2, "waiting": 2}
    assert api.get("/stats").get_json()["stats"]["waiting"] == 2


def test_what_a_call_says_takes_the_place_of_what_would_contradict_it(
    make_api: Callable[..., Api],
) -> None:
    """Its own application, or its own voice."""
    api = make_api(TWIML_HOSTS="agents.example.com")
    campaign_id = created(api, message="Guten Tag.", language="de-DE")
    calls = [
        {"to": "+15550000091", "twimlUrl": "https://agents.example.com/voice"},
        {"to": "+15550000092", "voice": "Polly.Amy"},
    ]
    one, other = (
        api.get(f"/job/{job_id}").get_json()["data"]
        for job_id in added(api, campaign_id, {"calls": calls})
    )
    assert (one["message"], "language" in one) == ("Hello from VoMindAI", False)
    assert (other["message"], "language" in other) == ("Guten Tag.", False)


def test_calls_come_in_all_or_none(api: Api) -> None:
    """One that is wrong refuses them all, named by its place."""
    campaign_id = created(api)
    answer = api.post(
        f"/campaigns/{campaign_id}/calls", {"calls": [*TWO["calls"], {"to": "none"}, "none"]}
    )
    assert answer.status_code == 422
    assert answer.get_json()["errors"]["calls"].keys() == {"2", "3"}
    assert shown(api, campaign_id)["counts"]["total"] == 0


def test_an_idempotency_key_counts_for_one_campaign(api: Api) -> None:
    """Sent again it adds nothing, even after a cancel; with another campaign it is refused."""
    one, other = created(api), created(api)
    headers = {"Idempotency-Key": "monday"}
    first = api.post(f"/campaigns/{one}/calls", TWO, headers=headers)
    api.post(f"/campaigns/{one}/cancel")
    again = api.post(f"/campaigns/{one}/calls", TWO, headers=headers)
    assert first.get_json() == again.get_json()
    assert shown(api, one)["counts"]["total"] == 2
    assert api.post(f"/campaigns/{other}/calls", TWO, headers=headers).status_code == 422


def test_steering_is_idempotent_and_noted(api: Api) -> None:
    """Each act is answered with the state that it led to."""
    campaign_id = created(api)
    added(api, campaign_id)
    for act, state in (
        ("start", "running"),
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
        ("cancel", "cancelled"),
    ):
        answer = api.post(f"/campaigns/{campaign_id}/{act}")
        assert (answer.status_code, answer.get_json()["state"]) == (200, state)
    assert api.post(f"/campaigns/{campaign_id}/start").status_code == 409
    deeds = api.web.get("/api/activity").get_json()["activity"]
    acts = [deed["act"].removeprefix("campaign ") for deed in deeds]
    assert acts == ["cancelled", "resumed", "paused", "started", "created"]


def test_why_a_call_does_not_ring_names_its_campaign(api: Api) -> None:
    """While that is a draft or paused."""
    campaign_id = created(api)
    (job_id, _) = added(api, campaign_id)

    def kinds() -> set[str]:
        return {each["kind"] for each in api.get(f"/job/{job_id}/why").get_json()["reasons"]}

    assert "campaign-draft" in kinds()
    api.post(f"/campaigns/{campaign_id}/start")
    assert not {kind for kind in kinds() if kind.startswith("campaign")}
    api.post(f"/campaigns/{campaign_id}/pause")
    assert "campaign-paused" in kinds()


def test_a_cancelled_call_is_gone_for_every_request(api: Api) -> None:
    """At once, before its record is removed."""
    campaign_id = created(api)
    job_id, other = added(api, campaign_id)
    assert api.delete(f"/job/{other}").status_code == 200
    api.post(f"/campaigns/{campaign_id}/cancel")
    for answer in (
        api.get(f"/job/{job_id}"),
        api.delete(f"/job/{job_id}"),
        api.patch(f"/job/{job_id}", {"message": "Hello."}),
        api.post(f"/job/{job_id}/retry"),
        api.get(f"/job/{job_id}/why"),
    ):
        assert answer.status_code == 404
    assert api.get(f"/campaigns/{campaign_id}/calls").get_json()["jobs"] == []


def test_listed_and_forgotten_people_are_found_in_campaigns(api: Api) -> None:
    """Their calls end, or go, and are counted so."""
    campaign_id = created(api)
    added(api, campaign_id)
    api.web.put("/api/people/+15550000091/do-not-call")
    api.web.delete("/api/people/+15550000092")
    counts = shown(api, campaign_id)["counts"]
    assert {part: count for part, count in counts.items() if count} == {
        "total": 2,
        "do-not-call": 1,
        "cancelled": 1,
    }


def test_a_campaign_says_why_it_stands_still(api: Api, valkey: redis.Redis) -> None:
    """As itself is, and as the queue is; and when it will be through."""
    campaign_id = created(api, pace="10/m")
    calls = {"calls": [{"to": f"+1555000{index:04}"} for index in range(2)]}
    assert api.post(f"/campaigns/{campaign_id}/calls", calls).status_code == 200

    def kinds() -> list[str]:
        return [each["kind"] for each in shown(api, campaign_id)["reasons"]]

    assert kinds() == ["campaign-draft", "no-worker"]
    api.post(f"/campaigns/{campaign_id}/start")
    taken(WorkerQueue(RedisStore(valkey), "one", Protocol(**QUICK)), 0)
    found = shown(api, campaign_id)
    assert (found["reasons"], found["expectedEnd"] is None) == ([], False)
    api.post("/pause")
    found = shown(api, campaign_id)
    assert [each["kind"] for each in found["reasons"]] == ["paused"]
    assert found["expectedEnd"] is None
    api.post(f"/campaigns/{campaign_id}/cancel")
    assert kinds() == []


def test_hours_are_read_as_they_are_written_in_the_settings(api: Api) -> None:
    """And shown in one spelling; what is no hours of a week is refused."""
    campaign_id = created(api, hours="sat-sun closed, MON-FRI 09:00-12:00 + 14:00-18:00")
    hours = "mon-fri 09:00-12:00 + 14:00-18:00, sat-sun closed"
    assert shown(api, campaign_id)["data"]["hours"] == hours
    for wrong in ("mon-fri 09:00-20:00", "always", "", 9, ["mon"], "mon-sun 0-0", "x" * 501):
        answer = api.patch(f"/campaigns/{campaign_id}", {"hours": wrong})
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["hours"])
    api.patch(f"/campaigns/{campaign_id}", {"hours": None})
    assert shown(api, campaign_id)["data"]["hours"] is None


def test_a_call_that_waits_for_the_hours_of_its_campaign_says_so(
    api: Api, valkey: redis.Redis
) -> None:
    """So do the campaign and the queue; the hours hold without calling rules."""
    campaign_id = created(api, hours="mon-sun closed")
    api.post(f"/campaigns/{campaign_id}/calls", {"calls": [{"to": "+493012345678"}]})
    api.post(f"/campaigns/{campaign_id}/start")
    why = api.get("/job/1/why").get_json()
    assert why["reasons"][0]["kind"] == "campaign-hours"
    store = RedisStore(valkey)
    rules = CallingRules(rulebook(Mode.OFF), ClosedDays(store))
    worker = WorkerQueue(store, "one", Protocol(**QUICK), judge=rules.open_hours, judges_all=False)
    assert worker.start_dialing(*taken(worker), "token") is NotStarted.HELD
    assert api.get("/job/1").get_json()["held"]["by"] == "campaign-hours"
    kinds = [each["kind"] for each in shown(api, campaign_id)["reasons"]]
    assert "campaign-hours" in kinds


def test_a_dry_run_says_when_each_call_would_ring(api: Api) -> None:
    """Page by page, and stores nothing."""
    campaign_id = created(api, pace="1/h")
    numbers = [{"to": f"+1555000009{digit}"} for digit in range(3)]
    api.post(f"/campaigns/{campaign_id}/calls", {"calls": numbers})
    before = shown(api, campaign_id)
    path = f"/campaigns/{campaign_id}/preview"
    answer = api.post(f"{path}?limit=2", {"durationMs": 5_000})
    found = answer.get_json()
    assert (found["count"], found["willRing"], found["durationMs"]) == (3, 3, 5_000)
    assert [each["to"] for each in found["calls"]] == [each["to"] for each in numbers[:2]]
    assert found["firstAt"] == found["from"] == found["calls"][0]["at"]
    assert sum(each["calls"] for each in found["hours"]) == 3
    more = api.post(f"{path}?limit=2&cursor={found['next']}").get_json()
    assert [each["jobId"] for each in more["calls"]] == ["3"]
    assert (more["next"], more["durationMs"]) == (None, 60_000)
    assert shown(api, campaign_id) == before
    for wrong in (0, 999, "90s", 10**9, 1.5):
        assert api.post(path, {"durationMs": wrong}).status_code == 422
    assert api.post(f"{path}?limit=0").status_code == 422
    assert api.post("/campaigns/9/preview").status_code == 404


def test_a_place_for_a_column_is_never_spoken(api: Api) -> None:
    """A call that is added without its own words is refused; one that has some is not."""
    campaign_id = created(api, message="Hello {{name}}.")
    path = f"/campaigns/{campaign_id}/calls"
    to = {"to": "+15550000091"}
    answer = api.post(path, {"calls": [{**to, "message": "Hello."}, to]})
    assert (answer.status_code, list(answer.get_json()["errors"]["calls"])) == (422, ["1"])
    assert "message" in answer.get_json()["errors"]["calls"]["1"]
    assert api.post(path, {"calls": [{**to, "message": "Hello."}]}).status_code == 200
