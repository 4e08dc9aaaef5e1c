"""The one place where parts are put together. Nothing here connects."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from typing import Protocol as Shape
from typing import TypeVar

from vomind_queue.attempts import Dialer
from vomind_queue.broker.link import Link
from vomind_queue.call_log.protocol import CallLog
from vomind_queue.calling import Calling
from vomind_queue.control import Control
from vomind_queue.dialer.callbacks import Postmark
from vomind_queue.dialer.examination import Examiner
from vomind_queue.dialer.twilio import TwilioDialer
from vomind_queue.errors import StoreUnavailable, StoreUnsuitable
from vomind_queue.following import Following, Operator
from vomind_queue.history import History
from vomind_queue.meters import MeterReader
from vomind_queue.oversight import Oversight
from vomind_queue.progress import OutcomePolicy, first_look_ms
from vomind_queue.recurring import Recurring
from vomind_queue.reporting import Reporting
from vomind_queue.retry import RetryPolicy
from vomind_queue.scheduling import Scheduling
from vomind_queue.settings import Settings
from vomind_queue.store.connection import API_TIMEOUT_S, WORKER_TIMEOUT_S, Gate, connect
from vomind_queue.store.desk import Protocol, WorkDesk
from vomind_queue.store.floods import FloodBook
from vomind_queue.store.inheritance import Inheritance
from vomind_queue.store.lookout import Lookout
from vomind_queue.store.meters import MeterDesk
from vomind_queue.store.people import People
from vomind_queue.store.queue import CallQueue
from vomind_queue.store.reports import ReportDesk
from vomind_queue.store.suitability import check
from vomind_queue.store.timetable import Timetable
from vomind_queue.timekeeping import Timekeeper

D = TypeVar("D", bound=TwilioDialer)

#: A scheduler leads for as many leases without a look: it renews less often than a worker.
LEADS_FOR = 2


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API is handed."""

    settings: Settings
    scheduling: Scheduling
    recurring: Recurring
    control: Control
    oversight: Oversight
    meters: MeterReader
    floods: FloodBook
    reporting: Reporting
    #: ``None`` while Twilio has no address to report to.
    postmark: Postmark | None
    history: History


class Provider(Dialer, Operator, Shape):
    """All that a worker needs of a telephone provider."""


@dataclass(frozen=True, kw_only=True)
class WorkServices:
    """What a worker is handed."""

    settings: Settings
    link: Link
    calling: Calling
    following: Following


def check_store(settings: Settings) -> str | None:
    """Why the Redis server must not hold calls, in one line; ``None`` when it may.

    A server that cannot be reached now is no reason: it is waited for.
    """
    client = connect(settings.redis_url, timeout_s=API_TIMEOUT_S)
    try:
        check(client, allow_eviction=settings.allow_eviction)
    except StoreUnsuitable as error:
        return str(error)
    except StoreUnavailable:
        return None
    finally:
        client.close()
    return None


def build(settings: Settings, log: CallLog) -> Services:
    """The parts of a web process; ``log`` comes from `log_services`."""
    client = connect(settings.redis_url, timeout_s=API_TIMEOUT_S)
    return build_on(Gate(client, settings.outbox_max), settings, log)


def build_on(gate: Gate, settings: Settings, log: CallLog) -> Services:
    """The same on a connection that is there."""
    queue = CallQueue(gate, settings.rate)
    reporting = Reporting(
        reports=_reports(settings, gate, WorkDesk(gate, _name(), _protocol(settings))),
        jobs=queue,
        silence_ms=settings.silence_ms,
        price_ms=settings.price_delay_ms,
    )
    return Services(
        settings=settings,
        scheduling=Scheduling(queue),
        recurring=Recurring(Timetable(gate)),
        control=Control(queue),
        oversight=Oversight(queue, Lookout(gate)),
        meters=MeterDesk(gate),
        floods=FloodBook(gate),
        reporting=reporting,
        postmark=_postmark(settings),
        history=History(log, People(gate)),
    )


def build_work(settings: Settings, dialer: Provider | None = None) -> WorkServices:
    """The parts of a worker process; ``dialer`` in the place of Twilio's."""
    client = connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S)
    gate = Gate(client, settings.outbox_max, shared=True)
    name = _name()
    desk = WorkDesk(gate, name, _protocol(settings))
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
        reports=_reports(settings, gate, desk),
        operator=dialer,
        silence_ms=settings.silence_ms,
        price_ms=settings.price_delay_ms,
        callbacks=settings.public_url is not None,
    )
    # Not shared: Celery's beat steps down in a signal's handler, in the midst of a look.
    timetable = Timetable(Gate(client, settings.outbox_max))
    timekeeper = Timekeeper(
        timetable, f"{name}:{secrets.token_hex(4)}", lead_ms=LEADS_FOR * settings.lease_ms
    )
    link = Link(queue=queue, desk=desk, timekeeper=timekeeper, drain_s=settings.drain_ms / 1000)
    return WorkServices(settings=settings, link=link, calling=calling, following=following)


def build_inheritance(settings: Settings, name: str) -> tuple[Inheritance, Timetable]:
    """Where the calls of another queue come in; ``name`` tells it from all others."""
    gate = Gate(connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S), settings.outbox_max)
    return Inheritance(gate, name), Timetable(gate)


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _postmark(settings: Settings) -> Postmark | None:
    if settings.public_url is None or settings.twilio_auth_token is None:
        return None
    return Postmark(settings.twilio_auth_token, settings.public_url)


def _reports(settings: Settings, gate: Gate, desk: WorkDesk) -> ReportDesk:
    policy = OutcomePolicy(
        retry_on=settings.retry_on,
        delay_ms=settings.retry_outcome_delay_ms,
        most=settings.retry_outcome_max,
    )
    return ReportDesk(gate, desk, policy)


def _protocol(settings: Settings) -> Protocol:
    return Protocol(
        lease_ms=settings.lease_ms,
        rate=settings.rate,
        breaker_probe_ms=settings.breaker_probe_ms,
        in_doubt_horizon_ms=settings.in_doubt_horizon_ms,
        first_look_ms=first_look_ms(
            silence_ms=settings.silence_ms, callbacks=settings.public_url is not None
        ),
        keep_completed=settings.keep_completed,
        keep_failed=settings.keep_failed,
    )


def _policy(settings: Settings) -> RetryPolicy:
    return RetryPolicy(
        max_attempts=settings.max_attempts,
        delay_s=settings.retry_delay_s,
        first_look_ms=settings.settle_interval_ms,
        fail_unknown=settings.on_unknown_outcome == "fail",
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
