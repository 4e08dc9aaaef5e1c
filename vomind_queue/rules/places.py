"""Where the person behind a number may be: all candidates, never one guess.

The zones are those of phonenumbers, with one change. Within North America its default for an area
code is wrong for whole counties, so each number there has every zone found anywhere in its area
code and in the codes that overlay it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from vomind_queue.rules.numbering import Numbered, of_parsed, of_plain

#: The code of the countries that share area codes.
_NANP = 1
_AREA_DIGITS = 3
#: A number there as it is stored, whose area code is read without the parser, which takes longer
#: than all else.
_WITH_AREA = re.compile(r"\+1([2-9][0-9]{2})[0-9]{7}")
#: Answers that are kept; a few hundred are in use.
_KEPT = 4_096
#: Zones of phonenumbers that go by another name today.
_RENAMED = {"Asia/Calcutta": "Asia/Kolkata"}
_UNKNOWN_ZONE = "Etc/Unknown"
#: Countries whose own zone phonenumbers leaves out, though it has others of the same time.
_OWN_ZONE = {"IE": "Europe/Dublin"}
#: Numbers that belong to a place, and those that belong to a country as a whole.
_OF_A_PLACE = frozenset({PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_OF_A_COUNTRY = frozenset(
    {PhoneNumberType.MOBILE, PhoneNumberType.VOIP, PhoneNumberType.PERSONAL_NUMBER}
)


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A candidate: whose law may hold, and what the clock may show."""

    #: ISO 3166-1 or 3166-2, such as ``DE`` or ``US-FL``.
    region: str
    #: IANA name.
    zone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """All places where a person may be."""

    #: Sorted; empty where nothing is known.
    places: tuple[Place, ...]
    #: Whether the number itself tells where it is. If not, the places are the strictest guess.
    known: bool


def places_of(number: str, *, zone: str | None = None, region: str | None = None) -> Places:
    """Return the candidates of a number in E.164.

    A zone that the caller gives replaces the number's zones. A region is added to the number's:
    several laws presume the residence from the area code, whatever an address says.
    """
    regions, zones, known = _of_number(number)
    if region:
        regions = regions | {region}
        zones = zones | _zones_of_region(region)
        known = known or bool(_zones_of_region(region))
    if zone:
        zones, known = frozenset({zone}), True
    if known and not regions and zone:
        # A toll-free number with a zone: no law is known, the courtesy hours still hold.
        regions = frozenset({""})
    return _places(regions, zones, known)


@lru_cache(maxsize=_KEPT)
def _places(regions: frozenset[str], zones: frozenset[str], known: bool) -> Places:
    return Places(
        places=tuple(sorted(Place(where, clock) for where in regions for clock in zones)),
        known=known,
    )


def is_region(code: str) -> bool:
    """Return whether a code is a country's, or a state's or province's with area codes."""
    return code in phonenumbers.SUPPORTED_REGIONS or code in _area_codes()["regions"]


def known_area_codes() -> frozenset[str]:
    """Return all area codes of North America that have a region here."""
    return frozenset(_regions_by_area())


def _of_number(number: str) -> tuple[frozenset[str], frozenset[str], bool]:
    """Return regions, zones, and whether they are those of the number."""
    if found := _WITH_AREA.fullmatch(number):
        return _of_area(found[1])
    is_north_american = number.startswith(f"+{_NANP}")
    if not is_north_american and (plain := of_plain(number)):
        return _of_country(plain)
    try:
        read = phonenumbers.parse(number)
    except NumberParseException:
        return frozenset(), frozenset(), False
    if read.country_code == _NANP:
        area = str(read.national_number)[:_AREA_DIGITS]
        return _of_area(area if phonenumbers.is_possible_number(read) else "")
    return _of_country(of_parsed(read))


@lru_cache(maxsize=_KEPT)
def _of_area(area: str) -> tuple[frozenset[str], frozenset[str], bool]:
    regions = _regions_by_area().get(area)
    if not regions:
        return frozenset({"US"}), _zones_of_code(_NANP), False
    zones = frozenset().union(*(_zones_of_area(each) for each in _with_overlays(area)))
    if not zones:
        zones = frozenset().union(*(_zones_of_region(each) for each in regions))
    return regions, zones, True


def _of_country(number: Numbered) -> tuple[frozenset[str], frozenset[str], bool]:
    everywhere = _zones_of_code(number.code)
    region, kind = number.region, number.kind
    if region is None or kind not in _OF_A_PLACE | _OF_A_COUNTRY or not everywhere:
        main = phonenumbers.region_code_for_country_code(number.code)
        return frozenset({main} - {"ZZ", "001"}), everywhere, False
    zones = (_zones_of_place(number.digits) if kind in _OF_A_PLACE else None) or everywhere
    if region in _OWN_ZONE:
        zones = zones | {_OWN_ZONE[region]}
    return frozenset({region}), zones, True


def _zones_of_place(digits: str) -> frozenset[str]:
    """Return the zones of the longest beginning of a number that has any."""
    lengths = range(TIMEZONE_LONGEST_PREFIX, 0, -1)
    beginnings = (digits[:length] for length in lengths)
    return _zones_of_prefix(next((each for each in beginnings if each in TIMEZONE_DATA), ""))


@lru_cache(maxsize=_KEPT)
def _zones_of_prefix(prefix: str) -> frozenset[str]:
    return _plain(TIMEZONE_DATA.get(prefix, ()))


@cache
def _zones_of_code(code: int) -> frozenset[str]:
    """Return every zone of a country code; empty where phonenumbers has none."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    prefixes = [key for key in TIMEZONE_DATA if key.startswith(str(code))]
    # No code is another one's beginning, so that a prefix of the digits is one of the code.
    own = prefixes if code in regions else []
    return _plain(zone for prefix in own for zone in TIMEZONE_DATA[prefix])


@cache
def _zones_by_area() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith(str(_NANP)) and len(prefix) > _AREA_DIGITS:
            found[prefix[1 : _AREA_DIGITS + 1]] |= _plain(zones)
    return {area: frozenset(zones) for area, zones in found.items()}


def _zones_of_area(area: str) -> frozenset[str]:
    return _zones_by_area().get(area, frozenset())


@cache
def _zones_of_region(region: str) -> frozenset[str]:
    """Return every zone of a state, province or country; empty where none is known."""
    areas = [
        area
        for each, areas in _area_codes()["regions"].items()
        if each == region or each.startswith(f"{region}-")
        for area in areas.split()
    ]
    if areas:
        return frozenset().union(*map(_zones_of_area, areas))
    code = phonenumbers.country_code_for_region(region)
    return _zones_of_code(code) if code and code != _NANP else frozenset()


@cache
def _regions_by_area() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for region, areas in _area_codes()["regions"].items():
        for area in areas.split():
            found[area].add(region)
    return {area: frozenset(regions) for area, regions in found.items()}


def _with_overlays(area: str) -> frozenset[str]:
    """Return an area code with those that are given out in the same area."""
    complexes = (frozenset(each.split()) for each in _area_codes()["overlays"])
    return frozenset({area}).union(*(each for each in complexes if area in each))


@cache
def _area_codes() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("data/area_codes.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _plain(zones: Iterable[str]) -> frozenset[str]:
    return frozenset(_RENAMED.get(zone, zone) for zone in zones if zone != _UNKNOWN_ZONE)
