"""A bounded pool of connections to Redis whose idle connections close."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import redis

#: How often connections that were not needed since the last time are closed, s.
IDLE_S = 10.0
#: Between two tries at a server that has no room for another client, s.
NO_ROOM_S = 0.02
#: What a server says to one client too many.
_NO_ROOM = "max number of clients reached"


class NotSent(redis.ConnectionError):
    """There was no connection to be had, so the command did not leave this process."""


class Pool(redis.ConnectionPool):
    """A redis-py pool in which a caller waits briefly while all connections are in use.

    Callers are served in the order in which they came. A signal handler may be one: a thread may
    take the lock here again while it holds it.
    """

    def __init__(self, *, wait_s: float, **options: Any) -> None:
        """``wait_s``: how long a caller waits while all connections are in use."""
        self._wait_s = wait_s
        super().__init__(**options)

    def reset(self) -> None:
        """Start with no connections, as a forked process has to."""
        self._turn = threading.RLock()
        #: Callers that wait: each one's lock is released when a connection becomes its own.
        self._waiting: deque[threading.Lock] = deque()
        #: How many may be in use: fewer for a while where the server has no room for more.
        self._limit = self.max_connections
        #: Connections in use, and the most that were in use at once …
        self._lent = 0
        #: … since idle connections were last looked for, and since they were last closed.
        self._needed = self._opened = 0
        self._closer: threading.Timer | None = None
        #: Counts how often all connections were retired, and what it was when each was lent.
        self._generation = 0
        self._lent_in: dict[Any, int] = {}
        super().reset()

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """Return a connection that works; raise NotSent where there is none in time."""
        give_up_at = time.monotonic() + self._wait_s
        while True:
            self._reserve(give_up_at - time.monotonic())
            try:
                return self._connected()
            except BaseException as error:
                self._pass_on()
                if has_no_room(error) and time.monotonic() < give_up_at:
                    self._make_do()
                    continue
                if _is_unreachable(error):
                    raise NotSent(str(error)) from error
                raise

    def _connected(self) -> Any:
        generation = self._generation
        connection = super().get_connection()
        self._lent_in[connection] = generation
        return connection

    def _make_do(self) -> None:
        """Do with the connections that are in use, or wait a moment for the server's room."""
        with self._turn:
            alone = self._lent == 0
            self._limit = max(self._lent, 1)
        if alone:
            time.sleep(NO_ROOM_S)

    def owns_connection(self, connection: Any) -> int:
        """Whether to keep it: one that is closed would be taken before those that are open."""
        return super().owns_connection(connection) and connection.is_connected

    def release(self, connection: Any) -> None:
        """Take a connection back; one that was retired meanwhile is closed."""
        generation = self._lent_in.pop(connection, None)
        if generation is None:
            # It failed while it was being lent, or belongs to the parent process.
            super().release(connection)
            return
        if generation != self._generation:
            connection.disconnect()
        super().release(connection)
        self._pass_on()

    def retire(self) -> None:
        """Use none of the present connections again: they lead to the wrong server."""
        self._generation += 1
        self.disconnect(inuse_connections=False)

    def _reserve(self, wait_s: float) -> None:
        with self._turn:
            if self._lent < self._limit:
                self._lend()
                return
            handed = threading.Lock()
            handed.acquire()
            self._waiting.append(handed)
        if not self._wait_for(handed, max(wait_s, 0)):
            raise NotSent(f"all {self._limit} connections are in use")

    def _lend(self) -> None:
        self._lent += 1
        self._needed = max(self._needed, self._lent)
        self._opened = max(self._opened, self._lent)
        if self._closer is None:
            self._look_later()

    def _wait_for(self, handed: threading.Lock, wait_s: float) -> bool:
        got = False
        try:
            got = handed.acquire(timeout=wait_s)
        finally:
            if not got:
                self._withdraw(handed)
        return got

    def _withdraw(self, handed: threading.Lock) -> None:
        with self._turn:
            if handed in self._waiting:
                self._waiting.remove(handed)
            else:
                self._pass_on()

    def _pass_on(self) -> None:
        """Hand a place on to the caller that has waited the longest."""
        with self._turn:
            if self._waiting and self._lent <= self._limit:
                self._waiting.popleft().release()
            else:
                self._lent -= 1

    def _look_later(self) -> None:
        self._closer = threading.Timer(IDLE_S, self._close_idle)
        self._closer.daemon = True
        self._closer.start()

    def _close_idle(self) -> None:
        with self._turn:
            self._limit = self.max_connections
            needed, self._needed = self._needed, self._lent
            if needed < self._opened:
                # redis-py closes all idle ones or none: those still needed are opened again.
                self.disconnect(inuse_connections=False)
                self._opened = self._lent
            if self._opened:
                self._look_later()
            else:
                self._closer = None


def has_no_room(error: BaseException) -> bool:
    """Whether the server takes no more clients."""
    return isinstance(error, redis.ConnectionError) and _NO_ROOM in str(error)


def _is_unreachable(error: BaseException) -> bool:
    """Whether there is no connection; a handshake without an answer may still be one."""
    if isinstance(error, redis.AuthenticationError | redis.BusyLoadingError):
        return False
    # redis-py gives a timed-out connect no class of its own.
    return isinstance(error, redis.ConnectionError) or (
        isinstance(error, redis.TimeoutError) and "connecting to" in str(error)
    )
