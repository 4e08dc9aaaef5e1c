"""Endpoints for the call log, and for erasing a person."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Flask, Response, current_app, request

from vomind_queue.api.blueprints.jobs import plausible
from vomind_queue.api.errors import unavailable
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas import call_log as log_schemas
from vomind_queue.api.schemas.trends import TRENDS
from vomind_queue.api.serializers import call_log as log_serializer
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.errors import LogUnavailable

routes = Blueprint("history", __name__)
#: How long a request waits while others query the log, s.
SLOT_WAIT_S = 1.0
_SLOTS = "vomind-log-slots"


def install(app: Flask, threads: int) -> None:
    """Add the routes to an application with this number of threads."""
    # A slow database must leave threads for scheduling calls.
    app.extensions[_SLOTS] = threading.BoundedSemaphore(max(1, threads // 4))
    app.register_blueprint(routes, url_prefix="/api")


@contextmanager
def log_slot() -> Iterator[None]:
    """Keep threads free for scheduling calls. Raise LogUnavailable while too many query the log."""
    slots: threading.BoundedSemaphore = current_app.extensions[_SLOTS]
    if not slots.acquire(timeout=SLOT_WAIT_S):
        raise LogUnavailable("too many requests are waiting for it")
    try:
        yield
    finally:
        slots.release()


@routes.get("/calls")
def find() -> Response:
    """Return past and present calls, newest first, as JSON or CSV."""
    search, counted = log_schemas.SEARCH.load(log_schemas.sent(request.args))
    with log_slot():
        found = services().history.find(search)
        total = services().history.count(search) if counted else None
    kind = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    if kind == "text/csv":
        response = log_serializer.csv(found.rows)
    else:
        response = log_serializer.page(found, total)
    response.headers["Vary"] = "Accept"
    if found.cursor:
        more = log_schemas.next_page(request.path, request.args, found.cursor)
        response.headers["Link"] = f'<{more}>; rel="next"'
    return response


@routes.get("/calls/<job_id>")
def show(job_id: str) -> Response:
    """Return a call with its events."""
    with log_slot():
        row, events = services().history.call(plausible(job_id))
    document = {
        **log_serializer.row(row),
        "events": [log_serializer.event(each) for each in events],
    }
    return job_serializer.success(document)


@routes.get("/trends")
def trends() -> Response:
    """Return how calls ended over time."""
    span, zone = TRENDS.load(log_schemas.sent(request.args))
    now_ms = services().queue.now_ms()
    with log_slot():
        found = services().history.trends(span, now_ms)
    return job_serializer.success(log_serializer.trends(found, span, zone))


@routes.get("/activity")
def activity() -> Response:
    """Return who did what, newest first."""
    search = log_schemas.DEEDS.load(log_schemas.sent(request.args))
    deeds = services().deeds.find(search)
    return job_serializer.success(log_serializer.deeds(deeds, len(deeds) == search.limit))


@routes.delete("/people/<number>")
def forget(number: str) -> Response:
    """Remove a number from queue, history and log."""
    with log_slot():
        done = services().history.forget(log_schemas.NUMBER.read(number))
    if done.log is None:
        raise unavailable(
            f"Removed from the queue: {done.cancelled}, from its history: {done.history}; "
            "the call log cannot be reached. Send this again later."
        )
    return job_serializer.success(log_serializer.forgotten(done))
