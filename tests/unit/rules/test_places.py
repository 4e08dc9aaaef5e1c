"""Where the person behind a number may be."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from vomind_queue.rules.places import Place, Places, is_region, known_area_codes, places_of


def zones(found: Places) -> set[str]:
    """The time zones among the places."""
    return {place.zone for place in found.places}


def regions(found: Places) -> set[str]:
    """The regions among them."""
    return {place.region for place in found.places}


def test_every_area_code_that_phonenumbers_knows_has_a_region() -> None:
    """A new release brings new ones: each needs its line in the table."""
    found = {key[1:4] for key in TIMEZONE_DATA if key.startswith("1") and len(key) > 3}
    assert found <= known_area_codes()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+18125550100", {"America/Chicago", "America/New_York"}),
        # No prefix of the overlay is listed; its people are those of 812.
        ("+19305550100", {"America/Chicago", "America/New_York"}),
        ("+12195550100", {"America/Chicago", "America/New_York"}),
        ("+13645550100", {"America/Chicago", "America/New_York"}),
        ("+14485550100", {"America/Chicago", "America/New_York"}),
        ("+14235550100", {"America/Chicago", "America/New_York"}),
        ("+16725550100", {"America/Edmonton", "America/Vancouver"}),
        ("+14715550100", {"America/Chicago"}),
        ("+12425550100", {"America/Nassau"}),
        ("+16845550100", {"Pacific/Pago_Pago"}),
        ("+914023456789", {"Asia/Kolkata"}),
        ("+498912345678", {"Europe/Berlin"}),
    ],
)
def test_a_number_has_every_zone_of_its_area(number: str, expected: set[str]) -> None:
    """Overlays have the zones of the codes that they lie over."""
    found = places_of(number)
    assert found.known
    assert zones(found) == expected


def test_a_mobile_may_be_anywhere_in_its_country() -> None:
    """phonenumbers has Jakarta alone for Indonesia's."""
    assert zones(places_of("+6281234567890")) == {
        "Asia/Jakarta",
        "Asia/Makassar",
        "Asia/Jayapura",
    }
    assert {"Australia/Perth", "Australia/Lord_Howe"} <= zones(places_of("+61412345678"))
    assert "Europe/Dublin" in zones(places_of("+353861234567"))


@pytest.mark.parametrize(
    "number", ["+18005550100", "+1234567890", "+8816123456", "+19005550100", "+44800123456"]
)
def test_a_number_of_no_place_is_not_known(number: str) -> None:
    """Toll-free numbers, impossible ones, satellites."""
    assert not places_of(number).known


def test_a_zone_replaces_and_a_region_is_added() -> None:
    """The law of the area code is presumed, whatever an address says."""
    found = places_of("+18125550100", zone="America/Indiana/Indianapolis", region="US-FL")
    assert zones(found) == {"America/Indiana/Indianapolis"}
    assert regions(found) == {"US-IN", "US-FL"}
    moved = places_of("+12125550100", region="US-CA")
    assert Place("US-CA", "America/Los_Angeles") in moved.places
    assert Place("US-NY", "America/New_York") in moved.places


def test_a_zone_makes_a_number_of_no_place_known() -> None:
    """So that it may ring at all."""
    for number in ("+18005550100", "+8816123456"):
        found = places_of(number, zone="America/Chicago")
        assert found.known
        assert zones(found) == {"America/Chicago"}


def test_regions_are_countries_states_and_provinces() -> None:
    """By ISO 3166."""
    assert all(map(is_region, ("DE", "US", "US-FL", "CA-QC")))
    assert not any(map(is_region, ("XX", "US-XX", "us-fl", "")))


def test_an_area_code_is_read_as_the_parser_reads_it() -> None:
    """Every code that there may be: the number in another spelling goes through the parser."""
    for area in range(200, 1000):
        assert places_of(f"+1{area}5550100") == places_of(f"+1 {area} 555 0100"), area


def test_a_plain_number_is_read_as_the_parser_reads_it() -> None:
    """An example of each type of each country, and one like it; spaces need the parser."""
    rng = random.Random(7)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in phonenumbers.PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            plain = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            at = rng.randrange(4, len(plain))
            for number in (plain, plain[:at] + rng.choice("0123456789") + plain[at + 1 :]):
                assert places_of(number) == places_of(f"{number[:2]} {number[2:]}"), number
