"""Whether calls are going out and, if not, why and what to do: from plain numbers, no I/O.

`assess` is the only place that decides this; the page and every app show its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vomind_queue.observability.last_hour import Hour
from vomind_queue.observability.overview_reasons import Level, Reason, reasons
from vomind_queue.observability.queue_stats import Report, Stats
from vomind_queue.observability.webhook_stats import WebhookStats

#: The pace of the calls is measured over this time, ms.
PACE_MS = 300_000
#: A time estimated from that pace is rounded up to this step, ms.
ABOUT_MS = 10_000


class Condition(StrEnum):
    """The condition of the queue as a whole."""

    #: Calls go out.
    CALLING = "calling"
    #: Calls would go out; there are none to make now.
    IDLE = "idle"
    #: Calls wait because the allowance is used up.
    HELD = "held"
    #: Twilio gives no clear answers: calls that are dialed may or may not ring.
    UNANSWERED = "unanswered"
    #: Somebody stopped the queue.
    PAUSED = "paused"
    #: Calls cannot go out until something is fixed.
    STUCK = "stuck"


#: In these, calls that wait are dialed in their turn.
_GOING = frozenset({Condition.CALLING, Condition.HELD})


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """The condition of the queue, with its reasons."""

    condition: Condition
    #: The most serious first.
    reasons: Sequence[Reason]

    @property
    def level(self) -> Level:
        """The level of the most serious reason."""
        return self.reasons[0].level if self.reasons else Level.INFO


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Everything that the overview shows."""

    stats: Stats
    hour: Hour
    assessment: Assessment

    @property
    def empty_ms(self) -> int | None:
        """Roughly when the last waiting call is dialed, unix ms; ``None`` if that is unknown."""
        stats = self.stats
        if not stats.waiting or self.assessment.condition not in _GOING:
            return None
        if stats.rate_use and stats.rate_use.reset_ms:
            return self.hour.now_ms + stats.rate_use.wait_ms(stats.waiting - 1)
        since_ms = self.hour.now_ms - PACE_MS
        starts = sum(each.starts for each in self.hour.minutes if each.at_ms >= since_ms)
        if not starts:
            return None
        at_ms = self.hour.now_ms + stats.waiting * PACE_MS // starts
        return -(-at_ms // ABOUT_MS) * ABOUT_MS


def assess(
    stats: Stats,
    now_ms: int,
    *,
    lacks_rules: bool = False,
    report: Report | None = None,
    webhooks: WebhookStats | None = None,
) -> Assessment:
    """Return the assessment of these numbers; see `reasons`."""
    order = [Level.ERROR, Level.WARNING, Level.INFO]
    found = sorted(
        reasons(stats, now_ms, lacks_rules=lacks_rules, report=report, webhooks=webhooks),
        key=lambda reason: order.index(reason.level),
    )
    return Assessment(condition=_condition(stats, found), reasons=found)


def _condition(stats: Stats, found: Sequence[Reason]) -> Condition:
    kinds = {reason.kind for reason in found}
    if any(reason.level is Level.ERROR for reason in found):
        return Condition.STUCK
    if "paused" in kinds:
        return Condition.PAUSED
    if "not-answering" in kinds:
        return Condition.UNANSWERED
    if "limit" in kinds:
        return Condition.HELD
    under_way = stats.active > stats.unknown_outcomes
    return Condition.CALLING if stats.waiting or under_way else Condition.IDLE
