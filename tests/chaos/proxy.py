"""A proxy before Redis that resets connections between a command and its reply."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading

#: Bytes passed on at once.
PIECE = 65_536


class Proxy:
    """Passes everything on to a port of loopback; cuts on request. Ends with the process."""

    def __init__(self, port: int, rng: random.Random) -> None:
        """``port``: where the server listens."""
        #: The server's port; may change, connections that exist then are cut by `cut_all`.
        self.target = port
        #: Chance that a reply is kept back and its connection reset.
        self.chance = 0.0
        #: Connections reset so far.
        self.resets = 0
        self._rng = rng
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Address for the processes."""
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def cut_all(self) -> None:
        """Reset every connection that there is."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._reset(pair)

    def close(self) -> None:
        """Take no more connections, and cut those that exist."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), timeout=2)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                self._join(client, server)

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        pair = (client, server)
        for sock in pair:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._pairs.add(pair)
        for source, sink, is_reply in ((client, server, False), (server, client, True)):
            arguments = (pair, source, sink, is_reply)
            threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(
        self,
        pair: tuple[socket.socket, socket.socket],
        source: socket.socket,
        sink: socket.socket,
        is_reply: bool,
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if is_reply and self._rng.random() < self.chance:
                    self.resets += 1
                    break
                sink.sendall(piece)
        self._reset(pair)

    def _reset(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            if pair not in self._pairs:
                return
            self._pairs.discard(pair)
        for sock in pair:
            with contextlib.suppress(OSError):
                # Lingering for no time at all turns the close into a reset.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Wakes the thread that reads it; a close alone would not.
                sock.shutdown(socket.SHUT_RD)
            sock.close()
