"""The do-not-call list's changes and closed days in the SQLite file of the call log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vomind_queue.call_log.listings import sortable
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.calls.do_not_call import Change, Wish
from vomind_queue.rules.law import ClosedDay, closed_day

_PUT = (
    "INSERT INTO do_not_call (id, action, number, at_ms, by_name, source, reason) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
_HASH = "UPDATE do_not_call SET number = ?, reason = NULL WHERE number = ?"
_AFTER = "SELECT * FROM do_not_call WHERE id > ? ORDER BY id LIMIT ?"
_PUT_DAY = "INSERT INTO closed_days (id, at_ms, by_name, reason) VALUES (?, ?, ?, ?)"


class SqliteListings:
    """Both in one file."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log

    def note(self, changes: Sequence[Change]) -> None:
        """Store changes, in order; safe to repeat."""
        with self._log.writing() as database:
            for change in changes:
                if change.digest is not None:
                    database.execute(_HASH, (change.digest, change.number))
                elif change.wish is not None:
                    wish = change.wish
                    words = (wish.by, wish.source, wish.reason)
                    row = (sortable(change.id), change.action, change.number, change.at_ms, *words)
                    database.execute(_PUT, row)

    def after(self, name: str, limit: int) -> Sequence[Change]:
        """Return changes in order, those after the one with that id."""
        return [
            Change(
                id=each["id"],
                action=each["action"],
                number=each["number"],
                at_ms=each["at_ms"],
                wish=Wish(by=each["by_name"], source=each["source"], reason=each["reason"]),
            )
            for each in self._log.read(_AFTER, [name, limit], "do_not_call_number")
        ]

    def keep_days(self, days: Sequence[ClosedDay]) -> None:
        """Store the closed days in the place of those before."""
        with self._log.writing() as database:
            database.execute("DELETE FROM closed_days")
            rows = [(each.id, each.at_ms or 0, each.by or "", each.reason) for each in days]
            database.executemany(_PUT_DAY, rows)

    def days(self) -> Sequence[ClosedDay]:
        """Return the stored days."""
        found = self._log.read("SELECT * FROM closed_days", needs="closed_days")
        return [
            replace(
                closed_day(each["id"]),
                at_ms=each["at_ms"],
                by=each["by_name"],
                reason=each["reason"],
            )
            for each in found
        ]
