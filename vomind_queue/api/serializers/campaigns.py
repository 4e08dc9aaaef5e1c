"""Build the answers about campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.calls.campaign import (
    Campaign,
    CampaignCalls,
    CampaignCreated,
    CampaignPage,
    CampaignView,
)
from vomind_queue.calls.instants import iso
from vomind_queue.observability.explain_campaign import CampaignExplanation
from vomind_queue.rules.dry_run import Planned
from vomind_queue.usecases.preview_campaign import Plan


def created(campaign: Campaign, made: CampaignCreated, ignored: Sequence[str]) -> Response:
    """Return the answer to a new campaign, from its arguments alone, as replays require."""
    document = {
        "message": "Campaign created",
        "campaignId": made.id,
        "state": "draft",
        "data": campaign.as_data(),
    }
    response = job_serializer.success(document, ignored)
    response.headers["Location"] = f"/api/queue/campaigns/{made.id}"
    return response


def view(shown: CampaignView) -> dict[str, Any]:
    """Return a campaign with its state."""
    return {
        "campaignId": shown.id,
        "state": shown.state.value,
        "data": shown.campaign.as_data(),
        "counts": {"total": shown.total, **{str(part): n for part, n in shown.parts.items()}},
        "createdAt": iso(shown.created_ms),
        "startedAt": iso_or_none(shown.started_ms),
        "endedAt": iso_or_none(shown.ended_ms),
        "steeredBy": shown.steered_by,
    }


def explained(shown: CampaignView, found: CampaignExplanation) -> dict[str, Any]:
    """Return a campaign with its state, why it stands still, and when it will be through."""
    return {
        **view(shown),
        "reasons": [job_serializer.obstacle(each) for each in found.reasons],
        "expectedEnd": iso_or_none(found.expected_end_ms),
    }


def steered(done: str, shown: CampaignView, ignored: Sequence[str]) -> Response:
    """Return a campaign that was started, paused, resumed or cancelled."""
    document = {"message": f"Campaign {done}", **view(shown)}
    return job_serializer.success(document, ignored)


def calls(found: CampaignCalls) -> dict[str, Any]:
    """Return a page of its calls and the cursor of the next one."""
    jobs = [job_serializer.job(each) for each in found.jobs]
    return {"count": len(jobs), "jobs": jobs, "next": found.next}


def plan(shown: Plan, after: int, limit: int) -> tuple[dict[str, Any], str | None]:
    """Return a page of a dry run, and the cursor of the next one."""
    times = shown.times
    behind = [call for call in shown.calls if int(call.waiting.job_id) > after]
    page_ = behind[:limit]
    next_ = page_[-1].waiting.job_id if len(behind) > limit else None
    document = {
        "from": iso(shown.from_ms),
        "durationMs": shown.lasts_ms,
        "count": len(shown.calls),
        "willRing": len(times),
        "held": shown.held,
        "never": shown.never,
        "firstAt": iso(times[0]) if times else None,
        "lastAt": iso(times[-1]) if times else None,
        "hours": [{"from": iso(at), "calls": n} for at, n in shown.hours.items()],
        "calls": [_planned(call) for call in page_],
        "next": next_,
    }
    return document, next_


def _planned(call: Planned) -> dict[str, Any]:
    waiting = call.waiting
    at = iso_or_none(call.at_ms)
    return {"jobId": waiting.job_id, "to": waiting.number, "at": at, "why": call.why or None}


def page(shown: CampaignPage) -> dict[str, Any]:
    """Return a page of the list."""
    campaigns = [view(each) for each in shown.views]
    return {"count": len(campaigns), "total": shown.total, "campaigns": campaigns}
