"""The client that delivers webhooks, against real servers on loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from tests.receiver import Receiver, receiver
from vomind_queue.notifier.guarded_client import MOST_BYTES, Answer, GuardedClient
from vomind_queue.webhooks.addresses import AddressPolicy

LOOPBACK = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])


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


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_refused_by_address_and_by_name(receiving: Receiver, host: str) -> None:
    """No connection is made."""
    answer = post(receiving.url.replace("127.0.0.1", host), AddressPolicy())
    assert answer.status is None
    assert "not allowed" in str(answer.error)
    assert receiving.received == []


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


def test_redirects_are_not_followed(receiving: Receiver) -> None:
    """Wherever they lead."""
    with receiver() as other:
        receiving.status, receiving.headers = 302, {"Location": other.url}
        answer = post(receiving.url, LOOPBACK)
        assert answer.status == 302
        assert "redirects" in str(answer.error)
        assert other.received == []


def test_an_answer_that_is_too_long_is_refused(receiving: Receiver) -> None:
    """Even with a good status."""
    receiving.body = b"x" * (MOST_BYTES + 1)
    answer = post(receiving.url, LOOPBACK)
    assert "longer than 64 KB" in str(answer.error)


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
