"""Give every request an id, measure its duration, and add headers to every answer.

The service's own Flask subclass is here, too.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Request, Response, current_app
from prometheus_client import Histogram
from werkzeug.routing import MapAdapter

from vomind_queue.config.answer_headers import ANSWER_HEADERS
from vomind_queue.container.web_services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger(__name__)

#: Names in a request's environ: its id, its arrival (s, by `time.perf_counter`), and its route,
#: once known.
REQUEST_ID = "vomind.request_id"
ARRIVED = "vomind.arrived"
ROUTE = "vomind.route"
#: Name of the services among the extensions of the Flask application.
_SERVICES = "vomind-services"

#: Label for the route of unknown addresses, whose number has no limit.
NOWHERE = "none"
#: All other methods are counted as one.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[!-~]{1,128}")

_LISTED = [(name.lower(), name, value) for name, value in ANSWER_HEADERS.items()]


class Answer(Response):
    """A 200 or an error with a body, sent with its headers unchanged."""

    def get_wsgi_response(
        self, environ: WSGIEnvironment
    ) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return body, status and headers; the length was set with the body."""
        body = () if environ["REQUEST_METHOD"] == "HEAD" else self.iter_encoded()
        return body, self.status, self.headers.to_wsgi_list()


class Api(Flask):
    """Flask without two lookups in every request that never find anything here."""

    def ensure_sync(self, func: F) -> F:
        """Return the function unchanged: no view is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return an adapter that matches path and method only, for any host."""
        if request is None:
            return None
        return self.url_map.bind("", path_info=request.path, default_method=request.method)


class Middleware:
    """Wrap a WSGI application whose answers are complete when it returns."""

    def __init__(self, app: WSGIApplication, seconds: Histogram) -> None:
        """Take the histogram of request durations."""
        self._app = app
        self._seconds = seconds

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        arrived = environ[ARRIVED] = time.perf_counter()
        sent: str = environ.get("HTTP_X_REQUEST_ID") or ""
        environ[REQUEST_ID] = request_id = sent if _REQUEST_ID.fullmatch(sent) else _new_id()
        status = "500"

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = line[:3]
            brought = {name.lower() for name, _ in headers}
            headers += [(name, value) for low, name, value in _LISTED if low not in brought]
            headers.append(("X-Request-Id", request_id))
            return start_response(line, headers, exc_info)

        body = _whole(self._app(environ, start))
        self._note(environ, status, time.perf_counter() - arrived)
        return body

    def _note(self, environ: WSGIEnvironment, status: str, seconds: float) -> None:
        # Arbitrary methods must not create an unlimited number of series.
        method = environ["REQUEST_METHOD"]
        method = method if method in _METHODS else "other"
        try:
            self._seconds.labels(environ.get(ROUTE, NOWHERE), method, status).observe(seconds)
        except OSError as error:
            # The disk is full or out of files: the answer matters more than the count.
            logger.warning("request not counted", extra={"reason": str(error)})


def _whole(pieces: Iterable[bytes]) -> list[bytes]:
    try:
        return [b"".join(pieces)]
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _new_id() -> str:
    # Not a secret, so a plain random number is enough.
    return f"{random.getrandbits(128):032x}"


def provide(app: Flask, services: Services) -> None:
    """Give the views of ``app`` their services."""
    app.extensions[_SERVICES] = services


def services() -> Services:
    """Return the services of this request's application."""
    found: Services = current_app.extensions[_SERVICES]
    return found
