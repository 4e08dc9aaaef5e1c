"""The application behind the HTTP server: requests that may take long run in threads.

Requests that only ask Redis something do not come by here; see `quick`. The application is
the same WSGI application for both and does not know where it runs.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from vomind_queue.api.environ import Environ, add_headers, add_line, base_of, length_of
from vomind_queue.api.incoming import Body, Receive

#: Answers without a body, whose length is not told either.
_BARE = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

Application = Callable[..., Iterable[bytes]]
Send = Callable[[Any], Awaitable[None]]


class Door:
    """A WSGI application as an ASGI one."""

    def __init__(self, app: Application, *, threads: int, quick: bool) -> None:
        """``quick``: whether some requests may run on the event loop's thread."""
        self.app = app
        self.quick = quick
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answers one request; raises what the application raises."""
        environ = base_of(scope["server"], scope["client"])
        path, query = scope["raw_path"], scope["query_string"]
        add_line(environ, scope["method"], path, query, scope["http_version"])
        add_headers(environ, scope["headers"])
        environ["wsgi.input"] = Body(scope, receive, announced_in(environ))
        work = _Work(self.app, environ)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, work.run)
        whole = b"".join(work.body) if isinstance(work.body, list) else None
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in work.headers
        ]
        told = any(name == b"content-length" for name, _ in headers)
        if whole is not None and not told and work.status not in _BARE:
            headers.append((b"content-length", b"%d" % len(whole)))
        await send({"type": "http.response.start", "status": work.status, "headers": headers})
        if whole is None:
            await self._send_pieces(work, receive, send)
        await send({"type": "http.response.body", "body": whole or b""})

    async def _send_pieces(self, work: _Work, receive: Receive, send: Send) -> None:
        """As the application makes them, which may take long; until nobody listens any more."""
        loop = asyncio.get_running_loop()
        pieces = iter(work.body)
        gone = loop.create_task(_gone(receive))
        try:
            while not gone.done():
                piece = await loop.run_in_executor(self._threads, work.next, pieces)
                if not piece:
                    break
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            gone.cancel()
            await loop.run_in_executor(self._threads, work.close)


async def _gone(receive: Receive) -> None:
    """Until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _Work:
    """One call of the application, in a thread."""

    def __init__(self, app: Application, environ: Environ) -> None:
        self._app = app
        self._environ = environ
        self._context = contextvars.Context()
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.body: Iterable[bytes] = []

    def run(self) -> None:
        """Calls it."""
        self.body = self._context.run(self._app, self._environ, self._start)

    def next(self, pieces: Iterator[bytes]) -> bytes:
        """The next piece of a body that is not empty; an empty one at the end."""
        return self._context.run(next, (piece for piece in pieces if piece), b"")

    def close(self) -> None:
        """Tells the application that its body is not wanted any more."""
        close = getattr(self.body, "close", None)
        if close is not None:
            self._context.run(close)

    def _start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


def announced_in(environ: Environ) -> int | None:
    """Length of the body, bytes; ``None`` where it is not told, or not in a number."""
    text = environ.get("CONTENT_LENGTH")
    if text is None:
        return None if "HTTP_TRANSFER_ENCODING" in environ else 0
    return length_of(text)
