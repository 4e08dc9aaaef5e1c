"""A notifier in this process, and receivers, for the tests beside this file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.ports import free_port
from vomind_queue.config.settings import Settings
from vomind_queue.processes.notifier import build_notifier
from vomind_queue.queue.activity import Activity
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.kept_events import KeptEvents
from vomind_queue.queue.webhook_store import WebhookStore
from vomind_queue.usecases.deeds import Deeds
from vomind_queue.usecases.webhooks import Webhooks

#: For two busy cores.
WITHIN_S = 60


@pytest.fixture
def store(client: redis.Redis) -> RedisStore:
    """The store of the notifier's neighbours."""
    return RedisStore(client)


@pytest.fixture
def webhooks(store: RedisStore) -> Webhooks:
    """Subscriptions, as the API sees them."""
    return Webhooks(WebhookStore(store), KeptEvents(store), Deeds(Activity(store)))


@pytest.fixture
def settings(redis_url: str) -> Settings:
    """Of a notifier that may send to this machine."""
    return Settings.from_env(
        {
            "REDIS_URL": redis_url,
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "NOTIFIER_PORT": str(free_port()),
        }
    )


@contextmanager
def notifier(settings: Settings) -> Iterator[None]:
    """Run a notifier in its own thread."""
    loop, stopped = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(build_notifier(settings).run(stopped))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(WITHIN_S)
        assert not thread.is_alive()
