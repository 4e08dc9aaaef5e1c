"""When a failed delivery is tried again."""

from __future__ import annotations

import pytest

from vomind_queue.webhooks.backoff import JITTER, LONGEST_MS, asked_wait_ms, wait_ms


@pytest.mark.parametrize(
    ("failures", "expected"),
    [(1, 1_000), (2, 2_000), (5, 16_000), (13, LONGEST_MS), (99, LONGEST_MS)],
)
def test_waits_double_up_to_an_hour(failures: int, expected: int) -> None:
    """Each a little longer or shorter by chance."""
    assert wait_ms(failures, None, lambda: 0.5) == expected
    assert wait_ms(failures, None, lambda: 0.0) == int(expected * (1 - JITTER))
    assert wait_ms(failures, None, lambda: 1.0) == int(expected * (1 + JITTER))


def test_a_receiver_may_ask_for_more_but_not_for_less() -> None:
    """Up to a day."""
    assert wait_ms(1, 60_000, lambda: 0.5) == 60_000
    assert wait_ms(8, 1, lambda: 0.5) == 128_000
    assert wait_ms(1, 10**12, lambda: 0.5) == 86_400_000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None), ("", None), ("soon", None), ("-5", None), ("120", 120_000),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50_000), ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:01 +99999999999999999", None),
    ],
)  # fmt: skip
def test_both_forms_of_retry_after_are_read(header: str | None, expected: int | None) -> None:
    """RFC 9110 has seconds and a date."""
    assert asked_wait_ms(header, 10.0) == expected
