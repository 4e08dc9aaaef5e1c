"""A connection to Twilio that carries one request at a time, once, within its time limits.

``http.client`` formats requests and parses answers, over a stream of ours. A socket's time-out
restarts with every byte, so a server that sends one a second would hold a call for ever.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import cast

from twilio.http.response import Response  # type: ignore[import-untyped]

from vomind_queue.clocks import boottime
from vomind_queue.dialer.lookup import look_up

#: Largest answer that is read, bytes; a full page of 1,000 calls has about 2 MB.
MAX_ANSWER = 8 * 1024 * 1024
#: Bytes read at once: more than most answers have. Each waiting slot reserves as many.
_PIECE = 8 * 1024
#: Linux and a few others; ``None`` elsewhere.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
_NO_LINGERING = struct.pack("ii", 1, 0)


class TooLateError(Exception):
    """The time in which the request may leave is over."""


@dataclass(kw_only=True, slots=True)
class Exchange:
    """The limits of one request, how far it got, and its answer once there is one."""

    #: Instant on ``clocks.boottime`` after which not a byte may leave, s.
    send_until_s: float
    #: Instant on ``clocks.boottime`` at which waiting ends, s.
    answer_until_s: float
    #: Whether a byte may have left: set before the first one does, and never taken back.
    sent: bool = False
    #: The whole answer.
    answer: Response | None = None

    @classmethod
    def lasting(cls, seconds: float, *, begun_s: float | None = None) -> Exchange:
        """Return one that ends after so many seconds.

        Its request must leave within them, too, counted from ``begun_s`` or from now.
        """
        now_s = boottime()
        start_s = now_s if begun_s is None else begun_s
        return cls(send_until_s=start_s + seconds, answer_until_s=now_s + seconds)

    def left_to_send_s(self) -> float:
        """Return how long bytes may still leave, s. Raise TooLateError when none may."""
        left_s = min(self.send_until_s, self.answer_until_s) - boottime()
        if left_s <= 0:
            raise TooLateError
        return left_s

    def left_to_answer_s(self) -> float:
        """Return how long the answer may still take, s. Raise TimeoutError when it may not."""
        left_s = self.answer_until_s - boottime()
        if left_s <= 0:
            raise TimeoutError
        return left_s


class Connection:
    """A connection for one thread at a time; it stays open while the server agrees."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Do not connect yet. ``tls`` is ``None`` for plain HTTP."""
        self.address = (host, port)
        self._tls = tls
        self._sock: socket.socket | None = None
        self._idle_since_s = 0.0

    @property
    def idle_s(self) -> float:
        """Time since the last answer, s."""
        return boottime() - self._idle_since_s

    def is_quiet(self) -> bool:
        """Return whether the peer has neither closed an open connection nor spoken unasked."""
        if self._sock is None:
            return False
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            # Already decrypted, so the kernel no longer reports it.
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the connection."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def ask(
        self,
        exchange: Exchange,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> bool:
        """Send a request, once, and put its whole answer into the exchange.

        Return whether another request may follow. Raise TooLateError when the time to send is
        over; TimeoutError, another OSError or HTTPException when there is no connection or no
        whole answer. ``exchange.sent`` tells whether a byte may have left.
        """
        try:
            stream = _Stream(exchange)
            http = HTTPConnection(*self.address)
            http.sock = cast(socket.socket, stream)
            http.request(method, target, body, headers)
            stream.transmit(self._sock or self._connect(exchange))
            response = http.getresponse()
            exchange.answer = _whole(response)
        except BaseException:
            self._abort()
            raise
        self._idle_since_s = boottime()
        if response.will_close or stream.has_more:
            self.close()
        return self._sock is not None

    def _abort(self) -> None:
        """Close, and take back what the kernel has not delivered yet."""
        if self._sock is not None:
            # Without lingering, closing resets the connection. Otherwise the kernel would keep
            # trying to deliver a request that was given up.
            with suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self.close()

    def _connect(self, exchange: Exchange) -> socket.socket:
        exchange.left_to_send_s()
        try:
            self._sock = _dial(self.address, exchange)
            if self._tls is not None:
                # This time-out covers the handshake as a whole.
                self._sock.settimeout(exchange.left_to_send_s())
                self._sock = self._tls.wrap_socket(self._sock, server_hostname=self.address[0])
        except TooLateError:
            # Unreachable, not late: a peer that is slow to connect must open the breaker.
            raise TimeoutError from None
        return self._sock


