"""The HTTP client given to the twilio library: it sends no request twice, and none late.

Whether a phone may be rung again depends on whether a byte of the request may have left. The
library's own client does not say, and its time-out restarts with every byte. So ``http.client``
formats requests and parses answers here, over a stream of ours. There are no redirects, no retries
and no proxies from the environment; ``TWILIO_API_BASE`` can name one.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import cast
from urllib.parse import SplitResult, urlencode, urlsplit

import certifi
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]

from vomind_queue.clocks import boottime
from vomind_queue.twilio.connection import Exchange, connect, is_quiet, left_s, limit, reset

#: How long a connection may have been idle and still be used, s. Servers close idle connections,
#: and the outcome of a request that crosses the close is unknown.
MAX_IDLE_S = 4.0
#: Largest answer that is read, bytes; a full page of 1,000 calls has about 2 MB.
MAX_ANSWER = 8 * 1024 * 1024
#: Bytes read at once: more than most answers have. Each waiting slot reserves as many.
_PIECE = 8 * 1024

_current: ContextVar[Exchange] = ContextVar("exchange")


class BoundedHttpClient(HttpClient):  # type: ignore[misc]  # the library brings no types
    """Hold each request to the exchange of its thread.

    The threads share connections, and the one used last is used next: one per thread would mostly
    be too old to use.
    """

    def __init__(self, size: int, *, max_idle_s: float = MAX_IDLE_S) -> None:
        """``size``: connections kept open; more exist only while more threads are asking."""
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._size, self._max_idle_s = size, max_idle_s
        self._lock = threading.Lock()
        #: Where each leads to, and since when it is idle; the most recently used last.
        self._idle: list[tuple[socket.socket, tuple[str, str], float]] = []

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Trust in the system's certificates (``SSL_CERT_FILE``) and in certifi's."""
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context

    @contextmanager
    def exchange(self, exchange: Exchange) -> Iterator[None]:
        """Apply these limits to the requests within; the exchange then has the last answer."""
        token = _current.set(exchange)
        try:
            yield
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
        """Send one request, at most once, and return its whole answer.

        Raise TooLateError, OSError or HTTPException; ``sent`` tells whether a byte may have left.
        """
        exchange, url = _current.get(), urlsplit(uri)
        query = "&".join(filter(None, (url.query, _encoded(params))))
        target = f"{url.path or '/'}{f'?{query}' if query else ''}"
        given = {"Host": url.netloc.rpartition("@")[2], **(headers or {})}
        if auth:
            given["Authorization"] = f"Basic {b64encode(':'.join(auth).encode()).decode()}"
        sock = self._connection(url, exchange)
        try:
            stream, http = _Stream(sock, exchange), HTTPConnection(url.hostname or "")
            http.sock = cast(socket.socket, stream)
            http.request(method, target, _encoded(data).encode() or None, given)
            stream.transmit()
            response = _final(http.getresponse(), stream, method)
            exchange.answer = _whole(response)
        except BaseException:
            reset(sock)
            raise
        if response.will_close or stream.incoming:
            sock.close()
        else:
            self._keep(sock, url[:2])
        return exchange.answer

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            while self._idle:
                self._idle.pop()[0].close()

    def _connection(self, url: SplitResult, exchange: Exchange) -> socket.socket:
        """Return the idle connection used last, or a new one. Raise TooLateError or OSError."""
        exchange.left_to_send_s()
        with self._lock:
            while self._idle:
                sock, place, since_s = self._idle.pop()
                if boottime() - since_s <= self._max_idle_s and place == url[:2] and is_quiet(sock):
                    return sock
                sock.close()
        return connect(url, exchange, self.tls if url.scheme == "https" else None)

    def _keep(self, sock: socket.socket, place: tuple[str, str]) -> None:
        now_s = boottime()
        with self._lock:
            self._idle.append((sock, place, now_s))
            while len(self._idle) > self._size or now_s - self._idle[0][2] > self._max_idle_s:
                self._idle.pop(0)[0].close()


class _Stream:
    """The socket and file that ``http.client`` works on; no step outlasts the exchange."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock, self._exchange = sock, exchange
        self._outgoing = self.incoming = b""
        self._received = 0

    def sendall(self, data: bytes) -> None:
        self._outgoing += data

    def transmit(self) -> None:
        """Send the request in one piece. From its first byte on, the outcome is unknown."""
        outgoing = memoryview(self._outgoing)
        while outgoing:
            limit(self._sock, self._exchange.left_to_send_s())
            self._exchange.sent = True
            outgoing = outgoing[self._sock.send(outgoing) :]

    def makefile(self, _mode: str) -> _Stream:
        return self

    def readline(self, limit: int) -> bytes:
        while (end := self.incoming.find(b"\n")) < 0 and len(self.incoming) < limit:
            if not self._receive():
                # Otherwise http.client would take half a header for the last.
                raise ConnectionError("it was closed")
        return self.read(min(end + 1 or limit, limit))

    def read(self, size: int) -> bytes:
        while len(self.incoming) < size and self._receive():
            pass
        taken, self.incoming = self.incoming[:size], self.incoming[size:]
        return taken

    def close(self) -> None:
        """Do nothing: ``http.client`` closes its socket before it has read the body."""

    flush = close

    def _receive(self) -> int:
        self._sock.settimeout(left_s(self._exchange.answer_until_s))
        piece = self._sock.recv(_PIECE)
        self.incoming += piece
        self._received += len(piece)
        if self._received > MAX_ANSWER:
            raise ConnectionError("the answer is too large")
        return len(piece)


def _final(response: HTTPResponse, stream: _Stream, method: str) -> HTTPResponse:
    """Return the answer itself: what may come before it (RFC 9110, 15.2) is read over.

    ``http.client`` does that with 100 alone.
    """
    while HTTPStatus.SWITCHING_PROTOCOLS < response.status < HTTPStatus.OK:
        response = HTTPResponse(cast(socket.socket, stream), method=method)
        response.begin()
    return response


def _whole(response: HTTPResponse) -> Response:
    if response.status < HTTPStatus.OK:
        raise HTTPException(f"the status is {response.status}")
    # Piece by piece: otherwise http.client allocates whatever length the server announces.
    body = b"".join(iter(lambda: response.read(_PIECE), b""))
    if response.length:
        raise ConnectionError("it was closed")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Response(response.status, body.decode("utf-8", "replace"), headers)


def _encoded(parameters: Mapping[str, object] | None) -> str:
    return urlencode(parameters or {}, doseq=True, errors="replace")
