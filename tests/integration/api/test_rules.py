"""When people may be called, over the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.integration.api.conftest import Api
from tests.integration.conftest import QUICK, place, taken
from vomind_queue.calls.decisions import NotStarted
from vomind_queue.calls.number_key import NumberKey
from vomind_queue.config.settings import Settings
from vomind_queue.container.web_services import calling_rules_of, protocol_of
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.queue.worker_report import WorkerReport
from vomind_queue.rules.law import Mode
from vomind_queue.rules.rulebook import rulebook

INDIANA = "+18125550100"
#: 8:30 in New York, 7:30 in Chicago.
EARLY = "2026-11-30T13:30:00Z"


def check(api: Api, **body: str) -> dict[str, object]:
    """POST /api/rules/check."""
    answer = api.web.post("/api/rules/check", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.get_json()
    return found


def test_a_verdict_says_until_when_and_why(make_api: Callable[..., Api]) -> None:
    """By the place whose clock is behind; a time zone makes it exact."""
    api = make_api(CALLING_RULES="law")
    found = check(api, to=INDIANA, at=EARLY)
    assert found["verdict"] == "wait"
    assert found["until"] == "2026-11-30T14:00:00.000Z"
    assert found["rules"] == ["us"]
    assert found["places"] == [
        {
            "zone": "America/Chicago",
            "region": "US-IN",
            "localTime": "2026-11-30T07:30:00-06:00",
        },
        {
            "zone": "America/New_York",
            "region": "US-IN",
            "localTime": "2026-11-30T08:30:00-05:00",
        },
    ]
    assert found["why"] == (
        "Held until Mon 30 Nov 14:00 UTC, 08:00 in America/Chicago. It is Mon 07:30 in "
        "America/Chicago, outside the hours of United States: mon-sun 08:00-21:00. The number may "
        "be in 2 time zones (America/Chicago, America/New_York), all of which must be open. Give "
        "timezone to make it exact."
    )
    exact = check(api, to=INDIANA, at=EARLY, timezone="America/Indiana/Indianapolis")
    assert exact["verdict"] == "go"


def test_a_number_without_a_place_is_not_guessed(make_api: Callable[..., Api]) -> None:
    """It waits for a time zone, or for what the operator says of such numbers."""
    api = make_api(CALLING_RULES="law")
    found = check(api, to="+18005550100", at=EARLY)
    assert (found["verdict"], found["until"], found["places"]) == ("unknown", None, [])
    named = make_api(CALLING_RULES="law", UNKNOWN_ZONE="America/New_York")
    assert check(named, to="+18005550100", at=EARLY)["verdict"] == "go"


def test_the_rules_are_shown_with_their_sources(make_api: Callable[..., Api]) -> None:
    """And what the operator added to them."""
    api = make_api(
        CALLING_RULES="law",
        CALLING_HOURS="mon-fri 09:00-12:00 + 13:00-17:00, sat-sun closed",
        CLOSED_DAYS="2026-12-24, US-LA:2027-02-09",
    )
    found = api.web.get("/api/rules").get_json()
    assert found["mode"] == "law"
    assert found["count"] == len(found["rules"])
    florida = next(each for each in found["rules"] if each["id"] == "us-fl")
    assert (florida["source"], florida["sure"]) == ("Florida Statutes 501.616(6)", "A")
    assert found["rules"][-1]["id"] == "courtesy"
    assert found["rules"][-1]["sure"] is None
    assert found["callingHours"]["mon"] == ["09:00-12:00", "13:00-17:00"]
    nobody = {"reason": None, "by": None, "closedAt": None}
    assert found["closedDays"] == [
        {"id": day_id, "day": day, "last": day, "region": region, **nobody}
        for day_id, day, region in (
            ("2026-12-24", "2026-12-24", None),
            ("US-LA:2027-02-09", "2027-02-09", "US-LA"),
        )
    ]


@pytest.mark.parametrize(
    "unknown",
    [
        {},
        # Those that all its zones have in common are never there.
        {"UNKNOWN_ZONE": "strictest", "CALLING_HOURS": "mon-sun 09:30-19:30"},
    ],
    ids=["hold", "strictest"],
)
def test_a_held_call_says_why_and_a_time_zone_frees_it(
    make_api: Callable[..., Api], valkey: redis.Redis, unknown: dict[str, str]
) -> None:
    """In its record, in `why`, in campaign and overview; PATCH tells where the person is."""
    environ = {"CALLING_RULES": "law", **unknown}
    api = make_api(**environ)
    rules = calling_rules_of(Settings.from_env(environ), RedisStore(valkey))
    worker = WorkerQueue(RedisStore(valkey), "one", Protocol(**QUICK), judge=rules.open_hours)
    api.post("/campaigns", {"name": "Reminders"})
    added = api.post("/campaigns/1/calls", {"calls": [{"to": "+18005550100"}]}).get_json()
    job_id = added["jobs"][0]["jobId"]
    api.post("/campaigns/1/start")
    before_ms = RedisStore(valkey).now_ms()
    assert worker.start_dialing(*taken(worker), "token") is NotStarted.HELD
    job = api.get(f"/job/{job_id}").get_json()
    assert (job["state"], job["held"]) == (
        "delayed",
        {"by": "unknown-zone", "until": None, "why": "The number does not tell where it is."},
    )
    # It is judged again tomorrow: nothing turns around it meanwhile.
    assert valkey.zscore(keys.DELAYED, keys.member(job_id)) >= before_ms + 86_400_000  # type: ignore[operator]
    (reason, *_) = api.get(f"/job/{job_id}/why").get_json()["reasons"]
    assert (reason["kind"], reason["until"]) == ("unknown-zone", None)
    assert "timezone" in reason["text"]
    for shown in (api.web.get("/api/overview"), api.get("/campaigns/1")):
        assert "unknown-zone" in [each["kind"] for each in shown.get_json()["reasons"]]
    changed = api.patch(f"/job/{job_id}", {"timezone": "America/Chicago"}).get_json()
    assert (changed["state"], changed["data"]["timezone"]) == ("waiting", "America/Chicago")
    assert "held" not in changed


def test_a_call_for_the_night_says_that_it_will_wait(make_api: Callable[..., Api]) -> None:
    """Before anything has judged it: as of the time for which it is scheduled."""
    api = make_api(CALLING_RULES="law")
    # Of three instants eight hours apart, one is within the hours of 8 to 21, and one is not.
    reasons = []
    for hours in (1, 9, 17):
        asked = {"to": "+12125550100", "delayMs": hours * 3_600_000}
        job_id = api.post("/schedule-delayed-call", asked).get_json()["jobId"]
        shown = api.get(f"/job/{job_id}/why").get_json()
        reasons += [each["kind"] for each in shown["reasons"]]
    assert {"hours", "due"} <= set(reasons)


def test_without_rules_nothing_is_judged(api: Api) -> None:
    """As it was before there were any."""
    assert check(api, to=INDIANA, at=EARLY)["why"] == "No calling rules are set (CALLING_RULES)."
    job_id = api.post("/schedule-call", {"to": "+18005550100"}).get_json()["jobId"]
    kinds = [each["kind"] for each in api.get(f"/job/{job_id}/why").get_json()["reasons"]]
    assert kinds == ["next", "no-worker"]
    calls = {"calls": [{"to": "+18005550100"}]}
    assert "held" not in api.post("/schedule-bulk-calls/preview", calls).get_json()


def test_a_real_account_without_a_word_on_hours_is_warned_of(make_api: Callable[..., Api]) -> None:
    """Until the setting says law, courtesy or off."""
    account = {
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "secret",
        "TWILIO_PHONE_NUMBER": "+15005550006",
    }

    def kinds(**more: str) -> list[str]:
        shown = make_api(**account, **more).web.get("/api/overview").get_json()
        return [each["kind"] for each in shown["reasons"]]

    assert "no-rules" in kinds()
    assert "no-rules" not in kinds(CALLING_RULES="off")
    assert "no-rules" not in kinds(CALLING_RULES="courtesy")


def test_a_day_is_closed_and_opened_again(make_api: Callable[..., Api]) -> None:
    """Each day once, with who closed it and why; checks and explanations say so."""
    api = make_api(CALLING_RULES="law", CLOSED_DAYS="2026-12-24")
    path = "/api/rules/closed-days"
    asked = {"day": "2026-11-30", "last": "2026-12-01", "region": "US-IN", "reason": "A flood."}
    for _ in range(2):
        answer = api.web.post(path, json=asked).get_json()
        assert (answer["success"], answer["id"]) == (True, "US-IN:2026-11-30..2026-12-01")
    days = api.web.get(path).get_json()["closedDays"]
    assert [(each["id"], each["reason"]) for each in days] == [
        ("2026-12-24", None),
        ("US-IN:2026-11-30..2026-12-01", "A flood."),
    ]
    assert days[1]["by"]
    found = check(api, to=INDIANA, at="2026-11-30T16:00:00Z")
    assert (found["verdict"], found["until"]) == ("wait", "2026-12-02T14:00:00.000Z")
    assert "the day is closed here: A flood." in str(found["why"])
    assert api.web.delete(f"{path}/{answer['id']}").status_code == 200
    assert api.web.delete(f"{path}/{answer['id']}").status_code == 404
    assert api.web.delete(f"{path}/2026-12-24").status_code == 404
    assert check(api, to=INDIANA, at="2026-11-30T16:00:00Z")["verdict"] == "go"


def test_a_day_is_not_closed_in_vain(api: Api) -> None:
    """Without rules nobody would keep to it."""
    answer = api.web.post("/api/rules/closed-days", json={"day": "2026-11-30"})
    assert answer.status_code == 409
    for wrong in ({}, {"day": "20261130"}, {"day": "2026-11-30", "region": "XX"}):
        assert api.web.post("/api/rules/closed-days", json=wrong).status_code == 422


def test_a_worker_with_other_settings_is_noticed(
    make_api: Callable[..., Api], valkey: redis.Redis
) -> None:
    """Other rules than web's, or a key that cannot read the do-not-call list: both are alarms."""
    key = {"DO_NOT_CALL_KEY": "a key that is long enough"}
    api = make_api(CALLING_RULES="law", **key)
    api.web.put(f"/api/people/{INDIANA}/do-not-call")
    store = RedisStore(valkey)
    law, other = rulebook(Mode.LAW).digest, rulebook(Mode.COURTESY).digest
    ours = NumberKey(key["DO_NOT_CALL_KEY"]).fingerprint

    def kinds(**reports: Report) -> list[str]:
        for name, report in reports.items():
            assert taken(WorkerQueue(store, name, Protocol(**QUICK))) == []
            WorkerReport(store, name, report).note()
        found = make_api(CALLING_RULES="law", **key).web.get("/api/overview").get_json()
        return [each["kind"] for each in found["reasons"]]

    assert kinds(one=Report(rules=law, key=ours)) == []
    assert kinds(one=Report(rules=other, key=ours)) == ["rules-behind"]
    assert kinds(one=Report(rules=law)) == []
    assert api.web.delete(f"/api/people/{INDIANA}").get_json()["doNotCall"] == "hashed"
    assert kinds() == ["do-not-call-key"]
    metrics = api.web.get("/metrics").get_data(as_text=True)
    assert "vomind_workers_with_wrong_key 1.0" in metrics
    assert "vomind_workers_with_other_rules 0.0" in metrics


