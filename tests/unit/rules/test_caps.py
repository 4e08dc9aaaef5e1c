"""How often a person may be called."""

from __future__ import annotations

import pytest

from vomind_queue.rules.caps import Cap, InvalidCap, parse

HOUR = 3_600_000
DAY = 24 * HOUR


def test_caps_are_written_as_they_are_read() -> None:
    """A day as 24 hours, in any unit that fits."""
    caps = parse("3/24h, 4/30d,1/90m")
    assert caps == (Cap(3, DAY), Cap(4, 30 * DAY), Cap(1, 90 * 60_000))
    assert [str(cap) for cap in caps] == ["3/24h", "4/30d", "1/90m"]
    assert str(*parse("7/1d")) == "7/24h"
    assert parse("") == ()


@pytest.mark.parametrize(
    "text", ["3", "0/1d", "101/1d", "3/31d", "3/0h", "3/24", "3/24h,", "-1/1d"]
)
def test_what_is_no_cap_is_refused(text: str) -> None:
    """Nothing that would never hold, and nothing longer than starts are kept."""
    with pytest.raises(InvalidCap):
        parse(text)


def test_there_is_room_once_the_oldest_start_has_left_the_window() -> None:
    """At that very instant, and not before."""
    cap = Cap(3, DAY)
    assert cap.free_at([1, 2]) is None
    assert cap.free_at([1, 2, 3]) == 1 + DAY
    assert cap.free_at([1, 2, 3, 4]) == 2 + DAY
