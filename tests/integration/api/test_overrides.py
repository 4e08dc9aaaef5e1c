"""Calls against the calling rules, and what is recorded of a person's consent."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.api.conftest import Api
from tests.integration.conftest import place, taken
from vomind_queue.calls.call import Call
from vomind_queue.calls.decisions import DialStarted, NotStarted
from vomind_queue.calls.instants import iso
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import calling_rules_of, protocol_of
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_queue import WorkerQueue

ENVIRON = {
    "API_KEYS": "ops:secret-of-ops,crm:secret-of-crm",
    "OVERRIDE_KEYS": "ops",
    "CALLING_RULES": "law",
    "ATTEMPT_CAPS": "1/24h",
}
OPS = {"headers": {"Authorization": "Bearer secret-of-ops"}}
CRM = {"headers": {"Authorization": "Bearer secret-of-crm"}}
TOLL_FREE = "+18005550100"
REASON = "She asked to be called now."


def body(*rules: str, **more: Any) -> dict[str, Any]:
    """A call to a number that does not tell where it is."""
    return {"to": TOLL_FREE, "override": {"rules": list(rules), "reason": REASON}, **more}


@pytest.fixture
def ruled(make_api: Callable[..., Api]) -> Api:
    """An API whose calls are held by hours and caps."""
    return make_api(**ENVIRON)


@pytest.fixture
def worker(valkey: redis.Redis) -> WorkerQueue:
    """A worker with the same settings."""
    settings, store = Settings.from_env(ENVIRON), RedisStore(valkey)
    rules = calling_rules_of(settings, store)
    return WorkerQueue(store, "one", protocol_of(settings), judge=rules.open_hours)


def scheduled(api: Api, asked: dict[str, Any], key: dict[str, Any] = OPS) -> str:
    """POST /schedule-call; the id."""
    when = "schedule-delayed-call" if "scheduleAt" in asked else "schedule-call"
    answer = api.web.post(f"/api/queue/{when}", json=asked, **key)
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["jobId"])


def test_a_key_that_may_has_a_call_ring_against_the_rules(
    ruled: Api, worker: WorkerQueue, valkey: redis.Redis, ship: Callable[[], None]
) -> None:
    """The call, its events and the overview say so; lifted is what was named, and no more."""
    job_id = scheduled(ruled, body("unknown-zone"))
    shown = ruled.web.get(f"/api/queue/job/{job_id}", **OPS).get_json()
    assert shown["data"]["override"] == {"rules": ["unknown-zone"], "reason": REASON, "by": "ops"}
    place(worker, *taken(worker))
    valkey.hdel(keys.DIALING, TOLL_FREE)
    scheduled(ruled, body("unknown-zone"))
    assert worker.start_dialing(*taken(worker), "token") is NotStarted.HELD
    second = scheduled(ruled, body("unknown-zone", "cap"))
    place(worker, *taken(worker))
    ship()
    events = {
        each: ruled.web.get(f"/api/calls/{each}", **OPS).get_json()["events"]
        for each in (job_id, second)
    }
    found = {
        each: [event["details"] for event in events[each] if event["event"] == "overridden"]
        for each in events
    }
    assert found[job_id] == [{"rules": "unknown-zone", "by": "ops", "reason": REASON}]
    assert found[second] == [{"rules": "unknown-zone, cap", "by": "ops", "reason": REASON}]
    assert ruled.web.get("/api/overview", **OPS).get_json()["overriddenStarts"] == 2
    path = f"/api/people/{TOLL_FREE}/evidence"
    starts = ruled.web.get(path, **OPS).get_json()["starts"]
    signed = {"reason": REASON, "by": "ops"}
    assert {each["jobId"]: each["override"] for each in starts} == {
        job_id: {"rules": ["unknown-zone"], **signed},
        second: {"rules": ["unknown-zone", "cap"], **signed},
    }
    headers = {**OPS["headers"], "Accept": "text/csv"}
    table = csv.DictReader(io.StringIO(ruled.web.get(path, headers=headers).text))
    assert {each["overriddenRules"] for each in table} == {"unknown-zone", "unknown-zone, cap"}


def test_other_keys_may_not(ruled: Api) -> None:
    """At no door: single, delayed, many, recurring, changed; nor by a purpose, nor by forgery."""
    for path, asked in {
        "schedule-call": body("hours"),
        "schedule-delayed-call": body("hours", delayMs=60_000),
        "schedule-bulk-calls": {"calls": [body("hours")]},
        "schedule-bulk-calls/preview": {"calls": [body("hours")]},
        "schedule-recurring-call": body("hours", cronExpression="@daily"),
    }.items():
        answer = ruled.web.post(f"/api/queue/{path}", json=asked, **CRM)
        assert answer.status_code == 403, path
    assert answer.get_json()["detail"] == (
        "override: Must be sent with an API key named in OVERRIDE_KEYS; got crm."
    )
    forged = {"rules": ["hours"], "reason": REASON, "by": "ops"}
    for asked in ({"purpose": "emergency"}, {"override": forged}):
        answer = ruled.web.post("/api/queue/schedule-call", json={"to": TOLL_FREE, **asked}, **CRM)
        assert answer.status_code == 403
        recurring = {"to": "+12125550100", "cronExpression": "@daily"}
        made = ruled.web.post("/api/queue/schedule-recurring-call", json=recurring, **CRM)
        job_id = made.get_json()["jobId"]
        assert ruled.web.patch(f"/api/queue/job/{job_id}", json=asked, **CRM).status_code == 403


def test_other_keys_make_no_campaign_of_emergencies(ruled: Api) -> None:
    """Whoever may lift rules would do so with each call added to it, and not know."""
    path, plain = "/api/queue/campaigns", {"name": "Parcels"}
    emergency = {**plain, "purpose": "emergency"}
    assert ruled.web.post(path, json=emergency, **CRM).status_code == 403
    own = ruled.web.post(path, json=plain, **CRM).get_json()["campaignId"]
    change = {"purpose": "emergency"}
    assert ruled.web.patch(f"{path}/{own}", json=change, **CRM).status_code == 403
    assert ruled.web.patch(f"{path}/{own}", json=change, **OPS).status_code == 200
    assert ruled.web.patch(f"{path}/{own}", json={"name": "Letters"}, **CRM).status_code == 200
    calls = {"calls": [{"to": TOLL_FREE}]}
    assert ruled.web.post(f"{path}/{own}/calls", json=calls, **CRM).status_code == 403
    assert ruled.web.post(path, json=emergency, **OPS).status_code == 200


def test_a_change_keeps_who_lifted_the_rules(ruled: Api) -> None:
    """Another key may change the words, but neither the number nor the rules."""
    job_id = scheduled(ruled, {"to": TOLL_FREE, "purpose": "emergency"})
    path = f"/api/queue/job/{job_id}"

    def change(key: dict[str, Any], **changes: Any) -> tuple[int, Any]:
        answer = ruled.web.patch(path, json=changes, **key)
        return answer.status_code, answer.get_json().get("data", {}).get("override")

    signed = {
        "rules": ["hours", "closed-day", "cap", "unknown-zone"],
        "reason": "The purpose is emergency.",
        "by": "ops",
    }
    assert change(CRM, message="Leave the house.") == (200, signed)
    assert change(CRM, to="+18005550101") == (403, None)
    assert change(CRM, override={"rules": ["hours"], "reason": REASON}) == (403, None)
    assert change(CRM, purpose="informational") == (200, None)
    asked = {"rules": ["hours"], "reason": REASON}
    assert change(OPS, override=asked) == (200, {**asked, "by": "ops"})
    assert change(CRM, message="Come back.") == (200, {**asked, "by": "ops"})
    assert change(CRM, override=None) == (200, None)


def test_another_key_does_not_choose_when_such_a_call_rings(
    ruled: Api, worker: WorkerQueue
) -> None:
    """Neither by its time, nor by a pattern, nor by having it made again."""
    later = {"scheduleAt": iso(int(time.time() * 1000) + 86_400_000)}
    job_id = scheduled(ruled, body("unknown-zone", **later))
    path = f"/api/queue/job/{job_id}"
    assert ruled.web.patch(path, json=later, **CRM).status_code == 403
    assert ruled.web.patch(path, json={**later, "override": None}, **CRM).status_code == 200
    recurring = body("hours", cronExpression="0 9 * * *")
    recurring["to"] = "+12125550100"
    made = ruled.web.post("/api/queue/schedule-recurring-call", json=recurring, **OPS)
    path = f"/api/queue/job/{made.get_json()['jobId']}"
    moved = {"cronExpression": "0 3 * * *"}
    assert ruled.web.patch(path, json=moved, **CRM).status_code == 403
    assert ruled.web.patch(path, json={"message": "Hello."}, **CRM).status_code == 200
    assert ruled.web.patch(path, json=moved, **OPS).status_code == 200
    ended = scheduled(ruled, body("unknown-zone"))
    place(worker, *taken(worker))
    waiting = scheduled(ruled, body("unknown-zone", **later))

    def act(key: dict[str, Any], **order: Any) -> Any:
        (found,) = ruled.web.post("/api/acts", json=order, **key).get_json()["results"]
        return found["result"], found.get("detail") or ""

    for order in (
        {"act": "again", "jobIds": [ended]},
        {"act": "change", "jobIds": [waiting], **later},
    ):
        result, detail = act(CRM, **order)
        assert (result, "OVERRIDE_KEYS; got crm" in detail) == ("refused", True)
        assert act(OPS, **order)[0] == "done"


def test_another_key_does_not_retry_such_a_call(ruled: Api, worker: WorkerQueue) -> None:
    """One by one or with all that failed, it is left; its own metadata may say the same words."""
    plain = {"to": "+18005550101", "metadata": {"override": {"rules": []}}}
    lifted, other = scheduled(ruled, body("unknown-zone")), scheduled(ruled, plain)
    for to in (TOLL_FREE, "+18005550101"):
        ruled.web.put(f"/api/people/{to}/do-not-call", **OPS)
    path = f"/api/queue/job/{lifted}/retry"
    for asked in ({}, {"notAfter": None}):
        answer = ruled.web.post(path, json=asked, **CRM)
        assert (answer.status_code, answer.get_json()["detail"]) == (
            403,
            "override: Must be sent with an API key named in OVERRIDE_KEYS; got crm.",
        )
    order = {"act": "retry", "jobIds": [lifted]}
    (found,) = ruled.web.post("/api/acts", json=order, **CRM).get_json()["results"]
    assert found["result"] == "refused"
    retried = ruled.web.post("/api/queue/retry-failed", json={}, **CRM).get_json()
    assert retried["jobIds"] == [other]
    assert ruled.web.post(path, json={}, **OPS).status_code == 200
    shown = ruled.web.get(f"/api/queue/job/{lifted}", **OPS).get_json()
    assert (shown["state"], shown["data"]["override"]["by"]) == ("waiting", "ops")


def test_no_list_lifts_the_rules(ruled: Api) -> None:
    """Its rows say so, whoever sends it."""
    made = ruled.web.post("/api/queue/campaigns", json={"name": "Winter"}, **OPS).get_json()
    path = f"/api/queue/campaigns/{made['campaignId']}/list"
    override = '{""rules"": [""hours""], ""reason"": ""She asked to be called now.""}'
    for column, value in (("purpose", "emergency"), ("override", override)):
        text = f'to,message,{column}\n+12125550100,Hello,"{value}"\n'
        staged = ruled.web.post(path, data=text, **OPS).get_json()["listId"]
        shown = ruled.web.get(f"{path}/{staged}/preview", **OPS).get_json()
        assert shown["counts"]["refused"] == 1, shown
        assert "Must not be in a list" in str(shown["rows"])


def test_an_emergency_that_nobody_signed_is_none(ruled: Api, valkey: redis.Redis) -> None:
    """An older version may have let it in: the rules for other calls hold."""
    rules = calling_rules_of(Settings.from_env(ENVIRON), RedisStore(valkey))
    judged = rules.check(Call(to="+13055550100", purpose="emergency"), 0)
    assert [rule.id for rule in judged.verdict.rules] == ["us", "us-fl"]


def test_nobody_lifts_the_do_not_call_list(ruled: Api, worker: WorkerQueue) -> None:
    """Whatever a key may, and whatever the call is for."""
    job_id = scheduled(ruled, {"to": TOLL_FREE, "purpose": "emergency"})
    ruled.web.put(f"/api/people/{TOLL_FREE}/do-not-call", **OPS)
    assert taken(worker) == []
    assert ruled.web.get(f"/api/queue/job/{job_id}", **OPS).get_json()["state"] == "failed"


def test_an_override_that_nobody_signed_is_void(
    ruled: Api, worker: WorkerQueue, valkey: redis.Redis
) -> None:
    """Only the API signs; whatever else stores calls cannot lift a rule."""
    job_id = scheduled(ruled, body("unknown-zone"))
    data = str(valkey.hget(keys.job(job_id), "data"))
    valkey.hset(keys.job(job_id), "data", data.replace(',"by":"ops"', ""))
    assert worker.start_dialing(*taken(worker), "token") is NotStarted.HELD


def test_consent_is_kept_with_the_call_and_in_the_log(
    ruled: Api, worker: WorkerQueue, ship: Callable[[], None]
) -> None:
    """To the letter, with its time in UTC; it lifts nothing."""
    given = {"basis": "written", "at": "2026-11-01T10:00:00+01:00", "evidence": "Form 17"}
    kept = {**given, "at": "2026-11-01T09:00:00.000Z"}
    job_id = scheduled(ruled, {"to": TOLL_FREE, "consent": given}, CRM)
    assert ruled.web.get(f"/api/queue/job/{job_id}", **CRM).get_json()["data"]["consent"] == kept
    assert not isinstance(worker.start_dialing(*taken(worker), "token"), DialStarted)
    ship()
    told = ruled.web.get(f"/api/calls/{job_id}", **CRM).get_json()
    assert told["options"]["consent"] == kept
