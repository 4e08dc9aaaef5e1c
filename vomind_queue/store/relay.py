"""One connection to Redis for many requests at once, on an event loop.

A request that runs in a `Strand` and asks Redis something is laid aside until the answer
is there, and others go on meanwhile. What they ask within one turn of the loop leaves in
one piece, and the answers come back in one: neither side is woken for each of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import Any, cast

import hiredis
import redis
from greenlet import getcurrent, greenlet
from redis.connection import SSLConnection

from vomind_queue.log import InOnePiece

#: What the reader says while an answer is not whole.
_PART = object()


class Strand(greenlet):
    """A request that can be laid aside; started by the event loop's own thread."""


def in_strand() -> bool:
    """Whether the caller may be laid aside."""
    return type(getcurrent()) is Strand


def can_relay(client: redis.Redis) -> bool:
    """Whether this client's server is reached without encryption: only then here."""
    return not issubclass(client.connection_pool.connection_class, SSLConnection)


class Relay:
    """Asks for strands; connects on first use, and again after a failure."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._line: _Line | None = None
        #: Strands that wait for the connection.
        self._waiting: list[Strand] = []

    def ask(self, packed: bytes) -> Any:
        """The answer, or the error that it is; raises redis-py's errors. For strands alone."""
        line = self._line
        if line is None or line.closed:
            line = self._connected()
        return line.ask(packed)

    def close(self) -> None:
        """Hangs up; on the event loop's thread, before the loop ends."""
        if self._line is not None:
            self._line.close()

    def _connected(self) -> _Line:
        strand = cast(Strand, getcurrent())
        self._waiting.append(strand)
        if len(self._waiting) == 1:
            # The loop itself keeps no hold of what it runs.
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        return cast(_Line, strand.parent.switch())

    async def _connect(self) -> None:
        try:
            line = await self._open()
        except Exception as error:  # noqa: BLE001  (told to those who wait)
            waiting, self._waiting = self._waiting, []
            for strand in waiting:
                strand.throw(type(error)(*error.args))
            return
        self._line = line
        waiting, self._waiting = self._waiting, []
        for strand in waiting:
            strand.switch(line)

    async def _open(self) -> _Line:
        connection: Any = self._pool.connection_class(**self._pool.connection_kwargs)
        loop = asyncio.get_running_loop()
        # Name look-ups and the handshake take their time.
        await loop.run_in_executor(None, connection.connect)
        socket, connection._sock = connection._sock, None  # noqa: SLF001
        timeout_s = socket.gettimeout()
        socket.setblocking(False)
        errors = connection._parser.parse_error  # noqa: SLF001
        _, line = await loop.create_connection(partial(_Line, loop, timeout_s, errors), sock=socket)
        return line


class _Line(asyncio.Protocol):
    """The connection; answers come in the order of the questions."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, timeout_s: float | None, errors: Any
    ) -> None:
        self._loop = loop
        self._timeout_s = timeout_s or 3600.0
        self._reader = hiredis.Reader(
            protocolError=redis.InvalidResponse,
            replyError=errors,
            encoding="utf-8",
            notEnoughData=_PART,
        )
        self._out: list[bytes] = []
        #: Who asked and when, s on the loop's clock.
        self._asked: deque[tuple[Strand, float]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop's word that it can be used."""
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, packed: bytes) -> Any:
        """As `Relay.ask`."""
        strand = cast(Strand, getcurrent())
        if not self._out:
            self._loop.call_soon(self._send)
        self._out.append(packed)
        self._asked.append((strand, self._loop.time()))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._look)
        return strand.parent.switch()

    def close(self) -> None:
        """Hangs up; who waits is told."""
        self._fail(redis.ConnectionError, "Connection closed by us.")

    def _send(self) -> None:
        if not self.closed:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def data_received(self, data: bytes) -> None:
        """The loop's word that something came."""
        self._reader.feed(data)
        # Lines of theirs leave together, as answers of theirs do after this.
        with InOnePiece():
            while not self.closed and (answer := self._reader.gets()) is not _PART:
                self._asked.popleft()[0].switch(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """The loop's word that it is over."""
        self._fail(redis.ConnectionError, f"Connection closed by server: {exc}")

    def _look(self) -> None:
        """Gives up once the oldest question has waited for too long, and all behind it."""
        self._watch = None
        if self.closed or not self._asked:
            return
        left_s = self._asked[0][1] + self._timeout_s - self._loop.time()
        if left_s > 0:
            self._watch = self._loop.call_later(left_s, self._look)
        else:
            self._fail(redis.TimeoutError, "Timeout reading from socket")

    def _fail(self, kind: type[Exception], why: str) -> None:
        # An answer that comes after this one must not be taken for the next question's.
        self.closed = True
        self._transport.abort()
        if self._watch is not None:
            self._watch.cancel()
        while self._asked:
            self._asked.popleft()[0].throw(kind(why))
