"""The verdict on the queue, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vomind_queue.calls.call import Priority
from vomind_queue.calls.limits import Pause, Rate
from vomind_queue.observability.last_hour import Hour, Minute, longest_ms
from vomind_queue.observability.overview import Overview, assess
from vomind_queue.observability.overview_reasons import Level
from vomind_queue.observability.queue_stats import (
    OutboxState,
    RateUse,
    Report,
    Stats,
    Unanswered,
)
from vomind_queue.observability.webhook_stats import WebhookStats

NOW = 1_800_000_000_000
USED_UP = RateUse(
    rate=Rate(max_starts=10, window_ms=60_000), used=10, reset_ms=5_000, overridden=False
)
QUIET = OutboxState(pending=0, behind_ms=0, dead=0, lost={}, shipper_active=True)
STATS = Stats(
    waiting=5,
    active=2,
    completed=0,
    failed=0,
    delayed=0,
    by_priority=dict.fromkeys(Priority, 1),
    pause=None,
    rate_use=None,
    circuit_open_until_ms=None,
    unknown_outcomes=0,
    orphaned_calls=0,
    workers=1,
    recurring=0,
    scheduler_active=True,
    outbox=QUIET,
)
#: What this process has, and workers should.
OWN = Report(rules="law", key="k")
MARY = Pause(by="mary", at_ms=NOW, reason=None)
ACCOUNT = Pause(by="system", at_ms=NOW, reason="Authenticate (error 20003).")


def silent(attempts: int) -> Unanswered:
    """So many attempts in a row without a clear answer."""
    return Unanswered(attempts=attempts, since_ms=NOW - 9_000, reconciled_by_ms=NOW + 291_000)


@pytest.mark.parametrize(
    ("change", "state", "kinds"),
    [
        ({}, "calling", []),
        ({"waiting": 0, "active": 0}, "idle", []),
        ({"rate_use": USED_UP}, "held", ["limit"]),
        ({"rate_use": USED_UP, "waiting": 0}, "calling", []),
        ({"pause": MARY}, "paused", ["paused"]),
        ({"pause": MARY, "rate_use": USED_UP}, "paused", ["paused"]),
        ({"pause": ACCOUNT}, "stuck", ["account"]),
        ({"workers": 0}, "stuck", ["no-worker"]),
        ({"workers": 0, "pause": MARY}, "stuck", ["no-worker", "paused"]),
        ({"circuit_open_until_ms": NOW + 5_000}, "stuck", ["circuit-open"]),
        ({"capacity_until_ms": NOW + 5_000}, "calling", ["capacity"]),
        (
            {"circuit_open_until_ms": NOW + 5_000, "capacity_until_ms": NOW + 9_000},
            "calling",
            ["capacity"],
        ),
        ({"recurring": 3, "scheduler_active": False}, "stuck", ["no-scheduler"]),
        ({"scheduler_active": False}, "calling", []),
        ({"unknown_outcomes": 1}, "calling", ["unknown-outcomes"]),
        ({"unknown_outcomes": 2, "waiting": 0}, "idle", ["unknown-outcomes"]),
        ({"unanswered": silent(4), "unknown_outcomes": 1}, "calling", ["unknown-outcomes"]),
        ({"unanswered": silent(5), "unknown_outcomes": 1}, "unanswered", ["not-answering"]),
        ({"unanswered": silent(5)}, "unanswered", ["not-answering"]),
        ({"unanswered": silent(1), "unknown_outcomes": 2}, "unanswered", ["not-answering"]),
        (
            {"unanswered": silent(5), "rate_use": USED_UP},
            "unanswered",
            ["not-answering", "limit"],
        ),
        ({"unanswered": silent(5), "pause": MARY}, "paused", ["paused", "not-answering"]),
        ({"unanswered": silent(5), "workers": 0}, "stuck", ["no-worker", "not-answering"]),
        ({"orphaned_calls": 1}, "calling", ["orphaned-calls"]),
        ({"outbox": replace(QUIET, pending=9, behind_ms=40_000)}, "calling", ["log-behind"]),
        ({"outbox": replace(QUIET, pending=9, behind_ms=2_000)}, "calling", []),
        (
            {"outbox": replace(QUIET, pending=9, behind_ms=6_000, shipper_active=False)},
            "calling",
            ["no-shipper"],
        ),
        ({"outbox": replace(QUIET, dead=1)}, "calling", ["dead-letters"]),
        ({"outbox": replace(QUIET, lost={"details": 2})}, "calling", ["log-lost"]),
        ({"held": {"unknown-zone": 2}}, "calling", ["unknown-zone"]),
        ({"held": {"rules-behind": 1, "hours": 1}}, "calling", ["rules-behind", "hours"]),
        ({"reports": [OWN, OWN], "listed_key": "k"}, "calling", []),
        ({"reports": [OWN, Report(rules="courtesy", key="k")]}, "calling", ["rules-behind"]),
        ({"reports": [OWN, Report(rules="law")]}, "calling", []),
        (
            {"reports": [OWN, Report(rules="law")], "listed_key": "k"},
            "calling",
            ["do-not-call-key"],
        ),
        ({"reports": [OWN], "listed_key": "other"}, "stuck", ["do-not-call-key"]),
        ({"lacks_list": True}, "stuck", ["do-not-call-list"]),
    ],
)
def test_each_trouble_has_its_verdict(change: dict[str, Any], state: str, kinds: list[str]) -> None:
    """What stops calls comes before what does not, and each says what to do."""
    decision = assess(replace(STATS, **change), NOW, report=OWN)
    assert (decision.condition, [reason.kind for reason in decision.reasons]) == (state, kinds)
    assert all(reason.remedy and reason.title and reason.detail for reason in decision.reasons)
    assert (decision.level is Level.ERROR) == (state == "stuck")


def test_a_pause_says_by_whom_and_the_limit_until_when() -> None:
    """The page shows both in large letters."""
    assert assess(replace(STATS, pause=MARY), NOW).reasons[0].title == "Paused by mary"
    assert assess(replace(STATS, rate_use=USED_UP), NOW).reasons[0].until_ms == NOW + 5_000


def test_unknown_outcomes_are_told_with_their_times() -> None:
    """Since when Twilio has been silent, and by when each call is reconciled."""
    found = assess(replace(STATS, unanswered=silent(5), unknown_outcomes=2), NOW).reasons[0]
    assert (found.since_ms, found.until_ms) == (NOW - 9_000, NOW + 291_000)
    assert "2 calls may or may not have rung" in found.detail
    # Where none is left, there is nothing to reconcile.
    assert assess(replace(STATS, unanswered=silent(5)), NOW).reasons[0].until_ms is None


@pytest.mark.parametrize(
    ("change", "waiting", "expected_ms"),
    [
        ({}, 0, None),
        ({}, 120, NOW + 60_000),
        ({"rate_use": USED_UP}, 25, NOW + 125_000),
        ({"pause": MARY}, 25, None),
    ],
)
def test_when_the_queue_is_empty(
    change: dict[str, Any], waiting: int, expected_ms: int | None
) -> None:
    """At the pace of the limit, or of the last five minutes; not while nothing goes out."""
    stats = replace(STATS, waiting=waiting, **change)
    minutes = [Minute(at_ms=NOW - 60_000, starts=600, outcomes={}, waits={})]
    hour = Hour(now_ms=NOW, version="1", minutes=minutes)
    shown = Overview(stats=stats, hour=hour, assessment=assess(stats, NOW))
    assert shown.empty_ms == expected_ms


def test_half_octaves_are_told_by_their_upper_end() -> None:
    """Each is a third to a half wider than the one before."""
    ends = [longest_ms(octave) for octave in range(2, 40)]
    assert ends == sorted(ends)
    assert ends[18:22] == [768, 1024, 1536, 2048]
    assert longest_ms(0) == 0


def test_shares_of_the_waiting_time() -> None:
    """Over all minutes together; none while nothing started."""
    minutes = [
        Minute(at_ms=NOW, starts=9, outcomes={}, waits={2: 9}),
        Minute(at_ms=NOW + 60_000, starts=1, outcomes={"busy": 1}, waits={20: 1}),
    ]
    hour = Hour(now_ms=NOW, version="1", minutes=minutes)
    assert [hour.waited_ms(share) for share in (0.5, 0.9, 1.0)] == [1, 1, 768]
    longest = Hour(now_ms=NOW, version="1", minutes=minutes, waiting={30: 1})
    assert longest.waited_ms(1.0) == longest_ms(30)
    assert hour.outcomes == {"busy": 1}
    assert Hour(now_ms=NOW, version="1", minutes=[]).waited_ms(0.5) is None


def test_webhooks_that_end_are_told() -> None:
    """As warnings: calls go out all the same."""
    webhooks = WebhookStats(webhooks=3, ended=1, failing=2, notifiers=0, lost=5)
    kinds = {each.kind: each.title for each in assess(STATS, NOW, webhooks=webhooks).reasons}
    assert kinds["webhook-disabled"] == "1 webhook ended"
    assert kinds["webhook-failing"] == "2 webhooks failing"
    assert kinds["events-lost"] == "5 events lost, ever"
    assert "no-notifier" in kinds
