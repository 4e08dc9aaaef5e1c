"""The body of a request: its bytes, whole and not too many, and the JSON in them.

Stricter than the standard library: a value that cannot be given back as it was
sent, or that two readers would read differently, is refused.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NoReturn, cast

from flask import Flask, current_app, g

from vomind_queue.api.environ import length_of
from vomind_queue.api.problems import RETRY_AFTER_S, Refused
from vomind_queue.api.shell import asked

#: Longest body, bytes.
MAX_BODY = 10 * 1024 * 1024
#: A body up to this long is read to its end before it is refused, because most clients
#: read the answer only after they have sent everything, bytes.
DRAINED = 4 * MAX_BODY
_PIECE = 64 * 1024
#: Threads of a process that never wait for a body.
KEPT_FREE = 2
#: How long a request waits for its turn to be read, s: a 503 has to come within 2 s.
PLACE_WAIT_S = 0.5
#: How long the body of who has shown nothing is waited for, s: Twilio's comes with its headers.
STRANGERS_S = 5.0
_READERS = "vomind-readers"

#: In the raw text: the escape of half a surrogate pair, be it followed by the other or not.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json", re.IGNORECASE)
_CHARSETS = {"utf-8", "utf8"}


class Readers:
    """How many threads may wait for bodies at one time; the others answer what has none.

    The server waits for a body without a limit: a few clients that do not finish sending would
    else hold all threads, and nobody could look, pause or be told that the process is up.
    """

    def __init__(self, threads: int) -> None:
        """``threads``: of this process."""
        places = max(1, threads - KEPT_FREE)
        self._places = threading.BoundedSemaphore(places)
        #: Half of them are enough for who has shown no key.
        self._strangers = threading.BoundedSemaphore(max(1, places // 2))

    def install(self, app: Flask) -> None:
        """Makes `read_bytes` ask for a place."""
        app.extensions[_READERS] = self

    @contextmanager
    def place(self, *, stranger: bool) -> Iterator[None]:
        """A place for as long as a body is read. Raises Refused when none becomes free."""
        with _taken(self._strangers if stranger else None), _taken(self._places):
            yield


@contextmanager
def _taken(places: threading.BoundedSemaphore | None) -> Iterator[None]:
    if places is None:
        yield
        return
    if not places.acquire(timeout=PLACE_WAIT_S):
        # It took long, and Redis had no part in it.
        g.other_cause = True
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Too many clients send slowly; nothing was changed. Try again in a few seconds.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    try:
        yield
    finally:
        places.release()


def read_object() -> dict[str, Any]:
    """The JSON object in the body; empty when there is no body, or ``null``.

    Raises Refused: 400, 413, 415 or 422.
    """
    raw = read_bytes()
    if not raw:
        return {}
    _check_type()
    value = _parse(raw)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "The body must be a JSON object.")
    return value


def read_bytes(most: int = MAX_BODY, *, stranger: bool = False) -> bytes:
    """The body, up to ``most`` bytes; empty when there is none. Raises Refused: 400, 413 or 503.

    ``stranger``: whoever sends it has shown nothing yet.
    """
    environ = asked().environ
    announced = environ.get("CONTENT_LENGTH") or ""
    if announced == "0" or not (announced or "HTTP_TRANSFER_ENCODING" in environ):
        return b""
    if getattr(environ["wsgi.input"], "holds_no_thread", False):
        return _read_announced(announced, most) if announced else _read_chunked(most)
    readers: Readers = current_app.extensions[_READERS]
    if stranger and hasattr(environ["wsgi.input"], "patience_s"):
        environ["wsgi.input"].patience_s = STRANGERS_S
    with readers.place(stranger=stranger):
        return _read_announced(announced, most) if announced else _read_chunked(most)


def _read_announced(announced: str, most: int) -> bytes:
    length = length_of(announced)
    if length is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "The Content-Length is not a number.")
    if length > most:
        if length <= DRAINED:
            _read(length, keep=False)
        raise _too_long(most)
    raw = _read(length)
    if len(raw) < length:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f"The body was cut off: {length} bytes were announced and fewer came.",
        )
    return raw


def _read_chunked(most: int) -> bytes:
    raw = _read(most + 1)
    if len(raw) > most:
        _read(DRAINED, keep=False)
        raise _too_long(most)
    if not raw:
        # A server does not say whether the end came too early; an empty body, which
        # means the defaults, is therefore not taken from one that was to come in parts.
        raise Refused(HTTPStatus.BAD_REQUEST, "A body was announced and none came.")
    return raw


def _read(length: int, *, keep: bool = True) -> bytes:
    """Up to ``length`` bytes; fewer when the body ends before."""
    stream = asked().environ["wsgi.input"]
    pieces: list[bytes] = []
    while length > 0:
        piece = stream.read(length if keep else min(length, _PIECE))
        if keep and len(piece) == length and not pieces:
            return cast(bytes, piece)
        if not piece:
            break
        length -= len(piece)
        if keep:
            pieces.append(piece)
    return b"".join(pieces)


def _too_long(most: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is longer than {_size(most)}; send it in several requests.",
    )


def _size(most: int) -> str:
    mib, rest = divmod(most, 1024 * 1024)
    return f"{most // 1024} KiB" if rest else f"{mib} MiB"


def _check_type() -> None:
    header = asked().environ.get("CONTENT_TYPE") or ""
    if header == "application/json":
        return
    media_type, _, parameters = header.partition(";")
    if not _JSON_TYPE.fullmatch(media_type.strip()):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON; send it with Content-Type: application/json.",
        )
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in _CHARSETS:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be in UTF-8.")


def _parse(raw: bytes) -> Any:
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _unreadable("it is nested too deeply") from None
    except ValueError:
        # The interpreter's limit on the digits of whole numbers, 4,300 by default.
        raise _unreadable("a number has too many digits") from None
    if _SURROGATE.search(raw):
        _refuse_lone_surrogates(value)
    return value


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _unreadable("it has half of a surrogate pair, which is no character") from None


def _unreadable(why: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, f"The body is not readable JSON: {why}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _unreadable(f"{json.dumps(name[:64])} stands in one object twice")
    return members


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _unreadable("a number is too large")
    return number


def _constant(name: str) -> NoReturn:
    raise _unreadable(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_constant=_constant
)
