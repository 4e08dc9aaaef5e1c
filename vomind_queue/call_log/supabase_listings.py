"""The do-not-call list's changes and closed days in tables of Supabase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
from postgrest import ReturnMethod
from supabase import Client

from vomind_queue.call_log import columns
from vomind_queue.call_log.listings import sortable
from vomind_queue.call_log.supabase_errors import checked, rows_of, translate_errors
from vomind_queue.calls.do_not_call import Change, Wish
from vomind_queue.rules.law import ClosedDay, closed_day

TABLE, DAYS = "do_not_call", "closed_days"


class SupabaseListings:
    """Both in the tables that migrations create."""

    def __init__(self, client: Client, http: httpx.Client) -> None:
        self._client = client
        self._http = http

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def note(self, changes: Sequence[Change]) -> None:
        """Store changes, in order; safe to repeat."""
        rows: list[dict[str, Any]] = []
        for change in changes:
            if change.digest is not None:
                # What was listed before must be there to be changed.
                self._insert(rows)
                rows = []
                self._hash(change.number, change.digest)
            elif change.wish is not None:
                rows.append(_row(change))
        self._insert(rows)

    def after(self, name: str, limit: int) -> Sequence[Change]:
        """Return changes in order, those after the one with that id."""
        query = self._client.table(TABLE).select("*").gt("id", name).order("id").limit(limit)
        return [_change(each) for each in rows_of(query)]

    def keep_days(self, days: Sequence[ClosedDay]) -> None:
        """Store the closed days, then drop those that are open again."""
        table = self._client.table(DAYS)
        rows = [_day_row(each) for each in days]
        kept = ReturnMethod.minimal
        with translate_errors():
            if rows:
                checked(table.upsert(rows, on_conflict="id", returning=kept).execute())
            known = {each["id"] for each in checked(table.select("id").execute()).data}
            for day_id in sorted(known - {each.id for each in days}):
                checked(table.delete(returning=kept).eq("id", day_id).execute())

    def days(self) -> Sequence[ClosedDay]:
        """Return the stored days."""
        return [_day(each) for each in rows_of(self._client.table(DAYS).select("*"))]

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            query = self._client.table(TABLE).upsert(
                rows, on_conflict="id", ignore_duplicates=True, returning=ReturnMethod.minimal
            )
            with translate_errors():
                checked(query.execute())

    def _hash(self, number: str, digest: str) -> None:
        values = {"number": digest, "reason": None}
        query = self._client.table(TABLE).update(values, returning=ReturnMethod.minimal)
        with translate_errors():
            # As in the call log, which compares numbers so.
            checked(query.like("number", number).execute())


def _day_row(day: ClosedDay) -> dict[str, Any]:
    at = columns.time(day.at_ms or 0)
    return {"id": day.id, "at": at, "by_name": day.by or "", "reason": day.reason}


def _day(found: dict[str, Any]) -> ClosedDay:
    return replace(
        closed_day(found["id"]),
        at_ms=columns.unix_ms(found["at"]),
        by=found["by_name"],
        reason=found["reason"],
    )


def _row(change: Change) -> dict[str, Any]:
    wish = change.wish or Wish(by="", source="")
    return {
        "id": sortable(change.id),
        "action": change.action,
        "number": change.number,
        "at": columns.time(change.at_ms),
        "by_name": wish.by,
        "source": wish.source,
        "reason": wish.reason,
    }


def _change(found: dict[str, Any]) -> Change:
    return Change(
        id=found["id"],
        action=found["action"],
        number=found["number"],
        at_ms=columns.unix_ms(found["at"]),
        wish=Wish(by=found["by_name"], source=found["source"], reason=found["reason"]),
    )
