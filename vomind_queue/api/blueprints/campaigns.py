"""Endpoints for campaigns."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from vomind_queue.api.auth import caller
from vomind_queue.api.body import read_no_fields, read_object
from vomind_queue.api.idempotency import idempotency_key
from vomind_queue.api.middleware import services
from vomind_queue.api.overrides import Overrides
from vomind_queue.api.schemas import placeable
from vomind_queue.api.schemas import queue as queue_schemas
from vomind_queue.api.schemas.call_log import next_page, sent
from vomind_queue.api.schemas.campaigns import CALLS_PAGE, CAMPAIGN, CHANGE, DRY_RUN, PLAN_PAGE
from vomind_queue.api.serializers import campaigns as serializer
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.calls.campaign import Campaign, CampaignView
from vomind_queue.errors import CampaignNotFound

routes = Blueprint("campaigns", __name__)
_ONE = "/campaigns/<campaign_id>"
_ID = re.compile("[1-9][0-9]{0,14}")


@routes.post("/campaigns")
def create() -> Response:
    """Create a campaign as a draft."""
    body = read_object()
    campaign = _usable(CAMPAIGN.load(body))
    made = services().campaigns.create(campaign, caller(), idempotency_key(body))
    return serializer.created(campaign, made, CAMPAIGN.ignored(body))


@routes.get("/campaigns")
def page() -> Response:
    """Return a page of campaigns, newest first."""
    start, end = queue_schemas.PAGE.load(request.args.to_dict())
    return job_serializer.success(serializer.page(services().campaigns.page(start, end)))


@routes.get(_ONE)
def show(campaign_id: str) -> Response:
    """Return a campaign with its state, and why it stands still."""
    shown = services().campaigns.show(plausible(campaign_id))
    explained = services().control.why_campaign(shown)
    return job_serializer.success(serializer.explained(shown, explained))


@routes.patch(_ONE)
def change(campaign_id: str) -> Response:
    """Change a campaign that has not ended."""
    body = read_object()

    def changed(old: CampaignView) -> Campaign:
        return _usable(CHANGE.merged(old.campaign, body), old.campaign)

    shown = services().campaigns.change(plausible(campaign_id), changed, caller())
    document = {"message": "Campaign changed", **serializer.view(shown)}
    return job_serializer.success(document, CHANGE.ignored(body))


@routes.delete(_ONE)
def remove(campaign_id: str) -> Response:
    """Remove a draft without calls, or one that has ended."""
    services().campaigns.remove(plausible(campaign_id), caller())
    document = {"message": "Campaign deleted", "campaignId": campaign_id}
    return job_serializer.success(document)


@routes.get(f"{_ONE}/calls")
def calls(campaign_id: str) -> Response:
    """Return a page of a campaign's calls, in the order in which it was given them."""
    states, after, limit = CALLS_PAGE.load(sent(request.args))
    found = services().campaigns.calls(plausible(campaign_id), states, after, limit)
    response = job_serializer.success(serializer.calls(found))
    if found.next:
        more = next_page(request.path, request.args, found.next)
        response.headers["Link"] = f'<{more}>; rel="next"'
    return response


@routes.post(f"{_ONE}/preview")
def preview(campaign_id: str) -> Response:
    """Return when each call would start, and why not; store nothing."""
    body = read_object()
    after, limit = PLAN_PAGE.load(sent(request.args))
    plan = services().preview_campaign.plan(plausible(campaign_id), DRY_RUN.load(body))
    document, next_ = serializer.plan(plan, after, limit)
    response = job_serializer.success(document, DRY_RUN.ignored(body))
    if next_:
        response.headers["Link"] = f'<{next_page(request.path, request.args, next_)}>; rel="next"'
    return response


@routes.post(f"{_ONE}/start")
def start(campaign_id: str) -> Response:
    """Start a draft."""
    ignored = read_no_fields()
    shown = services().campaigns.start(plausible(campaign_id), caller())
    return serializer.steered("started", shown, ignored)


@routes.post(f"{_ONE}/pause")
def pause(campaign_id: str) -> Response:
    """Pause a campaign: none of its calls starts from now on."""
    ignored = read_no_fields()
    shown = services().campaigns.pause(plausible(campaign_id), caller())
    return serializer.steered("paused", shown, ignored)


@routes.post(f"{_ONE}/resume")
def resume(campaign_id: str) -> Response:
    """Resume a campaign."""
    ignored = read_no_fields()
    shown = services().campaigns.resume(plausible(campaign_id), caller())
    return serializer.steered("resumed", shown, ignored)


@routes.post(f"{_ONE}/cancel")
def cancel(campaign_id: str) -> Response:
    """Cancel a campaign with its calls that have not started."""
    ignored = read_no_fields()
    shown = services().campaigns.cancel(plausible(campaign_id), caller())
    return serializer.steered("cancelled", shown, ignored)


def plausible(campaign_id: str) -> str:
    """Return the id. Raise CampaignNotFound for what was never one, without asking Redis."""
    if not _ID.fullmatch(campaign_id):
        raise CampaignNotFound(campaign_id[:128])
    return campaign_id


def _usable(campaign: Campaign, old: Campaign | None = None) -> Campaign:
    """Return the campaign; ``old``: what it was before a change.

    Raise ValidationError for defaults that the settings do not allow, and Refused for those that
    lift rules: a key that may would sign them with each call that it adds, and not know.
    """
    settings, call = services().settings, campaign.call_to("")
    if found := placeable.PlaceableCalls(settings).option_faults([call]):
        raise ValidationError(dict(found[0]))
    if old is None or old.call_to("").purpose != call.purpose:
        Overrides(settings.override_keys).check(call, caller())
    return campaign
