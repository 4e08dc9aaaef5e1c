"""Phone numbers: one spelling for each, and which are called at all. No I/O.

Decided from the metadata of phonenumbers. Twilio lists a call under its own spelling of the
number: two spellings told apart here would be two people to us, and one phone that rings twice.

Anyone who obtains an API key could run up charges on premium-rate numbers. Refusing those is off
unless it is set: the numbers of documentation and tests belong to nobody and would be refused too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from vomind_queue.calls.call import Call

#: North America, where every number has ten digits and nothing is left out or put in.
_NORTH_AMERICA = re.compile(r"\+1[2-9][0-9]{9}")

#: No code of a country is longer than three digits.
_ZERO_BEHIND_CODE = re.compile(r"\+[1-9][0-9]{0,2}0")
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
        read = _read(number)
        if read is None:
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


def canonical(number: str) -> str:
    """Return the one spelling of a number; one that cannot be is returned as it is."""
    if _NORTH_AMERICA.fullmatch(number):
        return number
    read = _read(number)
    return number if read is None else _spelling(number, read)


def is_possible(number: str) -> bool:
    """Return whether a country has numbers of that length."""
    if _NORTH_AMERICA.fullmatch(number):
        return True
    read = _read(number)
    return read is not None and _is_possible(read)


def has_trunk_zero(number: str) -> bool:
    """Return whether the 0 that is dialed within a country was left in behind its code."""
    if _NORTH_AMERICA.fullmatch(number) or not _ZERO_BEHIND_CODE.match(number):
        return False
    read = _read(number)
    if read is None:
        return False
    code = read.country_code or 0
    if not number.startswith(f"+{code}0"):
        return False
    if not _spelling(number, read).startswith(f"+{code}0"):
        return True
    region = phonenumbers.region_code_for_country_code(code)
    is_trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) == "0"
    return is_trunk and not phonenumbers.is_valid_number(read)


def _read(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number)
    except NumberParseException:
        return None


def _spelling(number: str, read: phonenumbers.PhoneNumber) -> str:
    if not _is_possible(read):
        return number
    return phonenumbers.format_number(read, PhoneNumberFormat.E164)


def _is_possible(read: phonenumbers.PhoneNumber) -> bool:
    return bool(phonenumbers.is_possible_number_with_reason(read) == ValidationResult.IS_POSSIBLE)
