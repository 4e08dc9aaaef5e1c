"""Names of time zones as people write them."""

from __future__ import annotations

import pytest

from vomind_queue.recurring.time_zones import is_zone, near


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5", "Japan"]
)
def test_places_are_zones(name: str) -> None:
    """Everything in the data base that names a place."""
    assert is_zone(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("EST", "America/New_York"),
        ("est", "America/New_York"),
        ("CET", "Europe/Berlin"),
        ("GMT", "UTC"),
        ("UTC+2", "Etc/GMT-2"),
        ("gmt-05:00", "Etc/GMT+5"),
        ("PRC", "Asia/Shanghai"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Pacific Time", "America/Los_Angeles"),
        ("US Eastern Standard Time", "America/New_York"),
        ("Europe/Berlyn", "Europe/Berlin"),
        ("America/NewYork", "America/New_York"),
    ],
)
def test_a_slip_gets_what_was_meant(name: str, meant: str) -> None:
    """An abbreviation stands for several places, and is refused like any other slip."""
    assert not is_zone(name)
    assert meant in near(name)


@pytest.mark.parametrize("name", ["", "W-SU", "localtime", "Factory", "../etc/passwd", "x" * 9_999])
def test_what_is_no_place_is_refused(name: str) -> None:
    """Whatever it is like."""
    assert not is_zone(name)
    assert len(near(name)) <= 3
