"""Wakes the worker's event loop: a slot is free, or Redis has a word for this worker."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from functools import cached_property

import redis

from vomind_queue.store import keys

logger = logging.getLogger(__name__)

#: How long one wait for a word lasts on the server, s.
WAIT_S = 5
#: How long it may take in all before the connection counts as dead, s.
TIMEOUT_S = WAIT_S + 3.0
#: Between two tries to wait for a word while Redis is away, s.
RETRY_S = 0.5


class Notifier:
    """A pair of sockets: any thread writes to one, the event loop reads from the other."""

    def notify(self) -> None:
        """Wake the event loop; from any thread."""
        # A full buffer is a notice that has not been read yet; a closed one, the worker's end.
        with suppress(OSError):
            self._sockets[1].send(b"\0")

    def fileno(self) -> int:
        """Return the descriptor that is readable after a notice."""
        return self._sockets[0].fileno()

    def clear(self) -> None:
        """Take in all notices so far."""
        with suppress(BlockingIOError):
            self._sockets[0].recv(4096)

    def close(self) -> None:
        """Wake nothing more."""
        for end in self._sockets:
            end.close()

    @cached_property
    def _sockets(self) -> tuple[socket.socket, socket.socket]:
        # Opened on first use: most programs that load the application never run a worker.
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        return reader, writer


class WakeListener:
    """A thread that waits for one word at a time and passes it on to the event loop.

    Not kombu's own BRPOP: that one stops reading while the worker is full, and would keep to
    itself a word that was meant for another worker with a free slot.
    """

    def __init__(self, client: redis.Redis, notifier: Notifier) -> None:
        """``client``: used by nothing else, with ``TIMEOUT_S`` for an answer."""
        self._client = client
        self._notifier = notifier
        #: Set while it is to wait, and once more at the end.
        self._wanted = threading.Event()
        self._closed = threading.Event()
        # A daemon: Redis may not answer for seconds, and must not hold up the exit.
        self._thread = threading.Thread(target=self._run, name="wake", daemon=True)

    def start(self) -> None:
        """Start the thread; it waits for nothing yet."""
        self._thread.start()

    @property
    def listens(self) -> bool:
        """Whether it waits for a word."""
        return self._wanted.is_set()

    def listen(self) -> None:
        """Wait for one word, unless it does already."""
        self._wanted.set()

    def close(self) -> None:
        """Wait no more; a wait that the thread is in ends with its connection."""
        self._closed.set()
        self._wanted.set()
        self._client.connection_pool.disconnect()

    def _run(self) -> None:
        while self._wanted.wait() and not self._closed.is_set():
            try:
                if self._client.brpop([keys.WAKE], timeout=WAIT_S):
                    self._pass_on()
            except redis.RedisError:
                self._retry()
            except Exception:
                # A connection that is closed while it is read fails in any way.
                if not self._closed.is_set():
                    logger.exception("waiting for a word failed")
                self._retry()

    def _pass_on(self) -> None:
        if self._closed.is_set():
            # It came for a worker that takes nothing in any more.
            self._client.lpush(keys.WAKE, "1")
            return
        self._wanted.clear()
        self._notifier.notify()

    def _retry(self) -> None:
        # The event loop looks at the queue, and learns whether Redis is away.
        self._notifier.notify()
        self._closed.wait(RETRY_S)
