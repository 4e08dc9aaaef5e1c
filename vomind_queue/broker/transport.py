"""kombu's Redis transport, with calls kept by the store instead of in lists.

Only the three call queues are ours. Every other queue, the fanout exchanges and
the remote control go through the stock code untouched.

Leans on these private hooks of kombu 5.7, each guarded by a contract test:
``Channel._lookup``, ``_queue_bind``, ``_put``, ``_get``, ``_size``, ``_purge``, ``_delete``,
``_has_queue``, ``_active_queues``, ``active_queues``, ``QoS``, ``QoS._delivered`` and ``_dirty``.
"""

from __future__ import annotations

import logging
from typing import Any

import redis
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as stock

from vomind_queue.broker import messages
from vomind_queue.broker.context import WorkerContext
from vomind_queue.broker.fetcher import Fetcher
from vomind_queue.broker.names import CALL_QUEUES, CONTEXT_OPTION, PLACE_CALL, QUEUE_OF_RANK
from vomind_queue.calls.decisions import Claim
from vomind_queue.errors import QueueError, StoreUnavailable

logger = logging.getLogger(__name__)

#: How long a worker's wait for a message of another queue lasts on the server, s. Those who wait
#: for an answer to remote control keep kombu's 1 s: a wait that they leave behind takes the next
#: answer away.
WORKER_WAIT_S = 5
#: A server that is full, or a replica: it takes no writes of the stock code's.
REFUSING = (redis.OutOfMemoryError, redis.ReadOnlyError)


def install() -> None:
    """Make ``redis://`` and ``rediss://`` mean this transport; before any connection."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


class QoS(stock.QoS):
    """Acknowledgements: a call's go to the store, by its lease."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Delivery tag, which is the lease, to job id. They stay known when the channel is
        #: closed: calls go on being placed while the worker reconnects.
        self._calls: dict[str, str] = {}

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a delivered message; of calls, the store knows already."""
        if self.channel.holds_calls(message.delivery_info["routing_key"]):
            self._calls[delivery_tag] = message.headers["id"]
        else:
            super().append(message, delivery_tag)

    def unacknowledged(self) -> int:
        """Return calls and messages of other queues that fill slots."""
        return len(self._calls) + len(self._delivered) - len(self._dirty)

    def can_consume(self) -> bool:
        """Return whether there is room for a message of another queue."""
        return not self.prefetch_count or self.unacknowledged() < self.prefetch_count

    def ack(self, delivery_tag: str) -> None:
        """A call that was not ended is given back: an acknowledgement does not end it."""
        if not self.give_back(delivery_tag):
            super().ack(delivery_tag)
            self.channel.slot_freed()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The same for a rejection, with or without ``requeue``: no call is dropped."""
        if not self.give_back(delivery_tag):
            super().reject(delivery_tag, requeue=requeue)
            self.channel.slot_freed()

    def restore_visible(self, *args: Any, **kwargs: Any) -> None:
        """A server that takes no writes gives no message back now, and calls go on."""
        try:
            super().restore_visible(*args, **kwargs)
        except REFUSING as error:
            logger.warning("unacknowledged messages not looked for: %s", error)

    def give_back(self, delivery_tag: str) -> bool:
        """Release a delivered call; return false if the tag belongs to no call."""
        job_id = self._calls.pop(delivery_tag, None)
        if job_id is None:
            return False
        self.channel.give_back(job_id, delivery_tag)
        return True


