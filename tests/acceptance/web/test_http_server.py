"""The HTTP server in front of the API: how it bears with its clients, and how it ends."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import requests

from tests.servers import Server
from tests.stack import ROOT, Stack, until

HOST = b"Host: localhost\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
LAST = GET + b"Connection: close\r\n\r\n"
BULK = b"POST /api/queue/schedule-bulk-calls HTTP/1.1\r\n" + JSON


@pytest.fixture(scope="module")
def web(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real web process."""
    shared_server.empty()
    made = Stack(directory=tmp_path_factory.mktemp("web"), redis_url=shared_server.url)
    made.start_web(WEB_PROCESSES="2")
    yield made
    made.close()


def connect(stack: Stack) -> socket.socket:
    """A new connection."""
    return socket.create_connection(("127.0.0.1", stack.web_port), timeout=20)


def send(stack: Stack, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """All that is answered until the server hangs up."""
    with connect(stack) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        return receive(connection)


def receive(connection: socket.socket) -> bytes:
    """All of it, until the server hangs up."""
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def call(number: int, *headers: bytes) -> bytes:
    """A request for a call that says its number."""
    body = b'{"to":"+1555%07d"}' % number
    head = b"POST /api/queue/schedule-call HTTP/1.1\r\n" + JSON
    lines = b"".join(line + b"\r\n" for line in headers)
    return head + lines + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def numbers(answers: bytes) -> list[int]:
    """The numbers of the calls that were taken, in the order of the answers."""
    return [int(found) for found in re.findall(rb'"to":"\+1555(\d{7})"', answers)]


def test_requests_that_come_at_once_are_answered_in_their_order(web: Stack) -> None:
    """All of them, on one connection."""
    answers = send(web, b"".join(call(number) for number in range(5)) + LAST)
    assert numbers(answers) == [0, 1, 2, 3, 4]
    assert answers.count(b"HTTP/1.1 200") == 6


def test_a_request_may_come_in_any_pieces(web: Stack) -> None:
    """Head and body in one, or byte by byte."""
    raw = call(7, b"Connection: close")
    for at in (1, 40, len(raw) - 8, len(raw) - 1):
        assert numbers(send(web, raw[:at], raw[at:], pause_s=0.01)) == [7]
    assert numbers(send(web, *(raw[at : at + 1] for at in range(len(raw))))) == [7]


def test_who_asks_for_another_protocol_is_answered_in_this_one(web: Stack) -> None:
    """As clients in Java do with their first request; what follows is whole."""
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA")
    assert numbers(send(web, call(1, *upgrade) + call(2) + LAST)) == [1, 2]


@pytest.mark.parametrize(
    "raw",
    [
        GET + b"X: " + b"x" * 200_000,
        GET + b"X-1: y\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"x" * 200_000,
    ],
    ids=["header", "headers", "address"],
)
def test_what_is_not_the_body_is_bounded(web: Stack, raw: bytes) -> None:
    """It is refused before its end."""
    assert re.match(rb"HTTP/1.1 4(31|14)", send(web, raw))


def test_an_answer_before_the_body_leaves_no_half_of_it(web: Stack) -> None:
    """What still comes of the body is not taken for the next request."""
    head = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    answers = send(web, head, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", pause_s=0.2)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"404"]


@pytest.mark.parametrize("raw", [b"", GET, LAST.replace(b"close", b"keep-alive")])
def test_a_silent_client_is_hung_up_on(stack: Stack, raw: bytes) -> None:
    """It does not keep its connection for ever."""
    process = stack.start("web")
    process.kill()
    process.arguments = ("-c", "from vomind_queue.processes import web; web.IDLE_S = 3; web.main()")
    process.start()
    until(lambda: _answers(stack), within_s=30, what="a server")
    assert bool(send(stack, raw)) == raw.endswith(b"keep-alive\r\n\r\n")


def _answers(stack: Stack) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{stack.web_url}/healthz", timeout=1).status_code == 200
    return False


@pytest.mark.alone
def test_the_end_waits_for_no_silent_client(stack: Stack) -> None:
    """Whatever it has sent so far; nobody serves the port any more within ten seconds."""
    web = stack.start_web(WEB_PROCESSES="2")
    with ExitStack() as opened:
        for raw in (b"", GET, BULK + b"Content-Length: 5\r\n\r\nab", LAST):
            opened.enter_context(connect(stack)).sendall(raw)
        time.sleep(0.2)
        began = time.monotonic()
        assert web.stop() == 0
        assert time.monotonic() - began < 10
    with pytest.raises(ConnectionRefusedError):
        connect(stack)


def test_what_fails_at_its_start_again_and_again_is_given_up(stack: Stack) -> None:
    """A supervisor sees the server end, with words and few lines of them."""
    program = "from vomind_queue.processes import web; web.TARGET = 'tests.broken_app'; web.main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        cwd=ROOT,
        env=stack.environment() | {"WEB_PROCESSES": "2"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 1
    assert "a setting is wrong" in done.stderr
    assert done.stderr.count("a setting is wrong") <= 6
