"""The call log in an SQLite file, for installations without Supabase.

One shipper writes it, web processes on the same machine read it; write-ahead logging lets
them do so at the same time. Times are unix milliseconds.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from vomind_queue.call_log.models import (
    FINAL_STATES,
    Batch,
    CallEvent,
    CallRow,
    DeadLetter,
    Erased,
    Search,
)
from vomind_queue.call_log.sqlite_schema import DERIVED, QUARTER_MS, bring_up_to_date
from vomind_queue.call_log.trends import Step, Window
from vomind_queue.errors import LogUnavailable

#: How long a reader or the writer waits for the other one, s.
WAIT_S = 5.0

_ROW = tuple(each.name for each in fields(CallRow))
_EVENT = tuple(each.name for each in fields(CallEvent))
#: Not every row has it; the first one that does is the most accurate.
_KEPT = "answered_ms = coalesce(answered_ms, excluded.answered_ms)"
#: Blanked fields stay blank; the call's progress is still written.
_PERSONAL = ("to_number", "lead_id", "message", "metadata", "failure", "options")
#: Kept as JSON.
_OBJECTS = ("metadata", "options")
_UNBLANKED = ", ".join(
    f"{name} = iif(anonymized_ms IS NULL, excluded.{name}, NULL)" for name in _PERSONAL
)
_NEWER = ", ".join(
    f"{name} = excluded.{name}"
    for name in (*_ROW, *DERIVED)
    if name not in (*_PERSONAL, "answered_ms", "anonymized_ms")
)


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _where(search: Search) -> tuple[str, list[Any]]:
    """Return the clause for what is wanted, and its values."""
    given = {
        "to_number = ?": search.number,
        "lead_id = ?": search.lead_id,
        "job_id = ?": search.job_id,
        "campaign_id = ?": search.campaign_id,
        "key >= ?": search.least_key,
        "key < ?": search.end_key,
    }
    clauses: dict[str, Sequence[str]] = {
        clause: [value] for clause, value in given.items() if value is not None
    }
    # Without statistics the index of a state might be taken in place of that of a person.
    own = "+" if search.number or search.lead_id or search.job_id else ""
    # Calls of a campaign mostly share a priority, so its indexes have none.
    urgency = "+" if search.campaign_id else own
    clauses |= {
        _among(f"{own}state", search.states): search.states,
        _among(f"{urgency}priority", search.priorities): search.priorities,
        _among(f"{own}list_outcome", search.outcomes): search.outcomes,
    }
    clauses.pop("", None)
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    return where, [value for values in clauses.values() for value in values]


def _among(column: str, wanted: Sequence[str]) -> str:
    """Return the clause for a column that has one of these values."""
    if len(wanted) == 1:
        return f"{column} = ?"
    return f"{column} IN ({_marks(len(wanted))})" if wanted else ""


# Names of columns are ours; values are always given apart.
_PUT_ROW = (
    f"INSERT INTO call_logs ({', '.join((*_ROW, *DERIVED))}) "  # noqa: S608
    f"SELECT *, {', '.join(DERIVED.values())} "
    f"FROM (SELECT {', '.join(f'? AS {name}' for name in _ROW)}) WHERE true "
    f"ON CONFLICT (key) DO UPDATE SET {_NEWER}, {_UNBLANKED}, {_KEPT} "
    "WHERE excluded.version >= version"
)
_PUT_EVENT = (
    f"INSERT INTO call_events ({', '.join(_EVENT)}) VALUES ({_marks(len(_EVENT))}) "  # noqa: S608
    "ON CONFLICT (key, sequence) DO NOTHING"
)
_BLANK_EVENT = (
    "UPDATE call_events SET from_number = NULL, to_number = NULL, details = '{}' WHERE key = ?"
)
_BLANK_LATE_EVENT = (
    f"{_BLANK_EVENT} AND to_number IS NOT NULL AND EXISTS (SELECT 1 FROM call_logs "  # noqa: S608
    "WHERE call_logs.key = call_events.key AND anonymized_ms IS NOT NULL)"
)


#: The last of the tables and indexes that are made.
_LAST = "call_events_number"
_MADE = "SELECT 1 FROM sqlite_master WHERE name = ?"


class SqliteLog:
    """The log in one file, which the first writer makes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, batch: Batch) -> Sequence[DeadLetter]:
        """Write all of it or nothing; no line is refused for good."""
        with self.writing() as database:
            database.executemany(_PUT_ROW, map(_flat, batch.rows))
            database.executemany(_PUT_EVENT, map(_flat, batch.events))
            keys = {(event.key,) for event in batch.events}
            database.executemany(_BLANK_LATE_EVENT, sorted(keys))
        return []

    def is_there(self) -> bool:
        return self._path.exists()

    def find(self, search: Search) -> Sequence[CallRow]:
        parts = [_where(part) for part in search.parts()]
        query = " UNION ALL ".join(
            f"SELECT * FROM (SELECT * FROM call_logs {where}ORDER BY key DESC LIMIT ?)"  # noqa: S608
            for where, _ in parts
        )
        values = [value for _, given in parts for value in (*given, search.limit)]
        found = self.read(f"{query} ORDER BY key DESC LIMIT ?", [*values, search.limit])
        return [_row(each) for each in found]

    def count(self, search: Search) -> int:
        where, values = _where(replace(search, after=None))
        found = self.read(f"SELECT count(*) AS found FROM call_logs {where}", values)  # noqa: S608
        return found[0]["found"] if found else 0

    def call(self, job_id: str) -> tuple[CallRow, Sequence[CallEvent]] | None:
        rows = self.find(Search(job_id=job_id, limit=1))
        if not rows:
            return None
        query = "SELECT * FROM call_events WHERE key = ? ORDER BY sequence"
        return rows[0], [_event(each) for each in self.read(query, [rows[0].key])]

    def events(self, keys: Sequence[str], kinds: Sequence[str]) -> Sequence[CallEvent]:
        query = (
            f"SELECT * FROM call_events WHERE key IN ({_marks(len(keys))}) "  # noqa: S608
            f"AND event IN ({_marks(len(kinds))}) ORDER BY key, sequence"
        )
        return [_event(each) for each in self.read(query, [*keys, *kinds])]

    def trends(self, window: Window) -> Sequence[Step]:
        query = (files("vomind_queue.call_log") / "sqlite_trends.sql").read_text("utf-8")
        step_ms = window.step_ms
        at = "started_ms / :step * :step" if step_ms % QUARTER_MS else "quarter_ms"
        times = {"since": window.since_ms, "until": window.until_ms, "step": step_ms}
        times["first"] = window.since_ms - window.since_ms % QUARTER_MS
        found = self.read(query.format(at=at), times)
        steps = groupby(found, lambda each: each["at"] // step_ms * step_ms)
        return [_step(at_ms, lines) for at_ms, lines in steps]

    def erase(self, keys: Sequence[str]) -> Erased:
        rows = [(key,) for key in keys]
        with self.writing() as database:
            events = database.executemany("DELETE FROM call_events WHERE key = ?", rows).rowcount
            calls = database.executemany("DELETE FROM call_logs WHERE key = ?", rows).rowcount
        return Erased(calls=max(calls, 0), events=max(events, 0))

    def keys_of(self, number: str, limit: int) -> Sequence[str]:
        query = (
            "SELECT key FROM call_logs WHERE to_number = ? "
            "UNION SELECT key FROM call_events WHERE to_number = ? LIMIT ?"
        )
        return [each["key"] for each in self.read(query, [number, number, limit])]

    def expire(self, before_ms: int, limit: int, *, now_ms: int, anonymize: bool) -> int:
        query = (
            f"SELECT key FROM call_logs WHERE state IN ({_marks(len(FINAL_STATES))}) "  # noqa: S608
            f"AND finished_ms < ? {'AND anonymized_ms IS NULL ' if anonymize else ''}LIMIT ?"
        )
        keys = [each["key"] for each in self.read(query, [*FINAL_STATES, before_ms, limit])]
        if anonymize:
            self._blank(keys, now_ms)
        elif keys:
            self.erase(keys)
        return len(keys)

    def _blank(self, keys: Sequence[str], now_ms: int) -> None:
        blank = ", ".join(f"{name} = NULL" for name in _PERSONAL)
        row = f"UPDATE call_logs SET {blank}, anonymized_ms = ? WHERE key = ?"  # noqa: S608
        with self.writing() as database:
            database.executemany(row, [(now_ms, key) for key in keys])
            database.executemany(_BLANK_EVENT, [(key,) for key in keys])

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the database in one transaction; it is made at first. Raise LogUnavailable."""
        with self._translate_errors("written"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Numbers and messages are nobody else's business on this machine.
            self._path.touch(mode=0o600)
            with closing(sqlite3.connect(self._path, timeout=WAIT_S)) as database:
                # What is erased is gone from the file, too.
                database.execute("PRAGMA secure_delete = ON")
                database.execute("PRAGMA journal_mode = WAL")
                bring_up_to_date(database, _ROW)
                with database:
                    yield database

    def read(
        self, query: str, values: Sequence[Any] | Mapping[str, Any] = (), needs: str = _LAST
    ) -> list[sqlite3.Row]:
        """Return what a query finds; nothing while that table or index is not made.

        Raise LogUnavailable.
        """
        if not self._path.exists():
            return []
        with (
            self._translate_errors("read"),
            closing(sqlite3.connect(self._path, timeout=WAIT_S)) as database,
        ):
            database.row_factory = sqlite3.Row
            # The writer makes the file first and its tables one after the other.
            made = database.execute(_MADE, [needs]).fetchone()
            return database.execute(query, values).fetchall() if made else []

    @contextmanager
    def _translate_errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            text = f"the call log in {self._path} cannot be {done}: {error}"
            raise LogUnavailable(text) from None


def _flat(line: CallRow | CallEvent) -> list[Any]:
    values = (getattr(line, name) for name in (_ROW if isinstance(line, CallRow) else _EVENT))
    return [
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
        for value in values
    ]


def _row(found: sqlite3.Row) -> CallRow:
    # A file of an older version may lack some, and has others for its indexes.
    values = {name: value for name, value in dict(found).items() if name in _ROW}
    objects = {name: json.loads(values[name]) for name in _OBJECTS if values.get(name) is not None}
    return CallRow(**{**values, **objects})


def _event(found: sqlite3.Row) -> CallEvent:
    values = dict(found)
    return CallEvent(**{**values, "details": json.loads(values["details"])})


def _step(at_ms: int, lines: Iterable[sqlite3.Row]) -> Step:
    """Return a step of its lines: one for each outcome and waiting time."""
    outcomes: Counter[str] = Counter()
    waits: Counter[int] = Counter()
    for each in lines:
        outcomes[each["ended"]] += each["number"]
        if each["waited"] is not None:
            waits[each["waited"]] += each["number"]
    return Step.of(at_ms, outcomes, waits)
