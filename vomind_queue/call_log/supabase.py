"""The call log in Supabase: repeatable upserts through supabase-py.

A bad line is distinguished from a fault of the connection, the key or the tables. A bad line is
found in its batch by halving and refused for good; other faults are waited out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
from postgrest import APIError, CountMethod, ReturnMethod
from supabase import Client, ClientOptions, create_client

from vomind_queue.call_log import columns, supabase_checks
from vomind_queue.call_log.models import (
    FINAL_STATES,
    Batch,
    CallEvent,
    CallRow,
    DeadLetter,
    Erased,
    Search,
    Table,
)
from vomind_queue.call_log.supabase_campaigns import SupabaseCampaigns
from vomind_queue.call_log.supabase_errors import (
    Fault,
    checked,
    classify,
    describe,
    translate_errors,
)
from vomind_queue.call_log.supabase_listings import SupabaseListings
from vomind_queue.call_log.trends import Step, Window
from vomind_queue.errors import LogUnavailable
from vomind_queue.observability.check_result import CheckResult

#: Time-out of a request, s; requests to the API wait for it as well.
TIMEOUT_S = 5.0
#: Keys in one request. They are part of its URL, and 8 KB are accepted everywhere.
KEYS_AT_ONCE = 100

#: The unique key of each table.
_CONFLICT = {Table.CALLS: "call_key", Table.EVENTS: "call_key,sequence"}


def connect(url: str, service_key: str) -> SupabaseLog:
    """Return a log in a Supabase project; connects on first use."""
    return SupabaseLog(*_client(url, service_key))


def run_checks(url: str, service_key: str) -> Iterator[CheckResult]:
    """Yield checks of whether the project has what the log needs."""
    client, http = _client(url, service_key)
    with http:
        yield from supabase_checks.run_checks(client, service_key)


def _client(url: str, service_key: str) -> tuple[Client, httpx.Client]:
    http = httpx.Client(timeout=TIMEOUT_S)
    options = ClientOptions(
        httpx_client=http,
        # The shipper retries at its own pace.
        postgrest_client_retry=False,
        auto_refresh_token=False,
        persist_session=False,
    )
    return create_client(url, service_key, options), http


def connect_listings(url: str, service_key: str) -> SupabaseListings:
    """Return the do-not-call list's changes in a Supabase project; connects on first use."""
    return SupabaseListings(*_client(url, service_key))


def connect_campaigns(url: str, service_key: str) -> SupabaseCampaigns:
    """Return the campaigns in a Supabase project; connects on first use."""
    return SupabaseCampaigns(*_client(url, service_key))


