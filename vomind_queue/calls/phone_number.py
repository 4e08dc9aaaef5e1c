"""A phone number as it was given, and the one spelling that it has. No I/O.

Decided from the metadata of phonenumbers. Twilio lists a call under its own spelling of the
number: two spellings told apart here would be two people to us, and one phone that rings twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

#: North America, where every number has ten digits and nothing is left out or put in.
_NORTH_AMERICA = re.compile(r"\+1[2-9][0-9]{9}")
#: No code of a country is longer than three digits.
_ZERO_BEHIND_CODE = re.compile(r"\+[1-9][0-9]{0,2}0")
#: What people put behind the code of a country, and no country's number has there: the 0, 01, 06,
#: 8 or 1 that is dialed within one, and Mexico's and Argentina's digit for mobile phones.
_PUT_IN = ("0", "01", "06", "8", "1", "9")


class PhoneNumber:
    """``+`` and digits. Parsing takes 40 microseconds, so each property is worked out once."""

    def __init__(self, given: str) -> None:
        self.given = given

    @cached_property
    def parsed(self) -> phonenumbers.PhoneNumber | None:
        """What phonenumbers makes of it; ``None`` where no country has such a code."""
        try:
            return phonenumbers.parse(self.given)
        except NumberParseException:
            return None

    @cached_property
    def is_possible(self) -> bool:
        """Whether a country has numbers of that length."""
        if self._is_north_american:
            return True
        if self.parsed is None:
            return False
        reason = phonenumbers.is_possible_number_with_reason(self.parsed)
        return bool(reason == ValidationResult.IS_POSSIBLE)

    @cached_property
    def spelling(self) -> str:
        """Its one spelling; that of a number that cannot be is the one that was given."""
        if self._is_north_american or self.parsed is None or not self.is_possible:
            return self.given
        return phonenumbers.format_number(self.parsed, PhoneNumberFormat.E164)

    @property
    def has_trunk_zero(self) -> bool:
        """Whether the 0 that is dialed within a country was left in behind its code."""
        if self._is_north_american or not _ZERO_BEHIND_CODE.match(self.given):
            return False
        if self.parsed is None:
            return False
        code = self.parsed.country_code or 0
        if not self.given.startswith(f"+{code}0"):
            return False
        if not self.spelling.startswith(f"+{code}0"):
            return True
        region = phonenumbers.region_code_for_country_code(code)
        is_trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) == "0"
        return is_trunk and not phonenumbers.is_valid_number(self.parsed)

    @property
    def other_spellings(self) -> Sequence[str]:
        """Return others that mean the same and that older versions stored as they came."""
        if self.parsed is None:
            return []
        code = f"+{self.parsed.country_code}"
        behind = self.spelling.removeprefix(code)
        guesses = (code + put_in + behind for put_in in _PUT_IN)
        return [guess for guess in guesses if canonical(guess) == self.spelling]

    @property
    def _is_north_american(self) -> bool:
        return bool(_NORTH_AMERICA.fullmatch(self.given))


def canonical(number: str) -> str:
    """Return the canonical spelling of a number; return an impossible number unchanged."""
    return PhoneNumber(number).spelling
