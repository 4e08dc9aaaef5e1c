"""Numbers that cost more than a call should: decided from the metadata of phonenumbers, no I/O.

Who gets hold of a key can ring numbers that pay the one who is called. Off unless it is set: the
numbers of documentation and of tests are nobody's, and would be refused as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

from vomind_queue.calls.call import Call
from vomind_queue.calls.phone_numbers import has_trunk_zero, is_possible

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
        found = ((index, self._objection(call)) for index, call in enumerate(calls))
        return {index: {"to": [text]} for index, text in found if text}

    def _objection(self, call: Call) -> str:
        number = call.to_given or call.to
        if has_trunk_zero(number):
            return "Must be written without the 0 after the code of the country."
        if not self.impossible and not is_possible(number):
            return "Must be a possible number: as many digits as its country has."
        if self.premium and not self.countries:
            return ""
        return self._objection_to(call.to)

    def _objection_to(self, number: str) -> str:
        try:
            read = phonenumbers.parse(number)
        except phonenumbers.NumberParseException:
            return "No country has numbers like this one." if self.countries else ""
        if self.countries:
            country = phonenumbers.region_code_for_number(read)
            if country not in self.countries:
                named = country if country and country != "001" else "that country"
                return f"This service does not call {named}; its operator allows others only."
        if not self.premium and _is_dear(number, read):
            return "This service does not call premium-rate numbers."
        return ""


def _is_dear(number: str, read: phonenumbers.PhoneNumber) -> bool:
    if read.country_code in _DEAR_CODES:
        return True
    kind = phonenumbers.number_type(read)
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
