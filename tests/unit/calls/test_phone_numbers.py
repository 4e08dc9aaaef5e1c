"""One spelling for each number, and which ones are refused."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from vomind_queue.api.schemas.call_log import NUMBER
from vomind_queue.api.schemas.calls import CALL, CHANGE
from vomind_queue.calls.call import Call, mask_number
from vomind_queue.calls.phone_number import NumberPolicy, PhoneNumber, canonical
from vomind_queue.config.settings import Settings

TRUNK = ["+4402079460123", "+49030123456", "+330123456789", "+610412345678", "+4401234"]
#: The examples of the original document.
EXAMPLES = ["+1234567890", "+0987654321", "+1111111111"]
ACCOUNT = {
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "x",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}


def refused(number: str, *, impossible: bool) -> bool:
    """Whether a call to this number is refused."""
    policy = NumberPolicy(countries=frozenset(), premium=True, impossible=impossible)
    return bool(policy.objections([CALL.load({"to": number}).call]))


@pytest.mark.parametrize("number", TRUNK)
def test_a_trunk_zero_is_refused_whatever_the_setting(number: str) -> None:
    """Twilio would list the call without it, where nobody looks."""
    assert PhoneNumber(number).has_trunk_zero
    assert refused(number, impossible=True)
    assert refused(number, impossible=False)


@pytest.mark.parametrize(
    "number", ["+15005550001", "+390612345678", "+2250701234567", "+4930123456", "+10"]
)
def test_a_zero_that_belongs_to_the_number_is_none(number: str) -> None:
    """Italy and Ivory Coast have numbers that begin with it."""
    assert not PhoneNumber(number).has_trunk_zero
    assert canonical(number) == number


@pytest.mark.parametrize("number", [*EXAMPLES, "+1234567", "+123456789012345"])
def test_an_impossible_number_is_refused_where_it_could_ring_people(number: str) -> None:
    """Those of documentation and tests stay accepted under the simulator, as they stand."""
    assert not PhoneNumber(number).is_possible
    assert canonical(number) == number
    assert not refused(number, impossible=True)
    assert refused(number, impossible=False)


def test_a_number_that_came_in_another_spelling_keeps_it() -> None:
    """The one spelling is dialed and shown; a change of the message keeps both."""
    call = CALL.load({"to": "+550211198765432"}).call
    assert (call.to, call.to_given) == ("+551198765432", "+550211198765432")
    assert Call.from_data(call.as_data()) == call
    assert CHANGE.merged(call, {"message": "Hi"}).call.to_given == call.to_given
    assert CHANGE.merged(call, {"to": "+15005550001"}).call.to_given is None
    assert NUMBER.read("+550211198765432") == call.to


@pytest.mark.parametrize("mark", ["\u202a", "\u200b", "\u00a0", "\ufeff", "\u2069"])
def test_an_invisible_character_is_named(mark: str) -> None:
    """Nobody sees what is wrong with the number."""
    for number in (f"{mark}+15005550001", f"+15005550001{mark}", f"+1500{mark}5550001"):
        with pytest.raises(ValidationError, match=f"U\\+{ord(mark):04X}"):
            CALL.load({"to": number})


@pytest.mark.parametrize(
    ("settings", "accepts"),
    [
        ({}, True),
        ({**ACCOUNT, "TWILIO_API_BASE": "http://127.0.0.1:3001"}, True),
        ({**ACCOUNT, "TWILIO_API_BASE": "http://localhost:3001"}, True),
        (ACCOUNT, False),
        ({**ACCOUNT, "TWILIO_API_BASE": "https://api.dublin.ie1.twilio.com"}, False),
        ({**ACCOUNT, "ACCEPT_IMPOSSIBLE_NUMBERS": "1"}, True),
        ({"ACCEPT_IMPOSSIBLE_NUMBERS": "0"}, False),
    ],
)
def test_a_real_account_refuses_impossible_numbers(settings: dict[str, str], accepts: bool) -> None:
    """Unless the operator says otherwise."""
    assert Settings.from_env(settings).accepts_impossible_numbers is accepts


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+1234567890", "+1******7890"),
        ("+491234567890", "+49******7890"),
        ("+353123456789", "+353******6789"),
        ("0301234567", "******4567"),
        ("+12345", "******"),
    ],
)
def test_a_mask_keeps_the_country(number: str, shown: str) -> None:
    """Germany, Austria and Britain are told apart; a number without a code has none to keep."""
    assert mask_number(number) == shown
