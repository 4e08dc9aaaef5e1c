"""Read the body of a request: its bytes, up to a limit, and the JSON object in them.

A WSGI server has no time limit for a body, and few threads. A body is therefore read only after
its sender was authenticated (see `auth` and `twilio`), and only some threads may wait for one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, current_app, request

from vomind_queue.api.errors import RETRY_AFTER_S, Refused
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.wording import received
from vomind_queue.encoding import Unreadable

#: Longest body, bytes.
MAX_BODY = 10 * 1024 * 1024
#: A body up to this long is read to its end before it is refused, because most clients
#: read the answer only after they have sent everything, bytes.
DRAINED = 4 * MAX_BODY
_PIECE = 64 * 1024
#: Threads of a process that never wait for a body.
KEPT_FREE = 2
#: A longer body may arrive slowly, bytes.
LONG_BODY = 32 * 1024
#: How long a request waits for a place, s: many times what reading an arrived body takes.
PLACE_WAIT_S = 0.25
_READERS = "vomind-readers"

_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json", re.IGNORECASE)
_CHARSETS = {"utf-8", "utf8"}
#: int() alone would accept digits of other scripts, and fail at 4,300 of them.
_LENGTH = re.compile(r"[0-9]{1,18}")


class Readers:
    """Limit how many threads wait for bodies; the others serve requests without one.

    Otherwise a few clients that never finish sending would hold all threads, and nobody could
    look, pause the queue or check the process's health.
    """

    def __init__(self, threads: int) -> None:
        """Take the number of this process's threads."""
        places = max(1, threads - KEPT_FREE)
        self._places = threading.BoundedSemaphore(places)
        #: Long bodies leave one place to short ones, if there are at least two.
        self._long = threading.BoundedSemaphore(max(1, places - 1))

    def install(self, app: Flask) -> None:
        """Make `read_bytes` ask for a place."""
        app.extensions[_READERS] = self

    def read(self, read: Callable[[], bytes], *, long: bool) -> bytes:
        """Call ``read`` while holding a place. Raise Refused when none becomes free."""
        if not long:
            return _holding(self._places, read)
        return _holding(self._long, lambda: _holding(self._places, read))


def _holding(places: threading.BoundedSemaphore, read: Callable[[], bytes]) -> bytes:
    if not places.acquire(timeout=PLACE_WAIT_S):
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Too many clients are sending slowly; nothing was changed. Try again in a few seconds.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    try:
        return read()
    finally:
        places.release()


def read_object() -> dict[str, Any]:
    """Return the JSON object in the body; empty if there is no body, or it is ``null``.

    Raise Refused: 400, 413, 415, 422 or 503.
    """
    raw = read_bytes()
    if not raw:
        return {}
    _check_type(request.environ.get("CONTENT_TYPE") or "")
    if coding := request.environ.get("HTTP_CONTENT_ENCODING"):
        _check_coding(coding)
    try:
        value = current_app.json.loads(raw)
    except Unreadable as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The body must be valid JSON: {error}.") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        text = f"The body must be a JSON object; got {received(value)}."
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, text)
    return value


def read_bytes(most: int = MAX_BODY) -> bytes:
    """Return the body, up to ``most`` bytes; empty if there is none.

    Raise Refused: 400, 413 or 503.
    """
    environ = request.environ
    announced = environ.get("CONTENT_LENGTH") or ""
    if announced == "0" or not (announced or "HTTP_TRANSFER_ENCODING" in environ):
        return b""
    readers: Readers = current_app.extensions[_READERS]
    if not announced:
        return readers.read(lambda: _read_chunked(most), long=True)
    length = _length_of(announced)
    if length > DRAINED:
        raise _too_long(most)
    return readers.read(lambda: _read_announced(length, most), long=length > LONG_BODY)


def _length_of(announced: str) -> int:
    if not _LENGTH.fullmatch(announced):
        text = f"Content-Length must be an integer; got {received(announced)}."
        raise Refused(HTTPStatus.BAD_REQUEST, text)
    return int(announced)


def _read_announced(length: int, most: int) -> bytes:
    if length > most:
        _drain(length)
        raise _too_long(most)
    raw = _read(length)
    if len(raw) < length:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f"The body must have {length} bytes, as Content-Length announced; got {len(raw)}.",
        )
    return raw


def _read_chunked(most: int) -> bytes:
    raw = _read(most + 1)
    if len(raw) > most:
        _drain(DRAINED)
        raise _too_long(most)
    if not raw:
        # The server does not report whether a chunked body was cut off. An empty one is refused,
        # because it would mean the defaults.
        raise Refused(HTTPStatus.BAD_REQUEST, "A body was announced, but none arrived.")
    return raw


def _read(length: int) -> bytes:
    """Return up to ``length`` bytes; fewer when the body ends before."""
    stream = request.environ["wsgi.input"]
    pieces: list[bytes] = []
    while length > 0 and (piece := stream.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _drain(length: int) -> None:
    stream = request.environ["wsgi.input"]
    while length > 0 and (piece := stream.read(min(length, _PIECE))):
        length -= len(piece)


def _too_long(most: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body must be at most {_size(most)}; send it in several requests.",
    )


def _size(most: int) -> str:
    mib, rest = divmod(most, 1024 * 1024)
    return f"{most // 1024} KiB" if rest else f"{mib} MiB"


def _check_type(header: str) -> None:
    if header == "application/json":
        return
    media_type, _, parameters = header.partition(";")
    if not _JSON_TYPE.fullmatch(media_type.strip()):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type must be application/json; got {received(header)}.",
        )
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in _CHARSETS:
            text = f"The body must be in UTF-8; got charset {received(charset)}."
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text)


def _check_coding(header: str) -> None:
    if header.strip().lower() != "identity":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding must be absent: the body is read as sent; got {received(header)}.",
        )


def read_no_fields() -> list[str]:
    """Read a body without known fields; return the names that are ignored in it."""
    body = read_object()
    call_schemas.BARE.load(body)
    return call_schemas.BARE.ignored(body)
