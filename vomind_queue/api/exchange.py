"""A request that is answered on the event loop, in a strand that can be laid aside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextvars import Context
from io import BytesIO
from typing import Any, Protocol, cast

from greenlet import GreenletExit, getcurrent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from vomind_queue.api.door import Application
from vomind_queue.api.environ import Environ
from vomind_queue.store.relay import Strand

logger = logging.getLogger(__name__)

#: As many strands wait for requests at most.
RESTING = 64


class Connection(Protocol):
    """What an exchange needs of the connection that it came over."""

    transport: asyncio.Transport
    server_state: ServerState

    def on_response_complete(self) -> None:
        """An answer was given."""
        ...


#: Strands at rest; a new one maps memory for its frames and unmaps it at its end.
_free: list[Strand] = []


def _work(exchange: Exchange) -> None:
    """What a strand does: one request after the other."""
    strand = cast(Strand, getcurrent())
    while True:
        Context().run(exchange.run)
        del exchange
        if len(_free) >= RESTING:
            return
        _free.append(strand)
        exchange = strand.parent.switch()


#: What is left of a body that was read.
_NOTHING = BytesIO()


class _NobodyWaits:
    """Stands for the event by which the server's own requests are woken."""

    def set(self) -> None:
        """Wakes nobody."""


class Exchange:
    """A quick request and its answer; also WSGI's input, and the server's cycle."""

    message_event = _NobodyWaits()
    #: Who waits for the body can be laid aside.
    holds_no_thread = True
    # As they are at first.
    disconnected = response_complete = False
    _has_begun = _is_ended = False
    #: Whether the strand waits for the rest of the body.
    _waits = False
    _strand: Strand | None = None
    _whole: BytesIO | None = None
    _status = "500"
    _headers: Sequence[tuple[str, str]] = ()

    def __init__(
        self, connection: Connection, app: Application, environ: Environ, *, keep_alive: bool
    ) -> None:
        self._connection = connection
        self._app = app
        self._environ = environ
        environ["wsgi.input"] = self
        self.body = bytearray()
        # What the server looks at, with the two above.
        self.keep_alive = keep_alive

    def begin(self) -> None:
        """Runs it, as far as it comes; once."""
        if not self._has_begun:
            self._has_begun = True
            self._strand = _free.pop() if _free else Strand(_work)
            self._strand.switch(self)

    def end_of_body(self) -> None:
        """No more of it will come."""
        self._is_ended = True
        if self._waits and self._strand is not None:
            self._waits = False
            self._strand.switch()

    def read(self, size: int = -1) -> bytes:
        """As any file's; what was cut off ends early."""
        if self._whole is None:
            if not self._is_ended and self._strand is not None:
                self._waits = True
                self._strand.parent.switch()
            if size >= len(self.body):
                # Mostly all at once.
                self._whole = _NOTHING
                return bytes(self.body)
            self._whole = BytesIO(self.body)
        return self._whole.read(size)

    def run(self) -> None:
        """Asks the application; in a strand."""
        try:
            pieces = self._app(self._environ, self._start)
            body = pieces[0] if type(pieces) is list and len(pieces) == 1 else _joined(pieces)
        except GreenletExit:
            raise
        except BaseException:
            # Flask answers all that an application may raise.
            logger.exception("a request came to no answer")
            self._status, self._headers, body = "500", [], b""
        self._answer(body)
        # Each holds the other, and would wait for a search for garbage.
        self._strand = None

    def _start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        self._status = status
        self._headers = headers

    def _answer(self, body: bytes) -> None:
        connection = self._connection
        transport = connection.transport
        if not self.disconnected and not transport.is_closing():
            lines = [f"{name}: {value}\r\n" for name, value in self._headers]
            if not _is_length_told(self._headers):
                lines.append(f"content-length: {len(body)}\r\n")
            lines.append("\r\n" if self.keep_alive else "connection: close\r\n\r\n")
            always = connection.server_state.default_headers
            defaults = [b"%b: %b\r\n" % each for each in always]
            first = STATUS_LINE[int(self._status[:3])]
            transport.write(b"".join((first, *defaults, "".join(lines).encode("latin-1"), body)))
        self.response_complete = True
        if not self.keep_alive:
            transport.close()
        connection.on_response_complete()


def _is_length_told(headers: Sequence[tuple[str, str]]) -> bool:
    # Mostly by the second one; a generator takes longer.
    for name, _ in headers:  # noqa: SIM110
        if name.lower() == "content-length":
            return True
    return False


def _joined(pieces: Iterable[bytes]) -> bytes:
    try:
        return b"".join(pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
