"""Campaigns in the call log: each as it was last known. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

#: State of a campaign that was deleted; nothing else is left of it.
DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignRow:
    """One campaign. Times are unix milliseconds on the clock of the Redis server."""

    #: Orders campaigns by time, and is its own even where ids begin again.
    key: str
    campaign_id: str
    #: Grows with every delivery, so that a late one never undoes a newer one.
    version: int
    name: str
    #: As in the API, or `DELETED`.
    state: str
    #: All that was asked for, as the API shows it.
    settings: Mapping[str, Any]
    #: Calls by where they are or how they ended, and their total.
    counts: Mapping[str, int]
    created_ms: int
    started_ms: int | None = None
    #: When it finished, was cancelled or deleted; the state says which.
    ended_ms: int | None = None
    #: Who started, paused, resumed or cancelled it last.
    steered_by: str | None = None


class CampaignLog(Protocol):
    """Where the rows are; writes may be repeated or come late. May raise LogUnavailable."""

    def keep(self, rows: Sequence[CampaignRow]) -> None:
        """Store rows, each in the place of an older one."""
        ...

    def after(self, key: str, limit: int) -> Sequence[CampaignRow]:
        """Return up to ``limit`` rows in the order of their keys, those after that one."""
        ...
