"""A server that takes in what the simulator sends, as a customer's would."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl

from tests.stack import until


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One request."""

    method: str
    #: As it stood in the request's first line.
    target: str
    form: dict[str, str]
    signature: str


class CallbackReceiver:
    """Listens on a free port, answers everything with ``body``, keeps what came."""

    def __init__(self, body: str = "") -> None:
        self.letters: list[Letter] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, body.encode()))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def until(self, count: int) -> list[Letter]:
        """Waits for so many requests."""
        until(lambda: len(self.letters) >= count, within_s=30, what=f"{count} requests came")
        return list(self.letters)


def _handler(box: CallbackReceiver, body: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length).decode()
            letter = Letter(
                method=self.command,
                target=self.path,
                form=dict(parse_qsl(sent, keep_blank_values=True)),
                signature=self.headers.get("X-Twilio-Signature") or "",
            )
            box.letters.append(letter)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
