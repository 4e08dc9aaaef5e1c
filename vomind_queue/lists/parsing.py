"""What libphonenumber says of digits."""

from __future__ import annotations

from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

#: Digits of the longest number that people dial within a country, and of the shortest. Some
#: countries say that more, or fewer, are possible.
_LONGEST, _SHORTEST = 11, 6
#: Digits from which on a number is taken for a whole one although it is not assigned.
_WHOLE = 8


def parse(digits: str, country: str | None = None) -> PhoneNumber | None:
    """Return the number that digits are; ``None`` where they are none.

    Some countries put the code of a carrier before a number; whether digits are one is a guess.
    """
    try:
        parsed = phonenumbers.parse(digits, country, keep_raw_input=True)
    except NumberParseException:
        return None
    return None if parsed.preferred_domestic_carrier_code else parsed


def possible(parsed: PhoneNumber | None) -> str:
    """Return the number in E.164; an empty text where its country has none of that length.

    A zero that is left behind the code, as in ``+48 (0) 512``, belongs to few countries' numbers.
    """
    if parsed is None or _reason(parsed) != ValidationResult.IS_POSSIBLE:
        return ""
    is_usual = _SHORTEST <= _length(parsed) <= _LONGEST and not parsed.italian_leading_zero
    return _spelt(parsed) if is_usual or phonenumbers.is_valid_number(parsed) else ""


def valid(parsed: PhoneNumber | None) -> str:
    """Return the number in E.164; an empty text where its country has not assigned it."""
    return _spelt(parsed) if parsed and phonenumbers.is_valid_number(parsed) else ""


def is_local(parsed: PhoneNumber | None) -> bool:
    """Return whether it lacks its area code."""
    return parsed is not None and _reason(parsed) == ValidationResult.IS_POSSIBLE_LOCAL_ONLY


def is_ordinary(number: str) -> bool:
    """Return whether a number in E.164 exists and is no longer than people's numbers are."""
    parsed = parse(number) if number else None
    return parsed is not None and _length(parsed) <= _LONGEST and bool(valid(parsed))


def is_whole(number: str) -> bool:
    """Return whether a number in E.164 is more than the beginning of one."""
    parsed = parse(number) if number else None
    return parsed is not None and (_length(parsed) >= _WHOLE or bool(valid(parsed)))


@cache
def habits(country: str) -> tuple[str, str]:
    """Return what is dialed before an area code, and the code of the country.

    North America's 1 is both; there it counts as the code.
    """
    code = str(phonenumbers.country_code_for_region(country))
    trunk = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True) or ""
    return ("" if trunk == code else trunk), code


def _reason(parsed: PhoneNumber) -> int:
    return int(phonenumbers.is_possible_number_with_reason(parsed))


def _length(parsed: PhoneNumber) -> int:
    return len(phonenumbers.national_significant_number(parsed))


def _spelt(parsed: PhoneNumber) -> str:
    return str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
