"""An operator's change of the rate, by Celery's remote control, as one worker meets it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery.concurrency.solo import TaskPool
from celery.worker import control
from kombu import pools

from vomind_queue.broker.celery_app import create_celery
from vomind_queue.broker.consumer import Consumer
from vomind_queue.broker.context import WorkerContext
from vomind_queue.broker.names import PLACE_CALL
from vomind_queue.broker.tasks import register
from vomind_queue.config.settings import Settings
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.fire_recurring import RecurringScheduler

#: A task of Celery's own.
ANOTHER = "celery.backend_cleanup"


@pytest.fixture(params=["10/m", "off"])
def state(
    request: pytest.FixtureRequest,
    redis_url: str,
    queue: CallQueue,
    worker_queue: WorkerQueue,
    recurring_store: RecurringStore,
) -> Iterator[Any]:
    """What remote control knows of a worker that has just started."""
    settings = Settings.from_env({"REDIS_URL": redis_url, "CALL_RATE_LIMIT": request.param})
    listener_store = RedisStore(connect(redis_url, timeout_s=1))
    keeper = RecurringScheduler(recurring_store)
    context = WorkerContext(
        queue=queue,
        worker_queue=worker_queue,
        recurring_scheduler=keeper,
        drain_s=1,
        listener_store=listener_store,
    )
    app = create_celery(settings, context)
    register(app, SimpleNamespace(), settings)  # type: ignore[arg-type]
    app.finalize()
    pools.reset()
    controller = SimpleNamespace(use_eventloop=True)
    pool = TaskPool(1, app=app)
    consumer = Consumer(lambda _: None, app=app, pool=pool, controller=controller)
    yield SimpleNamespace(app=app, consumer=consumer)
    app.close()
    pools.reset()


def set_rate(state: Any, name: str, rate: str) -> None:
    """What `celery control rate_limit` does on a worker."""
    assert "ok" in control.rate_limit(state, name, rate)


@pytest.mark.parametrize("state", ["10/m"], indirect=True)
def test_another_tasks_rate_leaves_that_of_calls_alone(state: Any, client: redis.Redis) -> None:
    """Whatever this worker knows of it: it may have been set before it started."""
    client.set(keys.RATE, "1:60000")
    for _ in range(2):
        set_rate(state, ANOTHER, "1/m")
        assert client.get(keys.RATE) == "1:60000"


def test_a_rate_is_changed_and_taken_back(state: Any, client: redis.Redis) -> None:
    """The configured one takes a change back, also one that this worker did not see."""
    configured = str(state.app.tasks[PLACE_CALL].rate_limit or "")
    set_rate(state, PLACE_CALL, "4/h")
    assert client.get(keys.RATE) == "4:3600000"
    set_rate(state, PLACE_CALL, "0")
    assert client.get(keys.RATE) == "off"
    if configured:
        set_rate(state, PLACE_CALL, configured)
        assert client.get(keys.RATE) is None
        client.set(keys.RATE, "1:60000")
        set_rate(state, PLACE_CALL, configured)
        assert client.get(keys.RATE) is None
