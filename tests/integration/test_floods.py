"""Requests counted in Redis, for the limit of each client."""

from __future__ import annotations

import redis

from tests.integration.conftest import new
from vomind_queue.calls import Rate
from vomind_queue.store.connection import Gate
from vomind_queue.store.floods import FloodBook
from vomind_queue.store.queue import CallQueue


def test_a_full_server_still_counts_requests(client: redis.Redis, queue: CallQueue) -> None:
    """Otherwise the limit would refuse what makes room again: calls are cancelled."""
    queue.add([new(1)])
    book, rate = FloodBook(Gate(client)), Rate(max_starts=2, window_ms=60_000)
    client.config_set("maxmemory", 1)
    try:
        waits = [book.admit("somebody", rate) for _ in range(3)]
        queue.cancel("1")
    finally:
        client.config_set("maxmemory", 0)
    assert waits[:2] == [0, 0]
    assert waits[2] > 0
    assert queue.stats().waiting == 0
