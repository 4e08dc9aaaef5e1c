"""What becomes of connections, and what that means for the call."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.twilio.attempts import (
    DEADLINE_MS,
    GRACE_S,
    MakeDialer,
    an_attempt,
)
from tests.integration.twilio.raw_server import RawServer
from tests.ports import free_port
from tests.simulator import SimulatorClient
from tests.stack import until
from vomind_queue.calls.attempts import Accepted, Failure, Kind
from vomind_queue.clocks import boottime
from vomind_queue.twilio.connection import MAX_LOOK_UPS, Exchange, TooLateError
from vomind_queue.twilio.dialer import TwilioDialer
from vomind_queue.twilio.http_client import BoundedHttpClient


def test_a_refused_connection_was_not_processed(make_dialer: MakeDialer) -> None:
    """Nobody listens: it may be tried again."""
    failed = make_dialer(api_base=f"http://127.0.0.1:{free_port()}").place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert "connection refused" in failed.reason


def test_a_connection_that_the_calls_own_time_cuts_off_says_nothing_of_twilio(
    make_dialer: MakeDialer,
) -> None:
    """Its hours end while it connects: no attempt is counted, and the circuit stays closed."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dialer = make_dialer(api_base=f"https://127.0.0.1:{silent.getsockname()[1]}")
        failed = dialer.place(replace(an_attempt(), started_s=boottime(), left_s=0.2))
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNSENT


def test_twilio_away_and_back(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A connection kept from before does not make the outcome of a refusal unknown."""
    assert isinstance(dialer.place(an_attempt()), Accepted)
    simulator.faults({"fault": "refuse"})
    failed = dialer.place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    simulator.mend()
    assert isinstance(dialer.place(an_attempt()), Accepted)
    assert len(simulator.rings()) == 2


@pytest.mark.alone
def test_an_unknown_host_was_not_processed(make_dialer: MakeDialer) -> None:
    """A name that does not resolve is told within the deadline."""
    start = time.monotonic()
    failed = make_dialer(api_base="http://no-such-host.invalid", deadline_ms=DEADLINE_MS).place(
        an_attempt()
    )
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED


def test_a_name_is_looked_up(make_dialer: MakeDialer) -> None:
    """Each of its addresses is tried until one takes the connection."""
    with RawServer() as raw_server:
        base = raw_server.url.replace("127.0.0.1", "localhost")
        assert isinstance(make_dialer(api_base=base).place(an_attempt()), Accepted)


@pytest.mark.alone
def test_a_resolver_that_hangs_holds_nobody_up(
    make_dialer: MakeDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts end at their deadline, threads do not pile up, and it goes on once it answers."""
    answering, real = threading.Event(), socket.getaddrinfo
    waiting: set[int] = set()

    def hang(host: str, *args: Any, **options: Any) -> Any:
        if host.endswith(".invalid"):
            waiting.add(threading.get_ident())
            answering.wait(30)
            host = "127.0.0.1"
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with RawServer() as raw_server:
        base = raw_server.url.replace("127.0.0.1", "twilio.invalid")
        dialer = make_dialer(api_base=base, deadline_ms=500)
        start = time.monotonic()
        with ThreadPoolExecutor(40) as pool:
            outcomes = list(pool.map(dialer.place, [an_attempt() for _ in range(40)]))
        assert time.monotonic() - start < 0.5 + GRACE_S
        assert {each.kind for each in outcomes if isinstance(each, Failure)} == {Kind.REFUSED}
        assert len(waiting) == MAX_LOOK_UPS
        answering.set()
        assert isinstance(dialer.place(an_attempt()), Accepted)


def test_no_proxy_comes_from_the_environment(
    make_dialer: MakeDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other programs are told by ``HTTP_PROXY`` is not for calls."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with RawServer() as raw_server:
        assert isinstance(make_dialer(api_base=raw_server.url).place(an_attempt()), Accepted)


def test_no_tls_no_call(make_dialer: MakeDialer, simulator: SimulatorClient) -> None:
    """A server that does not speak TLS gets nothing to process."""
    failed = make_dialer(api_base=simulator.url.replace("http:", "https:")).place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert simulator.rings() == []


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes no connection: its queue of waiting ones is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


@pytest.mark.alone
def test_a_connection_that_takes_too_long_was_not_processed(
    make_dialer: MakeDialer, deaf_port: int
) -> None:
    """Connecting counts towards the deadline."""
    start = time.monotonic()
    failed = make_dialer(api_base=f"http://127.0.0.1:{deaf_port}", deadline_ms=DEADLINE_MS).place(
        an_attempt()
    )
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert "too long" in failed.reason


@pytest.mark.alone
def test_a_tls_handshake_that_never_ends_was_not_processed(make_dialer: MakeDialer) -> None:
    """Neither does the handshake get more time than the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"https://127.0.0.1:{listener.getsockname()[1]}"
        start = time.monotonic()
        failed = make_dialer(api_base=base, deadline_ms=DEADLINE_MS).place(an_attempt())
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED


def test_a_late_request_is_not_sent(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """After a standstill between the mark and the request nothing leaves, nothing counts."""
    late = replace(an_attempt(), started_s=boottime() - 10.01)
    failed = dialer.place(late)
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNSENT
    assert simulator.rings() == []


def test_a_late_request_is_not_sent_on_a_kept_connection(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """The check stands before the sending, not before the connecting."""
    assert isinstance(dialer.place(an_attempt()), Accepted)
    late = replace(an_attempt(), started_s=boottime() - 10.01)
    failed = dialer.place(late)
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNSENT
    assert simulator.rings(late.call.to) == []


@pytest.mark.alone
def test_a_request_that_is_given_up_is_taken_back(make_dialer: MakeDialer) -> None:
    """What the system has not delivered by the deadline is not delivered after it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        placing = pool.submit(make_dialer(api_base=base, deadline_ms=300).place, an_attempt())
        visitor, _ = listener.accept()
        with visitor:
            assert visitor.recv(65536).startswith(b"POST ")
            # A reset, where an orderly end would first deliver what is left.
            with pytest.raises(ConnectionResetError):
                visitor.recv(65536)
    failed = placing.result()
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNKNOWN


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has it not")
def test_the_system_keeps_the_deadline_too(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """Even when this process dies, bytes that wait for a peer do not go out late."""
    dialer.place(an_attempt())
    port = int(simulator.url.rsplit(":", 1)[1])
    limits_ms = [
        each.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) for each in _connected_to(port)
    ]
    assert any(0 < limit_ms <= 10_000 for limit_ms in limits_ms)


def _connected_to(port: int) -> Iterator[socket.socket]:
    """The connections of this process to a local port, each as another socket."""
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(path.name))) as each:
            if each.family != socket.AF_UNIX and each.getpeername()[1] == port:
                yield each


