"""Serves the page and what belongs to it."""

from __future__ import annotations

import base64
import hashlib
import html
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, request

#: The page itself, among the files, and the place in it for the notifier's address.
INDEX, NOTIFIER = "index.html", b'<meta name="notifier" content="">'
#: Kinds of file that not every machine knows.
_KINDS = {".woff2": "font/woff2", ".js": "text/javascript", ".mjs": "text/javascript"}
_INLINE = re.compile(rb"<script[^>]*>([^<]+)</script>")

# Asked for again each time, so that a new version is never mixed with an old one: Flask's default.
routes = Blueprint("dashboard", __name__, static_folder="page", static_url_path="/dashboard")


_PAGE = "vomind-page"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    body: bytes
    #: Of each answer that belongs to the page.
    headers: Mapping[str, str]


def install(app: Flask, notifier_url: str | None) -> None:
    """Add GET / and /dashboard/<file> to an application.

    ``notifier_url``: where browsers reach the live stream; ``None``: nowhere.
    """
    for ending, kind in _KINDS.items():
        mimetypes.add_type(kind, ending)
    app.extensions[_PAGE] = _made(notifier_url or "")
    app.register_blueprint(routes)


def _page() -> _Page:
    page: _Page = current_app.extensions[_PAGE]
    return page


@routes.get("/")
def index() -> Response:
    """The page."""
    response = Response(_page().body, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]


@routes.after_request
def _guard(response: Response) -> Response:
    response.headers.update(_page().headers)
    return response


def _made(notifier_url: str) -> _Page:
    page = (files("vomind_queue.dashboard") / "page" / INDEX).read_bytes()
    place = f'<meta name="notifier" content="{html.escape(notifier_url)}">'.encode()
    return _Page(body=page.replace(NOTIFIER, place), headers=_headers(page, notifier_url))


def _headers(page: bytes, notifier_url: str) -> Mapping[str, str]:
    """Return what keeps a stranger's script out, and the page out of a stranger's frame."""
    # The map of modules can stand in the page alone; it is let through by its digest.
    digests = (hashlib.sha256(text).digest() for text in _INLINE.findall(page))
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    parts = urlsplit(notifier_url)
    asked = f"'self' {parts.scheme}://{parts.netloc}" if notifier_url else "'self'"
    policy = (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self'; img-src 'self'; "
        f"font-src 'self'; connect-src {asked}; base-uri 'none'; form-action 'none'; "
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
