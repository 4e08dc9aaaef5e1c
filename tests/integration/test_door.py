"""What the application is handed by the door, beside what granian's own WSGI side hands it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import free_port
from tests.stack import ROOT, until

JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
REQUESTS = {
    "plain": b"GET /api/queue/stats HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
    "query": b"GET /a?b=%20c&d=%C3%A4&&e HTTP/1.1\r\nHost: a\r\n\r\n",
    "escapes": b"GET /a%20b%2Fc/%C3%A4//%25 HTTP/1.1\r\nHost: a\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "whole address": b"GET http://b.example/c?d=1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "old": b"GET / HTTP/1.0\r\n\r\n",
    "another method": b"PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "headers": b"GET / HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nX_B: 3\r\nX-C:  4 \r\nX-D:\r\n\r\n",
    "not ASCII": b"GET / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: \xc3\xa4\r\nX-E: \xe4\r\n\r\n",
    "two of one": b"GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: one\r\nX-API-Key: two\r\n\r\n",
    "body": b"POST /x HTTP/1.1\r\nHost: a\r\n" + JSON + b"Content-Length: 4\r\n\r\n\xc3\xa4{}",
    "empty body": b"POST /x HTTP/1.1\r\nHost: a\r\n" + JSON + b"Content-Length: 0\r\n\r\n",
    "chunks": b"POST /x HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    "long body": b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999,
    "quick": b"POST /api/queue/schedule-call HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "head": b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "pieces": b"GET /?pieces HTTP/1.1\r\nHost: a\r\n\r\n",
}
#: What granian's WSGI side shows the application, too.
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_CTYPE": "C.UTF-8"}
#: They tell of the machine and of the port, or are granian's word on itself.
OTHER = {*ENVIRONMENT, "SERVER_PORT", "GATEWAY_INTERFACE", "SERVER_SOFTWARE"}


@pytest.fixture(scope="module")
def ports() -> Iterator[list[int]]:
    """Where the same application is reached through WSGI and through the door."""
    ports, servers = [free_port(), free_port()], []
    for port, name in zip(ports, ("wsgi", "rsgi"), strict=True):
        command = [sys.executable, "-m", "tests.integration.echo_server", str(port), name]
        servers.append(subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT))
    for port in ports:
        until(lambda port=port: _listens(port), within_s=30, what="a server")  # type: ignore[misc]
    yield ports
    for server in servers:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def send(port: int, raw: bytes) -> tuple[bytes, dict[str, Any] | bytes]:
    """Head of the answer without the moment, and what the application was handed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lines = sorted(line for line in head.split(b"\r\n") if not line.startswith(b"date:"))
    if b"transfer-encoding: chunked" in lines:
        body = b"".join(body.split(b"\r\n")[1::2])
    told = json.loads(body) if body else body
    if isinstance(told, dict):
        told = {name: value for name, value in told.items() if name not in OTHER}
    # That of the answer, which names what only one of them shows.
    lines = [re.sub(rb"^(content-length: )\d+", rb"\1some", line) for line in lines]
    return b"\n".join(lines), told


@pytest.mark.parametrize("name", REQUESTS)
def test_the_application_cannot_tell_the_two_apart(ports: list[int], name: str) -> None:
    """Everything that it is told of a request is the same, and so is the way back."""
    by_wsgi, by_door = [send(port, REQUESTS[name]) for port in ports]
    assert by_door == by_wsgi
