"""A call as Celery sees it while a worker holds it."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import celery
import pytest
from celery import Celery
from celery.worker import request as stock
from celery.worker.request import Request
from kombu.transport.virtual import Message

from vomind_queue.broker.messages import message_of
from vomind_queue.broker.names import PLACE_CALL
from vomind_queue.broker.strategy import CallRequest
from vomind_queue.store.desk import Taken

TAKEN = Taken(job_id="7", lease="lease", rank=2, round=1)
#: What Celery tells of a request, in its own words; the rest is what to do with it.
TOLD = sorted(name for name, value in vars(Request).items() if isinstance(value, property))
#: The errors by which an acknowledgement may fail are the channel's affair.
OTHER = {"on_ack", "on_reject", "message", "connection_errors"}


class Giver:
    """A channel that notes what is acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[tuple[str, str, bool]] = []

    def acknowledge(self, job_id: str, lease: str, *, begun: bool) -> None:
        """Notes it."""
        self.acknowledged.append((job_id, lease, begun))

    def make_message(self, raw: dict[str, Any]) -> Message:
        """kombu's own."""
        return Message(raw, channel=SimpleNamespace(body_encoding=None, decode_body=lambda b, _: b))


@pytest.fixture
def app() -> Celery:
    """An application with our task's name in it."""
    made = Celery("test", set_as_current=False)
    made.task(name=PLACE_CALL, ignore_result=True, acks_late=True)(place_call)
    return made


def place_call(_: str) -> None:
    """Never runs."""


def make(app: Celery, giver: Giver) -> CallRequest:
    """A request of a call."""
    consumer = SimpleNamespace(hostname="w@host", event_dispatcher=None, connection_errors=())
    return CallRequest(TAKEN, giver, app=app, task=app.tasks[PLACE_CALL], consumer=consumer)


def test_a_request_tells_what_celery_would_have_read_from_a_message(app: Celery) -> None:
    """Whatever a tool or a signal's receiver asks for, and after an upgrade of Celery, too."""
    giver = Giver()
    ours = make(app, giver)
    message = giver.make_message(message_of(TAKEN))
    message._decoded_cache = message.body
    theirs = Request(
        message, app=app, task=app.tasks[PLACE_CALL], hostname="w@host", decoded=False, utc=True
    )
    assert {"args", "delivery_info", "correlation_id", "task_id"} <= set(TOLD)
    for name in sorted({*TOLD, "id", "name", "time_limits"} - OTHER - {"request_dict"}):
        assert _plain(getattr(ours, name)) == _plain(getattr(theirs, name)), name
    assert {**ours.request_dict, "hostname": ""} == {**theirs.request_dict, "hostname": ""}
    assert ours.info() == theirs.info()
    assert ours.message.headers == message.headers


def test_a_request_is_acknowledged_once_by_its_lease(app: Celery) -> None:
    """Whether it had begun is told: a thread that ends a call looks for the next one itself."""
    giver = Giver()
    revoked, begun = make(app, giver), make(app, giver)
    revoked.acknowledge()
    revoked.reject()
    begun.time_start = 1.0
    begun.reject(requeue=True)
    begun.acknowledge()
    assert giver.acknowledged == [("7", "lease", False), ("7", "lease", True)]


def test_celery_still_makes_requests_as_the_strategy_expects() -> None:
    """After an upgrade of Celery this says in plain words what broke."""
    found = list(inspect.signature(stock.create_request_cls).parameters)[:5]
    assert found == ["base", "task", "pool", "hostname", "eventer"], (
        f"celery {celery.__version__}: create_request_cls takes {found} now; strategy.py calls it"
    )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
