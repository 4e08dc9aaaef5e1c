"""Endpoints for health: whether the process is up, and whether calls can be placed."""

from __future__ import annotations

from flask import Blueprint, Response

from vomind_queue import __version__
from vomind_queue.api.errors import Refused, unavailable
from vomind_queue.api.middleware import services
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.errors import StoreUnavailable
from vomind_queue.observability.redis_memory import REMEDY

routes = Blueprint("health", __name__)


@routes.get("/healthz")
def alive() -> Response:
    """The process is up, and which version it runs."""
    return job_serializer.success({"status": "up", "version": __version__})


@routes.get("/readyz")
def ready() -> Response:
    """Return that Redis accepts calls, and that a worker and any needed scheduler are active.

    Raise Refused, which names the part that is not.
    """
    queue = services().queue
    try:
        # A replica would answer the reads.
        queue.check_writable()
        stats = queue.stats()
    except StoreUnavailable as error:
        raise _not_ready("redis", f"Redis is not ready: {error}") from error
    if stats.memory.full:
        raise _not_ready("redis", f"Redis is full: {stats.memory}. {REMEDY}")
    if not stats.workers:
        raise _not_ready("worker", "No worker was seen in the last 30 s.")
    if stats.recurring and not stats.scheduler_active:
        text = "Recurring calls exist, but no scheduler was active in the last 30 s."
        raise _not_ready("scheduler", text)
    document = {"status": "ready", "redis": "ready", "workers": stats.workers}
    return job_serializer.success({**document, "schedulerActive": stats.scheduler_active})


def _not_ready(part: str, detail: str) -> Refused:
    return unavailable(detail, {part: [detail]})
