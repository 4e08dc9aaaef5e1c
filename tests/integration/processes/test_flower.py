"""Flower's own broker pages, on our sorted sets and on Celery's lists."""

from __future__ import annotations

import asyncio
import inspect

import flower.views
import redis
from flower.utils import broker

from vomind_queue.broker.names import CALL_QUEUES
from vomind_queue.processes.flower import call_broker
from vomind_queue.queue import keys


def test_lengths_are_true_for_calls_and_for_other_queues(
    valkey: redis.Redis, redis_url: str
) -> None:
    """Waiting calls are counted by priority; an ordinary Celery queue keeps its length."""
    for number, priority in enumerate(CALL_QUEUES.values(), 1):
        valkey.zadd(keys.waiting(priority), {f"a{n}": n for n in range(number)})
    valkey.rpush("celery", "message", "message")
    names = ["calls.low", "celery", "calls.high", "calls.normal", "never-used"]
    lengths = asyncio.run(call_broker(redis_url, broker_options={}).queues(names))
    assert [(queue["name"], queue["messages"]) for queue in lengths] == [
        ("calls.low", 3),
        ("celery", 2),
        ("calls.high", 1),
        ("calls.normal", 2),
        ("never-used", 0),
    ]


def test_flower_still_makes_its_broker_where_ours_is_put() -> None:
    """An upgrade of Flower that moves the name that we replace is told here."""
    assert flower.views.Broker is broker.Broker
    assert "Broker(app.broker_uri_with_password" in inspect.getsource(
        flower.views.BaseHandler.get_broker
    )