def test_a_call_beyond_a_cap_says_until_when(
    make_api: Callable[..., Api], valkey: redis.Redis
) -> None:
    """Without calling rules as well: in its record, in `why`, in the overview, in a check."""
    environ = {"ATTEMPT_CAPS": "1/24h"}
    api, settings = make_api(**environ), Settings.from_env(environ)
    rules = calling_rules_of(settings, RedisStore(valkey))
    worker = WorkerQueue(RedisStore(valkey), "one", protocol_of(settings), judge=rules.open_hours)
    assert check(api, to="+18125550100")["verdict"] == "go"
    api.post("/campaigns", {"name": "Reminders"})
    api.post("/campaigns/1/calls", {"calls": [{"to": "+18125550100"}] * 2})
    api.post("/campaigns/1/start")
    place(worker, *taken(worker))
    (job_id,) = taken(worker)
    valkey.hdel(keys.DIALING, "+18125550100")
    assert worker.start_dialing(job_id, "token") is NotStarted.HELD
    held = api.get(f"/job/{job_id}").get_json()["held"]
    assert (held["by"], held["until"] is None) == ("cap", False)
    (reason, *_) = api.get(f"/job/{job_id}/why").get_json()["reasons"]
    assert (reason["kind"], reason["until"]) == ("cap", held["until"])
    assert "The person was called as often as is allowed: 1/24h (ATTEMPT_CAPS)." in reason["text"]
    (reason,) = api.get("/campaigns/1").get_json()["reasons"]
    assert (reason["kind"], reason["until"]) == ("cap", held["until"])
    assert check(api, to="+18125550100")["until"] == held["until"]
    shown = api.web.get("/api/overview").get_json()["reasons"]
    assert [each["title"] for each in shown if each["kind"] == "cap"] == ["1 call held by a cap"]
    assert api.web.get("/api/rules").get_json()["attemptCaps"] == ["1/24h"]
    calls = [{"to": "+18125550100"}, {"to": "+18125550101"}]
    found = api.post("/schedule-bulk-calls/preview", {"calls": calls}).get_json()
    assert list(found["held"]) == ["0"]
    assert (found["held"]["0"]["by"], found["held"]["0"]["until"]) == ("cap", held["until"])
    accepted = [api.post("/schedule-call", each).get_json().get("held") for each in calls]
    assert [each and each["by"] for each in accepted] == ["cap", None]


