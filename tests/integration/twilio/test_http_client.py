"""Answers as they come in: in pieces, cut short, too long, or not asked for."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.integration.twilio.attempts import (
    GRACE_S,
    MakeDialer,
    an_attempt,
)
from tests.integration.twilio.raw_server import RawServer
from vomind_queue.calls.attempts import Accepted, Failure, Kind
from vomind_queue.twilio.connection import Exchange
from vomind_queue.twilio.http_client import BoundedHttpClient

BODY = b'{"sid": "CA1", "status": "queued"}'
CREATED = b"HTTP/1.1 201 Created\r\n"
WHOLE = CREATED + b"Content-Length: %d\r\nX-Place: S\xe3o\r\n\r\n" % len(BODY) + BODY
CHUNKED = (
    CREATED
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:9], BODY[9:], b""))
)
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE
HINTED = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + WHOLE
#: Its body ends where the connection ends.
ENDLESS = CREATED + b"\r\n" + BODY
BUSY = b'{"code": 20429, "message": "Too Many Requests"}'
REFUSED = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: %d\r\n\r\n" % len(BUSY) + BUSY
ACCEPTED = Accepted(sid="CA1", status="queued")


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    """A server whose answers a test chooses."""
    with RawServer() as made:
        yield made


@pytest.mark.parametrize("pause_s", [None, 0.0002], ids=["in one piece", "byte by byte"])
@pytest.mark.parametrize(
    "answer",
    [WHOLE, CHUNKED, CONTINUED, HINTED],
    ids=["whole", "chunked", "continued", "hinted"],
)
def test_an_answer_in_any_pieces(
    make_dialer: MakeDialer, raw_server: RawServer, answer: bytes, pause_s: float | None
) -> None:
    """Where it is cut changes nothing, and the connection is used again."""
    raw_server.raw, raw_server.pause_s, raw_server.stays = answer, pause_s, True
    dialer = make_dialer(api_base=raw_server.url)
    assert [dialer.place(an_attempt()) for _ in range(3)] == [ACCEPTED] * 3
    assert raw_server.connections == 1


def test_an_answer_that_ends_with_the_connection(
    make_dialer: MakeDialer, raw_server: RawServer
) -> None:
    """Without a length it is whole when nothing comes any more."""
    raw_server.raw = ENDLESS
    dialer = make_dialer(api_base=raw_server.url)
    assert [dialer.place(an_attempt()) for _ in range(2)] == [ACCEPTED] * 2
    assert raw_server.connections == 2


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED, REFUSED], ids=["whole", "chunked", "refused"])
def test_half_an_answer_is_none(
    make_dialer: MakeDialer, raw_server: RawServer, answer: bytes
) -> None:
    """Wherever the connection ends before it: even half a refusal leaves the outcome unknown."""
    dialer = make_dialer(api_base=raw_server.url)
    for end in range(len(answer)):
        raw_server.raw = answer[:end]
        failed = dialer.place(an_attempt())
        assert isinstance(failed, Failure), answer[:end]
        assert failed.kind is Kind.UNKNOWN, answer[:end]


@pytest.mark.alone
@pytest.mark.parametrize("more", [b"{}", WHOLE, b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
@pytest.mark.parametrize("pause_s", [None, 0.0002], ids=["in one piece", "byte by byte"])
def test_what_was_not_asked_for_spoils_the_connection(
    make_dialer: MakeDialer, raw_server: RawServer, more: bytes, pause_s: float | None
) -> None:
    """The answer before it counts; the next request goes over a new connection."""
    raw_server.raw, raw_server.pause_s, raw_server.stays = WHOLE + more, pause_s, True
    dialer = make_dialer(api_base=raw_server.url)
    for _ in range(3):
        assert dialer.place(an_attempt()) == ACCEPTED
        time.sleep(0.05)
    assert raw_server.connections == 3


def test_an_announced_end(make_dialer: MakeDialer, raw_server: RawServer) -> None:
    """A server that says that it closes is not asked again on that connection."""
    raw_server.raw, raw_server.stays = WHOLE.replace(b"X-Place: S\xe3o", b"Connection: close"), True
    dialer = make_dialer(api_base=raw_server.url)
    assert [dialer.place(an_attempt()) for _ in range(2)] == [ACCEPTED] * 2
    assert raw_server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nsomething",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
    ],
    ids=["another protocol", "early hints alone"],
)
def test_a_provisional_answer_is_none(
    make_dialer: MakeDialer, raw_server: RawServer, answer: bytes
) -> None:
    """What follows must not be taken for the answer to the next request."""
    raw_server.raw, raw_server.stays = answer, True
    dialer = make_dialer(api_base=raw_server.url)
    for _ in range(2):
        failed = dialer.place(an_attempt())
        assert isinstance(failed, Failure)
        assert failed.kind is Kind.UNKNOWN
    assert raw_server.connections == 2


def test_names_of_headers_in_any_case(make_dialer: MakeDialer, raw_server: RawServer) -> None:
    """Twilio's wish to wait is heard however it is spelled."""
    raw_server.raw = REFUSED.replace(b"\r\nContent", b"\r\nrEtRy-aFtEr: 7\r\nContent")
    failed = make_dialer(api_base=raw_server.url).place(an_attempt())
    assert isinstance(failed, Failure)
    assert (failed.kind, failed.retry_after_ms) == (Kind.REFUSED, 7_000)


