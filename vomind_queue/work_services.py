"""Where the parts of those who ask Twilio, or stand in for it, are put together.

Nothing here connects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol as Shape
from typing import TypeVar

from celery.utils.time import get_exponential_backoff_interval

from vomind_queue.attempts import Dialer
from vomind_queue.broker.intake import WAKE_TIMEOUT_S
from vomind_queue.broker.link import Link
from vomind_queue.calling import Calling
from vomind_queue.config.settings import Settings
from vomind_queue.dialer.examination import Examiner
from vomind_queue.dialer.twilio import TwilioDialer
from vomind_queue.following import Following, Operator
from vomind_queue.retry import LONGEST_BACKOFF_S, RetryPolicy
from vomind_queue.services import process_name, protocol_of, reports_of
from vomind_queue.store.connection import WORKER_TIMEOUT_S, Gate, connect
from vomind_queue.store.desk import WorkDesk
from vomind_queue.store.due_times import DueTimes
from vomind_queue.store.inheritance import Inheritance
from vomind_queue.store.queue import CallQueue
from vomind_queue.store.timetable import Timetable
from vomind_queue.timekeeping import Timekeeper

D = TypeVar("D", bound=TwilioDialer)

#: Connections for the scripts of all slots: each is busy for less than a millisecond.
WORKER_CONNECTIONS = 3


class Provider(Dialer, Operator, Shape):
    """All that a worker needs of a telephone provider."""


@dataclass(frozen=True, kw_only=True)
class WorkServices:
    """What a worker is handed."""

    settings: Settings
    link: Link
    calling: Calling
    following: Following
    due_times: DueTimes


def build_work(settings: Settings, dialer: Provider | None = None) -> WorkServices:
    """The parts of a worker process; ``dialer`` in the place of Twilio's."""
    client = connect(
        settings.redis_url, timeout_s=WORKER_TIMEOUT_S, max_connections=WORKER_CONNECTIONS
    )
    gate = Gate(client, settings.outbox_max)
    name = process_name()
    desk = WorkDesk(gate, name, protocol_of(settings))
    queue = CallQueue(gate, settings.rate)
    dialer = dialer or _dialer(settings, TwilioDialer)
    calling = Calling(
        desk=desk,
        dialer=dialer,
        policy=_policy(settings),
        horizon_ms=settings.in_doubt_horizon_ms,
        tokens=settings.public_url is not None,
    )
    following = Following(
        reports=reports_of(settings, gate, desk),
        operator=dialer,
        silence_ms=settings.silence_ms,
        price_ms=settings.price_delay_ms,
        callbacks=settings.public_url is not None,
    )
    timekeeper = Timekeeper(Timetable(gate))
    link = Link(
        queue=queue,
        desk=desk,
        timekeeper=timekeeper,
        drain_s=settings.drain_ms / 1000,
        waker=Gate(connect(settings.redis_url, timeout_s=WAKE_TIMEOUT_S)),
    )
    return WorkServices(
        settings=settings,
        link=link,
        calling=calling,
        following=following,
        due_times=DueTimes(gate, settings.redis_url),
    )


def build_inheritance(settings: Settings, name: str) -> tuple[Inheritance, Timetable]:
    """Where the calls of another queue come in; ``name`` tells it from all others."""
    gate = Gate(connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S), settings.outbox_max)
    return Inheritance(gate, name), Timetable(gate)


def _policy(settings: Settings) -> RetryPolicy:
    return RetryPolicy(
        max_attempts=settings.max_attempts,
        backoff_s=backoff_of(settings),
        first_look_ms=settings.settle_interval_ms,
        fail_unknown=settings.on_unknown_outcome == "fail",
    )


def backoff_of(settings: Settings) -> Callable[[int], float]:
    """Celery's own formula for the wait before a retry, as its autoretry is set up to use it."""
    return partial(
        get_exponential_backoff_interval, settings.retry_delay_s, maximum=LONGEST_BACKOFF_S
    )


def build_examiner(settings: Settings) -> Examiner:
    """Twilio as it is asked by those who look after the service."""
    return _dialer(settings, Examiner)


def _dialer(settings: Settings, kind: type[D]) -> D:
    return kind(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        api_key=settings.twilio_api_key,
        api_secret=settings.twilio_api_secret,
        from_number=settings.twilio_phone_number,
        api_base=settings.twilio_api_base,
        twiml_url=settings.twiml_url,
        public_url=settings.public_url,
        detection=settings.machine_detection,
        deadline_ms=settings.dial_deadline_ms,
        slots=settings.concurrency,
    )
