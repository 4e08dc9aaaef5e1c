"""The application behind a server that speaks RSGI, granian's own protocol.

Requests that only ask Redis something run one at a time on the event loop's thread, each
laid aside while Redis works; that spares waking threads several times for each. All
others, such as bulks and searches of the call log, run in threads. The application is the
same WSGI application for both and does not know where it runs; what a quick request asks
of Redis must go through `Gate`, or all others wait for it.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from vomind_queue.api.environ import Environ, environ_of
from vomind_queue.api.incoming import Body
from vomind_queue.store.relay import Strand

#: Longer bodies are taken apart in a thread, bytes.
QUICK_BODY = 32 * 1024
#: Requests that ask Redis something short and do nothing else.
_QUICK = re.compile(
    r"POST /api/queue/schedule-(?:delayed-)?call"
    r"|GET /api/queue/stats"
    r"|(?:GET|DELETE) /api/queue/job/[0-9]{1,20}"
    r"|POST /api/queue/job/[0-9]{1,20}/retry"
    r"|GET /(?:healthz|readyz)"
)
#: A number that may be read as one.
_LENGTH = re.compile(r"[0-9]{1,18}")

Application = Callable[..., Iterable[bytes]]


def is_quick(method: str, path: str) -> bool:
    """Whether such a request may run on the loop's thread."""
    return _QUICK.fullmatch(f"{method} {path}") is not None


class Door:
    """Takes requests from the server; ``quick``: some of them may run on the loop's thread."""

    def __init__(self, app: Application, *, threads: int, quick: bool) -> None:
        self._app = app
        self._quick = quick
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answers one request."""
        environ = environ_of(scope)
        announced = _announced(environ)
        work = _Work(self._app, environ)
        quick = (
            self._quick
            and announced is not None
            and announced <= QUICK_BODY
            and is_quick(scope.method, scope.path)
        )
        body = environ["wsgi.input"] = Body(protocol, announced, holds_no_thread=quick)
        if quick:
            await work.on_the_loop(body)
        else:
            await asyncio.get_running_loop().run_in_executor(self._threads, work.here)
        if work.error is not None:
            raise work.error
        await self._answer(work, protocol)

    async def _answer(self, work: _Work, protocol: Any) -> None:
        if not isinstance(work.body, list):
            await self._answer_in_pieces(work, protocol)
        elif body := b"".join(work.body):
            protocol.response_bytes(work.status, work.headers, body)
        else:
            protocol.response_empty(work.status, work.headers)

    async def _answer_in_pieces(self, work: _Work, protocol: Any) -> None:
        """As the application makes them, which may take long."""
        loop = asyncio.get_running_loop()
        stream = protocol.response_stream(work.status, work.headers)
        pieces = iter(work.body)
        try:
            while piece := await loop.run_in_executor(self._threads, work.next, pieces):
                await stream.send_bytes(piece)
        except ProtocolClosed:
            # Nobody listens any more.
            return
        finally:
            await loop.run_in_executor(self._threads, work.close)


class _Work:
    """One call of the application."""

    def __init__(self, app: Application, environ: Environ) -> None:
        self._app = app
        self._environ = environ
        self._context = contextvars.Context()
        self._awaited: asyncio.Future[None] | None = None
        self._over = False
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.body: Iterable[bytes] = []
        #: What the application raised; Flask answers all that an application may raise.
        self.error: BaseException | None = None

    async def on_the_loop(self, body: Body) -> None:
        """Runs it in a strand."""
        strand = Strand(self._run)
        wanted = strand.switch()
        while wanted is body:
            # The first that most want; later it would take a task of its own.
            wanted = strand.switch(await body.received())
        body.at_hand = False
        if not self._over:
            self._awaited = asyncio.get_running_loop().create_future()
            await self._awaited

    def here(self) -> None:
        """Runs it in this thread."""
        self._context.run(self._run)

    def next(self, pieces: Iterator[bytes]) -> bytes:
        """The next piece of a body that is not empty; an empty one at the end."""
        return self._context.run(next, (piece for piece in pieces if piece), b"")

    def close(self) -> None:
        """Tells the application that its body is not wanted any more."""
        close = getattr(self.body, "close", None)
        if close is not None:
            self._context.run(close)

    def _run(self) -> None:
        try:
            self.body = self._app(self._environ, self._start)
        except BaseException as error:  # noqa: BLE001  (raised to the server)
            self.error = error
        self._over = True
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    def _start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


def _announced(environ: Environ) -> int | None:
    """Length of the body, bytes; ``None`` where it is not told, or not in a number."""
    text = environ.get("CONTENT_LENGTH")
    if text is None:
        return None if "HTTP_TRANSFER_ENCODING" in environ else 0
    return int(text) if _LENGTH.fullmatch(text) else None