def test_a_call_for_the_night_is_accepted_and_says_until_when_it_waits(
    make_api: Callable[..., Api],
) -> None:
    """In the answer to one call, and in the preview of many."""
    api = make_api(CALLING_RULES="law")
    held = []
    for hours in (1, 9, 17):
        asked = {"to": "+12125550100", "delayMs": hours * 3_600_000}
        held.append(api.post("/schedule-delayed-call", asked).get_json().get("held"))
    # Of three instants eight hours apart, one is within the hours of 8 to 21, and one is not.
    waits, *_ = [each for each in held if each]
    assert (waits["by"] in ("hours", "closed-day"), waits["until"] is not None) == (True, True)
    calls = [{"to": "+18005550100"}, {"to": "none"}, {"to": INDIANA, "timezone": "nowhere"}]
    found = api.post("/schedule-bulk-calls/preview", {"calls": calls}).get_json()
    assert (found["valid"], list(found["errors"]), list(found["held"])) == (1, ["1", "2"], ["0"])
    assert found["held"]["0"]["by"] == "unknown-zone"


def test_a_recurring_call_knows_where_the_person_is(make_api: Callable[..., Api]) -> None:
    """Beside the zone of its pattern; a change keeps it, and a preview says which runs wait."""
    api = make_api(CALLING_RULES="law")
    asked = {"to": INDIANA, "cronExpression": "0 9 * * *", "timezone": "Europe/Berlin"}
    here = {**asked, "personTimezone": "America/Chicago"}
    made = api.post("/schedule-recurring-call", here).get_json()
    assert (made["timezone"], made["data"]["timezone"]) == ("Europe/Berlin", "America/Chicago")
    path = f"/job/{made['jobId']}"
    changed = api.patch(path, {"message": "Good morning"}).get_json()
    assert (changed["timezone"], changed["data"]["timezone"]) == (
        "Europe/Berlin",
        "America/Chicago",
    )
    changed = api.patch(path, {"personTimezone": None, "timezone": "UTC"}).get_json()
    assert (changed["timezone"], "timezone" in changed["data"]) == ("UTC", False)
    preview = {"count": 2, "from": "2026-12-01T00:00:00Z"}
    found = api.post("/schedule-recurring-call/preview", {**here, **preview}).get_json()
    assert [run["held"]["until"] for run in found["runs"]] == [
        "2026-12-01T14:00:00.000Z",
        "2026-12-02T14:00:00.000Z",
    ]
    pattern = {"cronExpression": "0 9 * * *", **preview}
    found = api.post("/schedule-recurring-call/preview", pattern).get_json()
    assert not any("held" in run for run in found["runs"])
