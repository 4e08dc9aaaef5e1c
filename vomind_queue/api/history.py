"""The endpoints about the call log, and about people who are to be forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from flask import Blueprint, Response, request

from vomind_queue.api import answers, log_answers, log_search
from vomind_queue.api.jobs import plausible
from vomind_queue.api.problems import RETRY_AFTER_S, Refused
from vomind_queue.errors import LogUnavailable
from vomind_queue.services import Services

#: How long a request waits while others ask the log, s.
SEAT_S = 1.0


class HistoryRoutes:
    """GET /calls and /calls/<jobId>, DELETE /people/<number>."""

    def __init__(self, services: Services) -> None:
        self._history = services.history
        # A database that is slow must leave threads to those who schedule calls.
        self._seats = threading.BoundedSemaphore(max(1, services.settings.web_threads // 4))

    def blueprint(self) -> Blueprint:
        """The routes, below the path that the API hangs at."""
        routes = Blueprint("history", __name__)
        routes.get("/calls")(self.find)
        routes.get("/calls/<job_id>")(self.show)
        routes.delete("/people/<number>")(self.forget)
        return routes

    def find(self) -> Response:
        """Calls of the past and of now, the newest first, as JSON or CSV."""
        search = log_search.SEARCH.load(log_search.sent(request.args))
        with self._seat():
            rows = self._history.find(search)
        more = log_search.next_page(request.path, request.args, rows, search.limit)
        kind = request.accept_mimetypes.best_match(["application/json", "text/csv"])
        shown = log_answers.csv if kind == "text/csv" else log_answers.page
        response = shown(rows, rows[-1].key if more else None)
        response.headers["Vary"] = "Accept"
        if more:
            response.headers["Link"] = f'<{more}>; rel="next"'
        return response

    def show(self, job_id: str) -> Response:
        """One call with its events."""
        with self._seat():
            row, events = self._history.call(plausible(job_id))
        return answers.success(
            {**log_answers.row(row), "events": [log_answers.event(each) for each in events]}
        )

    def forget(self, number: str) -> Response:
        """Takes a number out of queue, history and log."""
        with self._seat():
            done = self._history.forget(log_search.NUMBER.read(number))
        if done.log is None:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Taken out of the queue: {done.cancelled}, out of its history: {done.history}; "
                "the call log cannot be reached. Send this again later.",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        return answers.success(log_answers.forgotten(done))

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._seats.acquire(timeout=SEAT_S):
            raise LogUnavailable("too many requests are waiting for it")
        try:
            yield
        finally:
            self._seats.release()
