"""A receiver of webhooks for tests: answers as it is told, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Received:
    """One delivery."""

    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def event(self) -> dict[str, Any]:
        """What the body says."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def id(self) -> str:
        """Of the event."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What it was sent, and how it answers."""

    url: str
    status: int = 200
    #: Headers of its answers.
    headers: dict[str, str] = field(default_factory=dict)
    #: Body of its answers.
    body: bytes = b"{}"
    received: list[Received] = field(default_factory=list)
    #: Statuses for single jobs, over ``status``.
    by_job: dict[str, int] = field(default_factory=dict)

    @property
    def accepted(self) -> list[Received]:
        """What it answered with a 2xx."""
        return [each for each in list(self.received) if each.status < 300]

    def types(self, job_id: str | None = None) -> list[str]:
        """Return the types of the events that it accepted, each once, in order."""
        found = {each.id: each.event for each in self.accepted}
        return [
            event["type"]
            for event in found.values()
            if job_id is None or event["data"].get("jobId") == job_id
        ]


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """Run a receiver on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            job_id = json.loads(body)["data"].get("jobId")
            status = told.by_job.get(job_id, told.status)
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.received.append(Received(headers=headers, body=body, status=status))
            self.send_response(status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        told = Receiver(url=f"http://127.0.0.1:{server.server_address[1]}/hook")
        # How long it takes to end: half a second otherwise.
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield told
        server.shutdown()
