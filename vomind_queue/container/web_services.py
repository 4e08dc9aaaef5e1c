"""Where the parts of a web process are put together; those of others: `worker_services`.

Nothing here connects. Nothing here brings Twilio's client, which is a fifth of such a
process's memory, and which it never asks.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from vomind_queue.call_log.protocol import CallLog
from vomind_queue.calls.call_status import OutcomePolicy, first_poll_ms
from vomind_queue.config.settings import Settings
from vomind_queue.container.list_processes import ListProcesses
from vomind_queue.errors import StoreUnavailable, StoreUnsuitable
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue.act_book import ActBook
from vomind_queue.queue.activity import Activity
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.callback_store import CallbackStore
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import API_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.inspection import Inspection
from vomind_queue.queue.kept_events import KeptEvents
from vomind_queue.queue.list_work import ListWorkStore
from vomind_queue.queue.listing import QueueListing
from vomind_queue.queue.metrics_reader import MetricsReader
from vomind_queue.queue.person_history import PersonHistory
from vomind_queue.queue.plan_reader import PlanReader
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.request_limits import RequestLimiter
from vomind_queue.queue.server_requirements import check
from vomind_queue.queue.staged_lists import StagedLists
from vomind_queue.queue.voicemail_store import VoicemailStore
from vomind_queue.queue.webhook_store import WebhookStore
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.twilio.callbacks import SignatureValidator
from vomind_queue.usecases.call_acts import CallActs
from vomind_queue.usecases.call_history import History
from vomind_queue.usecases.calling_rules import CallingRules
from vomind_queue.usecases.campaigns import Campaigns
from vomind_queue.usecases.closed_days import CloseDays
from vomind_queue.usecases.deeds import Deeds
from vomind_queue.usecases.do_not_call import DoNotCall
from vomind_queue.usecases.enqueue import Enqueue
from vomind_queue.usecases.large_lists import LargeLists
from vomind_queue.usecases.manage_queue import Control
from vomind_queue.usecases.person import People
from vomind_queue.usecases.preview_campaign import PreviewCampaign
from vomind_queue.usecases.recurring_calls import RecurringCalls
from vomind_queue.usecases.refusals import Refusals
from vomind_queue.usecases.stage_lists import StageLists
from vomind_queue.usecases.status_callbacks import StatusCallbacks
from vomind_queue.usecases.voicemails import NextWords
from vomind_queue.usecases.webhooks import Webhooks


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API is handed."""

    settings: Settings
    enqueue: Enqueue
    recurring_store: RecurringStore
    recurring: RecurringCalls
    queue: CallQueue
    control: Control
    rules: CallingRules
    close_days: CloseDays
    #: Settings of this process that workers must share.
    report: Report
    deeds: Deeds
    metrics_reader: MetricsReader
    request_limiter: RequestLimiter
    status_callbacks: StatusCallbacks
    next_words: NextWords
    #: ``None`` while Twilio has no address for callbacks.
    signature_validator: SignatureValidator | None
    history: History
    call_acts: CallActs
    do_not_call: DoNotCall
    campaigns: Campaigns
    preview_campaign: PreviewCampaign
    lists: StageLists
    large_lists: LargeLists
    #: What the process of a large list writes to.
    list_work: ListWorkStore
    people: People
    refusals: Refusals
    webhooks: Webhooks


