"""Campaigns in a table of Supabase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from postgrest import ReturnMethod
from supabase import Client

from vomind_queue.call_log import columns
from vomind_queue.call_log.campaigns import CampaignRow
from vomind_queue.call_log.supabase_errors import checked, rows_of, translate_errors

TABLE = "call_campaigns"


class SupabaseCampaigns:
    """The table that a migration creates."""

    def __init__(self, client: Client, http: httpx.Client) -> None:
        self._client = client
        self._http = http

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def keep(self, rows: Sequence[CampaignRow]) -> None:
        """Store rows, each in the place of an older one: a trigger compares the versions."""
        query = self._client.table(TABLE).upsert(
            [columns.flat(each) for each in rows],
            on_conflict="campaign_key",
            returning=ReturnMethod.minimal,
        )
        with translate_errors():
            checked(query.execute())

    def after(self, key: str, limit: int) -> Sequence[CampaignRow]:
        """Return rows in the order of their keys."""
        query: Any = self._client.table(TABLE).select("*").gt("campaign_key", key)
        found = rows_of(query.order("campaign_key").limit(limit))
        return [columns.read_campaign(each) for each in found]
