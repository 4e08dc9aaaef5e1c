"""The client that delivers webhooks, against real servers on loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.receiver import Receiver, receiver
from vomind_queue.notifier.guarded_client import MOST_BYTES, Answer, GuardedClient
from vomind_queue.webhooks.addresses import AddressPolicy

LOOPBACK = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])


#: Addresses that this process connected to, while a test looks. A hook stays for good.
_looking: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _looking and isinstance(arguments[1], tuple):
        _looking[-1].append(arguments[1][0])


sys.addaudithook(_hook)


@pytest.fixture
def connections() -> Iterator[list[str]]:
    """Addresses that this process connects to during the test."""
    _looking.append([])
    yield _looking[-1]
    _looking.clear()


def post(url: str, policy: AddressPolicy) -> Answer:
    """Send one delivery."""

    async def sent() -> Answer:
        client = GuardedClient(policy)
        try:
            return await client.post(url, {"webhook-id": "evt_1"}, b'{"data":{}}')
        finally:
            await client.close()

    return asyncio.run(sent())


def test_a_delivery_arrives(receiving: Receiver) -> None:
    """As it was sent."""
    answer = post(receiving.url, LOOPBACK)
    assert (answer.status, answer.error) == (200, None)
    assert receiving.received[0].body == b'{"data":{}}'
    assert receiving.received[0].headers["user-agent"].startswith("VoMind-Queue/")


#: Inner addresses in each spelling, and a name that always has one.
INNER = [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0.0.0.0",
    "169.254.169.254", "10.0.0.1", "192.168.1.1", "100.64.0.1",
    "[::1]", "[::]", "[fe80::1]", "[fd00::1]",
    "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
]  # fmt: skip


@pytest.mark.parametrize("host", INNER)
def test_no_connection_is_made_to_an_inner_address(
    receiving: Receiver, connections: list[str], host: str
) -> None:
    """Whatever it is written like: not even one that is closed again."""
    for scheme in ("http", "https"):
        url = receiving.url.replace("http://127.0.0.1", f"{scheme}://{host}")
        answer = post(url, AddressPolicy())
        assert answer.status is None
        assert answer.error
    assert connections == []
    assert receiving.received == []


@pytest.mark.parametrize("host", ["[64:ff9b::7f00:1]", "[::7f00:1]", "[2002:7f00:1::]"])
def test_a_network_that_is_named_is_not_in_addresses_that_hide_it(
    receiving: Receiver, connections: list[str], host: str
) -> None:
    """Those of IPv6 that lead to one of IPv4 elsewhere."""
    answer = post(receiving.url.replace("127.0.0.1", host), LOOPBACK)
    assert "not allowed" in str(answer.error)
    assert connections == []


def test_a_name_is_resolved_once(receiving: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has another address at the second look leads nowhere else: there is no such look."""
    looks: list[str] = []
    real = socket.getaddrinfo

    def changing(host: str, *args: Any, **options: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *args, **options)
        looks.append(host)
        return real("127.0.0.1" if len(looks) == 1 else "127.9.9.9", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    answer = post(receiving.url.replace("127.0.0.1", "rebinding.example"), LOOPBACK)
    assert answer.error is None
    assert len(looks) == 1
    assert receiving.received[0].headers["host"].startswith("rebinding.example:")


def test_a_name_that_has_an_inner_address_later_is_refused_then(
    receiving: Receiver, connections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection looks for itself; it was good before and it may be good again."""
    places = iter(["127.0.0.1", "127.9.9.9", "127.0.0.1"])
    real = socket.getaddrinfo

    def changing(host: str, *args: Any, **options: Any) -> Any:
        return real(next(places) if host == "rebinding.example" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    one = AddressPolicy([ipaddress.ip_network("127.0.0.1/32")])
    url = receiving.url.replace("127.0.0.1", "rebinding.example")
    errors = [post(url, one).error for _ in range(3)]
    assert errors == [None, "the name has an address that is not allowed", None]
    assert connections == ["127.0.0.1"] * 2


def test_a_name_with_one_inner_address_is_refused(
    receiving: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many good ones it has beside it."""
    real = socket.getaddrinfo

    def both(host: str, *args: Any, **options: Any) -> Any:
        if host != "mixed.example":
            return real(host, *args, **options)
        return real("127.0.0.1", *args, **options) + real("10.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", both)
    answer = post(receiving.url.replace("127.0.0.1", "mixed.example"), LOOPBACK)
    assert "not allowed" in str(answer.error)
    assert receiving.received == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiving: Receiver, status: int) -> None:
    """Wherever they lead."""
    with receiver() as other:
        receiving.status, receiving.headers = status, {"Location": other.url}
        answer = post(receiving.url, LOOPBACK)
        assert answer.status == status
        assert "redirects" in str(answer.error)
        assert other.received == []


def test_an_answer_may_have_64_kb_and_no_more(receiving: Receiver) -> None:
    """Even with a good status."""
    receiving.body = b"x" * MOST_BYTES
    assert post(receiving.url, LOOPBACK).error is None
    receiving.body += b"x"
    assert "longer than 64 KB" in str(post(receiving.url, LOOPBACK).error)


#: Answers without an end: of a body, of a header, and of headers.
ENDLESS = [
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n"),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 1024),
    (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1024),
    (b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 1000 + b"\r\n"),
]


@pytest.mark.parametrize(("begin", "more"), ENDLESS, ids=["chunks", "body", "header", "headers"])
def test_an_answer_without_an_end_is_left(begin: bytes, more: bytes) -> None:
    """Long before the time that a delivery may take: the receiver can send no more."""
    sent = [0]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_flood, args=(listening, begin, more, sent))
        thread.start()
        answer = post(f"http://127.0.0.1:{listening.getsockname()[1]}/", LOOPBACK)
        thread.join()
    assert answer.error is not None
    assert "no answer within" not in answer.error
    # What the system buffers in between comes on top.
    assert sent[0] < 64 * 1024 * 1024


def _flood(listening: socket.socket, begin: bytes, more: bytes, sent: list[int]) -> None:
    connection, _ = listening.accept()
    with connection, suppress(ConnectionError):
        connection.sendall(begin)
        while True:
            connection.sendall(more)
            sent[0] += len(more)


def test_what_a_receiver_asks_for_is_returned(receiving: Receiver) -> None:
    """Along with what is wrong."""
    receiving.status, receiving.headers = 429, {"Retry-After": "17"}
    answer = post(receiving.url, LOOPBACK)
    assert (answer.status, answer.error, answer.retry_after) == (429, "HTTP 429", "17")


def test_nobody_at_home_is_an_error(receiving: Receiver) -> None:
    """And nothing is raised."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        answer = post(f"http://127.0.0.1:{held.getsockname()[1]}/", LOOPBACK)
    assert answer.status is None
    assert "cannot connect" in str(answer.error)