def check_store(settings: Settings) -> str | None:
    """Return why the Redis server must not hold calls, in one line; ``None`` when it may.

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
    """Return the parts of a web process; ``log`` comes from `log_services`."""
    client = connect(settings.redis_url, timeout_s=API_TIMEOUT_S)
    return build_on(RedisStore(client, settings.outbox_max), settings, log)


def build_on(store: RedisStore, settings: Settings, log: CallLog) -> Services:
    """Return the same on a connection that is there."""
    queue = CallQueue(store, settings.rate, settings.call_expiry_ms, settings.override_keys)
    recurring_store = RecurringStore(store)
    deeds = Deeds(Activity(store))
    status_callbacks = StatusCallbacks(
        callback_store=callback_store_of(
            settings, store, WorkerQueue(store, process_name(), protocol_of(settings))
        ),
        silence_ms=settings.silence_ms,
        price_ms=settings.price_delay_ms,
    )
    campaign_store = CampaignStore(store)
    campaigns = Campaigns(campaign_store, queue, deeds)
    listing, rules = QueueListing(store), calling_rules_of(settings, store)
    numbers = DoNotCallList(store, settings.keep_failed, settings.number_key)
    history = History(log, listing, Erasure(store), numbers)
    staged = StagedLists(store)
    lists, list_work = StageLists(staged, campaigns), ListWorkStore(store, staged)
    processes = ListProcesses(
        lambda list_id, token: list_work.note(list_id, token, done=0, total=0)
    )
    return Services(
        settings=settings,
        enqueue=Enqueue(queue, deeds),
        recurring_store=recurring_store,
        recurring=RecurringCalls(recurring_store, deeds),
        queue=queue,
        control=Control(queue, Inspection(store), deeds, rules, report_of(settings)),
        rules=rules,
        close_days=CloseDays(ClosedDays(store), deeds, hold=rules.keeps_hours),
        report=report_of(settings),
        deeds=deeds,
        metrics_reader=MetricsReader(store),
        request_limiter=RequestLimiter(store),
        status_callbacks=status_callbacks,
        next_words=NextWords(
            store=VoicemailStore(store, settings.dial_deadline_ms),
            jobs=queue,
            voice=settings.voice,
        ),
        signature_validator=_signature_validator(settings),
        history=history,
        call_acts=CallActs(queue, listing, ActBook(store), history, deeds),
        do_not_call=DoNotCall(numbers, recurring_store, deeds),
        campaigns=campaigns,
        preview_campaign=PreviewCampaign(
            PlanReader(store, settings.rate, protocol_of(settings).number_gap_ms),
            *(campaign_store, rules, numbers),
        ),
        lists=lists,
        large_lists=LargeLists(list_work, lists, processes.start),
        list_work=list_work,
        people=People(rules, numbers, PersonHistory(store), log),
        refusals=Refusals(PersonHistory(store), deeds),
        webhooks=Webhooks(WebhookStore(store), KeptEvents(store), deeds),
    )


def calling_rules_of(settings: Settings, store: RedisStore) -> CallingRules:
    """Return when people may be called, and how often."""
    days, history = ClosedDays(store), PersonHistory(store)
    return CallingRules(
        settings.rulebook(), days, histories=history.of_each, missing=settings.lacks_rules
    )


def report_of(settings: Settings) -> Report:
    """Return the settings that all processes must share, as workers report them."""
    key = settings.number_key
    return Report(rules=settings.rulebook().digest, key=key.fingerprint if key else "")


def process_name() -> str:
    """This process among all that work on the queue."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _signature_validator(settings: Settings) -> SignatureValidator | None:
    if settings.public_url is None or settings.twilio_auth_token is None:
        return None
    return SignatureValidator(settings.twilio_auth_token, settings.public_url)


def callback_store_of(
    settings: Settings, store: RedisStore, worker_queue: WorkerQueue
) -> CallbackStore:
    """Return where what Twilio says of calls is written down."""
    policy = OutcomePolicy(
        retry_on=settings.retry_on,
        delay_ms=settings.retry_outcome_delay_ms,
        most=settings.retry_outcome_max,
    )
    return CallbackStore(store, worker_queue, policy)


def protocol_of(settings: Settings) -> Protocol:
    """Return what all processes have to agree on."""
    book = settings.rulebook()
    return Protocol(
        lease_ms=settings.lease_ms,
        rate=settings.rate,
        breaker_probe_ms=settings.circuit_probe_ms,
        ring_timeout_ms=settings.ring_timeout_ms,
        unknown_outcome_horizon_ms=settings.unknown_outcome_horizon_ms,
        first_poll_ms=first_poll_ms(
            silence_ms=settings.silence_ms, callbacks=settings.public_url is not None
        ),
        number_gap_ms=settings.least_gap_per_number_ms,
        keep_completed=settings.keep_completed,
        keep_failed=settings.keep_failed,
        starts_kept=book.starts_kept,
        talks_kept=book.starts_kept if book.pauses_after_talks else 0,
    )
