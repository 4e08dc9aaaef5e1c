"""Steps of time, and hours of the day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vomind_queue.call_log.trends import Span, Step, by_hour, window


def at(text: str) -> int:
    """Unix ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("span", "since", "steps"),
    [
        (Span.HOUR, "2026-11-24T11:59:00", 60),
        (Span.DAY, "2026-11-23T13:00:00", 96),
        (Span.WEEK, "2026-11-17T13:00:00", 336),
    ],
)
def test_a_window_has_whole_steps_but_for_the_last(span: Span, since: str, steps: int) -> None:
    """Each begins at a round time."""
    found = window(span, at("2026-11-24T12:58:48"))
    assert found.since_ms == at(since)
    assert found.until_ms == at("2026-11-24T12:58:48")
    assert -(-(found.until_ms - found.since_ms) // found.step_ms) == steps


def test_hours_are_those_of_the_zone() -> None:
    """Over all days, and across a clock change; only calls that rang and have ended count."""
    steps = [
        Step(at_ms=at(text), outcomes=outcomes, wait_p50_ms=None, wait_p90_ms=None)
        for text, outcomes in {
            # 09:30 in summer, 09:30 in winter.
            "2026-10-24T07:30:00": {"completed": 2, "busy": 1, "none": 5},
            "2026-10-26T08:30:00": {"machine": 1, "not-placed": 7},
            "2026-10-26T22:30:00": {"no-answer": 4},
        }.items()
    ]
    found = by_hour(steps, "Europe/Berlin")
    assert [each.hour for each in found] == list(range(24))
    assert (found[9].calls, found[9].answered) == (4, 2)
    assert (found[23].calls, found[23].answered) == (4, 0)
    assert sum(each.calls for each in found) == 8
