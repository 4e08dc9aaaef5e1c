"""Tables and indexes of the call log in SQLite; a file of an older version gets what it lacks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

#: Trends are counted by parts of a day that are in one hour of any zone, or nearly so, ms.
QUARTER_MS = 15 * 60_000
_WAIT = "max(started_ms - max(queued_ms, coalesce(scheduled_ms, 0)), 0)"


def _rounded(up_to_ms: int, unit_ms: int) -> str:
    return f"WHEN {_WAIT} <= {up_to_ms} THEN ({_WAIT} + {unit_ms - 1}) / {unit_ms} * {unit_ms}"


#: Columns of a call that indexes need, and what they are of the others. Stored: an index of
#: generated columns spares SQLite no look at the table.
DERIVED: Mapping[str, str] = {
    # `CallRow.list_outcome`.
    "list_outcome": """CASE
        WHEN outcome = 'completed' AND (answered_by LIKE 'machine%' OR answered_by LIKE 'fax%')
        THEN 'machine' ELSE coalesce(outcome, 'none') END""",
    # When the last attempt started.
    "quarter_ms": f"started_ms / {QUARTER_MS} * {QUARTER_MS}",
    # How long a call had waited for its first attempt, rounded up so that there are few values.
    "waited_ms": f"""CASE WHEN attempts > 1 THEN NULL
        {_rounded(1_000, 50)} {_rounded(10_000, 250)} {_rounded(60_000, 1_000)}
        {_rounded(600_000, 10_000)} {_rounded(3_600_000, 60_000)}
        ELSE ({_WAIT} + 599999) / 600000 * 600000 END""",
}


def bring_up_to_date(database: sqlite3.Connection, columns: Sequence[str]) -> None:
    """Make what is missing; ``columns``: those of a row."""
    _run(database, "sqlite.sql")
    known = {each[1] for each in database.execute("PRAGMA table_info(call_logs)")}
    for name in columns:
        if name not in known:
            database.execute(f"ALTER TABLE call_logs ADD COLUMN {name} TEXT")
    if not known.issuperset(DERIVED):
        _derive(database, [name for name in DERIVED if name not in known])
    _run(database, "sqlite_indexes.sql")
    # An older version may have written since. An index finds such rows, and there are hardly any.
    database.execute(_filled(DERIVED, "WHERE list_outcome IS NULL"))


def _derive(database: sqlite3.Connection, missing: Sequence[str]) -> None:
    with database:
        database.execute("BEGIN IMMEDIATE")
        for name in missing:
            kind = "INTEGER" if name.endswith("_ms") else "TEXT"
            database.execute(f"ALTER TABLE call_logs ADD COLUMN {name} {kind}")
        database.execute(_filled(missing))


def _filled(names: Iterable[str], where: str = "") -> str:
    values = ", ".join(f"{name} = {DERIVED[name]}" for name in names)
    return f"UPDATE call_logs SET {values} {where}"  # noqa: S608 - all of it is ours


def _run(database: sqlite3.Connection, file: str) -> None:
    script = files("vomind_queue.call_log") / file
    database.executescript(script.read_text("utf-8"))
