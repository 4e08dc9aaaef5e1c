"""The listening socket, which can be closed for a while so that connections are refused."""

from __future__ import annotations

import math
import select
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace

from simulator.http1 import Delivery, Handler, Reply, Request, converse

#: Connections that may wait to be accepted; the system may allow fewer.
BACKLOG = 1024


class Listener:
    """Accepts connections on one address, each served by its own thread."""

    def __init__(self, host: str, port: int, handler: Handler) -> None:
        """Bind at once, so that a port in use is known before anything else starts."""
        self._handler = handler
        # Only the accepting thread touches the listening socket. Others set the wanted state,
        # wake it and wait.
        self._state = threading.Condition()
        self._shut_until = 0.0
        self._is_open = False
        self._clients: set[socket.socket] = set()
        # Those with a request under way, and those to close because the listener was shut.
        self._busy: set[socket.socket] = set()
        self._to_close: set[socket.socket] = set()
        self._sock = _bound(host, port)
        self._wake_out, self._wake_in = socket.socketpair()
        self.address: tuple[str, int] = self._sock.getsockname()[:2]

    def open(self) -> None:
        """Listen, until :meth:`shut` or the end of the process."""
        threading.Thread(target=self._accept_for_ever, name="listener", daemon=True).start()
        self.reopen()

    def shut(self, for_ms: int | None) -> None:
        """Refuse connections and end the idle ones; ``None``: until :meth:`reopen`."""
        self._want(math.inf if for_ms is None else time.monotonic() + for_ms / 1000)

    def reopen(self) -> None:
        """Listen again now."""
        self._want(0.0)

    def _want(self, shut_until: float) -> None:
        wanted_open = shut_until == 0.0
        with self._state:
            self._shut_until = shut_until
            self._wake_in.send(b"!")
            self._state.wait_for(lambda: self._is_open is wanted_open, timeout=5)

    def _accept_for_ever(self) -> None:
        while True:
            poll = select.poll()
            poll.register(self._wake_out, select.POLLIN)
            if self._is_open:
                poll.register(self._sock, select.POLLIN)
            ready = {number for number, _ in poll.poll(self._patience_ms())}
            if self._wake_out.fileno() in ready:
                self._wake_out.recv(64)
            if self._sock.fileno() in ready:
                self._admit()
            self._do_as_wanted()

    def _patience_ms(self) -> float | None:
        """Return how long the state may remain unchanged, ms."""
        with self._state:
            if self._is_open or self._shut_until == math.inf:
                return None
            return max(0.0, self._shut_until - time.monotonic()) * 1000

    def _do_as_wanted(self) -> None:
        with self._state:
            wanted_open = time.monotonic() >= self._shut_until
            if wanted_open and not self._is_open:
                self._sock.listen(BACKLOG)
            elif self._is_open and not wanted_open:
                self._refuse()
            self._is_open = wanted_open
            self._state.notify_all()

    def _refuse(self) -> None:
        """Refuse connections from now on, and end the idle ones; under the lock."""
        self._sock.close()
        # A socket that is bound but does not listen refuses, and keeps the port ours.
        self._sock = _bound(*self.address)
        self._to_close |= self._clients
        # Answers under way, also the one to the request that shut the listener, get out.
        for client in self._clients - self._busy:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _admit(self) -> None:
        try:
            client, _ = self._sock.accept()
        except OSError:
            # The client has gone between select and accept.
            return
        client.setblocking(True)
        with self._state:
            self._clients.add(client)
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # A client may go away.
        with suppress(OSError), client:
            converse(client, lambda request: self._receive(client, request))
        with self._state:
            for clients in (self._clients, self._busy, self._to_close):
                clients.discard(client)

    def _receive(self, client: socket.socket, request: Request) -> Reply:
        with self._state:
            if client in self._to_close:
                return Reply(status=503, body=b"", delivery=Delivery.DROP)
            self._busy.add(client)
        reply = self._handler(request)
        with self._state:
            self._busy.discard(client)
            if client in self._to_close:
                return replace(reply, headers={**reply.headers, "Connection": "close"})
        return reply


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepting must not block when the client has gone between select and accept.
    sock.setblocking(False)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
