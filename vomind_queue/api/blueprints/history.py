"""The endpoints about the call log, and about people who are to be forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Flask, Response, current_app, request

from vomind_queue.api.blueprints.jobs import plausible
from vomind_queue.api.context import services
from vomind_queue.api.errors import unavailable
from vomind_queue.api.schemas import call_log as log_schemas
from vomind_queue.api.serializers import call_log as log_serializer
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.errors import LogUnavailable

routes = Blueprint("history", __name__)
#: How long a request waits while others ask the log, s.
SEAT_S = 1.0
_SEATS = "vomind-log-seats"


def install(app: Flask, threads: int) -> None:
    """Adds the routes to an application of so many threads."""
    # A database that is slow must leave threads to those who schedule calls.
    app.extensions[_SEATS] = threading.BoundedSemaphore(max(1, threads // 4))
    app.register_blueprint(routes, url_prefix="/api")


@contextmanager
def _seat() -> Iterator[None]:
    seats: threading.BoundedSemaphore = current_app.extensions[_SEATS]
    if not seats.acquire(timeout=SEAT_S):
        raise LogUnavailable("too many requests are waiting for it")
    try:
        yield
    finally:
        seats.release()


@routes.get("/calls")
def find() -> Response:
    """Calls of the past and of now, the newest first, as JSON or CSV."""
    search = log_schemas.SEARCH.load(log_schemas.sent(request.args))
    with _seat():
        rows = services().history.find(search)
    more = log_schemas.next_page(request.path, request.args, rows, search.limit)
    kind = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    shown = log_serializer.csv if kind == "text/csv" else log_serializer.page
    response = shown(rows, rows[-1].key if more else None)
    response.headers["Vary"] = "Accept"
    if more:
        response.headers["Link"] = f'<{more}>; rel="next"'
    return response


@routes.get("/calls/<job_id>")
def show(job_id: str) -> Response:
    """One call with its events."""
    with _seat():
        row, events = services().history.call(plausible(job_id))
    document = {
        **log_serializer.row(row),
        "events": [log_serializer.event(each) for each in events],
    }
    return job_serializer.success(document)


@routes.delete("/people/<number>")
def forget(number: str) -> Response:
    """Takes a number out of queue, history and log."""
    with _seat():
        done = services().history.forget(log_schemas.NUMBER.read(number))
    if done.log is None:
        raise unavailable(
            f"Taken out of the queue: {done.cancelled}, out of its history: {done.history}; "
            "the call log cannot be reached. Send this again later."
        )
    return job_serializer.success(log_serializer.forgotten(done))
