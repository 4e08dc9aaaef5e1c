"""A phone number as it was given, the one spelling that it has, and whether it is called. No I/O.

Decided from the metadata of phonenumbers. Twilio lists a call under its own spelling of the
number: two spellings told apart here would be two people to us, and one phone that rings twice.

Anyone who obtains an API key could run up charges on premium-rate numbers. Refusing those is off
unless it is set: the numbers of documentation and tests belong to nobody and would be refused too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

if TYPE_CHECKING:
    from vomind_queue.calls.call import Call

#: North America, where every number has ten digits and nothing is left out or put in.
_NORTH_AMERICA = re.compile(r"\+1[2-9][0-9]{9}")
#: No code of a country is longer than three digits.
_ZERO_BEHIND_CODE = re.compile(r"\+[1-9][0-9]{0,2}0")
#: What people put behind the code of a country, and no country's number has there: the 0, 01, 06,
#: 8 or 1 that is dialed within one, and Mexico's and Argentina's digit for mobile phones.
_PUT_IN = ("0", "01", "06", "8", "1", "9")

#: Kinds that cost the caller more than a plain call.
_DEAR = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER}
)
#: Codes of no country that are dear throughout: satellites (870, 881), international networks
#: (882, 883) and the international premium rate (979), by ITU-T E.164.
_DEAR_CODES = frozenset({870, 881, 882, 883, 979})
#: The least that can be a number, its + included, characters.
_SHORTEST = 8


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


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberPolicy:
    """Which numbers are called at all."""

    #: Two-letter codes of countries (ISO 3166); empty: all.
    countries: frozenset[str]
    #: Whether numbers that cost more are called, too.
    premium: bool
    #: Whether numbers are accepted whose length no country has: those of documentation and tests.
    impossible: bool = True

    def objections(self, calls: Iterable[Call]) -> Mapping[int, dict[str, list[str]]]:
        """Errors of the calls whose number is not called, by index."""
        found = ((index, self._objection(_number(call))) for index, call in enumerate(calls))
        return {index: {"to": [text]} for index, text in found if text}

    def _objection(self, number: PhoneNumber) -> str:
        if number.has_trunk_zero:
            return "Must be written without the 0 after the code of the country."
        if not self.impossible and not number.is_possible:
            return "Must be a possible number: as many digits as its country has."
        if self.premium and not self.countries:
            return ""
        return self._objection_to(number)

    def _objection_to(self, number: PhoneNumber) -> str:
        parsed = number.parsed
        if parsed is None:
            return "No country has numbers like this one." if self.countries else ""
        if self.countries:
            country = phonenumbers.region_code_for_number(parsed)
            if country not in self.countries:
                named = country if country and country != "001" else "that country"
                return f"This service does not call {named}; its operator allows others only."
        if not self.premium and _is_dear(number.spelling, parsed):
            return "This service does not call premium-rate numbers."
        return ""


def _number(call: Call) -> PhoneNumber:
    """Return a call's number as it was read when the call came in."""
    return call.number or PhoneNumber(call.to_given or call.to)


def _is_dear(number: str, parsed: phonenumbers.PhoneNumber) -> bool:
    if parsed.country_code in _DEAR_CODES:
        return True
    kind = phonenumbers.number_type(parsed)
    if kind != PhoneNumberType.UNKNOWN:
        return kind in _DEAR
    # No number at all, perhaps for its length: exchanges connect as soon as they have enough
    # digits, and pass over those behind.
    return any(
        phonenumbers.number_type(phonenumbers.parse(number[:end])) in _DEAR
        for end in range(_SHORTEST, len(number))
    )


def is_country(code: str) -> bool:
    """Return whether there are numbers of that country."""
    return code in phonenumbers.SUPPORTED_REGIONS
