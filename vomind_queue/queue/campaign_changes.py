"""Campaigns on their way to the call log, and back into an empty Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vomind_queue.call_log.campaigns import DELETED, CampaignRow
from vomind_queue.calls.campaign import NOT_ENDED, Campaign, CampaignState, Part
from vomind_queue.queue import campaign_record, keys
from vomind_queue.queue.call_record import pairs
from vomind_queue.queue.connection import RedisStore

#: Campaigns that one script restores.
RESTORED_AT_ONCE = 100
#: Where calls are counted of which nothing more is heard, as in `includes/parts.lua`.
_LAST = {
    Part.WAITING: Part.CANCELLED,
    Part.DELAYED: Part.CANCELLED,
    Part.ACTIVE: Part.UNKNOWN,
    Part.ON_LINE: Part.UNKNOWN,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignChange:
    """A campaign that the log does not have as it is now."""

    #: What names it among them, and how often it changed.
    name: str
    changes: str
    row: CampaignRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What the log may lack."""

    #: Tells this run of the server from others: it may come back as it was.
    server: str
    #: Whether the campaigns of this run were compared with the log.
    is_compared: bool
    changes: Sequence[CampaignChange]


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What came of the comparison with the log."""

    #: Campaigns that this server did not have.
    missing: int
    #: Campaigns that it had in an older state, and that were paused, finished or cancelled since.
    stopped: int


class CampaignChanges:
    """Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, token: str) -> None:
        """``token``: names this shipper."""
        self._store = store
        self._token = token

    def pending(self, limit: int) -> Pending:
        """Return up to ``limit`` campaigns that the call log does not have as they are.

        0 asks whether they were compared, and changes nothing.
        """
        answer = self._store.write("unlogged_campaigns", [keys.OUTBOX_CAMPAIGNS], limit)
        server, is_compared, version, *flat = answer
        changes = [
            CampaignChange(name=name, changes=changes, row=_row(name, pairs(fields), int(version)))
            for name, changes, fields in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        ]
        return Pending(server=server, is_compared=bool(is_compared), changes=changes)

    def delivered(self, changes: Sequence[CampaignChange]) -> None:
        """Note that the log has them as they were read."""
        flat = [text for each in changes for text in (each.name, each.changes)]
        self._store.write("campaigns_logged", [keys.OUTBOX_CAMPAIGNS], self._token, *flat)

    def restore(self, rows: Sequence[CampaignRow]) -> Restored:
        """Bring back what is missing, and stop what the log has seen stop since."""
        last = max((int(each.campaign_id) for each in rows), default=0)
        newest = list({each.campaign_id: each for each in rows}.values())
        missing = stopped = 0
        for start in range(0, len(newest), RESTORED_AT_ONCE):
            part = newest[start : start + RESTORED_AT_ONCE]
            is_last = start + RESTORED_AT_ONCE >= len(newest)
            version = max(each.version for each in rows) if is_last else 0
            flat = [text for each in part for text in _told(each)]
            answer = self._store.write("restore_campaigns", [keys.CAMPAIGNS], last, version, *flat)
            missing, stopped = missing + answer[0], stopped + answer[1]
        return Restored(missing=missing, stopped=stopped)

    def note_compared(self, server: str) -> None:
        """Note that the campaigns of this run of the server were compared with the log."""
        self._store.write("campaigns_compared", [keys.OUTBOX_CAMPAIGNS], server)


def _row(name: str, fields: Mapping[str, str], version: int) -> CampaignRow:
    if not fields:
        campaign_id, created = name.split(":")
        return CampaignRow(
            key=_key(campaign_id, int(created)),
            campaign_id=campaign_id,
            version=version,
            name="",
            state=DELETED,
            settings={},
            counts={},
            created_ms=int(created),
        )
    view = campaign_record.view(name, fields)
    return CampaignRow(
        key=_key(name, view.created_ms),
        campaign_id=name,
        version=version,
        name=view.campaign.name,
        state=str(view.state),
        settings=view.campaign.as_data(),
        counts={"total": view.total, **{str(part): n for part, n in view.parts.items()}},
        created_ms=view.created_ms,
        started_ms=view.started_ms,
        ended_ms=view.ended_ms,
        steered_by=view.steered_by,
    )


def _key(campaign_id: str, created_ms: int) -> str:
    return f"{created_ms:015d}-{campaign_id:0>15}"


def _told(row: CampaignRow) -> tuple[Any, ...]:
    """Return a row as `restore_campaigns` takes it."""
    record = "" if row.state == DELETED else _record(row)
    by = row.steered_by or ""
    return row.campaign_id, row.created_ms, row.version, row.state, by, record


def _record(row: CampaignRow) -> str:
    """Return the record of a campaign whose calls are gone, as `restore_campaigns` takes it.

    A draft without calls is as it was. Any other that had not ended is cancelled, by nobody: none
    of its calls is left to be placed.
    """
    total, state = row.counts["total"], CampaignState(row.state)
    is_lost = state in NOT_ENDED and not (state is CampaignState.DRAFT and total == 0)
    data, *settings = campaign_record.settings(Campaign.from_data(row.settings))
    fields: dict[str, Any] = {
        "data": data,
        **dict(zip(settings[::2], settings[1::2], strict=True)),
        "state": str(CampaignState.CANCELLED if is_lost else state),
        "at": row.created_ms,
        "started": row.started_ms,
        "ended": row.ended_ms,
        "by": None if is_lost else row.steered_by,
        **_counts(row.counts),
    }
    flat = [str(part) for each in fields.items() if each[1] not in (None, "") for part in each]
    return json.dumps(flat, ensure_ascii=False)


def _counts(known: Mapping[str, int]) -> dict[str, int]:
    counts = {f"n:{name}": number for name, number in known.items() if number}
    for part, last in _LAST.items():
        if number := counts.pop(f"n:{part}", 0):
            counts[f"n:{last}"] = counts.get(f"n:{last}", 0) + number
    return counts
