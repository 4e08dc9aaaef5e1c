"""GET /openapi.json, and /docs, a page that shows it; all assets come from this server."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, request

from vomind_queue.api.openapi.document import encoded

#: The document and its page, at the root; neither says anything of this service's calls.
routes = Blueprint("reference", __name__, static_folder="page", static_url_path="/docs")
#: The viewer puts its styles into the page by script; scripts come from files alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@routes.get("/openapi.json")
def document() -> Response:
    """The OpenAPI document, which a browser may keep, and asks for again by its hash."""
    content = encoded()
    response = Response(content, content_type="application/json")
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request.environ)
    return response


@routes.get("/docs")
def page() -> Response:
    """The page that shows it."""
    response = routes.send_static_file("reference.html")
    response.headers["Content-Security-Policy"] = POLICY
    return response
