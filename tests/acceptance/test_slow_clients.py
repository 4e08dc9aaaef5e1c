"""Clients that do not finish sending hold nobody up who has something else to ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import requests

from tests.stack import Stack

#: More than all threads of all processes.
SLOW = 24
_BODY = "Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"


@contextmanager
def slow_clients(stack: Stack, path: str, more: str = "") -> Iterator[list[socket.socket]]:
    """So many connections that have announced a body and sent one byte of it."""
    port = int(stack.web_url.rpartition(":")[2])
    request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{more}{_BODY}".encode()
    with ExitStack() as opened:
        clients = [
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(SLOW)
        ]
        for client in clients:
            client.sendall(request)
        yield clients


def test_without_a_key_no_body_is_waited_for(stack: Stack) -> None:
    """The refusal comes at once, to each of them."""
    stack.start_web(API_KEYS="ops:secret", WEB_PROCESSES="2", WEB_THREADS="4")
    with slow_clients(stack, "/api/queue/schedule-call") as clients:
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 401"


def test_a_single_call_takes_nobodys_place(stack: Stack) -> None:
    """However many are on their way, one that is whole is stored."""
    stack.start_web(API_KEYS="ops:secret", WEB_PROCESSES="2", WEB_THREADS="4")
    key = {"X-API-Key": "secret"}
    url, call = f"{stack.queue_url}/schedule-call", {"to": "+15551234567"}
    with slow_clients(stack, "/api/queue/schedule-call", "X-API-Key: secret\r\n") as clients:
        assert requests.post(url, json=call, headers=key, timeout=10).status_code == 200
        clients[0].sendall(b'"to":"+15551234567"' + b" " * 4979 + b"}")
        assert clients[0].recv(12) == b"HTTP/1.1 200"


def test_with_one_the_others_are_answered_all_the_same(stack: Stack) -> None:
    """Looking and pausing want no body, and some threads wait for none."""
    stack.start_web(API_KEYS="ops:secret", WEB_PROCESSES="2", WEB_THREADS="4")
    key, bulk = {"X-API-Key": "secret"}, "/api/queue/schedule-bulk-calls"
    with slow_clients(stack, bulk, "X-API-Key: secret\r\n") as clients:
        for path in ("/healthz", "/api/queue/stats"):
            answer = requests.get(stack.web_url + path, headers=key, timeout=10)
            assert answer.status_code == 200
        assert requests.post(f"{stack.queue_url}/pause", headers=key, timeout=10).status_code == 200
        # Those that found no place are told so.
        answered = [client for client in clients if _first(client) == b"HTTP/1.1 503"]
        assert len(answered) >= SLOW - 2 * 4


def test_callbacks_that_do_not_end_hold_nobody_up(stack: Stack) -> None:
    """They have no key; their signature is over a body that does not come."""
    stack.start_web(
        API_KEYS="ops:secret",
        WEB_PROCESSES="2",
        WEB_THREADS="4",
        PUBLIC_URL="http://127.0.0.1:1",
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN="token",
        TWILIO_PHONE_NUMBER="+15005550006",
    )
    calls = {"calls": [{"to": "+15551234567"}] * 2}
    with slow_clients(stack, "/api/twilio/status/1/token") as clients:
        for _ in range(4):
            assert requests.get(f"{stack.web_url}/healthz", timeout=10).status_code == 200
            # Whoever has a key finds a place for a body.
            answer = requests.post(
                f"{stack.queue_url}/schedule-bulk-calls",
                json=calls,
                headers={"X-API-Key": "secret"},
                timeout=10,
            )
            assert answer.status_code == 200
        # And they give theirs back.
        for client in clients:
            client.settimeout(30)
            assert client.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 503")


def _first(client: socket.socket) -> bytes:
    client.settimeout(3)
    try:
        return client.recv(12)
    except TimeoutError:
        return b""
