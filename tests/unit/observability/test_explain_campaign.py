"""Why a campaign stands still, and when it will be through, as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.observability.test_overview import ACCOUNT, MARY, NOW, STATS, USED_UP
from vomind_queue.calls.campaign import Campaign, CampaignState, CampaignView, Part
from vomind_queue.calls.limits import Rate
from vomind_queue.observability.explain_campaign import (
    CampaignExplanation,
    CampaignWaits,
    explain_campaign,
)
from vomind_queue.observability.queue_stats import Stats

STEADY = Rate(max_starts=10, window_ms=60_000)
SOON = NOW + 4_000
DRAFT, RUNNING = CampaignState.DRAFT, CampaignState.RUNNING


def explained(
    parts: dict[str, int],
    campaign: dict[str, Any] | None = None,
    waits: dict[str, Any] | None = None,
    *,
    stats: Stats = STATS,
    state: CampaignState = RUNNING,
) -> CampaignExplanation:
    """The explanation of a campaign with those parts."""
    view = CampaignView(
        id="1",
        state=state,
        campaign=Campaign(name="One", **campaign or {}),
        created_ms=NOW,
        steered_by="ann",
        total=sum(parts.values()),
        parts={part: parts.get(part, 0) for part in Part},
    )
    return explain_campaign(view, CampaignWaits(now_ms=NOW, **waits or {}), stats)


@pytest.mark.parametrize(
    ("parts", "campaign", "waits", "queue", "kinds"),
    [
        ({"waiting": 3}, {}, {}, {}, []),
        ({"on-line": 1}, {}, {}, {"pause": MARY}, []),
        ({"waiting": 3}, {}, {}, {"pause": MARY}, ["paused"]),
        ({"waiting": 3}, {}, {}, {"pause": ACCOUNT, "workers": 0}, ["account", "no-worker"]),
        ({"waiting": 3}, {}, {}, {"circuit_open_until_ms": SOON}, ["circuit-open"]),
        ({"waiting": 3}, {}, {}, {"rate_use": USED_UP}, ["limit"]),
        ({"delayed": 3}, {}, {}, {"rate_use": USED_UP}, ["due"]),
        ({"delayed": 3}, {}, {"held": {"hours": SOON}}, {}, ["hours"]),
        ({"waiting": 1, "delayed": 3}, {}, {"held": {"cap": SOON}}, {}, ["cap"]),
        ({"waiting": 1, "delayed": 3}, {}, {}, {}, []),
        ({"waiting": 3}, {"pace": STEADY}, {"used": 10, "reset_ms": 4_000}, {}, ["pace"]),
        ({"waiting": 3}, {"pace": STEADY}, {"used": 9}, {}, []),
        ({"waiting": 3, "on-line": 2}, {"max_concurrent": 2}, {}, {}, ["max-concurrent"]),
        ({"answered": 3}, {"open": True}, {}, {}, ["no-calls"]),
    ],
)  # fmt: skip
def test_each_reason_is_said(
    parts: dict[str, int],
    campaign: dict[str, Any],
    waits: dict[str, Any],
    queue: dict[str, Any],
    kinds: list[str],
) -> None:
    """First what holds up the queue, then what lies in the campaign, then in its calls."""
    found = explained(parts, campaign, waits, stats=replace(STATS, **queue))
    assert [each.kind for each in found.reasons] == kinds
    assert all(each.text.endswith(".") for each in found.reasons)


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        (DRAFT, ["campaign-draft"]),
        (CampaignState.SCHEDULED, ["campaign-scheduled"]),
        (CampaignState.PAUSED, ["campaign-paused"]),
        (CampaignState.FINISHED, []),
        (CampaignState.CANCELLED, []),
    ],
)
def test_a_campaign_that_does_not_run_says_so(state: CampaignState, kinds: list[str]) -> None:
    """And its end cannot be told."""
    found = explained({"waiting": 3}, {"pace": STEADY, "start_ms": SOON}, state=state)
    assert [each.kind for each in found.reasons] == kinds
    assert found.expected_end_ms is None


@pytest.mark.parametrize(
    ("parts", "campaign", "waits", "queue", "after_ms"),
    [
        ({"waiting": 25}, {"pace": STEADY}, {}, {}, 120_000),
        ({"waiting": 25}, {"pace": STEADY}, {"used": 10, "reset_ms": 5_000}, {}, 125_000),
        ({"waiting": 1}, {}, {"ahead": 1}, {"rate_use": USED_UP}, 5_000),
        ({"waiting": 1}, {}, {"ahead": 25}, {"rate_use": USED_UP}, 125_000),
        ({"waiting": 1}, {"pace": STEADY}, {"ahead": 25}, {"rate_use": USED_UP}, 125_000),
        ({"waiting": 25}, {"pace": STEADY, "end_ms": SOON}, {}, {}, 4_000),
        ({"waiting": 3}, {}, {}, {}, None),
        ({"waiting": 3, "delayed": 1}, {"pace": STEADY}, {}, {}, None),
        ({"waiting": 3}, {"pace": STEADY, "max_concurrent": 9}, {}, {}, None),
        ({"waiting": 3}, {"pace": STEADY}, {}, {"workers": 0}, None),
        ({"waiting": 3}, {"pace": STEADY}, {}, {"pause": MARY}, None),
        ({"on-line": 3}, {"pace": STEADY}, {}, {}, None),
    ],
)
def test_the_end_follows_from_pace_and_limit(
    parts: dict[str, int],
    campaign: dict[str, Any],
    waits: dict[str, Any],
    queue: dict[str, Any],
    after_ms: int | None,
) -> None:
    """Whichever is slower; what cannot be told is not guessed."""
    found = explained(parts, campaign, waits, stats=replace(STATS, **queue))
    expected = None if after_ms is None else NOW + after_ms
    assert found.expected_end_ms == expected
