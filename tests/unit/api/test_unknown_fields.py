"""Which unknown fields are slips, and which are the app's own business."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas import unknown_fields

TO = "+1234567890"

SLIPS = {
    "scheduleAT": "scheduleAt", "schedule_at": "scheduleAt", "scheduledAt": "scheduleAt",
    "schedule": "scheduleAt", "schedulingTime": "scheduleAt", "delay": "delayMs",
    "delayms": "delayMs", "delay_ms": "delayMs", "delaySeconds": "delayMs",
    "cron": "cronExpression", "cron_expression": "cronExpression", "To": "to",
    "Message": "message", "mesage": "message", "leadId": "lead_id", "lead-id": "lead_id",
    "Priority": "priority", "priorty": "priority", "meta": "metadata", "metaData": "metadata",
}  # fmt: skip

OWN = ("phone", "name", "email", "company", "id", "userId", "type", "status", "notes", "from",
       "jobId", "language", "x" * 500, "", "☎", "url", "campaign")  # fmt: skip


@pytest.mark.parametrize(("sent", "meant"), SLIPS.items())
def test_a_slip_is_refused_with_what_was_meant(sent: str, meant: str) -> None:
    """A call that was to be later never becomes one that is at once."""
    with pytest.raises(ValidationError) as refused:
        call_schemas.CALL.load({"to": TO, sent: 1})
    assert meant in refused.value.messages[sent][0]  # type: ignore[index]


@pytest.mark.parametrize("sent", OWN)
def test_other_unknown_fields_are_ignored_and_listed(sent: str) -> None:
    """Existing clients may send what they like beside a call; a long name is shown shortened."""
    body = {"to": TO, sent: 1}
    call_schemas.CALL.load(body)
    assert call_schemas.CALL.ignored(body) == [sent if len(sent) <= 64 else sent[:64] + "…"]


@pytest.mark.parametrize("name", unknown_fields.PLACES)
def test_a_time_at_the_wrong_endpoint_is_refused(name: str) -> None:
    """Unless it is null, which is as good as absent."""
    with pytest.raises(ValidationError) as refused:
        call_schemas.CALL.load({"to": TO, name: 5})
    assert list(refused.value.messages) == [name]
    body = {"to": TO, name: None}
    call_schemas.CALL.load(body)
    assert call_schemas.CALL.ignored(body) == []


def test_a_time_beside_the_calls_of_a_bulk_is_refused() -> None:
    """It would make immediate calls of all of them."""
    with pytest.raises(ValidationError) as refused:
        call_schemas.BULK.load({"calls": [{"to": TO}], "delayMs": 5})
    assert refused.value.messages == {
        "delayMs": ["Not taken here. It belongs to each call in the list."]
    }


def test_the_ignored_fields_of_a_bulk_are_listed_once() -> None:
    """Those beside the calls and those in them, in one order whatever the request's."""
    body = {"calls": [{"to": TO, "name": 1}, {"to": TO, "email": 1, "name": 2}], "team": 1}
    call_schemas.BULK.load(body)
    assert call_schemas.BULK.ignored(body) == ["email", "name", "team"]
