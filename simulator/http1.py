"""HTTP/1.1 over plain sockets, with the ways in which an answer can go wrong.

Python's own HTTP server hides the socket; a simulator of faults needs it.
One thread serves one connection.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from functools import cached_property, lru_cache
from http import HTTPStatus
from io import BufferedReader
from urllib.parse import parse_qsl, unquote, urlsplit

#: Longest line of a request's head, bytes.
MAX_LINE = 65_536
#: Largest body of a request, bytes.
MAX_BODY = 4 * 1024 * 1024
#: How long an answer that never comes holds its connection, seconds.
MAX_SILENCE_S = 120.0


class Delivery(StrEnum):
    """How an answer reaches the client."""

    #: As it should.
    WHOLE = "whole"
    #: Byte by byte, with a pause after each.
    DRIP = "drip"
    #: Half of it; then the connection is closed.
    CUT = "cut"
    #: Not at all: the connection is closed.
    DROP = "drop"
    #: Not at all: the connection is reset.
    RESET = "reset"
    #: Not at all: the connection stays open until the client gives up.
    NEVER = "never"
    #: Not at all: the sending side is closed, the receiving side stays open.
    HALF_CLOSE = "half_close"
    #: As it should; then the connection is closed, which the answer did not announce.
    THEN_CLOSE = "then_close"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request."""

    method: str
    #: Decoded, without the query.
    path: str
    query: Mapping[str, str]
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def form(self) -> Sequence[tuple[str, str]]:
        """The form-encoded body, in the order sent."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One HTTP answer and how it is delivered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    #: Pause after each byte of a dripped answer, ms.
    pace_ms: int = 0

    def encode(self) -> bytes:
        """Return the bytes that go over the wire."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        head = [f"HTTP/1.1 {self.status} {phrase}", f"Date: {http_date(int(time.time()))}"]
        named = {"Content-Type": "application/json", **self.headers}
        head += [f"{name}: {value}" for name, value in named.items()]
        head.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*head, "", ""]).encode("latin-1") + self.body


Handler = Callable[[Request], Reply]


@lru_cache(maxsize=64)
def http_date(unix_s: int) -> str:
    """Return a second as HTTP writes it: many answers share one."""
    return formatdate(unix_s, usegmt=True)


class MalformedError(ValueError):
    """The client does not speak HTTP."""


def converse(sock: socket.socket, handler: Handler) -> None:
    """Answer requests on one connection until either side ends it."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader = sock.makefile("rb")
    try:
        while request := read_request(sock, reader):
            if not deliver(sock, handler(request)):
                return
            if request.headers.get("connection", "").lower() == "close":
                return
    except ValueError:
        deliver(sock, Reply(status=400, body=b"{}"))


def read_request(sock: socket.socket, reader: BufferedReader) -> Request | None:
    """Return the next request of a connection; ``None`` when the client is done."""
    line = reader.readline(MAX_LINE).strip()
    if not line:
        return None
    try:
        method, uri, _version = line.decode("latin-1").split(" ")
    except ValueError:
        raise MalformedError(line) from None
    headers = _read_headers(reader)
    if headers.get("expect", "").lower() == "100-continue":
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    target = urlsplit(uri)
    return Request(
        method=method,
        path=unquote(target.path),
        query=dict(parse_qsl(target.query, keep_blank_values=True)),
        headers=headers,
        body=_read_body(reader, headers),
    )


def _read_headers(reader: BufferedReader) -> dict[str, str]:
    headers = {}
    while line := reader.readline(MAX_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_body(reader: BufferedReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise MalformedError(length)
    body = reader.read(int(length))
    if len(body) < int(length):
        # A request that was cut off is not a request: Twilio would not act on it either.
        raise ConnectionError("the client went away in the middle of its request")
    return body


def _read_chunks(reader: BufferedReader) -> bytes:
    chunks: list[bytes] = []
    while size := int(reader.readline(MAX_LINE).split(b";")[0], 16):
        if size > MAX_BODY:
            raise MalformedError(str(size))
        chunks.append(reader.read(size))
        reader.readline(MAX_LINE)
    while reader.readline(MAX_LINE).strip():
        pass
    return b"".join(chunks)


def deliver(sock: socket.socket, reply: Reply) -> bool:
    """Send an answer in its manner; return whether the connection stays open."""
    encoded = reply.encode()
    match reply.delivery:
        case Delivery.WHOLE:
            sock.sendall(encoded)
            return reply.headers.get("Connection") != "close"
        case Delivery.THEN_CLOSE:
            sock.sendall(encoded)
        case Delivery.DRIP:
            _drip(sock, encoded, reply.pace_ms / 1000)
        case Delivery.CUT:
            # The whole head and half of the body: it looks like an answer until it ends.
            sock.sendall(encoded[: len(encoded) - (len(reply.body) + 1) // 2])
        case Delivery.RESET:
            # Lingering for no time at all turns the close into a reset.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case Delivery.HALF_CLOSE:
            sock.shutdown(socket.SHUT_WR)
            _hold(sock)
        case Delivery.NEVER:
            _hold(sock)
        case Delivery.DROP:
            pass
    return False


def _drip(sock: socket.socket, encoded: bytes, pace_s: float) -> None:
    for byte in encoded:
        sock.sendall(bytes([byte]))
        time.sleep(pace_s)


def _hold(sock: socket.socket) -> None:
    """Keep a connection open until the client ends it."""
    sock.settimeout(MAX_SILENCE_S)
    while sock.recv(4096):
        pass
