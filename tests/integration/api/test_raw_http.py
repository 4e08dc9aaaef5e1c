"""What no well-behaved client sends, over plain sockets, to a real web process."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterator

import pytest
import redis
import requests

from tests.servers import Server
from tests.stack import Stack

GOOD = b'{"to":"+1234567890"}'
HOST = b"Host: localhost\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"
POST = b"POST /api/queue/schedule-call HTTP/1.1\r\n" + JSON
CLEAN = b"POST /api/queue/clean HTTP/1.1\r\n" + JSON
MIB = 1024 * 1024
#: What comes before the answer when a client asks whether it may send its body.
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module")
def web(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real web process."""
    shared_server.empty()
    made = Stack(directory=tmp_path_factory.mktemp("web"), redis_url=shared_server.url)
    made.start_web()
    yield made
    made.close()


def send(port: int, raw: bytes, *, end: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to these bytes; status 0 when there is none.

    ``end``: nothing more will be sent, and the server is told so.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        # The server may have answered and hung up before it was told everything.
        with contextlib.suppress(ConnectionError):
            connection.sendall(raw)
            if end:
                connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionError):
            while not _whole(received) and (piece := connection.recv(65536)):
                received = (received + piece).removeprefix(GO_ON)
    if not received:
        return 0, {}, b""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def _whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return bool(end and length and len(body) >= int(length[1]))


def length(number: int) -> bytes:
    """The header that announces a body, and the end of the headers."""
    return b"Content-Length: %d\r\n\r\n" % number


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED = {
    "cut off": (POST + length(50) + GOOD, True, 400),
    "cut off after a whole object": (POST + length(len(GOOD) + 1) + GOOD, True, 400),
    "cut off before the first byte": (POST + length(50), True, 400),
    "a clean cut off": (CLEAN + length(50), True, 400),
    "chunks cut off": (POST + CHUNKED + b"5\r\n" + GOOD[:3], True, 400),
    "a clean in chunks cut off": (CLEAN + CHUNKED, True, 400),
    "chunks without a number": (POST + CHUNKED + b"zz\r\n" + GOOD + b"\r\n0\r\n\r\n", False, 400),
    "an empty chunked body": (CLEAN + CHUNKED + b"0\r\n\r\n", False, 400),
    "a byte too long": (POST + length(10 * MIB + 1) + b"x" * (10 * MIB + 1), False, 413),
    "far too long, never sent": (POST + length(10**14), False, 413),
    "chunks too long": (
        POST + CHUNKED + (b"100000\r\n" + b"x" * MIB + b"\r\n") * 11 + b"0\r\n\r\n", False, 413,
    ),
    "negative length": (POST + b"Content-Length: -5\r\n\r\n" + GOOD, False, 400),
    "length in words": (POST + b"Content-Length: ten\r\n\r\n" + GOOD, False, 400),
    "two lengths": (POST + b"Content-Length: 20\r\nContent-Length: 5\r\n\r\n" + GOOD, False, 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", False, 400),
    "no HTTP": (b"hello\r\n\r\n", False, 400),
    "raw bytes in the path": (b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n", False, 400),
    "escaped bytes in the path": (
        b"GET /api/queue/job/%ff%00%0a%ed%a0%80 HTTP/1.1\r\n" + HOST + b"\r\n", False, 404,
    ),
    "escaped bytes in the query": (
        b"GET /api/queue/waiting?start=%ff%00 HTTP/1.1\r\n" + HOST + b"\r\n", False, 422,
    ),
    "a star": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", False, 404),
    "another host's address": (
        b"GET http://example.invalid/nothing HTTP/1.1\r\n" + HOST + b"\r\n", False, 404,
    ),
    "an odd host": (b"GET /nothing HTTP/1.1\r\nHost: <>{}|\r\n\r\n", False, 400),
    "no host": (b"GET /nothing HTTP/1.0\r\n\r\n", False, 404),
    "a very long header": (b"GET / HTTP/1.1\r\nX: " + b"x" * MIB + b"\r\n\r\n", False, 431),
    "too many headers": (b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 101 + b"\r\n", False, 431),
    "a very long address": (
        b"GET /" + b"x" * 65_536 + b" HTTP/1.1\r\n" + HOST + b"\r\n", False, 414,
    ),
    "a key in another alphabet": (
        POST + "Idempotency-Key: ключ\r\n".encode() + length(len(GOOD)) + GOOD, False, 422,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_that_can_be_sent_is_a_500(web: Stack, valkey: redis.Redis, name: str) -> None:
    """It is refused, never in HTML; nothing is stored, and the next request is answered."""
    raw, end, expected = REFUSED[name]
    status, headers, body = send(web.web_port, raw, end=end)
    assert status == expected
    # An empty body is the HTTP server's own: what it gets is no request at all.
    if body:
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(body)["status"] == expected
    stats = requests.get(f"{web.queue_url}/stats", timeout=30).json()
    assert stats["stats"]["total"] == 0


@pytest.mark.parametrize(
    "raw",
    [
        POST + length(len(GOOD)) + GOOD,
        POST + CHUNKED + b"5\r\n" + GOOD[:5] + b"\r\nf\r\n" + GOOD[5:] + b"\r\n0\r\n\r\n",
        POST.replace(b"HTTP/1.1", b"HTTP/1.0") + length(len(GOOD)) + GOOD,
        POST + b"Expect: 100-continue\r\n" + length(len(GOOD)) + GOOD,
    ],
    ids=["plain", "chunked", "HTTP/1.0", "with an expectation"],
)
def test_unusual_but_good_requests_are_answered(
    web: Stack, valkey: redis.Redis, raw: bytes
) -> None:
    """Bodies in parts, old clients, clients that ask before they send."""
    send(web.web_port, raw)
    stats = requests.get(f"{web.queue_url}/stats", timeout=30).json()
    assert stats["stats"]["waiting"] == 1


def test_a_connection_serves_many_requests(web: Stack, valkey: redis.Redis) -> None:
    """It is kept open, after refusals, too."""
    connection = http.client.HTTPConnection("127.0.0.1", web.web_port, timeout=30)
    connection.connect()
    own_port = connection.sock.getsockname()[1]
    for number, expected in (("+1234567890", 200), ("5", 422)) * 3:
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"to": number})
        connection.request("POST", "/api/queue/schedule-call", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == expected
        assert connection.sock.getsockname()[1] == own_port
    connection.close()


@pytest.mark.parametrize(
    "hosts",
    [b"", b"Host: localhost\r\nHost: evil.example\r\n", b"Host: a, b\r\n", b"Host: a/b\r\n"],
)
def test_a_request_names_one_host(web: Stack, hosts: bytes) -> None:
    """Whatever stands before the service must not take another one for it (RFC 9112, 3.2)."""
    status, _, _ = send(web.web_port, b"GET /api/queue/stats HTTP/1.1\r\n" + hosts + b"\r\n")
    assert status == 400
