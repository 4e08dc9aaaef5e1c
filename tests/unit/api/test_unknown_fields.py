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

OWN = ("phone", "name", "email", "company", "id", "userId", "type", "status", "notes",
       "jobId", "x" * 500, "", "☎", "campaign", "createdAt", "last_call_time", "birthDate",
       "format", "customer_number", "lifetime", "repeatCustomer", "callType")  # fmt: skip


@pytest.mark.parametrize(("sent", "meant"), SLIPS.items())
def test_a_slip_is_refused_with_what_was_meant(sent: str, meant: str) -> None:
    """A call that was to be later never becomes one that is at once."""
    with pytest.raises(ValidationError) as refused:
        call_schemas.CALL.load({"to": TO, sent: 1})
    assert meant in refused.value.messages[sent][0]  # type: ignore[index]


#: A name of a neighbouring API, or a value that is a time, and what is said of it.
FOREIGN: list[tuple[str, object, str]] = [
    *[(name, "2027-01-01T09:00:00Z", "scheduleAt") for name in ("runAt", "at", "eta", "sendAt")],
    *[(name, "2027-01-01T09:00:00Z", "scheduleAt") for name in ("when", "start_time", "callAt")],
    *[(name, 60, "delayMs") for name in ("wait", "countdown", "in", "wait_ms", "after")],
    ("repeat", {"pattern": "0 9 * * *"}, "cronExpression"),
    ("every", "1d", "cronExpression"),
    ("opts", {"delay": 5000}, "delayMs"),
    ("options", {"a": [{"runAt": 5}]}, "delayMs"),
    *[("appointment", time, "scheduleAt") for time in ("2027-01-01T09:00:00Z", "2027-01-01")],
    *[("x", time, "scheduleAt") for time in ("PT5M", "P1D", "0 9 * * 1-5", "@daily")],
    *[(name, "Your appointment", "message") for name in ("text", "say", "prompt", "Body")],
    ("extension", "x", "Not supported"),
    *[(name, "+15005550006", "did you mean from?") for name in ("callerId", "fromNumber")],
    *[(name, "1#", "sendDigits") for name in ("send_digits", "SendDigits", "dtmf")],
    *[(name, True, "record") for name in ("recording", "Record", "record_call")],
    *[(name, 45, "ringTimeoutMs") for name in ("ringTimeout", "max_ring_time")],
    *[(name, 5, "Not supported") for name in ("timeout", "twiml", "url")],
    *[(name, 5, "did you mean notAfter?") for name in ("ttl", "expiresAt", "validUntil")],
    *[(name, 5, "Not supported") for name in ("maxAttempts", "assistantId")],
    *[(name, "de", "language") for name in ("lang", "locale", "Language", "language_code")],
    *[(name, "x", "voice") for name in ("voiceId", "Voice", "voice_name", "ttsVoice")],
    *[(name, 5, "scheduleAt") for name in ("appointment_date", "reminderTime", "callback_time")],
    *[(name, 5, "scheduleAt") for name in ("when_to_call", "timeOfCall", "holdUntil", "activeAt")],
    *[(name, 5, "scheduleAt") for name in ("startDateTime", "deliverAfter", "earliestStartAt")],
    *[("x", time, "scheduleAt") for time in ("01/02/2027 09:00", "1.2.2027", "Jan 2nd, 2027")],
    *[("x", time, "scheduleAt") for time in ("Fri, 01 Jan 2027 09:00:00 GMT", "1 January 2027")],
    *[
        ("x", time, "scheduleAt")
        for time in ("09:00", "9:30 pm", "tomorrow at 9am", "in 5 minutes")
    ],
    *[("x", time, "scheduleAt") for time in (1798794000000, "1798794000000", "FREQ=DAILY;COUNT=3")],
    *[("x", time, "scheduleAt") for time in ("R5/2027-01-01T00:00:00Z/P1D", "every day at 9")],
    *[(name, 5, "cronExpression") for name in ("cronTime", "nextRun", "weekdays")],
    *[(name, "Hi", "message") for name in ("tts_text", "call_script", "greetingMessage", "ssml")],
    *[(name, "+15005550006", "from") for name in ("sender", "call_from", "outgoing_number")],
    *[(name, True, "record") for name in ("recordCalls", "call_recording")],
    *[(name, 5, "Not supported") for name in ("maxCallDuration", "twimlBin", "speechRate", "loop")],
    *[(name, True, "would ring") for name in ("dryRun", "test_mode", "doNotCall", "draft")],
    *[(name, False, "would ring") for name in ("enabled", "isActive")],
    *[(name, "x", "Idempotency-Key") for name in ("idempotencyKey", "deduplication_id")],
    ("urgent", True, "priority"),
]


