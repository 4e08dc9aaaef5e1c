"""Which phone numbers are called at all. No I/O.

Anyone who obtains an API key could run up charges on premium-rate numbers. Refusing those is off
unless it is set: the numbers of documentation and tests belong to nobody and would be refused too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

from vomind_queue.calls.call import Call
from vomind_queue.calls.phone_number import PhoneNumber

#: Kinds that cost the caller more than a plain call.
_DEAR = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER}
)
#: Codes of no country that are dear throughout: satellites (870, 881), international networks
#: (882, 883) and the international premium rate (979), by ITU-T E.164.
_DEAR_CODES = frozenset({870, 881, 882, 883, 979})
#: The least that can be a number, its + included, characters.
_SHORTEST = 8


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