def test_connections_are_kept(make_dialer: MakeDialer) -> None:
    """Calls one after the other share a connection."""
    with RawServer() as raw_server:
        dialer = make_dialer(api_base=raw_server.url)
        for _ in range(3):
            dialer.place(an_attempt())
        assert raw_server.connections == 1


def test_no_more_connections_are_kept_than_there_are_slots(make_dialer: MakeDialer) -> None:
    """Those of threads beyond it are closed once they have their answer."""
    with RawServer() as raw_server:
        raw_server.delay_s = 0.2
        dialer = make_dialer(api_base=raw_server.url, slots=2)
        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(dialer.place, [an_attempt() for _ in range(6)]))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert raw_server.connections == 6
        until(lambda: raw_server.open == 2, within_s=30, what="the others are closed")
        dialer.close()
        until(lambda: raw_server.open == 0, within_s=30, what="all are closed")


def test_the_connection_used_last_is_used_next(make_dialer: MakeDialer) -> None:
    """Few calls over many threads keep one connection alive, not one in each thread."""
    with RawServer() as raw_server:
        dialer = make_dialer(api_base=raw_server.url)
        for _ in range(5):
            with ThreadPoolExecutor(1) as pool:
                assert isinstance(pool.submit(dialer.place, an_attempt()).result(), Accepted)
        assert raw_server.connections == 1


@pytest.mark.alone
def test_idle_connections_are_closed() -> None:
    """One that is not used any more is closed while others are."""
    http = BoundedHttpClient(2, max_idle_s=0.3)

    def ask(_: int = 0) -> None:
        with http.exchange(Exchange(5)):
            http.request("GET", raw_server.url)

    with RawServer() as raw_server, contextlib.closing(http):
        raw_server.delay_s = 0.1
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(ask, range(2)))
        assert raw_server.open == 2
        for _ in range(4):
            ask()
        until(lambda: raw_server.open == 1, within_s=30, what="the other is closed")
        assert raw_server.connections == 2


