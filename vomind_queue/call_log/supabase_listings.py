"""The do-not-call list's changes in a table of Supabase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from postgrest import APIError, ReturnMethod
from supabase import Client

from vomind_queue.call_log import columns
from vomind_queue.call_log.listings import sortable
from vomind_queue.call_log.supabase_errors import checked, translate_errors
from vomind_queue.calls.do_not_call import Change, Wish

TABLE = "do_not_call"
#: PostgREST's and PostgreSQL's codes for a table that does not exist.
_NO_TABLE = ("PGRST205", "PGRST106", "42P01")


class SupabaseListings:
    """The list's changes in the table that a migration creates."""

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
        with translate_errors():
            try:
                found = checked(query.execute()).data
            except APIError as error:
                if error.code in _NO_TABLE:
                    # Nothing was ever stored in it.
                    return []
                raise
        return [_change(each) for each in found]

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