#: What a server may send for ever, after the beginning of an answer.
ENDLESS_PARTS = {
    "status line": (b"HTTP/1.1 201 ", b"X"),
    "header": (CREATED + b"X: ", b"y"),
    "body": (CREATED + b"\r\n", b" "),
    "length": (CREATED + b"Content-Length: 1000\r\n\r\n", b" "),
    "chunk": (CREATED + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n", b" "),
    "size of a chunk": (CREATED + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
}


@pytest.mark.alone
@pytest.mark.parametrize("part", ENDLESS_PARTS)
def test_the_deadline_is_for_the_answer_as_a_whole(
    make_dialer: MakeDialer, raw_server: RawServer, part: str
) -> None:
    """A server that never stops sending a little is given up like a silent one."""
    begin, drop = ENDLESS_PARTS[part]
    raw_server.raw, raw_server.pause_s = begin + drop * 800, 0.005
    start = time.monotonic()
    failed = make_dialer(api_base=raw_server.url, deadline_ms=500).place(an_attempt())
    assert 0.5 <= time.monotonic() - start < 0.5 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNKNOWN
    assert "in time" in failed.reason


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"Content-Length: 99999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ],
    ids=["no length", "announced", "in chunks"],
)
def test_no_server_fills_our_memory(
    make_dialer: MakeDialer, raw_server: RawServer, head: bytes
) -> None:
    """What comes is bounded, and nothing is reserved for what is only announced."""
    chunk = b"ffffffffff\r\n" if b"chunked" in head else b""
    raw_server.raw = CREATED + head + b"\r\n" + chunk + b" " * 9_000_000
    dialer = make_dialer(api_base=raw_server.url)
    dialer.place(an_attempt())
    raw_server.raw = CREATED + head + b"\r\n" + chunk + BODY
    tracemalloc.start()
    try:
        failed = dialer.place(an_attempt())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2_000_000
    if head:
        assert isinstance(failed, Failure)
        assert failed.kind is Kind.UNKNOWN


def test_an_answer_that_is_too_large(make_dialer: MakeDialer, raw_server: RawServer) -> None:
    """It is given up in the middle, and leaves the outcome unknown."""
    raw_server.raw = CREATED + b"\r\n" + BODY + b" " * 9_000_000
    failed = make_dialer(api_base=raw_server.url).place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNKNOWN
    assert "too large" in failed.reason


def test_an_answer_before_the_whole_request() -> None:
    """A server that refuses and hangs up during the request leaves the outcome unknown."""
    http, exchange = BoundedHttpClient(1), Exchange(10)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.closing(http):

        def refuse() -> None:
            visitor, _ = listener.accept()
            with visitor:
                visitor.recv(65536)
                visitor.sendall(REFUSED)

        threading.Thread(target=refuse, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(ConnectionError), http.exchange(exchange):
            http.request("POST", url, data={"T": "x" * 16_000_000})
    assert exchange.sent
    assert exchange.answer is None


@pytest.mark.alone
def test_a_server_that_speaks_unasked_is_not_believed(make_dialer: MakeDialer) -> None:
    """What it says on an idle connection is not the answer to the next request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served: list[bytes] = []

        def serve() -> None:
            for _ in range(2):
                visitor, _ = listener.accept()
                with visitor:
                    served.append(visitor.recv(65536))
                    visitor.sendall(WHOLE.replace(b"CA1", b"CA%d" % len(served)))
                    time.sleep(0.05)
                    visitor.sendall(WHOLE.replace(b"CA1", b"CA9"))
                    time.sleep(0.05)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        dialer = make_dialer(api_base=f"http://127.0.0.1:{listener.getsockname()[1]}")
        first = dialer.place(an_attempt())
        time.sleep(0.075)
        second = dialer.place(an_attempt())
        server.join(10)
    assert [each.sid for each in (first, second) if isinstance(each, Accepted)] == ["CA1", "CA2"]
