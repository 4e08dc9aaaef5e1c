"""Times as clients write them and as answers show them."""

from __future__ import annotations

import pytest

from vomind_queue.api.serializers.times import in_words, parse_instant
from vomind_queue.calls.instants import iso

TEN_O_CLOCK = 1_921_399_200_000

SAME = (
    "2030-11-20T10:00:00Z",
    "2030-11-20t10:00:00z",
    "2030-11-20 10:00:00Z",
    "2030-11-20T10:00Z",
    "2030-11-20T10:00:00.000Z",
    "2030-11-20T10:00:00,0Z",
    "2030-11-20T11:00:00+01:00",
    "2030-11-20T11:00:00+01",
    "2030-11-20T15:30:00+0530",
    "2030-11-20T05:00:00-05:00",
    "2030-11-20T10:00:00-00:00",
)

UNREADABLE = (
    "",
    "soon",
    "2030-11-20",
    "2030-11-20T10:00:00",
    "2030-11-20T10:00:00.000",
    "20301120T100000Z",
    "2030-W47-3T10:00:00Z",
    "2030-13-20T10:00:00Z",
    "2030-02-30T10:00:00Z",
    "2030-11-20T25:00:00Z",
    "2030-11-20T10:00:60Z",
    "2030-11-20T10:00:00+24:00",
    "2030-11-20T10:00:00Z ",
    "2030-11-20T10:00:00 Europe/Berlin",
    "٢٠٣٠-11-20T10:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1921399200000",
)


@pytest.mark.parametrize("text", SAME)
def test_one_instant_has_many_spellings(text: str) -> None:
    """Offsets, basic and extended, are all turned into one unix time."""
    assert parse_instant(text) == TEN_O_CLOCK


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """Without an offset nobody knows when it is; dates that do not exist are not guessed at."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse_instant(text)


def test_a_part_of_a_millisecond_counts_as_a_whole_one() -> None:
    """A call is never early."""
    assert parse_instant("2030-11-20T10:00:00.000001Z") == TEN_O_CLOCK + 1
    assert parse_instant("1969-12-31T23:59:59.9985Z") == -1


def test_instants_are_written_as_javascript_does() -> None:
    """UTC, a capital Z and always three digits of milliseconds."""
    assert iso(TEN_O_CLOCK) == "2030-11-20T10:00:00.000Z"
    assert iso(TEN_O_CLOCK + 7) == "2030-11-20T10:00:00.007Z"


@pytest.mark.parametrize(
    ("duration_ms", "words"),
    [
        (0, "less than a second"),
        (999, "less than a second"),
        (1_000, "1 second"),
        (900_000, "15 minutes"),
        (11_100_000, "3 hours 5 minutes"),
        (86_400_000 * 400 + 3_600_000 + 5, "400 days 1 hour"),
    ],
)
def test_durations_are_told_in_their_two_largest_units(duration_ms: int, words: str) -> None:
    """Enough for a person to see what is wrong."""
    assert in_words(duration_ms) == words
