"""What the API refuses of a webhook."""

from __future__ import annotations

import pytest

from tests.integration.api.conftest import Api

URL = "https://hooks.example.com/calls"


@pytest.mark.parametrize("campaign", ["99", "Reminders", "", "1" * 200])
def test_a_campaign_that_there_is_not_is_refused_by_name(api: Api, campaign: str) -> None:
    """Such a webhook would wait for ever and say nothing of it."""
    answer = api.web.post("/api/webhooks", json={"url": URL, "campaign": campaign})
    assert answer.status_code == 422
    (fault,) = answer.get_json()["errors"]["campaign"]
    assert fault.startswith("Must be")
    assert api.web.get("/api/webhooks").get_json()["count"] == 0


def test_a_campaign_may_be_chosen_changed_and_dropped(api: Api) -> None:
    """A change that names none asks for none: its campaign may be gone by then."""
    for _ in range(2):
        assert api.post("/campaigns", {"name": "Reminders"}).status_code == 200
    made = api.web.post("/api/webhooks", json={"url": URL, "campaign": "1"}).get_json()["webhook"]
    assert made["campaign"] == "1"
    place = f"/api/webhooks/{made['id']}"
    assert api.web.patch(place, json={"campaign": "3"}).status_code == 422
    assert api.web.patch(place, json={"campaign": "2"}).get_json()["webhook"]["campaign"] == "2"
    assert api.web.delete("/api/queue/campaigns/2").status_code == 200
    assert api.web.patch(place, json={"description": "For reminders"}).status_code == 200
    answer = api.web.patch(place, json={"campaign": None})
    assert answer.get_json()["webhook"]["campaign"] is None
