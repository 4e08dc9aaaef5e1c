"""Where the parts of processes that ask Twilio are put together.

Nothing here connects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol as Shape
from typing import TypeVar

from celery.utils.time import get_exponential_backoff_interval

from vomind_queue.calls.attempts import Dialer
from vomind_queue.calls.retry import LONGEST_BACKOFF_S, RetryPolicy
from vomind_queue.config.settings import Settings
from vomind_queue.container.log_services import SQLITE_FILE, listings_of
from vomind_queue.container.web_services import (
    callback_store_of,
    calling_rules_of,
    process_name,
    protocol_of,
    report_of,
)
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.do_not_call_list import ListAccess
from vomind_queue.queue.due_times import DueTimes
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.takeover import Takeover
from vomind_queue.queue.voicemail_store import VoicemailStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.queue.worker_report import WorkerReport
from vomind_queue.twilio.account_checks import AccountChecks
from vomind_queue.twilio.dialer import TwilioDialer
from vomind_queue.usecases import voicemails
from vomind_queue.usecases.expire_calls import ExpireCalls
from vomind_queue.usecases.fire_recurring import RecurringScheduler
from vomind_queue.usecases.place_call import PlaceCall
from vomind_queue.usecases.reconcile import Reconciliation
from vomind_queue.usecases.record_outcome import OutcomeRecorder
from vomind_queue.usecases.status_polling import Operator, StatusPolling

D = TypeVar("D", bound=TwilioDialer)

#: Connections for the scripts of all slots: each is busy for less than a millisecond.
WORKER_CONNECTIONS = 3


class Provider(Dialer, Operator, voicemails.Operator, Shape):
    """All that a worker needs of a telephone provider."""


@dataclass(frozen=True, kw_only=True)
class WorkerServices:
    """What a worker is handed."""

    settings: Settings
    queue: CallQueue
    worker_queue: WorkerQueue
    recurring_scheduler: RecurringScheduler
    place_call: PlaceCall
    #: Restores the do-not-call list where it is not whole.
    restore_list: Callable[[], None]
    reconciliation: Reconciliation
    status_polling: StatusPolling
    voicemails: voicemails.Voicemails
    expire_calls: ExpireCalls
    #: Ends some calls of campaigns that have ended; returns how many it looked at.
    sweep_campaigns: Callable[[], int]
    due_times: DueTimes
    held_calls: HeldCalls


def build_worker(settings: Settings, dialer: Provider | None = None) -> WorkerServices:
    """Return the parts of a worker process; ``dialer`` in the place of Twilio's."""
    client = connect(
        settings.redis_url, timeout_s=WORKER_TIMEOUT_S, max_connections=WORKER_CONNECTIONS
    )
    store = RedisStore(client, settings.outbox_max)
    name = process_name()
    rules = calling_rules_of(settings, store)
    worker_queue = WorkerQueue(
        store,
        name,
        protocol_of(settings),
        _access(settings),
        rules.open_hours,
        settings.senders,
        judges_all=rules.hold,
    )
    listings = listings_of(settings, store)
    queue = CallQueue(store, settings.rate, settings.call_expiry_ms)
    dialer = dialer or _dialer(settings, TwilioDialer)
    recorder, policy = OutcomeRecorder(worker_queue, dialer), _policy(settings)
    place_call = PlaceCall(
        worker_queue=worker_queue,
        dialer=dialer,
        recorder=recorder,
        policy=policy,
        callbacks=settings.public_url is not None,
        restore_list=listings.ensure_whole,
    )
    reconciliation = Reconciliation(
        worker_queue=worker_queue,
        dialer=dialer,
        recorder=recorder,
        policy=policy,
        horizon_ms=settings.unknown_outcome_horizon_ms,
    )
    status_polling = StatusPolling(
        callback_store=callback_store_of(settings, store, worker_queue),
        operator=dialer,
        silence_ms=settings.silence_ms,
        price_ms=settings.price_delay_ms,
        callbacks=settings.public_url is not None,
    )
    held_calls = HeldCalls(store, rules.base.digest)
    return WorkerServices(
        settings=settings,
        queue=queue,
        worker_queue=worker_queue,
        recurring_scheduler=RecurringScheduler(RecurringStore(store, settings.call_expiry_ms)),
        place_call=place_call,
        restore_list=listings.ensure_whole,
        reconciliation=reconciliation,
        status_polling=status_polling,
        voicemails=voicemails.Voicemails(
            store=VoicemailStore(store, settings.dial_deadline_ms), operator=dialer
        ),
        expire_calls=ExpireCalls(worker_queue),
        sweep_campaigns=partial(CampaignStore(store).sweep, settings.keep_failed),
        due_times=DueTimes(
            store, settings.redis_url, held_calls, WorkerReport(store, name, report_of(settings))
        ),
        held_calls=held_calls,
    )


def _access(settings: Settings) -> ListAccess:
    if settings.supabase_url is not None:
        return ListAccess(key=settings.number_key, must_be_whole=lambda: True)
    file = settings.data_dir / SQLITE_FILE
    return ListAccess(key=settings.number_key, must_be_whole=file.exists)


def build_takeover(settings: Settings, name: str) -> tuple[Takeover, RecurringStore]:
    """Return where the calls of another queue come in; ``name`` tells it from all others."""
    store = RedisStore(connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S), settings.outbox_max)
    return Takeover(store, name, settings.call_expiry_ms), RecurringStore(store)


def _policy(settings: Settings) -> RetryPolicy:
    return RetryPolicy(
        max_attempts=settings.max_attempts,
        backoff_s=backoff_of(settings),
        first_check_ms=settings.reconcile_interval_ms,
        fail_unknown=settings.on_unknown_outcome == "fail",
    )


def backoff_of(settings: Settings) -> Callable[[int], float]:
    """Return Celery's own formula for the wait before a retry, as its autoretry uses it."""
    return partial(
        get_exponential_backoff_interval, settings.retry_delay_s, maximum=LONGEST_BACKOFF_S
    )


def build_account_checks(settings: Settings) -> AccountChecks:
    """Twilio as operators check it."""
    return _dialer(settings, AccountChecks)


def _dialer(settings: Settings, kind: type[D]) -> D:
    return kind(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        api_key=settings.twilio_api_key,
        api_secret=settings.twilio_api_secret,
        from_numbers=settings.senders.numbers,
        api_base=settings.twilio_api_base,
        twiml_url=settings.twiml_url,
        public_url=settings.public_url,
        detection=settings.machine_detection,
        retry_on=settings.retry_on,
        voice=settings.voice,
        application_policy=settings.application_policy,
        opt_out=settings.opt_out,
        deadline_ms=settings.dial_deadline_ms,
        slots=settings.concurrency,
    )
