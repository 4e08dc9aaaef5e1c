"""The twilio library's HTTP client: a pool of lines, and no request sent twice.

The library's own client sits on ``requests``, whose time-out is for each read, and
whose connection pool hides how far a request got. Whether a phone may be rung
again hangs on exactly that, so the connections are our own. A proxy is set with
``TWILIO_API_BASE``, not with ``HTTPS_PROXY``.
"""

from __future__ import annotations

import base64
import logging
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import quote_plus, urlsplit

import certifi
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]

from vomind_queue.dialer.exchange import Exchange
from vomind_queue.dialer.line import Line

#: Words of parameters whose encoded form is kept; each has 12 KB at most, and most have few bytes.
KNOWN_WORDS = 128
#: How long a kept connection may be idle before it is used again, s. A request that
#: crosses the server's closing of the connection is in doubt, and servers close idle ones.
MAX_IDLE_S = 4.0

_PORTS = {"http": 80, "https": 443}
_current: ContextVar[Exchange] = ContextVar("exchange")


class Lines(HttpClient):  # type: ignore[misc]  # the library brings no types
    """HTTP for the twilio library; each request belongs to the exchange of its thread."""

    def __init__(self, size: int, *, max_idle_s: float = MAX_IDLE_S) -> None:
        """``size``: connections that are kept; more are opened when they are needed."""
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._size = size
        self._max_idle_s = max_idle_s
        self._lock = threading.Lock()
        self._idle: list[Line] = []
        self._tls: ssl.SSLContext | None = None

    @contextmanager
    def exchange(self, exchange: Exchange) -> Iterator[Exchange]:
        """The limits for the requests within; the last answer stands in it afterwards."""
        token = _current.set(exchange)
        try:
            yield exchange
        finally:
            _current.reset(token)

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the exchange has the limits
        allow_redirects: bool = False,  # noqa: ARG002 - none is followed: a POST goes out once
    ) -> Response:
        """One request, sent at most once. Raises what :meth:`Line.exchange` raises."""
        exchange = _current.get()
        parts = urlsplit(uri)
        query = "&".join(filter(None, (parts.query, _encoded(params))))
        target = f"{parts.path or '/'}{f'?{query}' if query else ''}"
        request = _request(
            method, target, parts.netloc.rpartition("@")[2], _encoded(data), headers or {}, auth
        )
        line = self._take(parts.scheme, parts.hostname or "", parts.port)
        answer = line.exchange(request, exchange)
        self._give_back(line)
        exchange.answer = answer
        return Response(answer.status, answer.text, answer.headers)

    def close(self) -> None:
        """Ends the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _take(self, scheme: str, host: str, port: int | None) -> Line:
        address = (host, port or _PORTS[scheme])
        while True:
            with self._lock:
                # The latest one: the others grow old and are dropped when there are few calls.
                line = self._idle.pop() if self._idle else None
            if line is None:
                return Line(*address, self._tls_context() if scheme == "https" else None)
            if line.address == address and line.usable(self._max_idle_s):
                return line
            line.close()

    def _give_back(self, line: Line) -> None:
        with self._lock:
            if line.is_open and len(self._idle) < self._size:
                self._idle.append(line)
                return
        line.close()

    def prepare_tls(self) -> None:
        """Reads the certificates, which takes time that the first call should not lose."""
        self._tls_context()

    def _tls_context(self) -> ssl.SSLContext:
        """The system's certificates (``SSL_CERT_FILE`` counts) and those of certifi."""
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
                self._tls.load_verify_locations(certifi.where())
            return self._tls


def _encoded(parameters: Mapping[str, object] | None) -> str:
    """As ``urlencode`` does it: one pair for each element of a list."""
    return "&".join(
        f"{_quoted(name)}={_quoted(str(each))}"
        for name, value in (parameters or {}).items()
        for each in (value if isinstance(value, list | tuple) else (value,))
    )


@lru_cache(maxsize=KNOWN_WORDS)
def _quoted(word: str) -> str:
    # The names of parameters, our own number and most messages are the same in every call.
    return quote_plus(word, errors="replace")


def _request(
    method: str,
    target: str,
    host: str,
    body: str,
    headers: Mapping[str, str],
    auth: tuple[str, str] | None,
) -> bytes:
    named = {"Host": host, "Accept-Encoding": "identity", **headers}
    if auth:
        named["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    if method != "GET":
        named["Content-Length"] = str(len(body))
    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    # In one piece, so that one check before it covers all of it.
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode("ascii", "replace")
