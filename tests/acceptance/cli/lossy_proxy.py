"""A line to the API on which answers get lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Line:
    """Passes requests on; loses the answers to some of those that schedule calls."""

    def __init__(self, target: str) -> None:
        self.target = target
        #: Before that many requests everything goes well …
        self.well = 0
        #: … then so many answers are lost, after the request was carried out.
        self.lose = 0
        #: Requests that schedule calls, with their idempotency keys.
        self.keys: list[str] = []

    def loses(self) -> bool:
        """Return whether the answer to this one is lost."""
        if self.well:
            self.well -= 1
            return False
        if self.lose:
            self.lose -= 1
            return True
        return False


@contextmanager
def lossy(target: str) -> Iterator[tuple[Line, str]]:
    """The line, and the address at which it begins."""
    line = Line(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = requests.post(
                line.target + self.path, data=body, headers=dict(self.headers), timeout=30
            )
            if "Idempotency-Key" in self.headers:
                line.keys.append(self.headers["Idempotency-Key"])
                if line.loses():
                    self.close_connection = True
                    return
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield line, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