class SupabaseLog:
    """The log in the tables that `migrations/` creates."""

    def __init__(self, client: Client, http: httpx.Client) -> None:
        self._client = client
        self._http = http

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def write(self, batch: Batch) -> Sequence[DeadLetter]:
        """Write rows before events, each table in one request unless a line is refused."""
        return [*self._put(Table.CALLS, batch.rows), *self._put(Table.EVENTS, batch.events)]

    def is_there(self) -> bool:
        return True

    def find(self, search: Search) -> Sequence[CallRow]:
        found: list[CallRow] = []
        for part in search.parts():
            query = _wanted(self._client.table(Table.CALLS).select("*"), part)
            query = query.order(_order(part), desc=True).limit(search.limit)
            found += [columns.read_row(each) for each in self._ask(query.execute)]
        return sorted(found, key=lambda row: row.key, reverse=True)[: search.limit]

    def count(self, search: Search) -> int:
        query = self._client.table(Table.CALLS).select("call_key", count=CountMethod.exact)
        query = _wanted(query, replace(search, after=None)).limit(1)
        with translate_errors():
            return checked(query.execute()).count or 0

    def call(self, job_id: str) -> tuple[CallRow, Sequence[CallEvent]] | None:
        rows = self.find(Search(job_id=job_id, limit=1))
        if not rows:
            return None
        query = self._client.table(Table.EVENTS).select("*").eq("call_key", rows[0].key)
        found = self._ask(query.order("sequence").execute)
        return rows[0], [columns.read_event(each) for each in found]

    def events(self, keys: Sequence[str], kinds: Sequence[str]) -> Sequence[CallEvent]:
        found: list[CallEvent] = []
        for part in _parts(keys):
            query = self._client.table(Table.EVENTS).select("*").in_("call_key", part)
            query = query.in_("event", kinds).order("call_key").order("sequence")
            found += [columns.read_event(each) for each in self._ask(query.execute)]
        return found

    def trends(self, window: Window) -> Sequence[Step]:
        times = {"since": window.since_ms, "until": window.until_ms}
        given = {name: columns.time(value) for name, value in times.items()}
        query = self._client.rpc("call_trends", {**given, "step_ms": window.step_ms})
        return [columns.read_step(each) for each in self._ask(query.execute)]

    def erase(self, keys: Sequence[str]) -> Erased:
        count = dict.fromkeys(Table, 0)
        for part in _parts(keys):
            # Events first: their keys are found by the rows.
            for table in (Table.EVENTS, Table.CALLS):
                query = self._client.table(table).delete(
                    count=CountMethod.exact, returning=ReturnMethod.minimal
                )
                with translate_errors():
                    count[table] += checked(query.in_("call_key", part).execute()).count or 0
        return Erased(calls=count[Table.CALLS], events=count[Table.EVENTS])

    def keys_of(self, number: str, limit: int) -> Sequence[str]:
        found: dict[str, None] = {}
        for table in Table:
            query = self._client.table(table).select("call_key").like("to_number", number)
            query = query.not_.is_("call_key", "null").limit(limit)
            found |= {each["call_key"]: None for each in self._ask(query.execute)}
        return list(found)[:limit]

    def expire(self, before_ms: int, limit: int, *, now_ms: int, anonymize: bool) -> int:
        query = self._client.table(Table.CALLS).select("call_key").in_("state", FINAL_STATES)
        query = query.lt("finished_at", columns.time(before_ms))
        if anonymize:
            query = query.is_("anonymized_at", "null")
        keys = [each["call_key"] for each in self._ask(query.limit(limit).execute)]
        if anonymize:
            self._blank(keys, now_ms)
        else:
            self.erase(keys)
        return len(keys)

    def _blank(self, keys: Sequence[str], now_ms: int) -> None:
        rows = {**columns.BLANK_ROW, "anonymized_at": columns.time(now_ms)}
        for part in _parts(keys):
            # Rows first: after that, a late event is blanked when it is inserted.
            for table, values in ((Table.CALLS, rows), (Table.EVENTS, columns.BLANK_EVENT)):
                query = self._client.table(table).update(values, returning=ReturnMethod.minimal)
                with translate_errors():
                    checked(query.in_("call_key", part).execute())

    def _put(self, table: Table, lines: Sequence[CallRow | CallEvent]) -> list[DeadLetter]:
        if not lines:
            return []
        try:
            self._upsert(table, lines)
        except APIError as error:
            return self._sort_out(table, lines, error)
        except httpx.HTTPError as error:
            raise LogUnavailable(f"Supabase cannot be reached ({type(error).__name__})") from None
        return []

    def _sort_out(
        self, table: Table, lines: Sequence[CallRow | CallEvent], error: APIError
    ) -> list[DeadLetter]:
        fault = classify(error)
        if fault is Fault.AWAY:
            raise LogUnavailable(f"Supabase: {describe(error)}") from None
        if len(lines) > 1:
            half = len(lines) // 2
            return [*self._put(table, lines[:half]), *self._put(table, lines[half:])]
        if fault is Fault.UNCLEAR:
            # It is the line's own fault only if the table can be read at all.
            self._ask(self._client.table(table).select("call_key").limit(1).execute)
        return [DeadLetter(line=lines[0], reason=describe(error))]

    def _upsert(self, table: Table, lines: Sequence[CallRow | CallEvent]) -> None:
        query = self._client.table(table).upsert(
            [columns.flat(line) for line in lines],
            on_conflict=_CONFLICT[table],
            # An event never changes.
            ignore_duplicates=table is Table.EVENTS,
            returning=ReturnMethod.minimal,
        )
        checked(query.execute())

    def _ask(self, execute: Callable[[], Any]) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            found: Sequence[Mapping[str, Any]] = checked(execute()).data
            return found


def _wanted(query: Any, search: Search) -> Any:
    """Return the query for what is wanted.

    A number is compared by `like`, which is the same for a text without wildcards:
    @supabase/lite, which tests run against, takes ``+1555…`` after `eq` for a figure.
    """
    for name in ("lead_id", "job_id", "campaign_id"):
        if (value := getattr(search, name)) is not None:
            query = query.eq(name, value)
    if search.number is not None:
        query = query.like("to_number", search.number)
    order = _order(search)
    if search.least_key is not None:
        query = query.gte(order, search.least_key)
    if search.end_key is not None:
        query = query.lt(order, search.end_key)
    query = _among(query, "state", search.states)
    query = _among(query, "priority", search.priorities)
    return _among(query, "list_outcome", search.outcomes)


def _order(search: Search) -> str:
    """Return the column that orders a list; both hold the key of a call.

    Only the indexes by state, outcome, priority and campaign have the second, so that PostgreSQL
    takes one of them where there is such a filter. The calls of one person are few, whatever it
    takes.
    """
    few = search.number or search.lead_id or search.job_id
    chosen = search.states or search.outcomes or search.priorities or search.campaign_id
    return "list_key" if chosen and not few else "call_key"


def _among(query: Any, column: str, wanted: Sequence[str]) -> Any:
    if len(wanted) == 1:
        return query.eq(column, wanted[0])
    return query.in_(column, wanted) if wanted else query


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start : start + KEYS_AT_ONCE]
