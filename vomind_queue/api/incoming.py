"""The body of a request as WSGI's input, taken in when the application first wants it.

Not before: a client that has shown no key, or that is refused for another reason, need not
send what it announced, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from vomind_queue.api.body import DRAINED, MAX_BODY

Receive = Callable[[], Awaitable[Any]]

#: In a request's scope: its client has ended its side of the connection within the body.
CUT_OFF = "vomind.cut_off"


class Body:
    """What a client sends; made on the event loop, read in a thread."""

    def __init__(self, scope: Any, receive: Receive, announced: int | None) -> None:
        """``announced``: its length, bytes; ``None`` where that is not told."""
        self._scope = scope
        self._receive = receive
        self._announced = announced
        self._loop = asyncio.get_running_loop()
        self._whole: BytesIO | None = None
        #: How long a thread waits for it, s; ``None``: as long as it takes.
        self.patience_s: float | None = None

    def read(self, size: int = -1) -> bytes:
        """As any file's; what was cut off ends early."""
        if self._whole is None:
            self._whole = BytesIO(self._wait())
        return self._whole.read(size)

    def _wait(self) -> bytes:
        coming = asyncio.run_coroutine_threadsafe(self._received(), self._loop)
        try:
            return coming.result(self.patience_s)
        except TimeoutError:
            # Taken for cut off.
            coming.cancel()
            return b""

    async def _received(self) -> bytes:
        """All of it, or as much of its beginning as tells that it is too long."""
        # What is too long is taken in and forgotten, up to a bound, because most clients read
        # the answer only after they have sent everything.
        kept, taken, more = bytearray(), 0, True
        while more and taken <= DRAINED:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return self._cut(kept)
            piece = message["body"]
            taken += len(piece)
            kept += piece[: MAX_BODY + 1 - len(kept)]
            more = message["more_body"]
        return self._cut(kept) if self._scope[CUT_OFF] else bytes(kept)

    def _cut(self, kept: bytearray) -> bytes:
        """What came; nothing where only its end would have told that it was whole."""
        return b"" if self._announced is None else bytes(kept)
