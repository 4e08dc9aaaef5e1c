"""Why a call has not rung yet, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.observability.test_overview import ACCOUNT, MARY, NOW, STATS, USED_UP
from vomind_queue.calls.call import State
from vomind_queue.observability.explain import Place, explain

WAITING, DELAYED, ACTIVE = State.WAITING, State.DELAYED, State.ACTIVE
SOON = NOW + 4_000


@pytest.mark.parametrize(
    ("place", "queue", "kinds", "expected"),
    [
        ({"state": WAITING}, {}, ["next"], NOW),
        ({"state": WAITING, "ahead": 3}, {}, ["behind"], NOW),
        ({"state": WAITING, "ahead": 3}, {"rate_use": USED_UP}, ["behind", "limit"], NOW + 5_000),
        (
            {"state": WAITING, "ahead": 25},
            {"rate_use": USED_UP},
            ["behind", "limit"],
            NOW + 125_000,
        ),
        ({"state": WAITING}, {"pause": MARY}, ["paused", "next"], None),
        ({"state": WAITING}, {"pause": ACCOUNT}, ["account", "next"], None),
        ({"state": WAITING}, {"workers": 0}, ["next", "no-worker"], None),
        ({"state": WAITING}, {"circuit_open_until_ms": SOON}, ["next", "circuit-open"], None),
        ({"state": DELAYED, "at_ms": SOON}, {}, ["due"], SOON),
        ({"state": DELAYED, "at_ms": SOON}, {"rate_use": USED_UP}, ["due"], SOON),
        ({"state": DELAYED, "at_ms": SOON}, {"pause": MARY}, ["paused", "due"], None),
        ({"state": DELAYED, "at_ms": SOON, "attempts": 1}, {}, ["retry"], SOON),
        ({"state": DELAYED, "at_ms": SOON, "stood_back": 1}, {}, ["number-busy"], SOON),
        ({"state": ACTIVE}, {}, ["claimed"], None),
        ({"state": ACTIVE, "marked": True}, {"pause": MARY}, ["being-placed"], None),
        ({"state": ACTIVE, "marked": True, "at_ms": SOON}, {}, ["unknown-outcome"], None),
        ({"state": State.COMPLETED}, {"pause": MARY}, ["placed"], None),
        ({"state": State.FAILED, "failure": "No such number."}, {}, ["failed"], None),
    ],
)
def test_each_call_is_told_why(
    place: dict[str, Any], queue: dict[str, Any], kinds: list[str], expected: int | None
) -> None:
    """First a pause, then what lies in the call, then what else holds all of them up."""
    explanation = explain(Place(now_ms=NOW, **place), replace(STATS, **queue))
    assert [obstacle.kind for obstacle in explanation.obstacles] == kinds
    assert explanation.expected_ms == expected
    assert all(obstacle.text.endswith(".") for obstacle in explanation.obstacles)


def test_a_place_is_told_in_words() -> None:
    """One call is not several."""
    one = explain(Place(now_ms=NOW, state=WAITING, ahead=1), STATS).obstacles[0]
    many = explain(Place(now_ms=NOW, state=WAITING, ahead=1_200), STATS).obstacles[0]
    assert one.text == "It is behind 1 call of the same or a higher priority."
    assert many.text == "It is behind 1,200 calls of the same or a higher priority."