@pytest.mark.parametrize(("sent", "value", "said"), FOREIGN)
def test_a_field_of_a_neighbouring_api_is_refused(sent: str, value: object, said: str) -> None:
    """What says when, what or how to call is never ignored: in one call, or in one of a bulk."""
    with pytest.raises(ValidationError) as refused:
        call_schemas.CALL.load({"to": TO, sent: value})
    assert said in refused.value.messages[sent][0]  # type: ignore[index]
    with pytest.raises(ValidationError):
        call_schemas.BULK.load({"calls": [{"to": TO, sent: value}]})


@pytest.mark.parametrize("sent", ["text", "say", "prompt"])
def test_other_words_beside_a_message_are_the_apps_own(sent: str) -> None:
    """It is plain what is spoken."""
    call_schemas.CALL.load({"to": TO, "message": "Hello", sent: "Hi"})


@pytest.mark.parametrize(
    "value",
    [
        *("P", "PT", "12", "a b c d e", "2027", "1-2-3", "M 4 a b c", "R/D", "16:9", "in a hurry"),
        *("+2348031234567", 2348031234567, 1798794000, "98-76-5432", "every customer", "May"),
    ],
)
def test_a_value_that_is_no_time_is_the_apps_own(value: object) -> None:
    """It is ignored and listed."""
    call_schemas.CALL.load({"to": TO, "note": value})


@pytest.mark.parametrize("blank", [" ", "\u200b", "\t\n", "\u3164\u2060", "\ufeff \u00a0"])
def test_a_blank_message_is_refused(blank: str) -> None:
    """Nobody would hear a word."""
    for field in ("message", "voicemailMessage"):
        with pytest.raises(ValidationError):
            call_schemas.CALL.load({"to": TO, field: blank})
    call_schemas.CALL.load({"to": TO, "message": f"{blank}Hello{blank}"})


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
        "delayMs": ["Must not be set here. Set it on each call in the list."]
    }


@pytest.mark.parametrize("name", ["message", "language", "priority", "voice", "to"])
def test_a_field_of_each_call_beside_the_calls_is_refused(name: str) -> None:
    """It would be no call's."""
    with pytest.raises(ValidationError) as refused:
        call_schemas.BULK.load({"calls": [{"to": TO}], name: "x"})
    assert "on each call" in refused.value.messages[name][0]  # type: ignore[index]
    call_schemas.BULK.load({"calls": [{"to": TO}], name: None})


@pytest.mark.parametrize("name", ["dryRun", "doNotCall", "record_call", "paused", "fullTime"])
def test_what_is_not_wished_for_changes_nothing(name: str) -> None:
    """Their false is what happens anyway."""
    call_schemas.CALL.load({"to": TO, name: False})


@pytest.mark.parametrize("name", ["invoice", "voices", "form", "records"])
def test_a_common_word_is_no_slip_of_a_short_field(name: str) -> None:
    """Clients send such data."""
    call_schemas.CALL.load({"to": TO, name: 1})


def test_the_ignored_fields_of_a_bulk_are_listed_once() -> None:
    """Those beside the calls and those in them, in one order whatever the request's."""
    body = {"calls": [{"to": TO, "name": 1}, {"to": TO, "email": 1, "name": 2}], "team": 1}
    call_schemas.BULK.load(body)
    assert call_schemas.BULK.ignored(body) == ["email", "name", "team"]
