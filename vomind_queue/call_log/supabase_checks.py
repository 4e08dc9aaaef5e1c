"""Checks of whether a Supabase project has what the call log needs; they write nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import httpx
from postgrest import APIError
from supabase import Client

from vomind_queue.call_log import columns
from vomind_queue.call_log.models import CallEvent, CallRow, Table
from vomind_queue.call_log.supabase_errors import describe
from vomind_queue.observability.check_result import CheckResult, fine, wrong

_ADVICE = (
    "Check SUPABASE_URL and SUPABASE_SERVICE_KEY; create the tables with the migrations in "
    "vomind_queue/call_log/migrations."
)
_LEADS = "leads"


def run_checks(client: Client, key: str) -> Iterator[CheckResult]:
    """Yield checks of the key, the tables and the optional table of leads."""
    if found := _unfit(key):
        yield found
        return
    try:
        for table, kind in ((Table.CALLS, CallRow), (Table.EVENTS, CallEvent)):
            client.table(table).select(",".join(columns.first_names(kind))).limit(1).execute()
            yield fine(f"table {table}", "exists, with all of its columns")
        yield from _lists(client)
        yield _leads(client)
    except APIError as error:
        yield wrong("Supabase", f"{describe(error)}.", _ADVICE)
    except httpx.HTTPError as error:
        yield wrong("Supabase", f"Unreachable ({type(error).__name__}).", _ADVICE)


def _lists(client: Client) -> Iterator[CheckResult]:
    """Yield which later migrations are missing; without the first, the log waits."""
    asked: Mapping[str, Any] = {
        "20261130000000_call_list.sql": client.table(Table.CALLS)
        .select(",".join(columns.OF_LISTS))
        .limit(1),
        "20261130000001_call_trends.sql": client.rpc("call_trends", columns.NO_TIME),
        "20261130000002_do_not_call.sql": client.table("do_not_call").select("id").limit(1),
        "20261130000003_closed_days.sql": client.table("closed_days").select("id").limit(1),
        "20261130000004_campaigns.sql": client.table("call_campaigns")
        .select("campaign_key")
        .limit(1),
    }
    lacking = dict.fromkeys(asked, "the log is not written, or trends are not shown")
    lacking["20261130000002_do_not_call.sql"] = "the do-not-call list is in Redis alone"
    lacking["20261130000003_closed_days.sql"] = "days closed at run time are in Redis alone"
    lacking["20261130000004_campaigns.sql"] = "campaigns are in Redis alone"
    for file, query in asked.items():
        try:
            query.execute()
        except APIError as error:
            yield wrong(
                f"migration {file}",
                f"Not applied ({error.code}): {lacking[file]}.",
                f'psql "$DATABASE_URL" -f vomind_queue/call_log/migrations/{file}',
            )


def _unfit(key: str) -> CheckResult | None:
    """Return a failed check for a key that may not write.

    A key for browsers reads nothing, yet gets no error for reading. Old keys are JSON
    Web Tokens that name their role
    (https://supabase.com/docs/guides/api/api-keys).
    """
    role = "anon" if key.startswith("sb_publishable_") else None
    if key.count(".") == 2:  # noqa: PLR2004
        with suppress(ValueError, AttributeError):
            payload = key.split(".")[1]
            padded = payload + "=" * (-len(payload) % 4)
            role = json.loads(base64.urlsafe_b64decode(padded)).get("role")
    if role in (None, "service_role"):
        return None
    return wrong(
        "Supabase",
        f"The key has the role {role}, which may not write.",
        "Set SUPABASE_SERVICE_KEY to the service-role key or a secret key.",
    )


def _leads(client: Client) -> CheckResult:
    try:
        client.table(_LEADS).select("id").limit(1).execute()
    except APIError as error:
        return fine("table leads", f"not used ({error.code})")
    return fine("table leads", "exists; leads that were called are updated in it")
