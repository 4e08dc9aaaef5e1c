"""Serves the page and what belongs to it, from memory."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

#: The page itself, among the files.
INDEX = "index.html"
#: Kinds of file that not every machine knows.
_KINDS = {".woff2": "font/woff2", ".js": "text/javascript", ".mjs": "text/javascript"}
_INLINE = re.compile(rb"<script[^>]*>([^<]+)</script>")


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent."""

    content: bytes
    kind: str
    #: Changes with the content.
    tag: str


class Dashboard:
    """GET / and /dashboard/<file>."""

    def __init__(self) -> None:
        self._files = dict(_read(files("vomind_queue.dashboard") / "page"))
        self._headers = _headers(self._files[INDEX].content)

    def blueprint(self) -> Blueprint:
        """The routes, at the root."""
        routes = Blueprint("dashboard", __name__)
        routes.get("/")(self.index)
        routes.get("/dashboard/<path:name>")(self.file)
        return routes

    def index(self) -> Response:
        """The page."""
        return self.file(INDEX)

    def file(self, name: str) -> Response:
        """A file of the page; 304 where the browser has it. Raises NotFound."""
        found = self._files.get(name)
        if found is None:
            raise NotFound
        # Asked for again each time, so that a new version is never mixed with an old one.
        headers = {**self._headers, "ETag": found.tag, "Cache-Control": "no-cache"}
        if found.tag in request.headers.get("If-None-Match", ""):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(found.content, content_type=found.kind, headers=headers)


def _read(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, File]]:
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            yield from _read(entry, f"{name}/")
        else:
            content = entry.read_bytes()
            yield name, File(content, _kind(name), f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _kind(name: str) -> str:
    ending = name[name.rfind(".") :]
    kind = _KINDS.get(ending) or mimetypes.guess_type(name)[0] or "text/plain"
    return f"{kind}; charset=utf-8" if kind.startswith(("text/", "image/svg")) else kind


def _headers(index: bytes) -> Mapping[str, str]:
    """What keeps a stranger's script out, and the page out of a stranger's frame."""
    # The map of modules can stand in the page alone; it is let through by its digest.
    digests = (hashlib.sha256(text).digest() for text in _INLINE.findall(index))
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
