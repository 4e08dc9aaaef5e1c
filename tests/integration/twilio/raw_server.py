"""A bare server for what the simulator would never do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Self


class Accepting:
    """Accepts connections on a free port and counts them; a thread serves each."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def start(self) -> None:
        """Accept from now on."""
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        # Else its thread would go on waiting, after a signal at the next one's socket.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        raise NotImplementedError


class RawServer(Accepting):
    """A server that answers every request alike, and counts its connections."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self.open = 0
        self.status, self.body = 201, b'{"sid": "CA1", "status": "queued"}'
        #: Before each answer, s.
        self.delay_s = 0.0
        #: Sent in place of an answer.
        self.raw: bytes | None = None
        #: Whether the connection stays open after it.
        self.stays = False
        #: Pause after each of its bytes, s; without one they come in one piece.
        self.pause_s: float | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, client: socket.socket) -> None:
        # A client that goes away in the middle is nothing to report.
        with contextlib.suppress(OSError), client, self._counted():
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while client.recv(65536):
                time.sleep(self.delay_s)
                if self.raw is None:
                    head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.body)}\r\n\r\n"
                    client.sendall(head.encode() + self.body)
                    continue
                self._send(client, self.raw)
                if not self.stays:
                    return

    def _send(self, client: socket.socket, raw: bytes) -> None:
        if self.pause_s is None:
            client.sendall(raw)
            return
        for at in range(len(raw)):
            client.sendall(raw[at : at + 1])
            time.sleep(self.pause_s)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.open += 1
        try:
            yield
        finally:
            with self._lock:
                self.open -= 1
