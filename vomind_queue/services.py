"""Where the parts of a web process are put together; those of others: `work_services`.

Nothing here connects. Nothing here brings Twilio's client, which is a fifth of such a
process's memory, and which it never asks.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from vomind_queue.call_log.protocol import CallLog
from vomind_queue.config.settings import Settings
from vomind_queue.control import Control
from vomind_queue.dialer.webhooks import Postmark
from vomind_queue.errors import StoreUnavailable, StoreUnsuitable
from vomind_queue.history import History
from vomind_queue.progress import OutcomePolicy, first_look_ms
from vomind_queue.recurring import Recurring
from vomind_queue.reporting import Reporting
from vomind_queue.scheduling import Scheduling
from vomind_queue.store.connection import API_TIMEOUT_S, Gate, connect
from vomind_queue.store.desk import Protocol, WorkDesk
from vomind_queue.store.floods import FloodBook
from vomind_queue.store.lookout import Lookout
from vomind_queue.store.meters import MeterDesk
from vomind_queue.store.people import People
from vomind_queue.store.queue import CallQueue
from vomind_queue.store.reports import ReportDesk
from vomind_queue.store.suitability import check
from vomind_queue.store.timetable import Timetable


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API is handed."""

    settings: Settings
    scheduling: Scheduling
    timetable: Timetable
    recurring: Recurring
    queue: CallQueue
    control: Control
    meters: MeterDesk
    floods: FloodBook
    reporting: Reporting
    #: ``None`` while Twilio has no address to report to.
    postmark: Postmark | None
    history: History


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
    queue, timetable = CallQueue(gate, settings.rate), Timetable(gate)
    reporting = Reporting(
        reports=reports_of(settings, gate, WorkDesk(gate, process_name(), protocol_of(settings))),
        jobs=queue,
        silence_ms=settings.silence_ms,
        price_ms=settings.price_delay_ms,
    )
    return Services(
        settings=settings,
        scheduling=Scheduling(queue),
        timetable=timetable,
        recurring=Recurring(timetable),
        queue=queue,
        control=Control(queue, Lookout(gate)),
        meters=MeterDesk(gate),
        floods=FloodBook(gate),
        reporting=reporting,
        postmark=_postmark(settings),
        history=History(log, People(gate)),
    )


def process_name() -> str:
    """This process among all that work on the queue."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _postmark(settings: Settings) -> Postmark | None:
    if settings.public_url is None or settings.twilio_auth_token is None:
        return None
    return Postmark(settings.twilio_auth_token, settings.public_url)


def reports_of(settings: Settings, gate: Gate, desk: WorkDesk) -> ReportDesk:
    """Where what Twilio says of calls is written down."""
    policy = OutcomePolicy(
        retry_on=settings.retry_on,
        delay_ms=settings.retry_outcome_delay_ms,
        most=settings.retry_outcome_max,
    )
    return ReportDesk(gate, desk, policy)


def protocol_of(settings: Settings) -> Protocol:
    """What all processes have to agree on."""
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
