"""Clients that do not finish sending hold nobody up who has something else to ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import redis
import requests

from tests.stack import Stack
from tests.twilio import PUBLIC_URL
from vomind_queue.queue import keys

#: More than all threads of all processes.
SLOW = 24
#: A process keeps two of its four threads for requests without a body.
THREADS = {"WEB_PROCESSES": "2", "WEB_THREADS": "4"}
KEY = {"X-API-Key": "secret"}
REACHED = {
    "PUBLIC_URL": PUBLIC_URL,
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}


@contextmanager
def slow_clients(
    stack: Stack, path: str, more: str = "", *, length: int = 5_000
) -> Iterator[list[socket.socket]]:
    """So many connections that have announced a body and sent one byte of it."""
    port = int(stack.web_url.rpartition(":")[2])
    body = f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{"
    request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{more}{body}".encode()
    with ExitStack() as opened:
        clients = [
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            for _ in range(SLOW)
        ]
        for client in clients:
            client.sendall(request)
        yield clients


def test_without_a_key_no_body_is_waited_for(stack: Stack) -> None:
    """The refusal comes at once, to each of them."""
    stack.start_web(API_KEYS="ops:secret", **THREADS)
    with slow_clients(stack, "/api/queue/schedule-call") as clients:
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 401"


def test_a_long_body_takes_no_single_calls_place(stack: Stack) -> None:
    """However many are on their way, a call that is whole is stored."""
    stack.start_web(API_KEYS="ops:secret", **THREADS)
    url, call = f"{stack.queue_url}/schedule-call", {"to": "+15551234567"}
    bulk, more = "/api/queue/schedule-bulk-calls", "X-API-Key: secret\r\n"
    with slow_clients(stack, bulk, more, length=50_000) as clients:
        for _ in range(4):
            assert requests.post(url, json=call, headers=KEY, timeout=30).status_code == 200
        # And one whose turn it is may take its time.
        waiting = [client for client in clients if _first(client) == b""]
        assert 1 <= len(waiting) <= 2
        waiting[0].sendall(b'"calls":[{"to":"+15551234567"}]' + b" " * 49_967 + b"}")
        assert waiting[0].recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("api_keys", ["ops:secret", ""], ids=["keys", "none"])
def test_with_one_the_others_are_answered_all_the_same(stack: Stack, api_keys: str) -> None:
    """Looking and pausing want no body, and some threads wait for none; also without any keys."""
    stack.start_web(API_KEYS=api_keys, **THREADS)
    bulk = "/api/queue/schedule-bulk-calls"
    with slow_clients(stack, bulk, "X-API-Key: secret\r\n") as clients:
        for path in ("/healthz", "/api/queue/stats"):
            answer = requests.get(stack.web_url + path, headers=KEY, timeout=30)
            assert answer.status_code == 200
        assert requests.post(f"{stack.queue_url}/pause", headers=KEY, timeout=30).status_code == 200
        # Those that found no place are told so.
        answered = [client for client in clients if _first(client) == b"HTTP/1.1 503"]
        assert len(answered) >= SLOW - 2 * 4


SIGNED = "X-Twilio-Signature: " + "A" * 27 + "=\r\n"


@pytest.mark.parametrize("signature", ["", SIGNED], ids=["unsigned", "perhaps signed"])
def test_no_callback_of_a_stranger_is_waited_for(stack: Stack, signature: str) -> None:
    """Its signature would be over a body that does not come; the token is refused before."""
    stack.start_web(API_KEYS="ops:secret", **THREADS, **REACHED)
    with slow_clients(stack, "/api/twilio/status/1/token", signature) as clients:
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 403"


def test_callbacks_that_do_not_end_hold_nobody_up(stack: Stack, valkey: redis.Redis) -> None:
    """Even with the token of a call; those that find no place are told so."""
    stack.start_web(API_KEYS="ops:secret", **THREADS, **REACHED)
    call = {"to": "+15551234567"}
    url = f"{stack.queue_url}/schedule-call"
    job_id = requests.post(url, json=call, headers=KEY, timeout=30).json()["jobId"]
    valkey.hset(keys.job(job_id), "attempt", "live")
    with slow_clients(stack, f"/api/twilio/status/{job_id}/live", SIGNED) as clients:
        for _ in range(4):
            assert requests.get(f"{stack.web_url}/healthz", timeout=30).status_code == 200
            assert requests.get(f"{stack.queue_url}/stats", headers=KEY, timeout=30).ok
        answered = [client for client in clients if _first(client) == b"HTTP/1.1 503"]
        assert len(answered) >= SLOW - 2 * 4


def _first(client: socket.socket) -> bytes:
    client.settimeout(3)
    try:
        return client.recv(12)
    except TimeoutError:
        return b""
