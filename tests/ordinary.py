"""The product's Celery application with one ordinary task, for a test's worker."""

from __future__ import annotations

import time

import redis

from celery_app import app

__all__ = ["app"]


@app.task(name="tests.note")
def note(key: str, value: str) -> None:
    """Leave a value in Redis, as any task might."""
    with redis.Redis.from_url(app.conf.broker_url) as client:
        client.set(key, value)


@app.task(name="tests.linger")
def linger(seconds: float) -> None:
    """Take a while."""
    time.sleep(seconds)
