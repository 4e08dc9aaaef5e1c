"""Where the parts of the call log are put together: beside `services`, because a worker needs none.

Supabase's client takes 27 MB and a quarter of a second to load.
"""

from __future__ import annotations

import secrets

from vomind_queue.call_log.protocol import CallLog
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.settings import Settings
from vomind_queue.shipping import LogRetention, Shipping
from vomind_queue.store.connection import WORKER_TIMEOUT_S, Gate, connect
from vomind_queue.store.outbox import Outbox

#: The file in the data directory.
SQLITE_FILE = "calls.sqlite3"


def open_log(settings: Settings) -> CallLog:
    """Supabase where it is configured, else a file; connects to nothing."""
    return SqliteLog(settings.data_dir / SQLITE_FILE)


def log_place(settings: Settings) -> str:
    """Where the log is, for people."""
    return str(settings.data_dir / SQLITE_FILE)


def build_shipping(settings: Settings) -> Shipping:
    """The parts of a shipper process."""
    gate = Gate(connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S), settings.outbox_max)
    outbox = Outbox(gate, secrets.token_urlsafe(9), settings.twilio_phone_number)
    retention = None
    if settings.retention_days is not None:
        retention = LogRetention(
            days=settings.retention_days, anonymize=settings.retention_mode == "anonymize"
        )
    return Shipping(outbox, open_log(settings), retention)
