"""Where the parts of the call log are put together; `web_services` is handed the log."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from importlib import import_module

from vomind_queue.call_log.campaigns import CampaignLog
from vomind_queue.call_log.listings import Listings
from vomind_queue.call_log.protocol import CallLog
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.call_log.sqlite_campaigns import SqliteCampaigns
from vomind_queue.call_log.sqlite_listings import SqliteListings
from vomind_queue.config.settings import Settings
from vomind_queue.observability.check_result import CheckResult, fine, wrong
from vomind_queue.queue.campaign_changes import CampaignChanges
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.do_not_call_changes import DoNotCallChanges
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.listing import QueueListing
from vomind_queue.queue.outbox import Outbox
from vomind_queue.usecases.call_history import History
from vomind_queue.usecases.keep_campaigns import KeepCampaigns
from vomind_queue.usecases.keep_listings import KeepListings
from vomind_queue.usecases.outbox_relay import LogRetention, OutboxRelay

#: The file in the data directory.
SQLITE_FILE = "calls.sqlite3"


def open_log(settings: Settings) -> CallLog:
    """Return Supabase where it is configured, else a file; connects to nothing."""
    if settings.supabase_url:
        # Not at the top: its client takes 27 MB and a quarter of a second in each process, and
        # most of those who run this on one machine have no Supabase.
        supabase = import_module("vomind_queue.call_log.supabase")
        log: CallLog = supabase.connect(settings.supabase_url, settings.supabase_service_key)
        return log
    return SqliteLog(settings.data_dir / SQLITE_FILE)


def open_listings(settings: Settings) -> Listings:
    """Return where the do-not-call list is kept beside the log; connects to nothing."""
    if settings.supabase_url:
        supabase = import_module("vomind_queue.call_log.supabase")
        found: Listings = supabase.connect_listings(
            settings.supabase_url, settings.supabase_service_key
        )
        return found
    return SqliteListings(SqliteLog(settings.data_dir / SQLITE_FILE))


def open_campaigns(settings: Settings) -> CampaignLog:
    """Return where campaigns are kept beside the log; connects to nothing."""
    if settings.supabase_url:
        supabase = import_module("vomind_queue.call_log.supabase")
        found: CampaignLog = supabase.connect_campaigns(
            settings.supabase_url, settings.supabase_service_key
        )
        return found
    return SqliteCampaigns(SqliteLog(settings.data_dir / SQLITE_FILE))


def listings_of(settings: Settings, store: RedisStore) -> KeepListings:
    """Return what keeps the do-not-call list and closed days in both of their homes."""
    return KeepListings(DoNotCallChanges(store), ClosedDays(store), lambda: open_listings(settings))


def check_log(settings: Settings) -> Iterator[CheckResult]:
    """Return whether the log can be written."""
    if settings.supabase_url:
        supabase = import_module("vomind_queue.call_log.supabase")
        yield from supabase.run_checks(settings.supabase_url, settings.supabase_service_key)
        return
    place = settings.data_dir
    nearest = next(each for each in (place, *place.absolute().parents) if each.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        yield fine("call log", f"SQLite file in {place}, writable")
    else:
        yield wrong("call log", f"{nearest} cannot be written.", "Set DATA_DIR to another place.")


def log_place(settings: Settings) -> str:
    """Return where the log is, for people."""
    return settings.supabase_url or str(settings.data_dir / SQLITE_FILE)


def build_history(settings: Settings) -> History:
    """Return the parts of a command that forgets a person."""
    store = RedisStore(connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S), settings.outbox_max)
    return History(
        open_log(settings),
        QueueListing(store),
        Erasure(store),
        DoNotCallList(store, settings.keep_failed, settings.number_key),
    )


def build_relay(settings: Settings) -> OutboxRelay:
    """Return the parts of a shipper process."""
    store = RedisStore(connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S), settings.outbox_max)
    token = secrets.token_urlsafe(9)
    outbox = Outbox(store, token, settings.senders.default or None)
    retention = None
    if settings.retention_days is not None:
        retention = LogRetention(
            days=settings.retention_days, anonymize=settings.retention_mode == "anonymize"
        )
    listings = listings_of(settings, store)
    campaigns = KeepCampaigns(CampaignChanges(store, token), lambda: open_campaigns(settings))
    also = (listings.step, campaigns.step)
    return OutboxRelay(outbox, open_log(settings), retention, also)
