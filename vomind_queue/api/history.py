"""The endpoints about the call log, and about people who are to be forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Flask, Response, current_app, request

from vomind_queue.api import answers, log_answers, log_search
from vomind_queue.api.context import services
from vomind_queue.api.jobs import plausible
from vomind_queue.api.problems import unavailable
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
    search = log_search.SEARCH.load(log_search.sent(request.args))
    with _seat():
        rows = services().history.find(search)
    more = log_search.next_page(request.path, request.args, rows, search.limit)
    kind = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    shown = log_answers.csv if kind == "text/csv" else log_answers.page
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
    document = {**log_answers.row(row), "events": [log_answers.event(each) for each in events]}
    return answers.success(document)


@routes.delete("/people/<number>")
def forget(number: str) -> Response:
    """Takes a number out of queue, history and log."""
    with _seat():
        done = services().history.forget(log_search.NUMBER.read(number))
    if done.log is None:
        raise unavailable(
            f"Taken out of the queue: {done.cancelled}, out of its history: {done.history}; "
            "the call log cannot be reached. Send this again later."
        )
    return answers.success(log_answers.forgotten(done))
