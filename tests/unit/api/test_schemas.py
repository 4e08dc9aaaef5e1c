"""What each endpoint takes, as a table of rules."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas import placeable
from vomind_queue.api.schemas import queue as queue_schemas
from vomind_queue.api.serializers.times import YEAR_MS
from vomind_queue.calls.call import Call, NewCall, Priority
from vomind_queue.config.settings import Settings

TO = "+1234567890"


def nested(depth: int) -> dict[str, Any]:
    """Objects in each other."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def errors_of(schema: call_schemas.RequestSchema, body: Any) -> Any:
    """The messages by which a body is refused."""
    with pytest.raises(ValidationError) as refused:
        schema.load(body)
    return refused.value.messages


TAKEN = {
    "to": [TO, "+0987654321", "+1234567", "+123456789012345"],
    "message": ["x", "x" * 3000, "Grüße 👋 & <more>\n\t", None],
    "lead_id": ["123", "", "x" * 128, 0, -5, 7.0, 10**127, "a\u0000b", None],
    "priority": ["high", "normal", "low", None],
    "retryOn": [[], ["busy"], ["no-answer", "failed", "busy"], None],
    "machineDetection": ["off", "enable", "detect-message-end", None],
    "voicemailMessage": ["x", "x" * 3000, "Grüße 👋", None],
    "language": ["de", "de-DE", "ar", "zh-CN", "yue-HK", "en-GB-WLS", None],
    "voice": ["man", "Polly.Vicki", "Polly.Mía-Generative", "Google.cmn-CN-Wavenet-A", None],
    "twimlUrl": ["https://a.example", "https://a.example:8443/v/?x=%C3%BC&y=[1]~/#rc=2", None],
    "ringTimeoutMs": [5_000, 30_000, 600_000, 45_500, None],
    "sendDigits": ["1", "ww1234#", "W*0w#ABCD", "0" * 32, None],
    "record": [True, False, None],
    "from": ["+15005550006", "+4930123456", None],
    "timezone": ["UTC", "America/Indiana/Indianapolis", None],
    "region": ["DE", "US", "US-FL", "CA-QC", None],
    "purpose": ["marketing", "informational", "debt", "emergency", None],
    "consent": [
        {"basis": "written", "at": "2026-11-30T10:00:00Z"},
        {"basis": "oral", "at": "2026-11-30T10:00:00+01:00", "evidence": "recording 17"},
        None,
    ],
    "override": [
        {"rules": ["hours"], "reason": "She asked for it."},
        {"rules": ["cap", "closed-day", "unknown-zone"], "reason": "0123456789", "by": "ops"},
        None,
    ],
    "metadata": [{}, {"a": [1, 2.5, None, True, {"b": "ü"}]}, {"": ""}, nested(100), None],
}

