"""A bounded pool of connections to Redis whose idle connections close."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Any

import redis

#: How often connections that were not needed since the last time are closed, s.
IDLE_S = 10.0
#: Between two tries at a server that has no room for another client, s.
NO_ROOM_S = 0.02
#: A connection that was answered so recently is not asked whether it is still open, s: to ask
#: makes the thread wait for Python's lock again.
RECENT_S = 0.05
#: Held while a pool is reset after a fork.
_RESETTING = threading.Lock()
#: What a server says to one client too many.
_NO_ROOM = "max number of clients reached"


class NotSent(redis.ConnectionError):
    """There was no connection to be had, so the command did not leave this process."""


class Pool(redis.ConnectionPool):
    """A redis-py pool in which a caller waits briefly while all connections are in use.

    Callers are served in the order in which they came. A signal handler may be one: a thread may
    take the lock here again while it holds it. The list of connections is kept here, because the
    stock one closes all idle connections or none.
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
        #: Connections in use or about to be, and the most since idle ones were last looked for.
        self._lent = self._needed = 0
        #: Counts how often all connections were retired.
        self._generation = 0
        #: Open connections that nobody uses, the one used last at the end, each with the
        #: generation in which it was opened and when it was last answered; and those in use.
        self._idle: list[tuple[Any, int, float]] = []
        self._in_use: dict[Any, int] = {}
        self._closer: threading.Timer | None = None
        super().reset()

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """Return a connection that works; raise NotSent where there is none in time."""
        if self.pid != os.getpid():
            self._start_over()
        give_up_at = time.monotonic() + self._wait_s
        while True:
            self._reserve(give_up_at)
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

    def _start_over(self) -> None:
        """Reset in a forked process, once."""
        with _RESETTING:
            if self.pid != os.getpid():
                self.reset()

    def _connected(self) -> Any:
        generation = self._generation
        try:
            connection, opened_in, answered_at = self._idle.pop()
        except IndexError:
            connection, opened_in = self.connection_class(**self.connection_kwargs), generation
            answered_at = 0.0
        recent = time.monotonic() - answered_at < RECENT_S
        if opened_in != generation or not (recent or _is_usable(connection)):
            connection.disconnect()
            connection.connect()
            opened_in = generation
        self._in_use[connection] = opened_in
        return connection

    def _make_do(self) -> None:
        """Do with the connections that are in use, or wait a moment for the server's room."""
        with self._turn:
            alone = self._lent == 0
            self._limit = max(self._lent, 1)
        if alone:
            time.sleep(NO_ROOM_S)

    def release(self, connection: Any, *, answered_at: float = 0.0) -> None:
        """Take a connection back; one that was retired meanwhile is closed.

        ``answered_at``: when all that was sent was answered, as `time.monotonic` has it, if the
        caller knows.
        """
        opened_in = self._in_use.pop(connection, None)
        if opened_in is None or connection.pid != os.getpid():
            # It belongs to the parent process.
            return
        if opened_in != self._generation:
            connection.disconnect()
        elif connection.is_connected:
            self._idle.append((connection, opened_in, answered_at))
        self._pass_on()

    def retire(self) -> None:
        """Use none of the present connections again: they lead to the wrong server."""
        self._generation += 1
        self.disconnect(inuse_connections=False)

    def disconnect(self, inuse_connections: bool = True) -> None:
        """Close idle connections, and those in use where that is asked for."""
        self._close(len(self._idle))
        for connection in list(self._in_use) if inuse_connections else ():
            connection.disconnect()
        with self._turn:
            if self._closer and not self._lent:
                self._closer.cancel()
                self._closer = None

    def _close(self, count: int) -> None:
        """Close as many idle connections, those used longest ago first."""
        for _ in range(count):
            try:
                # One at a time: another thread may take one meanwhile.
                connection, *_ = self._idle.pop(0)
            except IndexError:
                return
            connection.disconnect()

    def _reserve(self, give_up_at: float) -> None:
        with self._turn:
            if self._lent < self._limit:
                self._look_later()
                self._lend()
                return
            handed = threading.Lock()
            handed.acquire()
            self._waiting.append(handed)
        if not self._wait_for(handed, max(give_up_at - time.monotonic(), 0)):
            raise NotSent(f"all {self._limit} connections are in use")

    def _lend(self) -> None:
        self._lent += 1
        self._needed = max(self._needed, self._lent)

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
        """Look for idle connections in a while; where no thread can be had, another time."""
        if self._closer:
            return
        closer = threading.Timer(IDLE_S, self._close_idle)
        closer.daemon = True
        try:
            closer.start()
        except RuntimeError:
            return
        self._closer = closer

    def _close_idle(self) -> None:
        with self._turn:
            self._closer = None
            self._limit = self.max_connections
            while self._waiting and self._lent < self._limit:
                self._lend()
                self._waiting.popleft().release()
            unneeded = len(self._idle) + self._lent - self._needed
            self._needed = self._lent
            self._close(unneeded)
            if self._idle or self._lent:
                self._look_later()


def has_no_room(error: BaseException) -> bool:
    """Return whether the server takes no more clients."""
    return isinstance(error, redis.ConnectionError) and _NO_ROOM in str(error)


def _is_usable(connection: Any) -> bool:
    """Return whether it is open and holds no unread bytes: a server may have closed it."""
    try:
        return bool(connection.is_connected) and not connection.can_read()
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        return False


def _is_unreachable(error: BaseException) -> bool:
    """Return whether there is no connection; a handshake without an answer may still be one."""
    if isinstance(error, redis.AuthenticationError | redis.BusyLoadingError):
        return False
    # redis-py has no separate class for a timed-out connect.
    return isinstance(error, redis.ConnectionError) or (
        isinstance(error, redis.TimeoutError) and "connecting to" in str(error)
    )
