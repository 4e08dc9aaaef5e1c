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
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Pacific Standard Time (Mexico)", "America/Tijuana"),
        ("Mountain", "America/Denver"),
        ("ET", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Central European Summer Time", "Europe/Berlin"),
        ("India Standard Time", "Asia/Calcutta"),
        ("Atlantic Time", "America/Halifax"),
        ("Tokyo Standard Time", "Asia/Tokyo"),
        ("+02:00", "Etc/GMT-2"),
        ("Europe/Berlyn", "Europe/Berlin"),
        ("America/NewYork", "America/New_York"),
    ],
)
def test_a_slip_gets_what_was_meant(name: str, meant: str) -> None:
    """An abbreviation stands for several places, and is refused like any other slip."""
    assert not is_zone(name)
    assert meant in near(name)


@pytest.mark.parametrize("name", ["Mumbai", "Washington", "Brasilia Time", "UTC+05:30"])
def test_a_name_that_is_like_none_gets_no_hint(name: str) -> None:
    """A place on another continent would mislead."""
    assert not set(near(name)) - {"America/Sao_Paulo"}


@pytest.mark.parametrize("name", ["", "W-SU", "localtime", "Factory", "../etc/passwd", "x" * 9_999])
def test_what_is_no_place_is_refused(name: str) -> None:
    """Whatever it is like."""
    assert not is_zone(name)
    assert len(near(name)) <= 3
