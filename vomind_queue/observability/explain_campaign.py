"""Why a campaign stands still, and when it will be through: from plain values, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vomind_queue.calls.campaign import NOT_ENDED, CampaignState, CampaignView, Part, written
from vomind_queue.observability.explain import Obstacle, of_queue
from vomind_queue.observability.queue_stats import RateUse, Stats
from vomind_queue.rules.law import Why

_HELD: Mapping[str, str] = {
    Why.HOURS: "It is outside the calling hours of people whom it calls.",
    Why.CLOSED_DAY: "The day is closed where people are whom it calls.",
    Why.CAMPAIGN_HOURS: "It is outside its own hours where people are whom it calls.",
    Why.NO_HOURS: "Numbers that it calls may be in places that have no open hour in common.",
    Why.UNKNOWN_ZONE: "Numbers that it calls do not tell where they are.",
    Why.CAP: "People whom it calls were called as often as is allowed for now.",
    Why.RULES_BEHIND: "The calling rules could not be applied to some of its calls.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignWaits:
    """What the calls of a campaign wait for, at one moment."""

    now_ms: int
    #: Starts within the window of its pace, and until another one may start, ms.
    used: int = 0
    reset_ms: int = 0
    #: Calls that wait at the lowest priority of its waiting calls or a higher one, its own, too.
    ahead: int = 0
    #: Kinds of rules that hold some of its calls, and when the first of those is due, unix ms.
    held: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignExplanation:
    """All reasons why a campaign stands still, or places fewer calls than it might."""

    reasons: Sequence[Obstacle]
    #: When the last of its calls will have started, unix ms; ``None`` where that cannot be told.
    expected_end_ms: int | None


def explain_campaign(view: CampaignView, waits: CampaignWaits, stats: Stats) -> CampaignExplanation:
    """Return why none of its calls, or not all, start now."""
    if view.state not in NOT_ENDED:
        return CampaignExplanation(reasons=[], expected_end_ms=None)
    is_waiting = bool(view.parts[Part.WAITING])
    reasons = [*_of_state(view)]
    if any(view.parts[part] for part in (Part.WAITING, Part.DELAYED)):
        reasons += of_queue(stats, waits.now_ms, is_waiting=is_waiting)
    if view.state is CampaignState.RUNNING:
        reasons += [*_of_limits(view, waits), *_of_delayed(view, waits)]
    return CampaignExplanation(
        reasons=reasons, expected_end_ms=_expected_end_ms(view, waits, stats)
    )


def _of_state(view: CampaignView) -> Iterator[Obstacle]:
    if view.state is CampaignState.DRAFT:
        yield Obstacle(kind="campaign-draft", text="It has not been started.")
    elif view.state is CampaignState.SCHEDULED:
        start_ms = view.campaign.start_ms
        yield Obstacle(
            kind="campaign-scheduled", text="Its startAt has not come.", until_ms=start_ms
        )
    elif view.state is CampaignState.PAUSED:
        by = f" by {view.steered_by}" if view.steered_by else ""
        yield Obstacle(kind="campaign-paused", text=f"It is paused{by}.")
    elif not _left(view):
        yield Obstacle(kind="no-calls", text="It has no calls left, and is open for more.")


def _left(view: CampaignView) -> int:
    parts = (Part.WAITING, Part.DELAYED, Part.ACTIVE, Part.ON_LINE)
    return sum(view.parts[part] for part in parts)


def _of_limits(view: CampaignView, waits: CampaignWaits) -> Iterator[Obstacle]:
    if not view.parts[Part.WAITING]:
        return
    pace, most = view.campaign.pace, view.campaign.max_concurrent
    if pace and waits.used >= pace.max_starts:
        text = f"Its pace of {written(pace)} is used up."
        yield Obstacle(kind="pace", text=text, until_ms=waits.now_ms + waits.reset_ms)
    placed = view.parts[Part.ACTIVE] + view.parts[Part.ON_LINE]
    if most is not None and placed >= most:
        text = f"{placed:,} of its calls are placed or on the line; maxConcurrent is {most:,}."
        yield Obstacle(kind="max-concurrent", text=text)


def _of_delayed(view: CampaignView, waits: CampaignWaits) -> Iterator[Obstacle]:
    for kind, until_ms in waits.held.items():
        yield Obstacle(kind=kind, text=_HELD[kind], until_ms=until_ms)
    if view.parts[Part.DELAYED] and not (waits.held or view.parts[Part.WAITING]):
        yield Obstacle(kind="due", text="All calls that are left are to be placed later.")


def _expected_end_ms(view: CampaignView, waits: CampaignWaits, stats: Stats) -> int | None:
    """Return when its last call starts at its pace and the queue's limit, whichever is slower.

    That cannot be told while anything stands still, while calls are delayed, which may be for long,
    and where only the length of conversations decides.
    """
    count, campaign = view.parts[Part.WAITING], view.campaign
    stopped = (
        view.state is not CampaignState.RUNNING
        or stats.pause
        or not stats.workers
        or stats.circuit_open_until_ms is not None
    )
    if stopped or not count or view.parts[Part.DELAYED] or campaign.max_concurrent is not None:
        return None
    times = []
    if campaign.pace:
        own = RateUse(
            rate=campaign.pace, used=waits.used, reset_ms=waits.reset_ms, overridden=False
        )
        times.append(own.wait_ms(count - 1))
    if stats.rate_use:
        times.append(stats.rate_use.wait_ms(max(waits.ahead, count) - 1))
    if not times:
        return None
    end_ms = waits.now_ms + max(times)
    return end_ms if campaign.end_ms is None else min(end_ms, campaign.end_ms)
