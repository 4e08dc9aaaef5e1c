"""What every answer tells a browser: nothing in it is to be run, framed, guessed or kept."""

from __future__ import annotations

from flask import Flask, Response

from vomind_queue.api.shell import Answer

#: Of answers that are no pages; a page brings a policy of its own.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    # Numbers and words of people must not stay in a proxy or on a disk.
    "Cache-Control": "no-store",
}

#: Names that answers mostly have, and that are none of them.
_HARMLESS = frozenset({"Content-Type", "Content-Length", "Location"})


def install(app: Flask) -> None:
    """Goes behind every request of ``app``."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    if isinstance(response, Answer) and _HARMLESS.issuperset(response.names()):
        response.add_headers(_HEADERS.items())
        response.is_ordinary = True
        return response
    brought = {name.lower() for name, _ in response.headers}
    missing = [(name, value) for name, lowered, value in _LISTED if lowered not in brought]
    if isinstance(response, Answer):
        response.add_headers(missing)
    else:
        response.headers.extend(missing)
    return response


_LISTED = [(name, name.lower(), value) for name, value in _HEADERS.items()]
