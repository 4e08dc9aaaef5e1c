"""What kombu and Celery see of the call queues, and what they do not."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import kombu
import pytest
import redis
from celery import Celery
from kombu import pools
from kombu.asynchronous.hub import Hub
from kombu.transport import redis as stock
from kombu.transport import virtual

from tests.integration.conftest import begin, new, placed
from tests.servers import Server
from vomind_queue.broker.celery_app import create_celery
from vomind_queue.broker.context import WorkerContext
from vomind_queue.broker.names import CALL_QUEUES, PLACE_CALL
from vomind_queue.calls.call import Call, Priority, State
from vomind_queue.config.settings import Settings
from vomind_queue.errors import QueueError
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.fire_recurring import RecurringScheduler


@pytest.fixture
def celery(
    redis_url: str, queue: CallQueue, worker_queue: WorkerQueue, recurring_store: RecurringStore
) -> Iterator[Celery]:
    """The application as a client of it, with the store of the test."""
    settings = Settings.from_env({"REDIS_URL": redis_url})
    recurring_scheduler = RecurringScheduler(recurring_store)
    listener_store = RedisStore(connect(redis_url, timeout_s=1))
    context = WorkerContext(
        queue=queue,
        worker_queue=worker_queue,
        recurring_scheduler=recurring_scheduler,
        drain_s=1,
        listener_store=listener_store,
    )
    app = create_celery(settings, context)
    # kombu shares its pools among applications with one URL.
    pools.reset()
    yield app
    app.close()
    pools.reset()


def publish(app: Celery, job_id: str, queue: str = "calls.normal", **options: Any) -> None:
    """Publishes a call as any Celery program would."""
    call = {"to": "+15551234567", "message": "Hi", "lead_id": 7, "metadata": {"a": 1}}
    options = {"headers": {"call": call}, "task_id": job_id, "queue": queue, **options}
    app.send_task(PLACE_CALL, args=[job_id], **options)


@pytest.mark.parametrize(("name", "priority"), CALL_QUEUES.items())
def test_a_published_message_is_a_call(
    celery: Celery, queue: CallQueue, name: str, priority: Priority
) -> None:
    """Its queue is its priority, its task id the job id, its header the call."""
    publish(celery, "77", name)
    job = queue.job("77")
    wanted = Call(to="+15551234567", message="Hi", lead_id=7, priority=priority, metadata={"a": 1})
    assert (job.call, job.state) == (wanted, State.WAITING)


def test_an_eta_makes_it_delayed(celery: Celery, queue: CallQueue) -> None:
    """With a countdown or a moment, no worker is bothered before it is due."""
    began = datetime.now(UTC)
    publish(celery, "1", countdown=60)
    publish(celery, "2", eta=datetime.now(UTC) + timedelta(seconds=60))
    took_ms = (datetime.now(UTC) - began).total_seconds() * 1000
    for job in (queue.job("1"), queue.job("2")):
        assert job.state is State.DELAYED
        assert job.due_ms is not None
        assert 60_000 - took_ms - 1 <= job.due_ms - job.created_ms <= 60_000


def test_publishing_twice_makes_one_call(
    celery: Celery, queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """Whatever its state by then, a call that exists is left as it is."""
    publish(celery, "1")
    publish(celery, "1", countdown=60)
    assert queue.job("1").state is State.WAITING
    worker_queue.claim(1, "123")
    worker_queue.finish(begin(worker_queue, "1"), placed("CA1"))
    worker_queue.release("1")
    publish(celery, "1")
    assert queue.job("1").state is State.COMPLETED
    assert queue.stats().total == 1


def test_a_retry_by_its_holder_puts_a_call_off(
    celery: Celery, queue: CallQueue, worker_queue: WorkerQueue
) -> None:
    """That is what Celery's `retry` publishes; without the lease nothing happens."""
    queue.add([new(1)])
    worker_queue.claim(1, "123")
    publish(celery, "1", countdown=60, retries=1)
    assert queue.job("1").state is State.DELAYED
    publish(celery, "1", retries=2)
    assert queue.job("1").state is State.DELAYED


def test_call_queues_take_calls_only(celery: Celery, queue: CallQueue) -> None:
    """Another task, or a call without its fields, is refused with words that help."""
    with pytest.raises(QueueError, match=r"take vomind_queue\.place_call only"):
        celery.send_task("tests.note", queue="calls.high")
    with pytest.raises(QueueError, match="headers="):
        publish(celery, "1", headers={})
    assert queue.stats().total == 0


def test_other_queues_are_stock_queues(celery: Celery, client: redis.Redis) -> None:
    """A message of an ordinary task lies in an ordinary list."""
    celery.send_task("tests.note", args=["a", "b"])
    assert client.llen("celery") == 1


def test_a_batch_of_messages_holds_calls_too(celery: Celery, queue: CallQueue) -> None:
    """kombu's publish batch is no way around the store."""
    with celery.producer_pool.acquire() as producer, producer.batch():
        for job_id in ("1", "2"):
            celery.send_task(
                PLACE_CALL,
                args=[job_id],
                task_id=job_id,
                queue="calls.low",
                producer=producer,
                headers={"call": {"to": "+15551234567"}},
            )
    assert queue.stats().waiting == 2


