"""Which numbers are called, as a table."""

from __future__ import annotations

import pytest

from vomind_queue.calls.call import Call
from vomind_queue.calls.phone_number import NumberPolicy

#: Of documentation and tests: nobody's.
EXAMPLE = "+1234567890"
GERMAN = "+4930123456"
GERMAN_PREMIUM = "+499001234567"
BRITISH_PREMIUM = "+449012345678"
AMERICAN = "+12015550123"
SATELLITE = "+881612345678"
INTERNATIONAL_PREMIUM = "+979123456789"


@pytest.mark.parametrize(
    ("countries", "premium", "number", "called"),
    [
        ("", True, EXAMPLE, True),
        ("", True, GERMAN_PREMIUM, True),
        ("", False, EXAMPLE, True),
        ("", False, GERMAN, True),
        ("", False, GERMAN_PREMIUM, False),
        ("", False, BRITISH_PREMIUM, False),
        ("", False, SATELLITE, False),
        ("", False, INTERNATIONAL_PREMIUM, False),
        ("DE", True, GERMAN, True),
        ("DE", True, AMERICAN, False),
        ("DE US", True, AMERICAN, True),
        ("DE", True, EXAMPLE, False),
        ("DE", True, SATELLITE, False),
        ("DE", True, "+9991234567", False),
        ("DE", True, GERMAN_PREMIUM, True),
        ("DE", False, GERMAN_PREMIUM, False),
        # Digits behind a whole number are passed over on the way, and ring it.
        ("DE", False, GERMAN_PREMIUM + "89", False),
        ("", False, BRITISH_PREMIUM + "000", False),
        ("", False, AMERICAN + "000", True),
        ("", False, "+9991234567", True),
    ],
)
def test_numbers(countries: str, premium: bool, number: str, called: bool) -> None:
    """Nothing is refused unless it was asked for."""
    policy = NumberPolicy(countries=frozenset(countries.split()), premium=premium)
    objections = policy.objections([Call(to=GERMAN), Call(to=number)])
    assert (1 not in objections) is called
    assert 0 not in objections
    assert number not in str(objections)
