"""The HTTP client given to the twilio library: it sends no request twice, and none late.

Whether a phone may be rung again depends on whether any byte of the request may have left. The
library's own client is built on ``requests``, which does not say, and whose time-out covers one
read at a time. This one follows no redirects, never retries, and ignores proxies set in the
environment; a proxy is configured with ``TWILIO_API_BASE``.
"""

from __future__ import annotations

import logging
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from urllib.parse import SplitResult, urlencode, urlsplit

import certifi
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]

from vomind_queue.dialer.connection import Connection, Exchange

#: How long a connection may have been idle and still be used, s. Servers close idle connections,
#: and the outcome of a request that crosses the close is unknown.
MAX_IDLE_S = 4.0

_PORTS = {"http": 80, "https": 443}
_current: ContextVar[Exchange] = ContextVar("exchange")


class BoundedHttpClient(HttpClient):  # type: ignore[misc]  # the library brings no types
    """Hold each request to the exchange of its thread, over connections shared by all threads.

    A connection per thread would mostly be too old to use: among many threads, the turn of each
    comes rarely. So the connection used last serves whichever thread asks next.
    """

    def __init__(self, size: int, *, max_idle_s: float = MAX_IDLE_S) -> None:
        """``size``: connections kept open; more exist only while more threads are asking."""
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._size = size
        self._max_idle_s = max_idle_s
        self._lock = threading.Lock()
        #: The most recently used last.
        self._idle: list[Connection] = []

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Trust in the system's certificates (``SSL_CERT_FILE``) and in certifi's."""
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context

    @contextmanager
    def exchange(self, exchange: Exchange) -> Iterator[Exchange]:
        """Apply these limits to the requests within; the exchange then has the last answer."""
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
        """Send one request, at most once. Raise what `Connection.ask` raises."""
        exchange = _current.get()
        url = urlsplit(uri)
        query = "&".join(filter(None, (url.query, _encoded(params))))
        sent_headers = {"Host": url.netloc.rpartition("@")[2], **(headers or {})}
        if auth:
            sent_headers["Authorization"] = f"Basic {b64encode(':'.join(auth).encode()).decode()}"
        connection = self._take(url)
        target = f"{url.path or '/'}{f'?{query}' if query else ''}"
        if connection.ask(exchange, method, target, _encoded(data).encode() or None, sent_headers):
            self._give_back(connection)
        return exchange.answer

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self, url: SplitResult) -> Connection:
        address = (url.hostname or "", url.port or _PORTS[url.scheme])
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return Connection(*address, self.tls if url.scheme == "https" else None)
            is_fresh = connection.idle_s <= self._max_idle_s
            if connection.address == address and is_fresh and connection.is_quiet():
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            self._idle.append(connection)
            oldest = self._idle[0]
            is_spare = len(self._idle) > self._size or oldest.idle_s > self._max_idle_s
            if is_spare:
                del self._idle[0]
        if is_spare:
            oldest.close()


def _encoded(parameters: Mapping[str, object] | None) -> str:
    return urlencode(parameters or {}, doseq=True, errors="replace")
