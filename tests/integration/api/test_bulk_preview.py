"""What a bulk would be answered, asked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.api.conftest import TO, Api

PATH = "/schedule-bulk-calls/preview"


def preview(api: Api, *calls: Any) -> dict[str, Any]:
    """The answer to a preview of these calls."""
    answer = api.post(PATH, {"calls": list(calls)})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_good_bulk_has_no_errors_and_is_not_stored(api: Api) -> None:
    """The same list, sent to the bulk itself, is accepted afterwards."""
    calls = [{"to": TO}, {"to": TO, "delayMs": 5, "colour": "red"}]
    assert preview(api, *calls) == {
        "success": True,
        "count": 2,
        "valid": 2,
        "errors": {},
        "ignored": ["colour"],
        "senders": {},
    }
    assert api.total() == 0
    assert api.post("/schedule-bulk-calls", {"calls": calls}).status_code == 200


def test_every_bad_call_is_named(api: Api) -> None:
    """Each by its place, in the words of a refused bulk, though there are more than that lists."""
    calls = [{"to": TO}, *({"to": "123"} for _ in range(150)), "no call"]
    found = preview(api, *calls)
    assert (found["count"], found["valid"], len(found["errors"])) == (152, 1, 151)
    refused = api.post("/schedule-bulk-calls", {"calls": calls}).get_json()["errors"]["calls"]
    assert found["errors"]["1"] == refused["1"]
    assert found["errors"]["151"] == {"_schema": ["Must be a JSON object."]}


def test_times_are_judged_beside_other_faults(api: Api) -> None:
    """A call whose time is long past is named although another one cannot be read."""
    late, far = "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    found = preview(
        api, {"to": ""}, {"to": TO, "scheduleAt": late}, {"to": TO}, {"to": TO, "scheduleAt": far}
    )["errors"]
    assert list(found) == ["0", "1", "3"]
    assert "ago" in found["1"]["scheduleAt"][0]
    assert "ahead" in found["3"]["scheduleAt"][0]


def test_what_the_settings_rule_out_is_named(make_api: Callable[..., Api]) -> None:
    """Words for a machine want an address at which Twilio asks for them."""
    call = {"to": TO, "voicemailMessage": "Call us back"}
    assert "PUBLIC_URL" in preview(make_api(), call)["errors"]["0"]["voicemailMessage"][0]
    with_url = make_api(TWIML_URL="https://example.com")
    assert preview(with_url, call)["errors"] == {}


def test_the_numbers_that_the_calls_would_come_from_are_counted(
    make_api: Callable[..., Api],
) -> None:
    """By the call, by the country, or the default; calls with an error would not be placed."""
    api = make_api(
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN="x",
        TWILIO_PHONE_NUMBERS="+15005550006,+4930123456,+442079460000",
        FROM_BY_COUNTRY="DE=+4930123456",
    )
    found = preview(
        api,
        *({"to": to} for to in (TO, TO, TO, "+4989123456", "+4940123456")),
        {"to": TO, "from": "+442079460000"},
        {"to": TO, "from": "+4950000000"},
    )
    assert found["senders"] == {"+15005550006": 3, "+4930123456": 2, "+442079460000": 1}


@pytest.mark.parametrize("body", [{}, {"calls": []}, {"calls": 3}, {"calls": [{}], "cals": []}])
def test_what_is_no_bulk_is_refused(api: Api, body: dict[str, Any]) -> None:
    """As by the bulk itself, in the same words."""
    asked = api.post(PATH, body)
    sent = api.post("/schedule-bulk-calls", body)
    assert asked.status_code == sent.status_code == 422
    assert asked.get_json()["detail"] == sent.get_json()["detail"]


def test_calls_that_would_never_or_not_yet_ring_are_named(make_api: Callable[..., Api]) -> None:
    """By the do-not-call list, and by the calling rules; they are right all the same."""
    api = make_api(CALLING_RULES="law", UNKNOWN_ZONE="hold")
    api.web.put("/api/people/+14155550101/do-not-call", json={})
    toll_free = {"to": "+18005550199"}
    found = preview(api, {"to": "+14155550101"}, toll_free, {"to": "123"})
    assert (found["valid"], list(found["errors"])) == (2, ["2"])
    assert found["blocked"] == {"0": "The number is on the do-not-call list."}
    assert "1" in found["held"]
