"""A bare server for what the simulator would never do."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Doorman:
    """A server that answers every request alike, and counts its connections."""

    def __init__(self) -> None:
        """Listens on a free port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.status, self.body = 201, b'{"sid": "CA1", "status": "queued"}'
        #: Sent in place of an answer, after which the connection is closed.
        self.raw: bytes | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(visitor,), daemon=True).start()

    def _answer(self, visitor: socket.socket) -> None:
        # A client that goes away in the middle is nothing to report.
        with contextlib.suppress(OSError), visitor:
            while visitor.recv(65536):
                if self.raw is not None:
                    visitor.sendall(self.raw)
                    return
                head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.body)}\r\n\r\n"
                visitor.sendall(head.encode() + self.body)
