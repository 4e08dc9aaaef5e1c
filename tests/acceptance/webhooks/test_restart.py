"""The live stream over the end of everything that it hangs on: real processes, killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.conftest import TO, Api
from tests.chaos.receivers import Follower
from tests.servers import Server
from tests.stack import Stack, until
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.kept_events import KeptEvents

WITHIN_S = 60


@contextmanager
def following(port: int, last: int) -> Iterator[Follower]:
    """Read the stream from an event on, over and over."""
    follower, over = Follower([port], last), threading.Event()
    thread = threading.Thread(target=follower.run, args=(over,))
    thread.start()
    try:
        yield follower
    finally:
        over.set()
        thread.join(WITHIN_S)


def test_a_stream_resumes_over_a_restart_of_everything(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Redis, notifier and web die, with events that nobody was told: each comes once, in order."""
    server = start_server(durable=True)
    stack = Stack(directory=tmp_path, redis_url=server.url)
    api = Api(stack.queue_url)
    with server.client() as client:
        begin = KeptEvents(RedisStore(client)).want()
    try:
        notifier = stack.start("notifier")
        with following(stack.notifier_port, begin) as follower:
            web = stack.start_web()
            for _ in range(5):
                api.schedule(TO)
            until(lambda: follower.heard, within_s=WITHIN_S, what="some come")
            notifier.kill()
            for _ in range(5):
                api.schedule(TO)
            web.kill()
            server.kill()
            server.start()
            with server.client() as client:
                # It would run out within seconds.
                client.delete(keys.EVENTS_LEADER)
            notifier.start()
            stack.start_web()
            for _ in range(5):
                api.schedule(TO)
            until(lambda: len(follower.heard) >= 15, within_s=WITHIN_S, what="all come")
    finally:
        stack.close()
    assert follower.heard == list(range(begin + 1, begin + 16))
    assert follower.connections > 1
