"""Queues as BullMQ itself left them, and somewhere to take them over to.

The files hold the keys of a queue that the service which people come from was made to fill, on
BullMQ 5.63.2 and 6.7.0, as plain commands: a completed call, failed ones, one between two
attempts, one whose worker was killed in it, waiting, delayed and recurring ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from vomind_queue_bullmq.account import Account
from vomind_queue_bullmq.source import Source
from vomind_queue_bullmq.takeover import TakeOver, Wishes

from vomind_queue.api.schemas.placeable import PlaceableCalls
from vomind_queue.config.settings import Settings
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.takeover import Takeover

VERSIONS = ("5.63.2", "6.7.0")
BASE = "bull:outbound-calls:"


def fill(client: redis.Redis, version: str) -> None:
    """Puts the queue of that version into a server."""
    text = (Path(__file__).parent / f"queue-{version}.json").read_text("utf-8")
    for command in json.loads(text):
        client.execute_command(*command)


def image(client: redis.Redis) -> dict[str, Any]:
    """All that a server holds."""
    return {key: client.dump(key) for key in sorted(client.keys())}


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, redis_url: str) -> Iterator[redis.Redis]:
    """A client of the source, which lies in another database of the same server."""
    with redis.Redis.from_url(redis_url.removesuffix("/0") + "/1") as client:
        fill(client, request.param)
        yield client


@pytest.fixture
def take_over(redis_url: str) -> Callable[..., Account]:
    """Runs one take-over from database 1 to database 0."""

    def run(
        *,
        dry: bool = False,
        wrap: Callable[[Any], Any] = lambda client: client,
        expiry_ms: int | None = None,
        **wishes: Any,
    ) -> Account:
        source = Source(redis_url.removesuffix("/0") + "/1", "outbound-calls", "bull")
        store = RedisStore(connect(redis_url, timeout_s=WORKER_TIMEOUT_S))
        wrap(source._client)
        wrap(store.client)
        inheritance = Takeover(store, "" if dry else source.name(), expiry_ms)
        wanted = {
            "zone": "Europe/Berlin",
            "wait_s": 0,
            "abandoned": True,
            "past_grace_ms": 15 * 60_000,
            "max_attempts": 3,
            "placeable": PlaceableCalls(Settings.from_env({})),
        } | wishes
        moving = TakeOver(
            source,
            inheritance,
            RecurringStore(store),
            Wishes(**wanted),
            Account(source="BullMQ", dry=dry),
        )
        return moving.survey() if dry else moving.run()

    return run