def test_an_idle_connection_is_given_up() -> None:
    """A server closes idle connections, so a request sent at that moment has an unknown outcome."""
    http = BoundedHttpClient(2, max_idle_s=0.1)
    with RawServer() as raw_server, contextlib.closing(http):
        for _ in range(2):
            with http.exchange(Exchange(5)):
                assert http.request("GET", raw_server.url).status_code == 201
            time.sleep(0.15)
        assert raw_server.connections == 2


@pytest.mark.alone
def test_a_connection_that_the_server_closed_is_not_used(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """Twilio may close a kept connection at any time, without a word."""
    simulator.faults({"fault": "then_close", "when": "after"})
    for _ in range(5):
        assert isinstance(dialer.place(an_attempt()), Accepted)
        time.sleep(0.02)
    assert len(simulator.rings()) == 5


@pytest.mark.alone
def test_many_at_once(make_dialer: MakeDialer, simulator: SimulatorClient) -> None:
    """As many requests at once as there are slots, each its own call."""
    dialer = make_dialer(slots=20)
    simulator.faults({"fault": "slow", "ms": 200})
    attempts = [an_attempt() for _ in range(40)]
    start = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(dialer.place, attempts))
    # One after the other they would take eight seconds.
    assert time.monotonic() - start < 5
    sids = {ring["to"]: ring["sid"] for ring in simulator.rings()}
    assert [sids[attempt.call.to] for attempt in attempts] == [
        outcome.sid for outcome in outcomes if isinstance(outcome, Accepted)
    ]


@pytest.mark.alone
def test_a_request_that_the_server_does_not_take_in_is_given_up() -> None:
    """Sending counts towards the deadline, however many pieces it takes."""
    http, exchange = BoundedHttpClient(1), Exchange(2)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.closing(http):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        start = time.monotonic()
        with pytest.raises((TimeoutError, TooLateError)), http.exchange(exchange):
            http.request("POST", url, data={"T": "x" * 16_000_000})
    assert time.monotonic() - start < 2 + GRACE_S
    assert exchange.sent
    assert exchange.answer is None


def test_a_large_request_arrives_whole() -> None:
    """One that the system takes in bit by bit, as the server reads it."""
    size = 8_000_000
    http = BoundedHttpClient(1)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.closing(http):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(_read_slowly, listener, size)
            with http.exchange(Exchange(20)):
                assert http.request("POST", url, data={"T": "x" * size}).status_code == 201
            assert read.result().endswith(b"\r\n\r\nT=" + b"x" * size)


def _read_slowly(listener: socket.socket, size: int) -> bytes:
    visitor, _ = listener.accept()
    with visitor:
        heard = bytearray()
        while len(heard) < size or heard.count(b"x", heard.find(b"\r\n\r\n")) < size:
            heard += visitor.recv(1_000_000)
            time.sleep(0.01)
        visitor.sendall(
            b'HTTP/1.1 201 X\r\nContent-Length: 34\r\n\r\n{"sid": "CA1", "status": "queued"}'
        )
    return bytes(heard)


ODD_BODIES = [
    b"",
    b"[]",
    b"null",
    b"{}",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b'{"sid": 5}',
    b'{"sid": null}',
    b'{"sid": ""}',
    b'{"code": Infinity, "message": "x"}',
    b'{"code": "x", "message": {}}',
    b'{"code": 1' + b"0" * 5000 + b', "message": ""}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("status", [200, 201, 204, 299, 400, 500])
def test_odd_answers(make_dialer: MakeDialer, status: int) -> None:
    """Whatever an answer holds, nothing is raised, and nothing counts as placed."""
    with RawServer() as raw_server:
        dialer = make_dialer(api_base=raw_server.url)
        raw_server.status = status
        for raw_server.body in ODD_BODIES:
            failed = dialer.place(an_attempt())
            assert isinstance(failed, Failure), raw_server.body[:40]
            assert failed.kind is Kind.UNKNOWN, raw_server.body[:40]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 201 Created\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 999999999999\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 201 Created\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=lambda answer: answer[:50].decode(),
)
def test_answers_that_are_no_http(make_dialer: MakeDialer, answer: bytes) -> None:
    """A violation of HTTP itself leaves the outcome unknown."""
    with RawServer() as raw_server:
        raw_server.raw = answer
        failed = make_dialer(api_base=raw_server.url).place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNKNOWN
