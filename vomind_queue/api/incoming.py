"""The body of a request as WSGI's input, taken in when the application first wants it.

Not before: a client that has shown no key, or that is refused for another reason, need not
send what it announced, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]
from greenlet import getcurrent

from vomind_queue.api.body import DRAINED, MAX_BODY
from vomind_queue.store.relay import await_in_strand, in_strand


class Body:
    """What a client sends; made on the event loop, read in a strand of it or in a thread."""

    def __init__(self, protocol: Any, announced: int | None, *, holds_no_thread: bool) -> None:
        """``announced``: its length, bytes; ``None`` where that is not told."""
        self._protocol = protocol
        self._announced = announced
        self._loop = asyncio.get_running_loop()
        self._whole: BytesIO | None = None
        #: Whether who waits for it can be laid aside.
        self.holds_no_thread = holds_no_thread
        #: Whether the coroutine that runs the strand takes the body in when it is asked to.
        self.at_hand = holds_no_thread
        #: How long a thread waits for it, s; ``None``: as long as it takes.
        self.patience_s: float | None = None

    def read(self, size: int = -1) -> bytes:
        """As any file's; what was cut off ends early."""
        if self._whole is None:
            self._whole = BytesIO(self._wait())
        return self._whole.read(size)

    def _wait(self) -> bytes:
        if self.at_hand:
            return getcurrent().parent.switch(self)  # type: ignore[no-any-return]
        if in_strand():
            return await_in_strand(self.received())
        coming = asyncio.run_coroutine_threadsafe(self.received(), self._loop)
        try:
            return coming.result(self.patience_s)
        except TimeoutError:
            # Taken for cut off.
            coming.cancel()
            return b""

    async def received(self) -> bytes:
        """All of it, or as much of its beginning as tells that it is too long."""
        if self._announced is None or self._announced > MAX_BODY:
            return await self._beginning()
        try:
            return await self._protocol()  # type: ignore[no-any-return]
        except ProtocolClosed:
            return b""

    async def _beginning(self) -> bytes:
        # What is too long is taken in and forgotten, up to a bound, because most clients read
        # the answer only after they have sent everything.
        kept, taken = bytearray(), 0
        async for piece in self._protocol:
            taken += len(piece)
            kept += piece[: MAX_BODY + 1 - len(kept)]
            if taken > DRAINED:
                break
        return bytes(kept)