REFUSED = {
    "to": [
        None, "", "1234567890", "+123456", "+1234567890123456", "+1 234 567 890", " +1234567890",
        "+1234567890\n", "+١٢٣٤٥٦٧٨٩", "+12345678９０", 1234567890, True, [TO], {"a": 1}, 1.5,
    ],
    "message": [
        "", " ", "x" * 3001, 5, True, [], {}, "a\u0000b", "a\u001bb", "a\ufffeb", "&" * 900,
    ],
    "lead_id": ["x" * 129, 10**128, 1.5, True, False, [], {}],
    "priority": ["urgent", "High", "HIGH", "", " high", 1, True, [], {}, ["high"]],
    "from": ["", "15005550006", "+123456", "+1 500 555 0006", 15005550006, True, [], {}],
    "retryOn": [
        ["busy", "busy"], "busy", "", {}, 1, True, [1], [None], [["busy"]], ["completed"], ["Busy"],
    ],
    "machineDetection": ["on", "Enable", "DetectMessageEnd", "", True, 1, [], {}],
    "timezone": ["", "Chicago", "EST", "Etc/Unknown", 5, {}, []],
    "region": ["", "us-fl", "XX", "US-XX", "Florida", 5, {}, []],
    "purpose": ["", "Marketing", 5, {}, []],
    "consent": [
        *("", 5, [], {}, {"basis": "written"}, {"at": "2026-11-30T10:00:00Z"}),
        {"basis": "", "at": "2026-11-30T10:00:00Z"},
        {"basis": "written", "at": "yesterday"},
        {"basis": "written", "at": "2026-11-30T10:00:00Z", "how": "by mail"},
    ],
    "override": [
        *("", 5, [], {}, {"rules": ["hours"]}, {"reason": "She asked for it."}),
        {"rules": [], "reason": "She asked for it."},
        {"rules": ["do-not-call"], "reason": "She asked for it."},
        {"rules": ["hours", "hours"], "reason": "She asked for it."},
        {"rules": ["hours"], "reason": "too short"},
        {"rules": "hours", "reason": "She asked for it."},
        {"rules": ["hours"], "reason": "She asked for it.", "by": "x" * 201},
    ],
    "twimlUrl": ["", "a.example", "ftp://a.example", "https://", "https://u:p@a.example/", 5, {},
                 "https://a.example\\@b.example/", "https://a.example/ü", "https://a.example/ x",
                 "https://a.example/\n", "https://a.example/" + "x" * 4000, "https://[::1]/"],
    "voicemailMessage": ["", "x" * 3001, 5, True, [], {}, "a\u0000b", "&" * 900],
    "language": ["", "German", "de_DE", "DE-de", "tlh", "xx-XX", "ar-EG", 5, True, [], {}],
    "voice": ["", "vicki", "Polly.vicki", "Polly.Nobody", "Alexa", 5, True, [], {}],
    "ringTimeoutMs": [0, 4_999, 600_001, 10**400, -1, 5_000.5, "30000", True, [], {}],
    "sendDigits": ["", "0" * 33, "1 2", "p1", "a", "12\n", "١", 12, True, [], {}],
    "record": [0, 1, 1.0, "true", "", [], {}],
    "metadata": [[], "text", 5, True, {"a": "x" * 8192}, {"a": "ü" * 4096}, nested(101)],
}  # fmt: skip

TIMES_REFUSED = {
    "scheduleAt": ["", "soon", "2030-11-20T10:00:00", 1921399200000, True, [], {}],
    "delayMs": [-1, YEAR_MS + 1, 10**400, 1.5, "5", True, [], {}],
}


