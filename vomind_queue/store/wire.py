"""Commands to Redis over connections that stay open, without what redis-py does around each.

Connecting, encrypting, logging in, and what an error is are redis-py's. What stands between
two commands is not: its pool asks the kernel each time whether the connection still stands,
keeps books and measures, and its sockets ask before each read and write whether they may,
which took more time than the command itself.
"""

from __future__ import annotations

import math
import os
import socket
import struct
import time
from collections import deque
from typing import Any

import hiredis
import redis

from vomind_queue.store.relay import Relay, can_relay, in_strand

#: A connection that rested for longer is looked at before it is used, s: the server may have
#: closed it. No server comes back within less.
RESTED_S = 0.01
#: Bytes that are read at once.
_PIECE = 16 * 1024
#: More bytes than the kernel takes without waiting are sent with one time limit for all of them.
_MUCH = 64 * 1024
#: What the reader says while an answer is not whole.
_PART = object()


class Wire:
    """Sends one command at a time on each connection; made for many threads."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._pid = os.getpid()
        self._relay = Relay(client) if can_relay(client) else None
        #: Lines that nobody uses, the last one used at the right.
        self._idle: deque[Line] = deque()

    def ask(self, *command: Any) -> Any:
        """The server's answer; raises what redis-py raises."""
        packed = hiredis.pack_command(command)
        if self._relay is not None and in_strand():
            answer = self._relay.ask(packed)
        else:
            answer = self._exchange(packed)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def hang_up(self) -> None:
        """Ends the event loop's connection; on its thread, before the loop ends."""
        if self._relay is not None:
            self._relay.close()

    def _exchange(self, packed: bytes) -> Any:
        line = self._take()
        try:
            answer = line.exchange(packed)
        except BaseException:
            self._end(line)
            raise
        line.rest()
        self._idle.append(line)
        return answer

    def _end(self, line: Line) -> None:
        """Gives its place in the pool back, too: there are only so many."""
        line.connection.disconnect()
        self._pool.release(line.connection)

    def _take(self) -> Line:
        if self._pid != os.getpid():
            # They belong to the process that this one was forked from.
            self._idle, self._pid = deque(), os.getpid()
        try:
            line = self._idle.pop()
        except IndexError:
            return Line(self._pool.get_connection())
        try:
            line.make_sure()
        except BaseException:
            self._end(line)
            raise
        return line


class Line:
    """One connection of redis-py's, and its socket."""

    def __init__(self, connection: Any) -> None:
        # Its methods have no types.
        self.connection = connection
        self._rested_at = 0.0
        #: The time limit that the kernel keeps, s; ``None`` where Python keeps one, or nobody.
        self._limit_s: float | None = None
        self._buffer: Any = bytearray(_PIECE)
        self._open()

    def _open(self) -> None:
        self._socket: socket.socket = self.connection._sock  # noqa: SLF001
        self._reader = hiredis.Reader(
            protocolError=redis.InvalidResponse,
            replyError=self.connection._parser.parse_error,  # noqa: SLF001
            encoding="utf-8",
            notEnoughData=_PART,
        )
        self._limit_s = None
        if type(self._socket) is socket.socket:
            self._let_kernel_wait()

    def _let_kernel_wait(self) -> None:
        """Has the kernel end what takes too long; Python would ask it before each call."""
        if timeout := self._socket.gettimeout():
            part, whole = math.modf(timeout)
            limit = struct.pack("ll", int(whole), int(part * 1_000_000))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            self._socket.settimeout(None)
            self._limit_s = timeout

    def rest(self) -> None:
        """Notes that nothing is under way any more."""
        self._rested_at = time.monotonic()

    def make_sure(self) -> None:
        """Connects again where the connection stands no more; raises what redis-py raises."""
        if time.monotonic() - self._rested_at > RESTED_S and not self._stands():
            self.connection.disconnect()
            self.connection.connect()
            self._open()

    def _stands(self) -> bool:
        """Whether the server has neither closed it nor said anything unasked."""
        if self.connection._sock is not self._socket:  # noqa: SLF001
            # Closed by whoever closed the client.
            return False
        try:
            return not self.connection.can_read()
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            return False

    def exchange(self, packed: bytes) -> Any:
        """Sends a command; the answer, or the error that it is. Raises redis-py's errors."""
        self.send(packed)
        return self.receive()

    def send(self, packed: bytes) -> None:
        """Sends commands, each of which is answered. Raises redis-py's errors."""
        try:
            if self._limit_s is not None and len(packed) > _MUCH:
                self._send_much(packed, self._limit_s)
            else:
                self._socket.sendall(packed)
        except (BlockingIOError, TimeoutError):
            raise redis.TimeoutError("Timeout writing to socket") from None
        except OSError as error:
            raise redis.ConnectionError(f"Error on the socket: {error}") from error

    def _send_much(self, packed: bytes, limit_s: float) -> None:
        """As much as a silent server takes in starts the kernel's time anew, and again."""
        self._socket.settimeout(limit_s)
        try:
            self._socket.sendall(packed)
        finally:
            self._socket.settimeout(None)

    def receive(self) -> Any:
        """The next answer, or the error that it is. Raises redis-py's errors."""
        reader = self._reader
        try:
            while (answer := reader.gets()) is _PART:
                length = self._socket.recv_into(self._buffer)
                if not length:
                    raise redis.ConnectionError("Connection closed by server.")
                reader.feed(self._buffer, 0, length)
        except (BlockingIOError, TimeoutError):
            raise redis.TimeoutError("Timeout reading from socket") from None
        except OSError as error:
            raise redis.ConnectionError(f"Error on the socket: {error}") from error
        return answer