class _Stream:
    """The socket and file that ``http.client`` is given; holds each step to the time limits."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._outgoing = self._incoming = b""
        self._received = 0
        self._sock: socket.socket | None = None

    def sendall(self, data: bytes) -> None:
        """Buffer a request, so that it leaves in one piece after one look at the clock."""
        self._outgoing += data

    def transmit(self, sock: socket.socket) -> None:
        """Send what was buffered. From its first byte on, the outcome is unknown."""
        self._sock = sock
        left_s = self._exchange.left_to_send_s()
        if _USER_TIMEOUT is not None:
            # Bytes waiting in the kernel for an absent peer must not go out late.
            sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(left_s * 1000)))
        sock.settimeout(self._exchange.left_to_send_s())
        self._exchange.sent = True
        sent = sock.send(self._outgoing)
        while sent < len(self._outgoing):
            sock.settimeout(self._exchange.left_to_send_s())
            sent += sock.send(self._outgoing[sent:])

    def makefile(self, _mode: str) -> _Stream:
        """Return the file that the answer is read from."""
        return self

    def readline(self, limit: int) -> bytes:
        """Return a line with its end, or ``limit`` bytes of a longer one."""
        while (end := self._incoming.find(b"\n")) < 0 and len(self._incoming) < limit:
            if not self._receive():
                raise ConnectionError("it was closed")
        return self._take(min(end + 1 or limit, limit))

    def read(self, size: int) -> bytes:
        """Return that many bytes; fewer only at the end of the connection."""
        while len(self._incoming) < size and self._receive():
            pass
        return self._take(size)

    def flush(self) -> None:
        """Do nothing: the file is only read."""

    def close(self) -> None:
        """Do nothing: ``http.client`` closes its socket before it has read the body."""

    @property
    def has_more(self) -> bool:
        """Whether bytes have come beyond the answer."""
        return bool(self._incoming)

    def _receive(self) -> bool:
        """Buffer what comes next; return False at the end of the connection."""
        assert self._sock is not None  # noqa: S101 - a request goes before its answer
        self._sock.settimeout(self._exchange.left_to_answer_s())
        piece = self._sock.recv(_PIECE)
        self._received += len(piece)
        if self._received > MAX_ANSWER:
            raise ConnectionError("the answer is too large")
        self._incoming += piece
        return bool(piece)

    def _take(self, size: int) -> bytes:
        taken, self._incoming = self._incoming[:size], self._incoming[size:]
        return taken


def _whole(response: HTTPResponse) -> Response:
    """Read the rest of an answer, and return it in the form of the twilio library."""
    if response.status < HTTPStatus.OK:
        # The real answer may follow, and must not be taken for that of the next request.
        raise HTTPException(f"the status is {response.status}")
    # Piece by piece: otherwise http.client allocates whatever length the server announces.
    body = b"".join(iter(lambda: response.read(_PIECE), b""))
    if response.length:
        raise ConnectionError("it was closed")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Response(response.status, body.decode("utf-8", "replace"), headers)


def _dial(address: tuple[str, int], exchange: Exchange) -> socket.socket:
    """Return a TCP connection to the first of the host's addresses that accepts one."""
    failed: OSError | None = None
    targets = look_up(address, exchange.left_to_send_s())
    for number, target in enumerate(targets):
        # One address that swallows packets must not use up the time of the others.
        share_s = exchange.left_to_send_s() / (len(targets) - number)
        try:
            sock = socket.create_connection(target, timeout=share_s)
        except OSError as error:
            failed = error
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise failed or OSError("the host has no address")
