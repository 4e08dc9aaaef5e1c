"""One connection that carries the scripts of many threads.

What threads ask for in the same moment leaves in one write and is answered by one
read: whoever comes first drives, that is, it sends its own command and those that
lie there by then, reads all the answers, hands them out and leaves the driving to
somebody who came meanwhile. A thread alone pays nothing for this; no thread is
answered before the server has carried its command out.

Nothing is sent twice. A connection that breaks leaves the outcome of everything
that was sent over it unknown, and every thread that waited for it is told so.

No handler of a signal may ask here: the thread that it interrupts may be the driver.
"""

from __future__ import annotations

import copy
import threading
from operator import attrgetter, call
from typing import Any

import redis
from hiredis import pack_command

from vomind_queue.store.wire import Line

_NONE_YET = object()
_RELEASE = attrgetter("told.release")


class Trunk:
    """Safe to share between threads. Connects on first use, and again after a failure."""

    def __init__(self, client: redis.Redis) -> None:
        """``client``: where connections come from; one is kept while all goes well."""
        self._pool = client.connection_pool
        self._line: Line | None = None
        self._lock = threading.Lock()
        self._waiting: list[_Order] = []
        self._driven = False

    def ask(self, *command: str | float) -> Any:
        """One command's answer; raises what redis-py raises. A command is never repeated."""
        order = _Order(pack_command(command))  # type: ignore[arg-type]  # it takes any number
        try:
            self._join(order)
            if order.drives:
                self._drive(order)
        except BaseException:
            # Raised by a signal's handler: the driving must not end with this thread.
            self._leave(order)
            raise
        if order.answer is _NONE_YET:
            raise redis.ConnectionError("the exchange was interrupted")
        if isinstance(order.answer, Exception):
            # A copy: the others that are told of the same failure raise it, too.
            raise copy.copy(order.answer)
        return order.answer

    def _join(self, order: _Order) -> None:
        """Returns when there is an answer, or when the driving falls to this thread."""
        with self._lock:
            self._waiting.append(order)
            order.drives = not self._driven
            self._driven = True
        if not order.drives:
            order.told.acquire()

    def _leave(self, order: _Order) -> None:
        with self._lock:
            if order in self._waiting:
                self._waiting.remove(order)
        if order.drives:
            self._pass_on(order)

    def _drive(self, own: _Order) -> None:
        orders: list[_Order] = []
        try:
            with self._lock:
                orders, self._waiting = self._waiting, []
            self._carry(orders)
        finally:
            try:
                # First, so that the next write leaves while the others awake.
                self._pass_on(own)
            finally:
                # All or none: no handler of a signal comes in between. Nobody waits for our own.
                any(map(call, map(_RELEASE, orders)))

    def _pass_on(self, driver: _Order) -> None:
        with self._lock:
            driver.drives = False
            if not self._waiting:
                self._driven = False
                return
            following = self._waiting[0]
            following.drives = True
            following.told.release()

    def _carry(self, orders: list[_Order]) -> None:
        """Each order gets its answer, or the error in place of it."""
        try:
            self._exchange(orders)
        except Exception as error:  # noqa: BLE001 - it is told to those who asked
            self._fail(orders, error)
        except BaseException:
            self._fail(orders, redis.ConnectionError("the exchange was interrupted"))
            raise

    def _exchange(self, orders: list[_Order]) -> None:
        line = self._line
        if line is None:
            line = self._line = Line(self._pool.get_connection())
        else:
            line.make_sure()
        line.send(b"".join(order.command for order in orders))
        for order in orders:
            order.answer = line.receive()
        line.rest()

    def _fail(self, orders: list[_Order], error: Exception) -> None:
        self._drop()
        for order in orders:
            if order.answer is _NONE_YET:
                order.answer = error
                # What the server says of one command it does not say of those behind it.
                error = redis.ConnectionError(str(error))

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.connection.disconnect()
            self._pool.release(line.connection)


class _Order:
    """One thread's command, until it is answered."""

    __slots__ = ("answer", "command", "drives", "told")

    def __init__(self, command: bytes) -> None:
        self.command = command
        self.answer: Any = _NONE_YET
        #: Whether the thread that waits for the answer has to drive.
        self.drives = False
        #: Released once, when there is an answer or the driving falls to this thread.
        self.told = threading.Lock()
        self.told.acquire()
