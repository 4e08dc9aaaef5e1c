"""A request as it came over the wire, in WSGI's words (PEP 3333)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

Environ = dict[str, Any]

#: Names of headers in WSGI's form, as far as they were met …
_NAMES = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
#: … and as many of them as are remembered, none of them longer than this.
_MOST_NAMES = 1_000
_LONGEST_NAME = 64
#: For a header that means nothing.
_LEFT_AWAY = ""
#: May stand behind a value and is none of it.
_BLANK = b" \t"
#: A length that may be read as one: int() takes other scripts' digits, and stops at 4,300 of them.
_LENGTH = re.compile(r"[0-9]{1,18}")


def base_of(server: tuple[str, int | None] | None, client: tuple[str, int] | None) -> Environ:
    """What all requests of one connection have in common."""
    name, port = server or ("", None)
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": name,
        "SERVER_PORT": "" if port is None else str(port),
        "REMOTE_ADDR": client[0] if client else "",
        "HTTP_HOST": "",
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def add_line(environ: Environ, method: str, path: bytes, query: bytes, version: str) -> None:
    """The request's first line; the path as it came, with its escapes."""
    environ["REQUEST_METHOD"] = method
    # WSGI has bytes in texts.
    environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
    environ["QUERY_STRING"] = query.decode("latin-1")
    environ["SERVER_PROTOCOL"] = f"HTTP/{version}"


def add_headers(environ: Environ, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Names in small letters; of a name that comes twice the values stand in one, by commas.

    WSGI cannot tell ``x_api_key`` from ``x-api-key``, and a proxy that sees to the latter lets the
    former through: a name with an underscore is left away, as most servers do.
    """
    found = [
        (_NAMES.get(name) or _named(name), value.rstrip(_BLANK).decode("latin-1"))
        for name, value in headers
    ]
    once = dict(found)
    if len(once) < len(found):
        once = {}
        for key, text in found:
            once[key] = f"{once[key]},{text}" if key in once else text
    once.pop(_LEFT_AWAY, None)
    environ.update(once)


def length_of(announced: str) -> int | None:
    """Bytes that a Content-Length announces; ``None`` where it is not a number."""
    return int(announced) if _LENGTH.fullmatch(announced) else None


def _named(name: bytes) -> str:
    if b"_" in name:
        return _LEFT_AWAY
    key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
    if len(_NAMES) < _MOST_NAMES and len(name) <= _LONGEST_NAME:
        _NAMES[name] = key
    return key
