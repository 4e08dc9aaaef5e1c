"""What the application is handed by the server, and how the server bears with its clients."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port
from tests.stack import ROOT, until

JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
QUICK = b"POST /api/queue/schedule-call HTTP/1.1\r\n"
#: A request, and what the application sees of it beside what all have in common (PEP 3333).
REQUESTS: dict[str, tuple[bytes, dict[str, str]]] = {
    "plain": (
        b"GET /api/queue/stats HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
        {"PATH_INFO": "/api/queue/stats", "HTTP_HOST": "a.example:80"},
    ),
    "query": (
        b"GET /a?b=%20c&d=%C3%A4&&e HTTP/1.1\r\nHost: a\r\n\r\n",
        {"PATH_INFO": "/a", "QUERY_STRING": "b=%20c&d=%C3%A4&&e"},
    ),
    "escapes": (
        b"GET /a%20b%2Fc/%C3%A4//%25 HTTP/1.1\r\nHost: a\r\n\r\n",
        {"PATH_INFO": "/a b/c/\xc3\xa4//%"},
    ),
    "asterisk": (
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {"REQUEST_METHOD": "OPTIONS", "PATH_INFO": "*"},
    ),
    "whole address": (
        b"GET http://b.example/c?d=1 HTTP/1.1\r\nHost: a\r\n\r\n",
        {"PATH_INFO": "/c", "QUERY_STRING": "d=1"},
    ),
    "old": (b"GET / HTTP/1.0\r\n\r\n", {"SERVER_PROTOCOL": "HTTP/1.0", "HTTP_HOST": ""}),
    "another method": (
        b"PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n",
        {"REQUEST_METHOD": "PROPFIND", "PATH_INFO": "/x"},
    ),
    "headers": (
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nX-C:  4 \r\nX-D:\r\n\r\n",
        {"HTTP_X_A": "1,2", "HTTP_X_C": "4", "HTTP_X_D": ""},
    ),
    "not ASCII": (
        b"GET / HTTP/1.1\r\nHost: a\r\nX-E: \xc3\xa4\r\n\r\n", {"HTTP_X_E": "\xc3\xa4"},
    ),
    "two of one": (
        b"GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: one\r\nX-API-Key: two\r\n\r\n",
        {"HTTP_X_API_KEY": "one,two"},
    ),
    "body": (
        b"POST /x HTTP/1.1\r\nHost: a\r\n" + JSON + b"Content-Length: 4\r\n\r\n\xc3\xa4{}",
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/x", "CONTENT_TYPE": "application/json",
         "CONTENT_LENGTH": "4", "body": "\xc3\xa4{}"},
    ),
    "empty body": (
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/x", "CONTENT_LENGTH": "0"},
    ),
    "chunks": (
        b"POST /x HTTP/1.1\r\nHost: a\r\n" + CHUNKED
        + b"2\r\nab\r\n1\r\nc\r\n0\r\nX-API-Key: behind\r\n\r\n",
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/x", "HTTP_TRANSFER_ENCODING": "chunked",
         "body": "abc"},
    ),
    "chunks to a quick one": (
        QUICK + b"Host: a\r\n" + CHUNKED + b"2\r\nab\r\n0\r\n\r\n",
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/queue/schedule-call",
         "HTTP_TRANSFER_ENCODING": "chunked", "body": "ab"},
    ),
    "long body": (
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999,
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/x", "CONTENT_LENGTH": "99999",
         "body": "x" * 99_999},
    ),
    "quick": (
        QUICK + b"Host: a\r\n" + JSON + b"Content-Length: 2\r\n\r\n{}",
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/queue/schedule-call",
         "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2", "body": "{}"},
    ),
    "an upgrade is not made": (
        QUICK + b"Host: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nContent-Length: 2\r\n\r\n{}",
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/queue/schedule-call",
         "HTTP_UPGRADE": "h2c", "HTTP_HTTP2_SETTINGS": "AA", "CONTENT_LENGTH": "2", "body": "{}"},
    ),
    "pieces": (b"GET /?pieces HTTP/1.1\r\nHost: a\r\n\r\n", {"QUERY_STRING": "pieces"}),
}  # fmt: skip
ALL = {
    "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "",
    "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
    "HTTP_HOST": "a", "HTTP_CONNECTION": "close", "body": "", "wsgi.url_scheme": "http",
    "wsgi.input_terminated": True, "wsgi.multithread": True, "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}  # fmt: skip
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n"
UNREAD = b"POST /x?unread HTTP/1.1\r\nHost: a\r\n"


class Echo:
    """The server of `echo_server`, in two processes."""

    def __init__(self, processes: int = 2) -> None:
        self.port = free_port()
        arguments = ["-m", "tests.integration.echo_server", str(self.port), str(processes)]
        descriptor, path = tempfile.mkstemp()
        self._log = Path(path)
        self.process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stderr=descriptor)
        os.close(descriptor)
        until(self._answers, within_s=30, what="a server")

    def _answers(self) -> bool:
        with suppress(OSError):
            return b"200 OK" in self.send(GET + b"Connection: close\r\n\r\n")
        return False

    def log(self) -> str:
        """What it has written."""
        return self._log.read_text()

    def connect(self) -> socket.socket:
        """A connection of its own."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, *pieces: bytes, pause_s: float = 0.0, end: bool = False) -> bytes:
        """All that is answered until the server hangs up."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause_s)
            if end:
                connection.shutdown(socket.SHUT_WR)
            return receive(connection)

    def endless(self) -> int:
        """How many answers without end are being made."""
        return int(told(self.send(b"GET /?count HTTP/1.0\r\n\r\n")))

    def processes(self) -> list[int]:
        """Those that serve."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path) as file:  # noqa: PTH123
            return sorted(int(pid) for pid in file.read().split())


