"""Phone numbers as numbers: one spelling for each, decided from the metadata of phonenumbers.

Twilio lists a call under its own spelling of the number. Two spellings of one number that were
told apart here would be two people to us, and one phone that rings twice.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

#: North America, where every number has ten digits and nothing is left out or put in.
_NORTH_AMERICA = re.compile(r"\+1[2-9][0-9]{9}")

#: No code of a country is longer than three digits.
_ZERO_BEHIND_CODE = re.compile(r"\+[1-9][0-9]{0,2}0")


def canonical(number: str) -> str:
    """Return the one spelling of a number; one that cannot be is returned as it is."""
    if _NORTH_AMERICA.fullmatch(number):
        return number
    read = _read(number)
    if read is None or not _is_possible(read):
        return number
    return phonenumbers.format_number(read, PhoneNumberFormat.E164)


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
    if not canonical(number).startswith(f"+{code}0"):
        return True
    region = phonenumbers.region_code_for_country_code(code)
    is_trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) == "0"
    return is_trunk and not phonenumbers.is_valid_number(read)


def _read(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number)
    except NumberParseException:
        return None


def _is_possible(read: phonenumbers.PhoneNumber) -> bool:
    return bool(phonenumbers.is_possible_number_with_reason(read) == ValidationResult.IS_POSSIBLE)