@pytest.mark.parametrize("name", CALL_QUEUES)
def test_call_queues_are_counted_but_never_purged(
    celery: Celery, queue: CallQueue, name: str
) -> None:
    """Their length is true; purging, deleting and plain reading are refused."""
    publish(celery, "1", name)
    with celery.connection_for_write() as connection:
        channel = connection.default_channel
        celery.amqp.queues[name].bind(channel).declare()
        assert channel.queue_declare(name, passive=True).message_count == 1
        refused: list[Callable[[], Any]] = [
            lambda: channel.queue_purge(name),
            lambda: channel.queue_delete(name),
            lambda: channel.basic_get(name),
        ]
        for act in refused:
            with pytest.raises(QueueError):
                act()
    assert queue.stats().waiting == 1


def test_only_workers_consume_calls(celery: Celery) -> None:
    """A plain kombu consumer has no event loop to take calls in: it is told so."""
    with celery.connection_for_read() as connection:
        consumer = kombu.Consumer(connection, [celery.amqp.queues["calls.high"]])
        with pytest.raises(QueueError, match="Celery worker"):
            consumer.consume()


HOOKS = [
    (stock.Channel, "_lookup", ["exchange", "routing_key", "default"], "finds a message's queues"),
    (
        stock.Channel,
        "_queue_bind",
        ["exchange", "routing_key", "pattern", "queue"],
        "remembers which messages a queue gets",
    ),
    (stock.Channel, "_put", ["queue", "message"], "publishes one message"),
    (stock.Channel, "_get", ["queue"], "reads one message"),
    (stock.Channel, "_size", ["queue"], "counts a queue"),
    (stock.Channel, "_purge", ["queue"], "empties a queue"),
    (stock.Channel, "_delete", ["queue"], "deletes a queue"),
    (stock.Channel, "_has_queue", ["queue"], "knows a queue"),
    (stock.Channel, "basic_consume", ["queue"], "starts a consumer"),
    (stock.Channel, "basic_cancel", ["consumer_tag"], "ends a consumer"),
    (stock.Channel, "close", [], "ends a channel"),
    (virtual.QoS, "can_consume", [], "tells whether there is a free slot"),
    (stock.QoS, "append", ["message", "delivery_tag"], "notes a delivered message"),
    (stock.QoS, "ack", ["delivery_tag"], "acknowledges"),
    (stock.QoS, "reject", ["delivery_tag", "requeue"], "rejects"),
    (stock.QoS, "restore_visible", ["start", "num", "interval"], "restores what timed out"),
    (Hub, "add_reader", ["fds", "callback"], "tells of a freed slot"),
    (Hub, "remove_reader", ["fd"], "tells of freed slots no more"),
    (Hub, "call_later", ["delay", "callback"], "looks at the queue again"),
    (
        stock.Transport,
        "on_message_ready",
        ["channel", "message", "queue"],
        "hands a message to its consumer",
    ),
    (stock.Transport, "register_with_event_loop", ["connection", "loop"], "meets the worker"),
]


@pytest.mark.parametrize(("owner", "name", "arguments", "purpose"), HOOKS)
def test_kombu_still_has_what_the_transport_leans_on(
    owner: type, name: str, arguments: list[str], purpose: str
) -> None:
    """After an upgrade of kombu this says in plain words what broke."""
    hook = getattr(owner, name, None)
    where = f"kombu {kombu.__version__}: {owner.__module__}.{owner.__name__}.{name}"
    assert hook is not None, f"{where} is gone; our transport overrides it, for it {purpose}"
    found = list(inspect.signature(hook).parameters)[1:]
    known = [argument for argument in arguments if argument in found]
    assert known == arguments, f"{where} takes {found} now; our transport expects {arguments}"


def test_kombu_still_polls_what_active_queues_names() -> None:
    """Were the property renamed, the stock code would pop our sorted sets as lists."""
    assert isinstance(stock.Channel.active_queues, property)
    assert "channel.active_queues" in inspect.getsource(stock.MultiChannelPoller.on_poll_start)


def test_kombu_still_counts_messages_as_the_transport_does() -> None:
    """A slot of ours is filled by a call or by a message that kombu counts."""
    qos = virtual.QoS(SimpleNamespace(do_restore=False), prefetch_count=1)
    qos.append(SimpleNamespace(), "tag")
    assert (list(qos._delivered), qos._dirty) == (["tag"], set())
    qos.ack("tag")
    assert qos._dirty == {"tag"}
    assert "_active_queues" in inspect.getsource(virtual.Channel.basic_consume)


def test_an_answer_to_remote_control_waits_for_nobody(
    queue: CallQueue,
    worker_queue: WorkerQueue,
    recurring_store: RecurringStore,
    start_server: Callable[..., Server],
) -> None:
    """While Redis is away it fails at once: the worker's event loop must hear a SIGTERM."""
    server = start_server()
    recurring_scheduler = RecurringScheduler(recurring_store)
    listener_store = RedisStore(connect(server.url, timeout_s=1))
    context = WorkerContext(
        queue=queue,
        worker_queue=worker_queue,
        recurring_scheduler=recurring_scheduler,
        drain_s=1,
        listener_store=listener_store,
    )
    app = create_celery(Settings.from_env({"REDIS_URL": server.url}), context)
    with app.connection() as connection, connection.channel() as channel:
        server.kill()
        with pytest.raises(kombu.exceptions.OperationalError):
            app.control.mailbox._publish_reply({}, "reply", "reply", "1", channel=channel)
    app.close()
