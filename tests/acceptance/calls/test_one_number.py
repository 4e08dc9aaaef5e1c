"""Two calls to one number are never on the line together: real web, worker, Valkey, simulator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import FAST, Api, fresh_phone, number, reached
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

#: A simulated call is over this long after Twilio took it, s, at the usual pace; it is answered
#: for two thirds of that.
LASTS_S = 6
BUSY, BUSY_LASTS_S = "+15005550011", 1.5
#: How often as slow a long call is, and a short one.
LONG, SHORT = 1.0, 0.2
#: With ``--full``, somebody is on the line for a minute.
FULL = 15.0
GAP_S = 3


@pytest.fixture
def told(redis_url: str, shared_server: Server, tmp_path: Path) -> Iterator[Stack]:
    """A stack that Twilio reaches, where numbers are left alone for a while."""
    settings = {"RETRY_ON": "busy", "RETRY_OUTCOME_DELAY": "100ms"}
    settings["LEAST_GAP_PER_NUMBER"] = f"{GAP_S}s"
    with reached(shared_server, tmp_path, **settings) as made:
        yield made


def rung(phone: SimulatorClient, to: str, count: int) -> list[float]:
    """When a number rang, unix s, once it rang that often."""

    def enough() -> list[dict[str, Any]]:
        rings = phone.rings(to)
        return rings if len(rings) >= count else []

    rings = until(enough, within_s=240, what=f"{to} rang {count} times")
    return [ring["at"] / 1000 for ring in rings]


def test_the_next_call_starts_after_the_end_of_the_one_before_and_a_gap(
    told: Stack, full: bool
) -> None:
    """Three of a bulk to one number, the first of which lasts; another number does not wait."""
    api = Api(told.queue_url)
    lasts = FULL if full else LONG
    with fresh_phone(told, {"to": number(1), "pace": lasts, "times": 1}) as phone:
        phone.outcomes({"pace": SHORT})
        ids = api.bulk([{"to": to} for to in (*[number(1)] * 3, number(2), BUSY)])
        api.until_state(ids[3], "completed")
        waiting = api.until_state(ids[1], "delayed")
        assert waiting["attemptsMade"] == 0
        why = until(
            lambda: (
                (found := api("GET", f"/job/{ids[1]}/why"))["reasons"][0]["kind"] == "number-busy"
                and found
            ),
            within_s=30,
            what="it is said why it waits",
        )
        assert why["reasons"][0]["text"].endswith("is on the line; this one waits for its end.")
        first, second, third = rung(phone, number(1), 3)
        assert second >= first + LASTS_S * lasts + GAP_S
        assert third >= second + LASTS_S * SHORT + GAP_S
        assert len(phone.rings(number(2))) == 1
        # A busy line is tried again, and left alone in between as well.
        attempts = rung(phone, BUSY, 3)
        for before, after in itertools.pairwise(attempts):
            assert after >= before + BUSY_LASTS_S * SHORT + GAP_S
        assert [api.until_state(each, "completed")["attemptsMade"] for each in ids] == [1] * 4 + [3]


def test_where_twilio_cannot_call_back_it_is_asked_for_the_end(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Soon, because another call waits for the number: not when silence would be noticed."""
    assert "PUBLIC_URL" not in {**FAST, **fast.settings}
    fast.start_worker()
    api.bulk([{"to": number(1)}, {"to": number(1)}])
    first, second = rung(phone, number(1), 2)
    assert second >= first + LASTS_S
