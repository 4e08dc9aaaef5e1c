"""Serves the page and what belongs to it."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from flask import Blueprint, Flask, Response

#: The page itself, among the files.
INDEX = "index.html"
#: Kinds of file that not every machine knows.
_KINDS = {".woff2": "font/woff2", ".js": "text/javascript", ".mjs": "text/javascript"}
_INLINE = re.compile(rb"<script[^>]*>([^<]+)</script>")

# Asked for again each time, so that a new version is never mixed with an old one: Flask's default.
routes = Blueprint("dashboard", __name__, static_folder="page", static_url_path="/dashboard")


def install(app: Flask) -> None:
    """Add GET / and /dashboard/<file> to an application."""
    for ending, kind in _KINDS.items():
        mimetypes.add_type(kind, ending)
    app.register_blueprint(routes)


@routes.get("/")
def index() -> Response:
    """The page."""
    return routes.send_static_file(INDEX)


@routes.after_request
def _guard(response: Response) -> Response:
    response.headers.update(_headers())
    return response


@cache
def _headers() -> Mapping[str, str]:
    """What keeps a stranger's script out, and the page out of a stranger's frame."""
    # The map of modules can stand in the page alone; it is let through by its digest.
    page = (files("vomind_queue.dashboard") / "page" / INDEX).read_bytes()
    digests = (hashlib.sha256(text).digest() for text in _INLINE.findall(page))
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    policy = (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self'; img-src 'self'; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
