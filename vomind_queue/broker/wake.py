"""Waits for a word under the wake key, without holding up the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import redis

#: How long one wait lasts on the server, s.
WAIT_S = 5
#: How long after that an answer may be overdue before the connection counts as dead, s.
OVERDUE_S = 3.0


class WakeListener:
    """One blocking pop at a time, on a connection of its own.

    Not kombu's own BRPOP: that one stops reading while the worker is full, and
    would keep to itself a word that was meant for whoever has a free slot.
    """

    def __init__(self, waker: tuple[redis.Redis, str], hub: Any, woken: Callable[[], None]) -> None:
        self._client, self._key = waker
        self._hub = hub
        self._woken = woken
        self._connection: Any = None
        self._fd: int | None = None
        self._sent_at: float | None = None
        self._check = hub.call_repeatedly(1.0, self._check_overdue)

    @property
    def listens(self) -> bool:
        """Whether it waits."""
        return self._sent_at is not None

    def listen(self) -> None:
        """Starts to wait, unless it waits already."""
        if self._sent_at is not None:
            return
        if self._connection is None:
            self._connection = self._client.connection_pool.get_connection()
            self._connection.connect()
            self._fd = self._connection._sock.fileno()
            self._hub.add_reader(self._fd, self._read)
        self._connection.send_command("BRPOP", self._key, WAIT_S)
        self._sent_at = time.monotonic()

    def close(self) -> None:
        """Waits no more."""
        self._check.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            self._hub.remove_reader(self._fd)
            connection.disconnect()
            self._client.connection_pool.release(connection)

    def _read(self, *_: Any) -> None:
        if self._connection is None:
            return
        answer = self._connection.read_response()
        self._sent_at = None
        if answer is None:
            self.listen()
        else:
            self._woken()

    def _check_overdue(self) -> None:
        if self._sent_at is not None and time.monotonic() - self._sent_at > WAIT_S + OVERDUE_S:
            raise redis.ConnectionError("Redis does not answer.")
