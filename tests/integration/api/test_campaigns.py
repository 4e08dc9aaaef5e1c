"""Campaigns as a resource: create, list, show, change and delete."""

from __future__ import annotations

from typing import Any

from tests.integration.api.conftest import Api


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
    campaign_id = created(api, country="DE", message="Hello.", priority="low")
    answer = api.patch(f"/campaigns/{campaign_id}", {"message": None, "priority": "high"})
    assert answer.status_code == 200
    data = {"name": "Reminders", "country": "DE", "priority": "high"}
    assert shown(api, campaign_id)["data"] == data


def test_what_no_call_can_say_is_refused(api: Api) -> None:
    """Field by field, as for a call."""
    for fields, wrong in (
        ({"country": "Germany"}, "country"),
        ({"country": "ZZ"}, "country"),
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