def pairs(table: dict[str, list[Any]]) -> list[Any]:
    """One test for each field and value."""
    return [
        pytest.param(field, value, id=f"{field}-{number}")
        for field, values in table.items()
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(("field", "value"), pairs(TAKEN))
def test_what_the_contract_allows_is_taken(field: str, value: Any) -> None:
    """It stands in the call as it was sent; null is as good as nothing."""
    new = call_schemas.CALL.load({"to": TO, field: value})
    if isinstance(value, dict) and field != "metadata":
        kept = new.call.as_data()[field]
        assert kept.keys() == value.keys() - {"by"}
        assert all(kept[name] == value[name] for name in kept if name != "at")
    elif value is not None:
        assert new.call.as_data()[field] == value
    else:
        assert new == call_schemas.CALL.load({"to": TO})


@pytest.mark.parametrize(("field", "value"), pairs(REFUSED))
def test_what_the_contract_forbids_is_refused(field: str, value: Any) -> None:
    """The one field that is wrong is named, and the others are not."""
    assert list(errors_of(call_schemas.CALL, {"to": TO, field: value})) == [field]


def test_a_whole_number_may_be_written_as_a_decimal_one() -> None:
    """In JSON 1000.0 is 1000; the job has a whole one."""
    new = call_schemas.DELAYED_CALL.load({"to": TO, "lead_id": 7.0, "delayMs": 1000.0})
    assert (repr(new.delay_ms), repr(new.call.lead_id)) == ("1000", "7")


@pytest.mark.parametrize(("field", "value"), pairs(TIMES_REFUSED))
def test_times_are_read_strictly(field: str, value: Any) -> None:
    """A time that nobody meant is worse than none."""
    assert list(errors_of(call_schemas.DELAYED_CALL, {"to": TO, field: value})) == [field]
    assert list(errors_of(call_schemas.TIMED_CALL, {"to": TO, field: value})) == [field]


def test_defaults_are_filled_in() -> None:
    """A number is all that a call needs."""
    assert call_schemas.CALL.load({"to": TO}) == NewCall(
        call=Call(to=TO, message="Hello from VoMindAI", priority=Priority.NORMAL, metadata={})
    )


def test_a_delayed_call_has_exactly_one_time() -> None:
    """Null does not count."""
    assert errors_of(call_schemas.DELAYED_CALL, {"to": TO}) == {
        "scheduleAt": ["Must be set, or delayMs in its place."]
    }
    both = {"to": TO, "delayMs": 5, "scheduleAt": "2030-11-20T10:00:00Z"}
    assert errors_of(call_schemas.DELAYED_CALL, both) == {
        "scheduleAt": ["Must not be set together with delayMs."]
    }
    assert call_schemas.DELAYED_CALL.load({**both, "scheduleAt": None}).delay_ms == 5
    assert call_schemas.DELAYED_CALL.load({**both, "delayMs": None}).due_ms == 1_921_399_200_000
    assert call_schemas.DELAYED_CALL.load({"to": TO, "delayMs": 0}).delay_ms == 0
    assert call_schemas.DELAYED_CALL.load({"to": TO, "delayMs": YEAR_MS}).delay_ms == YEAR_MS


def test_wrong_calls_of_a_bulk_are_named_by_place_and_field() -> None:
    """All of them, each with all that is wrong."""
    calls = [{"to": TO}, {"to": 5, "priority": "urgent"}, "text", {"to": TO, "delayMs": 5}, {}]
    messages = errors_of(call_schemas.BULK, {"calls": calls})["calls"]
    assert {index: sorted(fields) for index, fields in messages.items()} == {
        1: ["priority", "to"], 2: ["_schema"], 4: ["to"]
    }  # fmt: skip


@pytest.mark.parametrize("calls", [None, [], {}, "text", 5, [{"to": TO}] * 10_001])
def test_a_bulk_has_one_to_ten_thousand_calls(calls: Any) -> None:
    """Nothing is looked at in a list that is too long."""
    assert list(errors_of(call_schemas.BULK, {"calls": calls})) == ["calls"]


def test_a_bulk_with_very_many_names_is_refused() -> None:
    """Comparing names costs time, which a client may not have without end."""
    calls = [{"to": TO, f"field{number}": 1} for number in range(300)]
    assert "different fields" in errors_of(call_schemas.BULK, {"calls": calls})["calls"][0]
    assert (
        "at most 200 fields"
        in errors_of(call_schemas.CALL, dict.fromkeys(map(str, range(300)), 1))["_schema"][0]
    )


@pytest.mark.parametrize(
    "body",
    [{"grace": -1}, {"grace": 1.5}, {"grace": "5"}, {"grace": True}, {"grace": 10**400},
     {"limit": 0}, {"limit": -1}, {"limit": "all"}, {"limit": 10**30}, {"grace": []}],
)  # fmt: skip
def test_clean_wants_whole_numbers(body: dict[str, Any]) -> None:
    """A mistyped bound must not empty the history."""
    assert list(errors_of(queue_schemas.CLEAN, body)) == list(body)


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({}, (0, 10)),
        ({"start": "0", "end": "0"}, (0, 0)),
        ({"start": "20"}, (20, 30)),
        ({"end": "5"}, (0, 5)),
        ({"start": "5", "end": "1004"}, (5, 1004)),
        ({"start": "9" * 30, "end": "9" * 30}, (2**53, 2**53)),
    ],
)
def test_a_page_is_given_by_its_ends(query: dict[str, str], places: tuple[int, int]) -> None:
    """Eleven jobs from the start when no end is given."""
    assert queue_schemas.PAGE.load(query) == places


@pytest.mark.parametrize(
    "query",
    [{"start": "-1"}, {"start": "x"}, {"start": ""}, {"start": "1.0"}, {"start": " 1"},
     {"start": "٣"}, {"start": "9" * 31}, {"end": "-1"}, {"end": "NaN"}, {"start": "2", "end": "1"},
     {"start": "0", "end": "1000"}],
)  # fmt: skip
def test_a_page_that_makes_no_sense_is_refused(query: dict[str, str]) -> None:
    """Negative, not a number, backwards, or more than a thousand jobs."""
    with pytest.raises(ValidationError):
        queue_schemas.PAGE.load(query)


