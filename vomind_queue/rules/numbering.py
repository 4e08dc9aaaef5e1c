"""Country, region and type of a phone number.

phonenumbers tells them in a quarter of a millisecond, most of which it takes to find its patterns.
A list has 100,000 numbers: those in plain E.164 are matched here, with the same patterns in the
order of `phonenumbers.number_type`. All others are for its parser, as are those whose digits it
might change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberDesc, PhoneNumberType

_E164 = re.compile(r"\+([1-9][0-9]{4,14})")
_LONGEST_CODE = 3
#: The region of numbers that belong to no country.
_NO_COUNTRY = "001"
#: Answers something true where a number is as it says.
_Fits = Callable[[str], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbered:
    """What a number says of itself."""

    #: Country code.
    code: int
    #: All digits, the country code first.
    digits: str
    region: str | None
    #: As in `phonenumbers.PhoneNumberType`.
    kind: int


def of_parsed(number: PhoneNumber) -> Numbered:
    """Return what phonenumbers says of a number."""
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Numbered(
        code=number.country_code or 0,
        digits=text.removeprefix("+"),
        region=phonenumbers.region_code_for_number(number),
        kind=phonenumbers.number_type(number),
    )


def of_plain(number: str) -> Numbered | None:
    """Return the same for a number in E.164; ``None`` where the parser has to decide."""
    found = _E164.fullmatch(number)
    country = _country_of(found[1]) if found else None
    if found is None or country is None:
        return None
    national = found[1][len(str(country.code)) :]
    region, kind = country.read(national)
    if kind == PhoneNumberType.UNKNOWN or country.is_changed(national):
        return None
    return Numbered(code=country.code, digits=found[1], region=region, kind=kind)


class _Region:
    """A region, with the patterns of its numbers."""

    def __init__(self, name: str, metadata: PhoneMetadata) -> None:
        self.name = name
        leading = metadata.leading_digits
        self._leading = re.compile(leading).match if leading else None
        self._are_numbers = _pattern(metadata.general_desc)
        self._kinds = list(_kinds(metadata))
        self._are_fixed = _pattern(metadata.fixed_line)
        self._are_mobile = _pattern(metadata.mobile)
        self._is_one_pattern = metadata.same_mobile_and_fixed_line_pattern

    def read(self, national: str) -> int | None:
        """Return the type of a number; ``None`` if it is another region's."""
        kind = self._kind_of(national)
        if self._leading:
            return kind if self._leading(national) else None
        return None if kind == PhoneNumberType.UNKNOWN else kind

    def _kind_of(self, national: str) -> int:
        if not self._are_numbers(national):
            return PhoneNumberType.UNKNOWN
        for kind, are_such in self._kinds:
            if are_such(national):
                return kind
        is_mobile = self._is_one_pattern or self._are_mobile(national)
        if self._are_fixed(national):
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if is_mobile else PhoneNumberType.FIXED_LINE
        is_only_mobile = is_mobile and not self._is_one_pattern
        return PhoneNumberType.MOBILE if is_only_mobile else PhoneNumberType.UNKNOWN


class _Country:
    """The regions that share a country code."""

    def __init__(self, code: int, regions: Sequence[_Region], national_prefix: str | None) -> None:
        self.code = code
        self._regions = regions
        self._prefix = re.compile(national_prefix).match if national_prefix else None

    def is_changed(self, national: str) -> bool:
        """Return whether the parser might take digits of a number for a prefix of calls at home."""
        found = self._prefix(national) if self._prefix else None
        return bool(found and found[0])

    def read(self, national: str) -> tuple[str, int]:
        """Return region and type of a number."""
        for region in self._regions:
            kind = region.read(national)
            if kind is not None:
                return region.name, kind
        return "", PhoneNumberType.UNKNOWN


def _country_of(digits: str) -> _Country | None:
    # No code is another one's beginning.
    found = (_country(int(digits[:length])) for length in range(1, _LONGEST_CODE + 1))
    return next(filter(None, found), None)


@cache
def _country(code: int) -> _Country | None:
    names = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, (_NO_COUNTRY,))
    known = [(name, PhoneMetadata.metadata_for_region(name)) for name in names]
    regions = [_Region(name, metadata) for name, metadata in known if metadata]
    if len(regions) < len(names):
        return None
    main = known[0][1]
    return _Country(code, regions, main.national_prefix_for_parsing if main else None)


def _kinds(metadata: PhoneMetadata) -> Iterator[tuple[int, _Fits]]:
    """Yield the types of numbers but for the usual ones, the first to be tried first."""
    kinds = PhoneNumberType
    for kind, description in (
        (kinds.PREMIUM_RATE, metadata.premium_rate),
        (kinds.TOLL_FREE, metadata.toll_free),
        (kinds.SHARED_COST, metadata.shared_cost),
        (kinds.VOIP, metadata.voip),
        (kinds.PERSONAL_NUMBER, metadata.personal_number),
        (kinds.PAGER, metadata.pager),
        (kinds.UAN, metadata.uan),
        (kinds.VOICEMAIL, metadata.voicemail),
    ):
        if description:
            yield kind, _pattern(description)


def _pattern(description: PhoneNumberDesc | None) -> _Fits:
    """Return what says whether a number is as described; none is without a pattern."""
    if not (description and description.national_number_pattern):
        return lambda _: None
    # Lengths that are not named are those of all numbers.
    found = re.compile(description.national_number_pattern).fullmatch
    lengths = frozenset(description.possible_length)
    if not lengths:
        return found
    return lambda national: len(national) in lengths and found(national)