def receive(connection: socket.socket) -> bytes:
    """All of it, until the server hangs up."""
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def told(answer: bytes) -> Any:
    """What the application was handed."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head:
        body = b"".join(body.split(b"\r\n")[1::2])
    return json.loads(body)


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def bodies(answers: bytes) -> list[str]:
    """The bodies that the application was handed, in the order of the answers."""
    return [json.loads(found)["body"] for found in re.findall(rb"\r\n\r\n({.*?})", answers)]


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    """One for all of them."""
    made = Echo()
    yield made
    made.process.terminate()
    assert made.process.wait(10) == 0


@pytest.fixture
def alone() -> Iterator[Echo]:
    """One in a single process."""
    made = Echo(processes=1)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.parametrize("name", REQUESTS)
def test_the_application_is_handed_what_came(echo: Echo, name: str) -> None:
    """In WSGI's words, and nothing else."""
    raw, own = REQUESTS[name]
    answer = echo.send(raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    seen = told(answer)
    assert seen.pop("SERVER_PORT") == str(echo.port)
    assert seen == ALL | own


def test_a_head_has_no_body(echo: Echo) -> None:
    """But the length of what a GET would have got."""
    answer = echo.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert re.search(rb"content-length: \d", head)
    assert body == b""


@pytest.mark.parametrize("target", [b"/x", b"/x?slow", b"/api/queue/schedule-call"])
def test_requests_that_come_at_once_are_answered_in_their_order(echo: Echo, target: bytes) -> None:
    """Quick ones, slow ones, and both behind each other on one connection."""
    targets = [target, b"/api/queue/schedule-call", b"/x", b"/api/queue/schedule-call", b"/x"]
    requests = [
        b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n%d" % (each, number)
        for number, each in enumerate(targets)
    ]
    last = GET + b"Connection: close\r\n\r\n"
    answers = echo.send(b"".join(requests) + last)
    assert bodies(answers) == ["0", "1", "2", "3", "4", ""]


@pytest.mark.parametrize("target", [b"/x", b"/api/queue/schedule-call"])
def test_a_body_may_come_in_any_pieces(echo: Echo, target: bytes) -> None:
    """Head and body in one, or byte by byte."""
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" % target
    raw = head + b"Content-Length: 3\r\n\r\nabc"
    for at in range(1, len(raw)):
        if at % 7 == 0 or at > len(raw) - 8:
            assert told(echo.send(raw[:at], raw[at:], pause_s=0.002))["body"] == "abc"
    assert told(echo.send(*(raw[at : at + 1] for at in range(len(raw)))))["body"] == "abc"


@pytest.mark.parametrize("target", [b"/x", b"/api/queue/schedule-call"])
def test_who_has_sent_all_may_say_so(echo: Echo, target: bytes) -> None:
    """The answer comes although the client has closed its side; also to half a body."""
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    assert told(echo.send(head % (target, 3) + b"abc", end=True))["body"] == "abc"
    assert told(echo.send(head % (target, 5) + b"abc", end=True))["body"] == "abc"


def test_chunks_without_an_end_are_no_body(echo: Echo) -> None:
    """What came may look whole and is not."""
    raw = b"POST /x HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"2\r\n{}\r\n"
    assert told(echo.send(raw, end=True))["body"] == ""


@pytest.mark.parametrize("end", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("target", [b"/x?slow", b"/api/queue/schedule-call"])
def test_what_follows_a_request_and_is_none_is_refused_behind_its_answer(
    echo: Echo, target: bytes, end: bool
) -> None:
    """The good one keeps its answer, also where the client has closed its side."""
    good = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1" % target
    answers = echo.send(good, b"nothing of the kind\r\n\r\n", end=end)
    assert bodies(answers) == ["1"]
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"400"]


@pytest.mark.parametrize(
    "raw",
    [
        GET + b"X: " + b"x" * 200_000,
        GET + b"X-1: y\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"x" * 200_000,
        b"POST /x HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"0\r\nX: " + b"x" * 200_000,
    ],
    ids=["header", "headers", "address", "trailer"],
)
def test_what_is_not_the_body_is_bounded(echo: Echo, raw: bytes) -> None:
    """It is refused before its end."""
    assert re.match(rb"HTTP/1.1 (431|200)", echo.send(raw))


def test_a_long_body_behind_a_short_head_is_not(echo: Echo) -> None:
    """Also in chunks, which take some bytes each."""
    body = b"".join(b"64\r\n" + b"x" * 100 + b"\r\n" for _ in range(5_000)) + b"0\r\n\r\n"
    raw = b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + CHUNKED + body
    assert len(told(echo.send(raw))["body"]) == 500_000


def test_an_answer_before_the_body_leaves_the_connection_whole(echo: Echo) -> None:
    """What still comes of the body is not taken for the next request."""
    with echo.connect() as connection:
        connection.sendall(UNREAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 10)
        received = b""
        while not received.endswith(b"unread"):
            received += connection.recv(65536)
        rest = b"GET /evil HTTP/1.1\r\n\r\n".ljust(99_990, b"x")
        connection.sendall(rest + GET + b"Connection: close\r\n\r\n")
        assert told(receive(connection))["PATH_INFO"] == "/x"


def test_what_is_wrong_in_two_ways_is_refused_once(alone: Echo) -> None:
    """No HTTP, and too much of it."""
    answer = alone.send(GET + b"no header\r\n" + b"x" * 200_000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert alone.log() == ""


@pytest.mark.parametrize("target", [b"/x", b"/api/queue/schedule-call"])
@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 1\r\n\r\n1", CHUNKED + b"1\r\n1\r\n0\r\n\r\n"],
    ids=["told", "chunks"],
)
def test_who_asks_for_another_protocol_is_answered_in_this_one(
    echo: Echo, target: bytes, body: bytes
) -> None:
    """As clients in Java do with their first request; its body and what follows are whole."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    request = b"POST %b HTTP/1.1\r\nHost: a\r\n" % target + upgrade + body
    second = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n2"
    last = GET + b"Connection: close\r\n\r\n"
    assert bodies(echo.send(request + second + last)) == ["1", "2", ""]
    pieces = (request[:-1], request[-1:], second[:-1], second[-1:] + last)
    assert bodies(echo.send(*pieces, pause_s=0.02)) == ["1", "2", ""]


def test_who_does_not_read_is_not_read_either(alone: Echo) -> None:
    """What is written for it does not pile up."""
    [pid] = alone.processes()
    one = QUICK + b"Host: a\r\nContent-Length: 0\r\n\r\n"
    before = resident(pid)
    with alone.connect() as connection, suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(1)
        for _ in range(200):
            connection.sendall(one * 2_000)
    assert resident(pid) - before < 32 * 1024 * 1024


def test_who_reads_nothing_is_hung_up_on(alone: Echo) -> None:
    """The answer is not kept for it for ever."""
    with alone.connect() as connection:
        connection.sendall(b"GET /?endless HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: alone.endless() == 1, within_s=20, what="an answer under way")
        until(lambda: alone.endless() == 0, within_s=20, what="its end")


def test_no_answer_is_made_for_who_is_gone(alone: Echo) -> None:
    """Also where more requests had come behind it."""
    with alone.connect() as connection:
        connection.sendall(b"GET /?endless HTTP/1.1\r\nHost: a\r\n\r\n" + GET + b"\r\n")
        until(lambda: alone.endless() == 1, within_s=20, what="an answer under way")
    until(lambda: alone.endless() == 0, within_s=20, what="its end")
    assert alone.log() == ""


def test_who_asks_before_sending_is_told_to_go_on(echo: Echo) -> None:
    """And who is answered at once is hung up on, as nobody knows what it sends next."""
    expect = b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    answer = echo.send(b"POST /x HTTP/1.1\r\nHost: a\r\n" + expect, b"1", pause_s=0.1)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert told(answer.partition(b"\r\n\r\n")[2])["body"] == "1"
    answer = echo.send(UNREAD + expect)
    assert b"connection: close" in answer
    assert answer.endswith(b"unread")


@pytest.mark.parametrize(
    "raw",
    [b"", GET, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
     QUICK + b"Host: a\r\nContent-Length: 5\r\n\r\nab", GET + b"\r\n"],
    ids=["nothing", "half a head", "half a body", "half a quick body", "nothing more"],
)  # fmt: skip
def test_a_silent_client_is_hung_up_on(echo: Echo, raw: bytes) -> None:
    """It does not keep its connection for ever."""
    answer = echo.send(raw)
    assert bool(answer) == raw.endswith(b"a\r\n\r\n")


def test_a_failure_of_the_application_is_a_500(echo: Echo) -> None:
    """The process serves on."""
    assert echo.send(b"GET /?broken HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 500 ")
    assert told(echo.send(GET + b"Connection: close\r\n\r\n"))["PATH_INFO"] == "/x"


def test_a_killed_process_has_a_successor() -> None:
    """Connections that were dealt to it wait; those to the other go on."""
    echo = Echo()
    first = echo.processes()
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    for _ in range(40):
        assert told(echo.send(GET + b"Connection: close\r\n\r\n"))["PATH_INFO"] == "/x"
    until(lambda: len(echo.processes()) == 2, within_s=20, what="two processes")
    assert first[1] in echo.processes()
    echo.process.terminate()
    assert echo.process.wait(10) == 0


def test_the_end_waits_for_answers_and_not_for_silent_clients() -> None:
    """Requests under way are answered; then nobody serves the port any more."""
    echo = Echo()
    half = b"Content-Length: 5\r\n\r\nab"
    with ExitStack() as stack:
        connections = [stack.enter_context(echo.connect()) for _ in range(5)]
        busy, silent, slow, quick, deaf = connections
        busy.sendall(b"GET /x?slow HTTP/1.1\r\nHost: a\r\n\r\n")
        silent.sendall(GET)
        slow.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\n" + half)
        quick.sendall(QUICK + b"Host: a\r\n" + half)
        deaf.sendall(b"GET /?endless HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        echo.process.terminate()
        assert told(receive(busy))["QUERY_STRING"] == "slow"
        assert echo.process.wait(10) == 0
    # And nothing of exceptions, or of being killed.
    assert echo.log() == "ended\n" * 2
    with pytest.raises(ConnectionRefusedError):
        echo.connect()


def test_processes_end_with_their_parent() -> None:
    """However it dies; the port is free again."""
    echo = Echo()
    echo.process.kill()
    echo.process.wait()

    def is_free() -> bool:
        with suppress(ConnectionRefusedError):
            echo.connect().close()
            return False
        return True

    until(is_free, within_s=20, what="a free port")


def test_who_fails_at_its_start_again_and_again_is_given_up() -> None:
    """Whoever watches over the server sees it end, and the log has few lines of it."""
    program = """
import socket, sys
from vomind_queue import prefork
def serve(sock):
    sys.exit("a setting is wrong")
prefork.run([socket.socket(), socket.socket()], serve, stop_s=1)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("a setting is wrong") == 6
