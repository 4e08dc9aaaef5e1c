"""The listening socket: it can be shut for a while, so that connections are refused."""

from __future__ import annotations

import math
import select
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace

from simulator.wire import Delivery, Handler, Reply, Request, converse

#: Connections that may wait to be accepted; the system may allow fewer.
BACKLOG = 1024


class Door:
    """Accepts connections on one address, each served by a thread of its own."""

    def __init__(self, host: str, port: int, handler: Handler) -> None:
        """Bind at once, so that a port in use is known before anything else starts."""
        self._handler = handler
        # Only the accepting thread touches the listening socket; others change what is
        # wanted, ring the bell and wait until it is so.
        self._state = threading.Condition()
        self._shut_until = 0.0
        self._is_open = False
        self._visitors: set[socket.socket] = set()
        # Those with a request under way, and those to whom the door was shut.
        self._busy: set[socket.socket] = set()
        self._unwelcome: set[socket.socket] = set()
        self._sock = _bound(host, port)
        self._bell_out, self._bell_in = socket.socketpair()
        self.address: tuple[str, int] = self._sock.getsockname()[:2]

    def open(self) -> None:
        """Listen, until :meth:`shut` or the end of the process."""
        threading.Thread(target=self._accept_for_ever, name="door", daemon=True).start()
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
            self._bell_in.send(b"!")
            self._state.wait_for(lambda: self._is_open is wanted_open, timeout=5)

    def _accept_for_ever(self) -> None:
        while True:
            poll = select.poll()
            poll.register(self._bell_out, select.POLLIN)
            if self._is_open:
                poll.register(self._sock, select.POLLIN)
            ready = {number for number, _ in poll.poll(self._patience_ms())}
            if self._bell_out.fileno() in ready:
                self._bell_out.recv(64)
            if self._sock.fileno() in ready:
                self._admit()
            self._do_as_wanted()

    def _patience_ms(self) -> float | None:
        """Return how long the state may stay as it is, ms."""
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
                self._turn_away()
            self._is_open = wanted_open
            self._state.notify_all()

    def _turn_away(self) -> None:
        """Refuse connections from now on, and end the idle ones; under the lock."""
        self._sock.close()
        # A socket that is bound but does not listen refuses, and keeps the port ours.
        self._sock = _bound(*self.address)
        self._unwelcome |= self._visitors
        # Answers under way, also that to the request that shut the door, get out.
        for visitor in self._visitors - self._busy:
            with suppress(OSError):
                visitor.shutdown(socket.SHUT_RDWR)

    def _admit(self) -> None:
        try:
            visitor, _ = self._sock.accept()
        except OSError:
            # The client has gone between select and accept.
            return
        visitor.setblocking(True)
        with self._state:
            self._visitors.add(visitor)
        threading.Thread(target=self._serve, args=(visitor,), daemon=True).start()

    def _serve(self, visitor: socket.socket) -> None:
        # A client that goes away is nothing to report.
        with suppress(OSError), visitor:
            converse(visitor, lambda request: self._receive(visitor, request))
        with self._state:
            for visitors in (self._visitors, self._busy, self._unwelcome):
                visitors.discard(visitor)

    def _receive(self, visitor: socket.socket, request: Request) -> Reply:
        with self._state:
            if visitor in self._unwelcome:
                return Reply(status=503, body=b"", delivery=Delivery.DROP)
            self._busy.add(visitor)
        reply = self._handler(request)
        with self._state:
            self._busy.discard(visitor)
            if visitor in self._unwelcome:
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
