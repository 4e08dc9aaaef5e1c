"""The application behind a server that speaks RSGI, granian's own protocol.

Requests that only ask Redis something run one at a time on the event loop's thread, each
laid aside while Redis works; that spares waking a thread twice for each. All others, such
as bulks and searches of the call log, run in threads. The application is the same WSGI
application for both, and does not know where it runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from vomind_queue.api.body import DRAINED, MAX_BODY
from vomind_queue.store.relay import Strand

#: Longer bodies are read in a thread, bytes: taking them apart takes long.
QUICK_BODY = 32 * 1024
#: Requests that ask Redis something and nothing else.
_QUICK = re.compile(
    r"POST /api/queue/schedule-(?:delayed-)?call"
    r"|GET /api/queue/stats"
    r"|(?:GET|DELETE) /api/queue/job/[0-9]{1,20}"
    r"|POST /api/queue/job/[0-9]{1,20}/retry"
    r"|GET /(?:healthz|readyz)"
)
#: Names of headers in WSGI's form, as far as they have been met.
_NAMES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_MOST_NAMES = 1_000
_END = object()

Environ = dict[str, Any]
Headers = list[tuple[str, str]]


class Door:
    """Takes requests from the server; ``quick``: some of them may run on the loop's thread."""

    def __init__(self, app: Callable[..., Iterable[bytes]], *, threads: int, quick: bool) -> None:
        self._app = app
        self._quick = quick
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answers one request."""
        environ = _environ(scope)
        length = await _read(environ, protocol)
        work = _Work(self._app, environ)
        if (
            self._quick
            and length <= QUICK_BODY
            and _QUICK.fullmatch(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        ):
            await work.on_the_loop()
        else:
            await asyncio.get_running_loop().run_in_executor(self._threads, work.in_a_thread)
        if work.error is not None:
            raise work.error
        await self._answer(work, protocol)

    async def _answer(self, work: _Work, protocol: Any) -> None:
        if isinstance(work.body, list):
            if body := b"".join(work.body):
                protocol.response_bytes(work.status, work.headers, body)
            else:
                protocol.response_empty(work.status, work.headers)
            return
        # Piece by piece, as the application makes them.
        loop = asyncio.get_running_loop()
        stream = protocol.response_stream(work.status, work.headers)
        pieces = iter(work.body)
        try:
            while True:
                piece = await loop.run_in_executor(
                    self._threads, work.context.run, next, pieces, _END
                )
                if piece is _END:
                    return
                await stream.send_bytes(piece)
        finally:
            close = getattr(work.body, "close", None)
            if close is not None:
                await loop.run_in_executor(self._threads, work.context.run, close)


class _Work:
    """One call of the application."""

    def __init__(self, app: Callable[..., Iterable[bytes]], environ: Environ) -> None:
        self._app = app
        self._environ = environ
        self._done: asyncio.Future[None] | None = None
        self.over = False
        self.status = 500
        self.headers: Headers = []
        self.body: Iterable[bytes] = []
        self.error: BaseException | None = None
        self.context = contextvars.Context()

    async def on_the_loop(self) -> None:
        """Runs it in a strand."""
        Strand(self._run).switch()
        if not self.over:
            self._done = asyncio.get_running_loop().create_future()
            await self._done

    def in_a_thread(self) -> None:
        """Runs it here."""
        self.context.run(self._run)

    def _run(self) -> None:
        try:
            self.body = self._app(self._environ, self._start)
        except BaseException as error:  # noqa: BLE001  (raised to the server)
            self.error = error
        self.over = True
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _start(self, status: str, headers: Headers, _exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


def _environ(scope: Any) -> Environ:
    """What the server's own WSGI interface makes of a request."""
    host, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.url_scheme": scope.scheme,
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers = scope.headers
    for name, value in headers.items():
        key = _NAMES.get(name) or _named(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    for name in headers.keys():  # noqa: SIM118  (no dict)
        # One that is not ASCII is not among the items.
        environ.setdefault(_NAMES.get(name) or _named(name), "")
    return environ


def _named(name: str) -> str:
    key = "HTTP_" + name.upper().replace("-", "_")
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[name] = key
    return key


async def _read(environ: Environ, protocol: Any) -> int:
    """Has the body ready for the application, as much as it may want of it; its bytes.

    The application judges it: here is only seen to that nobody fills the memory.
    """
    announced = environ.get("CONTENT_LENGTH", "")
    if not announced and "HTTP_TRANSFER_ENCODING" not in environ:
        environ["wsgi.input"] = _NOTHING
        return 0
    if announced.isdecimal() and len(announced) < 18 and int(announced) <= MAX_BODY:  # noqa: PLR2004
        body = await protocol()
    else:
        body = await _bounded(protocol, int(announced) if announced.isdecimal() else 0)
    environ["wsgi.input"] = BytesIO(body)
    return len(body)


async def _bounded(protocol: Any, announced: int) -> bytes:
    """The beginning of a long body; the rest is taken in and forgotten, up to a bound."""
    kept, taken = bytearray(), 0
    if announced > DRAINED:
        return b""
    async for piece in protocol:
        taken += len(piece)
        kept += piece[: MAX_BODY + 1 - len(kept)]
        if taken > DRAINED:
            break
    return bytes(kept)


_NOTHING = BytesIO()
