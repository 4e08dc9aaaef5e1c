"""A notifier as a whole, within one event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from vomind_queue.notifier.deliverer import Kept, Means
from vomind_queue.notifier.feed import Events, Feed
from vomind_queue.notifier.guarded_client import GuardedClient
from vomind_queue.notifier.live_stream import LiveStream
from vomind_queue.notifier.progress_book import Store
from vomind_queue.notifier.supervisor import Supervisor

logger = logging.getLogger(__name__)

#: Threads that wait for Redis; one of them waits for the next event.
THREADS = 8
#: A stopping process leaves its streams this long to end, s.
STREAMS_S = 1.0


class KeptEvents(Events, Kept, Protocol):
    """What a notifier reads."""


@dataclass(frozen=True, kw_only=True)
class Notifier:
    """What the process runs."""

    prepare: Callable[[threading.Event], None]
    kept: KeptEvents
    client: Callable[[], GuardedClient]
    store: Store
    supervisor: Callable[[Means], Supervisor]
    stream: Callable[[Feed], LiveStream]
    host: str
    port: int
    now_ms: Callable[[], int]

    async def run(self, stopped: asyncio.Event) -> None:
        """Deliver and serve until stopped."""
        preparing_stopped = threading.Event()
        with ThreadPoolExecutor(THREADS + 1) as threads:
            feed = Feed(self.kept, threads)
            client = self.client()
            means = Means(
                feed=feed, kept=self.kept, client=client, store=self.store, now_ms=self.now_ms
            )
            supervisor, runner = (
                self.supervisor(means),
                self.stream(feed).runner(grace_s=STREAMS_S),
            )
            preparing: Any = asyncio.get_running_loop().run_in_executor(
                threads, self.prepare, preparing_stopped
            )
            tasks = [asyncio.create_task(feed.run()), asyncio.create_task(supervisor.run())]
            try:
                await runner.setup()
                await web.TCPSite(runner, self.host, self.port).start()
                logger.info("notifier started", extra={"host": self.host, "port": self.port})
                done, _ = await asyncio.wait(
                    [asyncio.create_task(stopped.wait()), *tasks, preparing],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for each in done:
                    # Raises what broke: the process ends, and is started again from outside.
                    each.result()
            finally:
                preparing_stopped.set()
                tasks[1].cancel()
                await supervisor.stop()
                tasks[0].cancel()
                await runner.cleanup()
                await client.close()
