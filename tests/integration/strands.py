"""Runs work in strands of one event loop, as the web process does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from vomind_queue.store.relay import Strand
from vomind_queue.store.wire import Wire

Work = Callable[[], Any]


def together(wire: Wire, *works: Work, within_s: float = 20) -> list[Any]:
    """What each of them returned or raised, run in strands of one loop at the same time."""
    found: list[Any] = [None] * len(works)
    left = len(works)

    async def run() -> None:
        over = asyncio.get_running_loop().create_future()

        def strand(index: int) -> None:
            nonlocal left
            try:
                found[index] = works[index]()
            except Exception as error:  # noqa: BLE001
                found[index] = error
            left -= 1
            if not left:
                over.set_result(None)

        for index in range(len(works)):
            Strand(strand).switch(index)
        await asyncio.wait_for(over, within_s)
        wire.hang_up()
        await asyncio.sleep(0)

    asyncio.run(run())
    return found
