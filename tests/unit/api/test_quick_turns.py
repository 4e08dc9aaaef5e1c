"""One connection does not keep the event loop to itself."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from vomind_queue.api.door import Door
from vomind_queue.api.quick import PIECE, Protocol

ONE = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
MANY = 5_000


class Wire(asyncio.Transport):
    """The server's side of a connection; keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_reading = True

    def write(self, data: Any) -> None:
        """Takes all of it at once."""
        self.written += data

    def pause_reading(self) -> None:
        """The protocol wants no more at this time."""
        self.is_reading = False

    def resume_reading(self) -> None:
        """It does again."""
        self.is_reading = True

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """There is nothing to close."""

    def get_write_buffer_size(self) -> int:
        """All is read."""
        return 0


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The same to all."""
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def test_many_requests_that_come_at_once_are_answered_in_turns() -> None:
    """Others have theirs in between, and no more is read meanwhile."""

    async def serve() -> list[int]:
        door = Door(application, threads=1, quick=True)
        config = Config(door, http=Protocol, ws="none", lifespan="off", log_config=None)
        config.load()
        config.loaded_app = door
        protocol, wire = Protocol(config, ServerState(), {}), Wire()
        protocol.connection_made(wire)
        protocol.data_received(ONE * MANY)
        assert not wire.is_reading
        answered = [0]
        while answered[-1] < MANY:
            await asyncio.sleep(0)
            answered.append(wire.written.count(b"200 OK"))
        assert wire.is_reading
        protocol.connection_lost(None)
        return answered

    answered = asyncio.run(serve())
    most = max(after - before for before, after in itertools.pairwise(answered))
    assert most <= PIECE // len(ONE) + 1
    assert answered[-1] == MANY
