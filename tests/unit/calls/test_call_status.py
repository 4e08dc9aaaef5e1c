"""Where a call is on the line, and when Twilio is asked for it."""

from __future__ import annotations

import pytest

from vomind_queue.calls.call_status import (
    FINAL,
    RANK_AT_FIRST,
    LineStatus,
    first_poll_ms,
    next_poll_ms,
    status_of,
)

SILENCE_MS = 600_000


def test_the_order_of_a_calls_life() -> None:
    """From accepted to over; all by which it ends are equal and the last."""
    order = ["queued", "initiated", "ringing", "in-progress"]
    ranks = [LineStatus(word).rank for word in order]
    assert ranks == sorted(set(ranks))
    ends = set(LineStatus) - set(order) - {LineStatus.UNKNOWN}
    assert {status.rank for status in ends} == {FINAL}
    assert max(ranks) < FINAL
    assert all(status.final for status in ends)
    assert max(ranks) < LineStatus.UNKNOWN.rank < FINAL


def test_only_twilios_words_are_known() -> None:
    """Neither a new one nor our own word for a lost call comes in from outside."""
    assert status_of("no-answer") is LineStatus.NO_ANSWER
    assert [status_of(word) for word in (None, "", "answered", "unknown", "Ringing")] == [None] * 5


@pytest.mark.parametrize(
    ("word", "rank"),
    [("queued", 0), ("ringing", 2), ("completed", FINAL - 1), ("busy", FINAL - 1), ("new", 0)],
)
def test_a_call_that_is_found_over_has_still_to_be_reported(word: str, rank: int) -> None:
    """Its particulars would be lost otherwise."""
    assert RANK_AT_FIRST.get(word, 0) == rank


def test_with_callbacks_silence_is_the_exception() -> None:
    """Ten minutes after the ring time-out, and every ten minutes from then."""
    assert first_poll_ms(silence_ms=SILENCE_MS, callbacks=True) == 630_000
    waits = [next_poll_ms(n, silence_ms=SILENCE_MS, callbacks=True) for n in (1, 2, 9)]
    assert waits == [SILENCE_MS] * 3


def test_without_callbacks_one_looks_when_a_call_may_be_over() -> None:
    """After the ring time-out, then later and later; never more seldom than silence asks."""
    assert first_poll_ms(silence_ms=SILENCE_MS, callbacks=False) == 45_000
    waits = [next_poll_ms(n, silence_ms=SILENCE_MS, callbacks=False) for n in (1, 2, 3, 4, 5, 99)]
    assert waits == [45_000, 90_000, 180_000, 360_000, SILENCE_MS, SILENCE_MS]
    assert first_poll_ms(silence_ms=500, callbacks=False) == 500