class Channel(stock.Channel):
    """A channel that knows which queues hold calls."""

    QoS = QoS
    from_transport_options = (*stock.Channel.from_transport_options, CONTEXT_OPTION)
    #: Set from the transport option of that name; without it all queues are stock queues.
    calls: WorkerContext | None = None
    _fetcher: Fetcher | None = None

    def holds_calls(self, queue: str) -> bool:
        """Return whether the store keeps that queue."""
        return self.calls is not None and queue in CALL_QUEUES

    @property
    def active_queues(self) -> list[str]:
        """Queues that the stock code polls: all but ours."""
        return [queue for queue in super().active_queues if not self.holds_calls(queue)]

    @property
    def call_queues(self) -> list[str]:
        """Call queues that are consumed from, the most urgent first."""
        return [queue for queue in CALL_QUEUES if queue in self._active_queues]

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        """Start consuming; calls are fetched by a `Fetcher`."""
        answer = super().basic_consume(queue, *args, **kwargs)
        if self.holds_calls(queue):
            self.brpop_timeout = WORKER_WAIT_S
            if self._fetcher is None:
                assert self.calls is not None  # noqa: S101
                self._fetcher = Fetcher(
                    self,
                    self.connection.event_loop(),
                    worker_queue=self.calls.worker_queue,
                    notifier=self.calls.notifier,
                    listener_store=self.calls.listener_store,
                )
            self.slot_freed()
        return answer

    def basic_cancel(self, consumer_tag: str) -> Any:
        """Stop consuming; after the last call queue nothing is taken in."""
        answer = super().basic_cancel(consumer_tag)
        if not self.call_queues:
            self._stop_fetcher()
        return answer

    def close(self) -> None:
        """Stop taking calls in, and closes."""
        self._stop_fetcher()
        super().close()

    def _stop_fetcher(self) -> None:
        fetcher, self._fetcher = self._fetcher, None
        if fetcher is not None:
            fetcher.close()

    def deliver(self, claim: Claim) -> None:
        """Hand a taken call to the consumer, as a message."""
        self.connection.on_message_ready(self, message_of(claim), QUEUE_OF_RANK[claim.rank])

    def give_up(self, claim: Claim) -> None:
        """A taken call could not be handed to the consumer: its slot is free again."""
        if not self.qos.give_back(claim.lease):
            self.give_back(claim.job_id, claim.lease)

    def slot_freed(self) -> None:
        """There may be room for another call, whichever channel the last one came by."""
        if self.calls is not None:
            self.calls.notifier.notify()

    def give_back(self, job_id: str, lease: str) -> None:
        """Give back a call that Celery is done with, unless it was ended or delayed."""
        assert self.calls is not None  # noqa: S101 - only calls have leases
        try:
            self.calls.worker_queue.give_back(job_id, lease)
        except StoreUnavailable as error:
            # The lease runs out instead. Celery knows what to do with a lost broker.
            raise redis.ConnectionError(str(error)) from error
        finally:
            self.slot_freed()

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        # Stock kombu reads its bindings from Redis, and drops what they do not name.
        if self.holds_calls(routing_key):
            return [routing_key]
        return list(super()._lookup(exchange, routing_key, default))

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        if self.holds_calls(queue):
            return
        try:
            super()._queue_bind(exchange, routing_key, pattern, queue)
        except REFUSING as error:
            # The binding stands since the first start; calls must end all the same.
            logger.warning("queue %s not bound again: %s", queue, error)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        if not self.holds_calls(queue):
            super()._put(queue, message, **kwargs)
            return
        assert self.calls is not None  # noqa: S101
        job_id = messages.job_id_of(message)
        if self.calls.worker_queue.leases.token(job_id) is not None:
            due_ms = self.calls.queue.now_ms() + messages.wait_ms(message)
            self.calls.worker_queue.defer(job_id, due_ms)
        elif messages.is_retry(message):
            logger.warning("retry ignored: the lease was lost", extra={"job_id": job_id})
        else:
            self.calls.queue.publish(job_id, messages.call_of(queue, message))

    def _get(self, queue: str) -> Any:
        if self.holds_calls(queue):
            raise QueueError("Calls are handed to workers only; read the queue through the API.")
        return super()._get(queue)

    def _size(self, queue: str) -> int:
        if not self.holds_calls(queue):
            return int(super()._size(queue))
        assert self.calls is not None  # noqa: S101
        return self.calls.queue.stats().by_priority[CALL_QUEUES[queue]]

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return self.holds_calls(queue) or bool(super()._has_queue(queue, **kwargs))

    def _purge(self, queue: str) -> int:
        self._keep(queue)
        return int(super()._purge(queue))

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        self._keep(queue)
        super()._delete(queue, *args, **kwargs)

    def _keep(self, queue: str) -> None:
        if self.holds_calls(queue):
            raise QueueError(f"{queue} holds calls and is never purged; cancel them by the API.")


class Transport(stock.Transport):
    """The stock transport with our channel."""

    Channel = Channel
    #: By these Celery knows that it has to connect again; any other error ends the worker.
    connection_errors = (*stock.Transport.connection_errors, StoreUnavailable)
    _loop: Any = None

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Note the worker's event loop, in which calls are taken in."""
        self._loop = loop
        super().register_with_event_loop(connection, loop)

    def event_loop(self) -> Any:
        """Return the worker's event loop. Raise QueueError outside a worker."""
        if self._loop is None:
            raise QueueError("Only a Celery worker can consume calls.")
        return self._loop


def message_of(claim: Claim) -> dict[str, Any]:
    """Return the message that tells a worker to place a call; its delivery tag is the lease.

    Celery's message protocol 2: https://docs.celeryq.dev/en/stable/internals/protocol.html
    """
    job_id = claim.job_id
    queue = QUEUE_OF_RANK[claim.rank]
    return {
        # It never leaves this process: kombu passes plain data on without decoding.
        "body": [[job_id], {}, {}],
        "content-type": "application/data",
        "content-encoding": "binary",
        "headers": {
            "lang": "py",
            "task": PLACE_CALL,
            "id": job_id,
            "root_id": job_id,
            "parent_id": None,
            "group": None,
            "eta": None,
            "expires": None,
            "retries": claim.round,
            "timelimit": [None, None],
            "argsrepr": f"({job_id!r},)",
            "kwargsrepr": "{}",
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": job_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": queue, "routing_key": queue},
            "priority": 0,
            "delivery_tag": claim.lease,
        },
    }
