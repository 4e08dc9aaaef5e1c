"""Endpoints for webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError

from vomind_queue.api import auth
from vomind_queue.api.blueprints.campaigns import plausible
from vomind_queue.api.body import read_no_fields, read_object
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas import fields
from vomind_queue.api.schemas import webhooks as schemas
from vomind_queue.api.serializers import webhooks as serializer
from vomind_queue.api.serializers.jobs import success
from vomind_queue.errors import CampaignNotFound

routes = Blueprint("webhooks", __name__)
_ONE = "/<webhook_id>"


@routes.post("")
def add() -> Response:
    """Subscribe an app to events."""
    body = read_object()
    wanted = schemas.WEBHOOK.load(body)
    _check(wanted)
    shown = services().webhooks.add(wanted, auth.caller())
    document = {
        "message": "Webhook added; keep its secret",
        "webhook": serializer.with_secret(shown),
    }
    return success(document, schemas.WEBHOOK.ignored(body))


@routes.get("")
def page() -> Response:
    """Return all webhooks."""
    found = [serializer.webhook(each) for each in services().webhooks.all()]
    return success({"count": len(found), "webhooks": found})


@routes.get(_ONE)
def show(webhook_id: str) -> Response:
    """Return a webhook and how its deliveries go."""
    return success({"webhook": serializer.webhook(services().webhooks.show(webhook_id))})


@routes.patch(_ONE)
def change(webhook_id: str) -> Response:
    """Change a webhook, or let it go on."""
    body = read_object()
    wanted = schemas.CHANGE.load(body)
    _check(wanted)
    shown = services().webhooks.change(webhook_id, wanted, auth.caller())
    document = {"message": "Webhook changed", "webhook": serializer.webhook(shown)}
    return success(document, schemas.CHANGE.ignored(body))


@routes.delete(_ONE)
def remove(webhook_id: str) -> Response:
    """End a webhook."""
    services().webhooks.remove(webhook_id, auth.caller())
    return success({"message": "Webhook removed", "id": webhook_id})


@routes.post(f"{_ONE}/secret")
def rotate(webhook_id: str) -> Response:
    """Replace the secret; the old one is used as well for a day."""
    ignored = read_no_fields()
    shown = services().webhooks.rotate(webhook_id, auth.caller())
    document = {"message": "Secret replaced", "webhook": serializer.with_secret(shown)}
    return success(document, ignored)


@routes.post(f"{_ONE}/test")
def test(webhook_id: str) -> Response:
    """Have an event of the type webhook.test delivered."""
    ignored = read_no_fields()
    services().webhooks.test(webhook_id, auth.caller())
    document = {"message": "An event is on its way; see its deliveries", "id": webhook_id}
    return success(document, ignored)


@routes.post(f"{_ONE}/replay")
def replay(webhook_id: str) -> Response:
    """Deliver events again."""
    body = read_object()
    wanted = schemas.REPLAY.load(body)
    sequence = services().webhooks.replay(webhook_id, auth.caller(), **wanted)
    document = {"message": "Events are delivered again", "id": webhook_id, "sequence": sequence}
    return success(document, schemas.REPLAY.ignored(body))


@routes.get(f"{_ONE}/deliveries")
def deliveries(webhook_id: str) -> Response:
    """Return the last attempts to deliver."""
    return success(serializer.deliveries(services().webhooks.deliveries(webhook_id)))


def _check(wanted: Mapping[str, Any]) -> None:
    """Raise ValidationError for an address that is not allowed, and for what there is not."""
    url, campaign = wanted.get("url"), wanted.get("campaign")
    if url is not None and (fault := services().settings.webhook_addresses.fault(url)):
        # Not shown: it may hold a password.
        raise ValidationError(f"Must be {fault}.", "url")
    if campaign is None:
        return
    try:
        services().campaigns.show(plausible(campaign))
    except CampaignNotFound:
        unknown = fields.mismatch("the id of a campaign", campaign)
        raise ValidationError(unknown.messages, "campaign") from None