@pytest.mark.parametrize(
    ("ago_ms", "grace_ms", "refusal"),
    [
        (900_000, 900_000, None),
        (900_001, 900_000, "Must be at most 15 minutes ago; got 15 minutes ago."),
        (11_100_000, 900_000, "Must be at most 15 minutes ago; got 3 hours 5 minutes ago."),
        (YEAR_MS * 10, None, None),
        (-YEAR_MS, 900_000, None),
        (-YEAR_MS - 1, None, "Must be at most one year (365 days) ahead; got 365 days ahead."),
    ],
)
def test_a_time_must_be_near_enough(ago_ms: int, grace_ms: int | None, refusal: str | None) -> None:
    """Not long past, unless that is wanted, and not more than a year ahead."""
    now_ms = 1_800_000_000_000
    new = NewCall(call=Call(to=TO), due_ms=now_ms - ago_ms)
    found = placeable.untimely([NewCall(call=Call(to=TO)), new], now_ms, grace_ms)
    assert found == ({1: {"scheduleAt": [refusal]}} if refusal else {})


def test_words_for_a_machine_and_no_detection_contradict_each_other() -> None:
    """They would never be spoken."""
    body = {"to": TO, "voicemailMessage": "Hi", "machineDetection": "off"}
    with pytest.raises(ValidationError) as refused:
        call_schemas.CALL.load(body)
    assert list(refused.value.messages) == ["machineDetection"]
    assert call_schemas.CALL.load({**body, "machineDetection": None}).call.voicemail_message == "Hi"


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        ({"voicemailMessage": "Hi"}, "a voicemailMessage"),
        ({"retryOn": ["busy", "machine"]}, '"machine" in retryOn'),
        ({"machineDetection": "enable"}, "machineDetection"),
    ],
)
def test_keys_to_press_leave_no_machine_to_be_detected(beside: dict[str, Any], named: str) -> None:
    """Twilio ignores the one beside the other: both are not taken together."""
    body = {"to": TO, "sendDigits": "ww1#"}
    (error,) = errors_of(call_schemas.CALL, {**body, **beside})["sendDigits"]
    assert error.startswith(f"Must not be set together with {named}:")
    call_schemas.CALL.load({**body, "machineDetection": "off", "retryOn": ["busy"]})
    call_schemas.CALL.load({**body, **beside, "sendDigits": None})


def test_a_voice_must_speak_the_language() -> None:
    """Twilio says nothing at all where the two do not fit; errors name what was meant."""
    body = {"to": TO, "language": "de-DE", "voice": "Polly.Joanna"}
    assert "Polly.Vicki" in errors_of(call_schemas.CALL, body)["voice"][0]
    for voice in ("Polly.Hans", "man", "ElevenLabs.UgBBYS2sOqTuMpoF3BR0"):
        call_schemas.CALL.load({**body, "voice": voice})
    assert "de-DE?" in errors_of(call_schemas.CALL, {"to": TO, "language": "de_DE"})["language"][0]
    assert "Polly.Vicki?" in errors_of(call_schemas.CALL, {"to": TO, "voice": "vicki"})["voice"][0]


def test_words_and_voice_must_fit_together() -> None:
    """Twilio counts how words are spoken as well, whether the call says it or the settings."""
    settings = Settings.from_env({"SAY_VOICE": "Google.de-DE-Chirp3-HD-Aoede"})
    words = {"to": TO, "message": "&" * 793}
    plain, long = (
        call_schemas.CALL.load({**words, **more}).call for more in ({}, {"language": "de-DE"})
    )
    faults = placeable.PlaceableCalls(Settings.from_env({})).faults([plain, long])
    assert {index: list(found) for index, found in faults.items()} == {1: ["message"]}
    assert list(placeable.PlaceableCalls(settings).faults([plain])) == [0]


def test_a_call_that_uses_none_of_it_stores_none_of_it() -> None:
    """What is optional costs nothing; what was chosen is kept and shown as sent."""
    plain = call_schemas.CALL.load({"to": TO}).call.as_data()
    assert set(plain) == {"to", "message", "priority", "metadata"}
    chosen = {
        "retryOn": ["busy"],
        "machineDetection": "enable",
        "voicemailMessage": "Hi",
        "language": "de-DE",
        "voice": "Polly.Vicki",
    }
    call = call_schemas.CALL.load({"to": TO, **chosen}).call
    assert call.as_data() == {**plain, **chosen}
    assert Call.from_data(call.as_data()) == call
