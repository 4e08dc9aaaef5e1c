"""Endpoints about when people may be called."""

from __future__ import annotations

from flask import Blueprint, Response

from vomind_queue.api import auth
from vomind_queue.api.body import read_object
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas.rules import CHECK, CLOSED_DAY
from vomind_queue.api.serializers import rules as rule_serializer
from vomind_queue.api.serializers.jobs import success

routes = Blueprint("rules", __name__)


@routes.get("")
def show() -> Response:
    """Return the rules in force, with their sources."""
    return success(rule_serializer.rulebook(services().rules.in_force()))


@routes.get("/closed-days")
def closed_days() -> Response:
    """Return the days on which nobody is called."""
    days = services().rules.in_force().closed
    return success(
        {"count": len(days), "closedDays": [rule_serializer.closed_day(each) for each in days]}
    )


@routes.post("/closed-days")
def close_day() -> Response:
    """Close a day, or several in a row, everywhere or in one region."""
    body = read_object()
    day = CLOSED_DAY.load(body)
    services().close_days.close(day, auth.caller())
    document = {"message": "Day closed", "id": day.id}
    return success(document, CLOSED_DAY.ignored(body))


@routes.delete("/closed-days/<day_id>")
def reopen_day(day_id: str) -> Response:
    """Open a closed day again."""
    services().close_days.reopen(day_id, auth.caller())
    return success({"message": "Day opened again", "id": day_id})


@routes.post("/check")
def check() -> Response:
    """Return whether a call could be placed at an instant, and why."""
    body = read_object()
    call, at_ms = CHECK.load(body)
    now_ms = services().queue.now_ms() if at_ms is None else at_ms
    judged = services().people.check(call, now_ms)
    return success(rule_serializer.judged(judged, now_ms), CHECK.ignored(body))
