"""Requests counted in Redis, for the limit of each client."""

from __future__ import annotations

import redis

from tests.integration.conftest import new
from vomind_queue.calls.limits import Rate
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.request_limits import RequestLimiter

MINUTE_MS = 60_000


def test_the_window_rolls(client: redis.Redis) -> None:
    """At no moment do two windows' worth of requests come close together."""
    book, rate = RequestLimiter(RedisStore(client)), Rate(max_starts=100, window_ms=60 * MINUTE_MS)
    assert book.admit("somebody", rate) == 0
    (key,) = client.keys("{calls}:request_limits:*")
    seconds, _ = client.time()
    now = seconds * 1000
    client.delete(key)
    client.rpush(key, *[now - MINUTE_MS] * 98, *[now - 58 * MINUTE_MS] * 2)
    wait_ms = book.admit("somebody", rate)
    assert 0 < wait_ms <= 2 * MINUTE_MS
    client.delete(key)
    client.rpush(key, *[now - MINUTE_MS] * 98, *[now - 61 * MINUTE_MS] * 2)
    waits = [book.admit("somebody", rate) for _ in range(4)]
    assert waits[:2] == [0, 0]
    assert min(waits[2:]) > 57 * MINUTE_MS
    assert client.llen(key) == 100


def test_a_full_server_still_counts_requests(client: redis.Redis, queue: CallQueue) -> None:
    """Otherwise the limit would refuse what makes room again: calls are cancelled."""
    queue.add([new(1)])
    book, rate = RequestLimiter(RedisStore(client)), Rate(max_starts=2, window_ms=60_000)
    client.config_set("maxmemory", 1)
    try:
        waits = [book.admit("somebody", rate) for _ in range(3)]
        queue.cancel("1")
    finally:
        client.config_set("maxmemory", 0)
    assert waits[:2] == [0, 0]
    assert waits[2] > 0
    assert queue.stats().waiting == 0
