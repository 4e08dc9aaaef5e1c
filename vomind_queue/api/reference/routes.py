"""GET /openapi.json, and /docs, a page that shows it; all assets come from this server."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from vomind_queue.api.reference.document import encoded

#: Files of the page by their names in addresses, each with its media type.
ASSETS = {
    "reference.js": "text/javascript; charset=utf-8",
    "reference.css": "text/css; charset=utf-8",
    "scalar-1.72.1.js": "text/javascript; charset=utf-8",
}
#: The viewer puts its styles into the page by script; scripts come from files alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ReferenceRoutes:
    """The document and its page; neither says anything of this service's calls."""

    def blueprint(self) -> Blueprint:
        """The routes, at the root."""
        routes = Blueprint("reference", __name__)
        routes.get("/openapi.json")(self.document)
        routes.get("/docs")(self.page)
        routes.get("/docs/<name>")(self.asset)
        return routes

    def document(self) -> Response:
        """The OpenAPI document."""
        return _kept(encoded(), "application/json")

    def page(self) -> Response:
        """The page that shows it."""
        response = _kept(_file("reference.html"), "text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    def asset(self, name: str) -> Response:
        """A file of the page."""
        if name not in ASSETS:
            raise NotFound
        return _kept(_file(name), ASSETS[name])


def _kept(content: bytes, media: str) -> Response:
    """An answer that a browser may keep, and asks for again by its hash."""
    response = Response(content, content_type=media)
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.make_conditional(request.environ)
    return response


@cache
def _file(name: str) -> bytes:
    return (files("vomind_queue.api.reference") / "page" / name).read_bytes()
