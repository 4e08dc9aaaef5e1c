"""Country, region and type of a phone number.

phonenumbers tells them in a quarter of a millisecond, most of which it takes to find its patterns.
A list has 100,000 numbers: those in plain E.164 are matched here, with the same patterns in the
order of `phonenumbers.number_type`. All others are for its parser, as are those whose digits it
might change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberDesc, PhoneNumberType

_E164 = re.compile(r"\+([1-9][0-9]{4,14})")
_LONGEST_CODE = 3
#: The region of numbers that belong to no country.
_NO_COUNTRY = "001"


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
    region = country.region_of(national)
    if region is None or country.is_changed(national):
        return None
    kind = region.kind_of(national)
    if kind == PhoneNumberType.UNKNOWN:
        return None
    return Numbered(code=country.code, digits=found[1], region=region.name, kind=kind)


class _Pattern:
    """Numbers of one kind."""

    def __init__(self, description: PhoneNumberDesc | None) -> None:
        known = description or PhoneNumberDesc()
        self._lengths = frozenset(known.possible_length)
        # One without a pattern has no numbers.
        self._fits = re.compile(known.national_number_pattern or "(?!)").fullmatch

    def __contains__(self, national: str) -> bool:
        if self._lengths and len(national) not in self._lengths:
            return False
        return self._fits(national) is not None


class _Region:
    """A region, with the patterns of its numbers."""

    def __init__(self, name: str, metadata: PhoneMetadata) -> None:
        self.name = name
        leading = metadata.leading_digits
        self._leading = re.compile(leading).match if leading else None
        self._all = _Pattern(metadata.general_desc)
        self._kinds = list(_kinds(metadata))

    def has(self, national: str) -> bool:
        """Return whether it is one of its numbers, of the regions with a country code."""
        if self._leading:
            return self._leading(national) is not None
        return self.kind_of(national) != PhoneNumberType.UNKNOWN

    def kind_of(self, national: str) -> int:
        """Return the type of a number."""
        if national in self._all:
            for kind, patterns in self._kinds:
                if all(national in each for each in patterns):
                    return kind
        return PhoneNumberType.UNKNOWN


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

    def region_of(self, national: str) -> _Region | None:
        """Return where a number belongs, if anywhere."""
        if len(self._regions) == 1:
            return self._regions[0]
        return next((each for each in self._regions if each.has(national)), None)


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


def _kinds(metadata: PhoneMetadata) -> Iterator[tuple[int, Sequence[_Pattern]]]:
    """Yield the types of numbers, and what each must match, the first one first."""
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
            yield kind, [_Pattern(description)]
    fixed, mobile = _Pattern(metadata.fixed_line), _Pattern(metadata.mobile)
    if metadata.same_mobile_and_fixed_line_pattern:
        yield kinds.FIXED_LINE_OR_MOBILE, [fixed]
        return
    yield kinds.FIXED_LINE_OR_MOBILE, [fixed, mobile]
    yield kinds.FIXED_LINE, [fixed]
    yield kinds.MOBILE, [mobile]
