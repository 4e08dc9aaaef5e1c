"""How often a person may be called."""

from __future__ import annotations

import pytest

from vomind_queue.rules.caps import Cap, Event, History, InvalidCap, parse

HOUR = 3_600_000
DAY = 24 * HOUR


def test_caps_are_written_as_they_are_read() -> None:
    """A day as 24 hours, in any unit that fits."""
    caps = parse("3/24h, 4/30d,1/90m")
    assert caps == (Cap(3, DAY), Cap(4, 30 * DAY), Cap(1, 90 * 60_000))
    assert [str(cap) for cap in caps] == ["3/24h", "4/30d", "1/90m"]
    assert str(*parse("7/1d")) == "7/24h"
    assert parse("") == ()


def test_a_pause_is_a_cap_that_one_event_fills() -> None:
    """From a conversation or a refusal on, whatever was before."""
    caps = parse("7d after a conversation, 61d after a refusal,90m after a refusal")
    assert [str(cap) for cap in caps] == [
        "7d after a conversation",
        "61d after a refusal",
        "90m after a refusal",
    ]
    assert (caps[0].most, caps[0].event) == (1, Event.CONVERSATION)
    assert caps[0].free_at([1, 5]) == 5 + 7 * DAY
    assert History(refusals=[3]).of(caps[1].event) == [3]


@pytest.mark.parametrize(
    "text",
    [
        "3",
        "0/1d",
        "101/1d",
        "3/31d",
        "3/0h",
        "3/24",
        "3/24h,",
        "-1/1d",
        "91d after a refusal",
        "1d after a start",
    ],
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
