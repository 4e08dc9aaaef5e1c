"""A proxy before Supabase's REST API that is away, slow, or answers in its place."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

#: What it does with a request: passes it on; passes it on late; answers with a page; passes it on
#: and keeps the answer back. Or nothing at all: ``away``.
DEEDS = ("pass", "slow", "page", "lost")
#: Longer than the product waits for one answer, s.
SLOW_S = (0.5, 8.0)


class Gatekeeper:
    """Listens on its own port until `close`."""

    def __init__(self, target: str, rng: random.Random) -> None:
        """``target``: address to pass requests on to."""
        self._rng = rng
        #: What is done with every request; ``None`` lets chance decide among `DEEDS`.
        self.deed: str | None = "pass"
        #: Requests that met each deed.
        self.met: Counter[str] = Counter()
        self._target = target
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """What SUPABASE_URL is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with contextlib.suppress(OSError):
                    keeper.answer(self, body)

            do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def answer(self, asked: BaseHTTPRequestHandler, body: bytes) -> None:
        """One request."""
        deed = self.deed or self._rng.choice(DEEDS)
        self.met[deed] += 1
        if deed == "away":
            _hang_up(asked)
            return
        if deed == "page":
            _reply(asked, 502, "text/html", b"<html><h1>502 Bad Gateway</h1></html>")
            return
        if deed == "slow":
            time.sleep(SLOW_S[self.met["slow"] % 4 == 0])
        try:
            answer = self._pass_on(asked, body)
        except requests.RequestException:
            _hang_up(asked)
            return
        if deed == "lost":
            _hang_up(asked)
        else:
            kind = answer.headers.get("Content-Type", "application/json")
            span = answer.headers.get("Content-Range")
            _reply(asked, answer.status_code, kind, answer.content, span)

    def _pass_on(self, asked: BaseHTTPRequestHandler, body: bytes) -> requests.Response:
        headers = {
            name: value
            for name, value in asked.headers.items()
            if name.lower() not in ("host", "connection", "content-length", "accept-encoding")
        }
        address = self._target + asked.path
        return requests.request(asked.command, address, data=body, headers=headers, timeout=30)


def _hang_up(asked: BaseHTTPRequestHandler) -> None:
    asked.close_connection = True
    with contextlib.suppress(OSError):
        asked.connection.shutdown(socket.SHUT_RDWR)


def _reply(
    asked: BaseHTTPRequestHandler, status: int, kind: str, body: bytes, span: str | None = None
) -> None:
    asked.send_response(status)
    asked.send_header("Content-Type", kind)
    if span:
        asked.send_header("Content-Range", span)
    if status != 204:
        asked.send_header("Content-Length", str(len(body)))
    asked.end_headers()
    if status != 204:
        asked.wfile.write(body)
