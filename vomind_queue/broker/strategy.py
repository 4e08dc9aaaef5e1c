"""How a taken call becomes a Celery task in the worker.

Celery would build a message of it, look for a date or a limit of its own in that message's
headers, and acknowledge it by its event loop: none of which a call has. What Celery, its tools
and its signals know a task by stays Celery's: the request, what is written down of it while it is
held, `task_received`, events, revocation, the pool.

Leans on Celery 5.7's ``Request`` and its ``create_request_cls``, guarded by a contract test.
"""

from __future__ import annotations

from typing import Any

from celery import signals
from celery.worker import state
from celery.worker.request import Request as StockRequest
from celery.worker.request import create_request_cls
from celery.worker.strategy import default

from vomind_queue.broker.link import Giver, Link
from vomind_queue.broker.messages import headers_of, message_of, properties_of
from vomind_queue.broker.names import LINK_OPTION
from vomind_queue.store.desk import Taken


def strategy(task: Any, app: Any, consumer: Any) -> Any:
    """Celery's own strategy for messages; what the intake takes goes around it."""
    link: Link = app.conf.broker_transport_options[LINK_OPTION]
    link.counter.hand_over = _hand_over(task, app, consumer)
    return default(task, app, consumer)


def _hand_over(task: Any, app: Any, consumer: Any) -> Any:
    eventer = consumer.event_dispatcher
    tells = eventer and eventer.enabled and task.send_events
    request_class = create_request_cls(
        CallRequest, task, consumer.pool, consumer.hostname, eventer, app=app
    )
    revoked = consumer.controller.state.revoked
    handle = consumer.on_task_request
    callbacks = consumer.on_task_message
    received = signals.task_received.send

    def hand_over(taken: Taken, giver: Giver) -> None:
        """In whatever thread has taken the call."""
        request = request_class(taken, giver, app=app, task=task, consumer=consumer)
        if request.id in revoked and request.revoked():
            return
        received(sender=consumer, request=request)
        if tells:
            eventer.send(
                "task-received",
                uuid=request.id,
                name=request.name,
                args=request.argsrepr,
                kwargs=request.kwargsrepr,
                root_id=request.root_id,
                parent_id=None,
                retries=taken.round,
                eta=None,
                expires=None,
            )
        state.task_reserved(request)
        for callback in callbacks:
            callback(request)
        handle(request)

    return hand_over


class CallRequest(StockRequest):
    """Celery's request, of a call; it is acknowledged where it ends."""

    acknowledged = False

    def __init__(self, taken: Taken, giver: Giver, *, app: Any, task: Any, consumer: Any) -> None:
        # In place of Celery's own, which takes all of this out of a message.
        self._taken = taken
        self._giver = giver
        self._app = app
        self._task = task
        self._hostname = consumer.hostname
        self._eventer = consumer.event_dispatcher
        self._connection_errors = consumer.connection_errors
        headers, properties = headers_of(taken), properties_of(taken)
        delivery = properties["delivery_info"]
        self._delivery_info = {**delivery, "priority": 0, "redelivered": False}
        job_id = taken.job_id
        body: tuple[list[str], dict[str, Any], dict[str, Any]] = ([job_id], {}, {})
        self._body = body
        headers.update(
            properties=properties,
            reply_to=None,
            correlation_id=job_id,
            hostname=self._hostname,
            delivery_info=self._delivery_info,
            args=body[0],
            kwargs=body[1],
        )
        self._request_dict = headers
        self.id = self._root_id = job_id
        self._type = self.name = headers["task"]
        self._args, self._kwargs = body[0], body[1]
        self._argsrepr, self._kwargsrepr = headers["argsrepr"], "{}"
        self._parent_id = self._eta = self._expires = None
        self._content_type = self._content_encoding = None
        self._utc = self._decoded = self._ignore_result = True

    @property
    def message(self) -> Any:
        """The message that Celery would have seen; made for who asks."""
        return self._giver.make_message(message_of(self._taken))

    @property
    def _payload(self) -> Any:
        return self._body

    def acknowledge(self) -> None:
        """Gives the call back, unless it was ended or put off."""
        if not self.acknowledged:
            self._hand_back()

    def reject(self, requeue: bool = False) -> None:
        """The same, with or without ``requeue``: no call is dropped."""
        if not self.acknowledged:
            self._hand_back()
            self.send_event("task-rejected", requeue=requeue)

    def _hand_back(self) -> None:
        begun = self.time_start is not None
        self._giver.acknowledge(self.id, self._taken.lease, begun=begun)
        self.acknowledged = True
