"""What is known of a person, and the evidence for a complaint."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable

import redis

from tests.integration.api.conftest import Api
from tests.integration.conftest import QUICK, taken
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.rules.law import Mode
from vomind_queue.rules.rulebook import Rulebook
from vomind_queue.usecases.calling_rules import CallingRules

INDIANA = "+18125550100"


def call_twice(valkey: redis.Redis) -> None:
    """One call with two attempts, by rules that are open at any hour."""
    store = RedisStore(valkey)
    rules = CallingRules(Rulebook(mode=Mode.LAW), ClosedDays(store))
    protocol = Protocol(**QUICK)
    for _ in range(2):
        worker = WorkerQueue(store, secrets.token_hex(4), protocol, judge=rules.open_hours)
        (job_id,) = taken(worker)
        started = worker.start_dialing(job_id, secrets.token_hex(4))
        assert isinstance(started, DialStarted)
        again = Decision(result=AttemptResult.AGAIN, reason="busy", wait_ms=0)
        worker.finish(started, again)


def test_every_start_is_there_with_the_persons_time(
    make_api: Callable[..., Api], valkey: redis.Redis, ship: Callable[[], None]
) -> None:
    """Newest first, wherever the person may have been, with the rules that let it through."""
    api = make_api(CALLING_RULES="law")
    consent = {"basis": "written", "at": "2026-11-01T09:00:00.000Z", "evidence": "=Form 17"}
    asked = {"to": INDIANA, "purpose": "informational", "consent": consent}
    job_id = api.post("/schedule-call", asked).get_json()["jobId"]
    call_twice(valkey)
    ship()
    path = f"/api/people/{INDIANA}/evidence"
    found = api.web.get(path).get_json()
    assert (found["count"], found["next"], found["doNotCall"]["listed"]) == (2, None, False)
    assert [(each["jobId"], each["attempt"]) for each in found["starts"]] == [
        (job_id, 2),
        (job_id, 1),
    ]
    last = found["starts"][0]
    assert [place["zone"] for place in last["places"]] == ["America/Chicago", "America/New_York"]
    assert (last["verdict"], last["purpose"]) == ("go", "informational")
    assert (last["consent"], last["override"]) == (consent, None)
    assert last["rules"].startswith("law:")
    table = api.web.get(path, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.get_data(as_text=True))))
    assert [each["attempt"] for each in rows] == ["2", "1"]
    assert "America/Chicago; " in rows[0]["localTimes"]
    assert (rows[0]["consentBasis"], rows[0]["consentEvidence"]) == ("written", "'=Form 17")
    (first,) = api.web.get(f"{path}?limit=1").headers.getlist("Link")
    assert first.endswith('rel="next"')


def test_a_person_is_shown_with_all_that_is_known(make_api: Callable[..., Api]) -> None:
    """Places, the list, and when a call may ring; without a log, nothing of starts is said."""
    api = make_api(CALLING_RULES="law")
    api.web.put(f"/api/people/{INDIANA}/do-not-call", json={"reason": "She said so."})
    found = api.web.get(f"/api/people/{INDIANA}").get_json()
    assert (found["number"], len(found["places"]), found["starts"]) == (INDIANA, 2, None)
    assert found["doNotCall"]["reason"] == "She said so."
    assert (found["verdict"], found["until"]) == ("never", None)
    assert api.web.get(f"/api/people/{INDIANA}/evidence").status_code == 503


def test_a_refusal_holds_calls_for_as_long_as_a_rule_asks_for(make_api: Callable[..., Api]) -> None:
    """Its words name the rule; taken back, it is as if it had never been."""
    api = make_api(CALLING_RULES="law")
    path, number = "/api/people/+33612345678/refusal", "+33612345678"
    assert api.web.delete(path).status_code == 404
    assert api.web.put(path, json={"at": "2999-01-01T00:00:00Z"}).status_code == 422
    assert api.web.put("/api/people/+33 6 12 34 56 78/refusal").status_code == 200
    found = api.web.get(f"/api/people/{number}").get_json()
    assert found["verdict"] == "wait"
    assert "The person is left alone: 61d after a refusal (France)." in found["why"]
    assert (found["refusedAt"] is not None, found["lastConversationAt"]) == (True, None)
    assert api.web.delete(path).status_code == 200
    assert "refusal" not in api.web.get(f"/api/people/{number}").get_json()["why"]
