"""One connection to an API that adds little to what it measures."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

#: Servers close idle connections: after so long without a request, a new one is opened, s.
FRESH_S = 1.0
#: For one answer, s: a bulk of 10,000 on a loaded machine.
TIMEOUT_S = 120.0
#: Calls in one bulk request.
BULK = 10_000
#: Priorities, in the order in which calls get them.
_PRIORITIES = ("normal", "high", "normal", "low", "normal")


class Refused(Exception):
    """The API answered with an error."""


def make_call(n: int, **changes: object) -> dict[str, object]:
    """Return the call number ``n``, as the original document's example."""
    call: dict[str, object] = {
        "to": f"+12{n:09d}",
        "message": "Hello from VoMindAI",
        "lead_id": str(n),
        "metadata": {"campaign": "Q4 Outreach"},
        "priority": _PRIORITIES[n % len(_PRIORITIES)],
    }
    return call | changes


class Client:
    """A kept-alive HTTP/1.1 connection to the queue's endpoints of one API."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._prefix = "/api/queue"
        self._socket: socket.socket | None = None
        self._used = 0.0
        self._rest = b""
        #: Of the next call of `bulks`: one whose number is on the line would have to wait.
        self.next_number = 0

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def encode(self, method: str, path: str, body: object = None) -> bytes:
        """Return a request in its bytes, to be sent with `exchange`; a body of bytes as it is."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {self._prefix}{path} HTTP/1.1\r\nHost: {self._address[0]}\r\n"
        if body is None:
            return head.encode() + b"\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        return head.encode() + b"\r\n" + data

    def exchange(self, request: bytes) -> bytes:
        """Send a request and return the body. Raise Refused and OSError."""
        connection = self._connected()
        connection.sendall(request)
        head, body = self._read(connection)
        self._used = time.monotonic()
        if not 200 <= int(head[9:12]) < 300:  # noqa: PLR2004
            raise Refused(f"{request[:80]!r}: {head[9:12].decode()} {body[:300]!r}")
        return body

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the same, from and to JSON."""
        return json.loads(self.exchange(self.encode(method, path, body)))

    def timed_ms(self, request: bytes) -> float:
        """Return how long an exchange takes, ms."""
        self._connected()
        began = time.perf_counter()
        self.exchange(request)
        return (time.perf_counter() - began) * 1000

    def stats(self) -> Mapping[str, int]:
        """Return the counts of calls by state."""
        counts: Mapping[str, int] = self.ask("GET", "/stats")["stats"]
        return counts

    def backlog(self) -> int:
        """Calls that are neither completed nor failed."""
        counts = self.stats()
        return counts["waiting"] + counts["active"] + counts["delayed"]

    def _connected(self) -> socket.socket:
        if time.monotonic() - self._used > FRESH_S:
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._used, self._rest = time.monotonic(), b""
        return self._socket

    def _read(self, connection: socket.socket) -> tuple[bytes, bytes]:
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += _received(connection)
        head, pieces = data[:end], [data[end + 4 :]]
        wanted, got = _content_length(head), len(pieces[0])
        while got < wanted:
            pieces.append(_received(connection))
            got += len(pieces[-1])
        body = b"".join(pieces)
        self._rest = body[wanted:]
        return head, body[:wanted]


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 18)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise Refused(f"an answer without a length: {head!r}")


def bulks(client: Client, total: int, **changes: object) -> Iterator[Sequence[str]]:
    """Store ``total`` calls, each to a new number, in bulks; yield the ids of each."""
    end = client.next_number + total
    while client.next_number < end:
        numbers = range(client.next_number, min(client.next_number + BULK, end))
        client.next_number = numbers.stop
        calls = [make_call(n, **changes) for n in numbers]
        answer = client.ask("POST", "/schedule-bulk-calls", {"calls": calls})
        yield [str(job["jobId"]) for job in answer["jobs"]]


def fill(client: Client, total: int, **changes: object) -> list[str]:
    """Return the same at once; every hundredth id and the last of each request."""
    kept: list[str] = []
    for ids in bulks(client, total, **changes):
        kept += [*ids[::100], ids[-1]]
    return kept


def wait_until_done(client: Client, *, left: int = 0, within_s: float = 120.0) -> None:
    """Until no more than ``left`` calls are neither completed nor failed. Raise TimeoutError."""
    deadline = time.monotonic() + within_s
    while (backlog := client.backlog()) > left:
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {within_s} s there are still {backlog} calls")
        time.sleep(0.05)
