"""A log in a file, looked into whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from vomind_queue.call_log import sqlite
from vomind_queue.call_log.models import CallEvent, CallRow, Search
from vomind_queue.call_log.sqlite import SqliteLog

__all__ = ["everything"]


def everything(path: Path) -> tuple[Sequence[CallRow], Sequence[CallEvent]]:
    """All rows and all events of a SQLite log, in order."""
    rows = SqliteLog(path).find(Search(limit=1_000_000))
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        found = database.execute("SELECT * FROM call_events ORDER BY key, sequence").fetchall()
    return rows, [sqlite._event(each) for each in found]
