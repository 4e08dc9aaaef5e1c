"""Endpoints about when people may be called."""

from __future__ import annotations

from flask import Blueprint, Response

from vomind_queue.api.body import read_object
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas.rules import CHECK
from vomind_queue.api.serializers import rules as rule_serializer
from vomind_queue.api.serializers.jobs import success

routes = Blueprint("rules", __name__)


@routes.get("")
def show() -> Response:
    """Return the rules in force, with their sources."""
    return success(rule_serializer.rulebook(services().rules.book))


@routes.post("/check")
def check() -> Response:
    """Return whether a call could be placed at an instant, and why."""
    body = read_object()
    call, at_ms = CHECK.load(body)
    now_ms = services().queue.now_ms() if at_ms is None else at_ms
    judged = services().rules.check(call, now_ms)
    return success(rule_serializer.judged(judged, now_ms), CHECK.ignored(body))
