"""Lines of the log as the tables in PostgreSQL have them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from vomind_queue.call_log.campaigns import CampaignRow
from vomind_queue.call_log.models import CallEvent, CallRow
from vomind_queue.call_log.trends import Step

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Fields whose columns have another name; all times are columns of the type timestamptz.
_NAMES = {"key": "call_key", "time_ms": "time"}

#: Columns of the migration for lists; the database fills in the first two.
OF_LISTS = ("list_key", "list_outcome", "options", "campaign_id")
#: Arguments of the function `call_trends` for which it reads nothing.
NO_TIME = {"since": _EPOCH.isoformat(), "until": _EPOCH.isoformat(), "step_ms": 60_000}

#: What anonymizing leaves of a row and of an event.
BLANK_ROW = dict.fromkeys(("to_number", "lead_id", "message", "metadata", "failure", "options"))
BLANK_EVENT: Mapping[str, Any] = {"from_number": None, "to_number": None, "details": {}}


def _column(name: str) -> str:
    return _NAMES.get(name, name.replace("_ms", "_at") if name.endswith("_ms") else name)


_ROW = {each.name: _column(each.name) for each in fields(CallRow)}
_EVENT = {each.name: _column(each.name) for each in fields(CallEvent)}
_CAMPAIGN = {each.name: _column(each.name) for each in fields(CampaignRow)} | {
    "key": "campaign_key"
}
_COLUMNS: Mapping[type, Mapping[str, str]] = {
    CallRow: _ROW, CallEvent: _EVENT, CampaignRow: _CAMPAIGN
}  # fmt: skip


def first_names(kind: type[CallRow | CallEvent]) -> list[str]:
    """Return the columns that a table has had from the first migration on."""
    return [each for each in (_ROW if kind is CallRow else _EVENT).values() if each not in OF_LISTS]


def time(unix_ms: int) -> str:
    """Return a time as PostgreSQL reads it."""
    return (_EPOCH + timedelta(milliseconds=unix_ms)).isoformat(timespec="milliseconds")


def flat(line: CallRow | CallEvent | CampaignRow) -> dict[str, Any]:
    """Return a line by the names of its columns."""
    found = {}
    for name, column in _COLUMNS[type(line)].items():
        value = getattr(line, name)
        found[column] = time(value) if name.endswith("_ms") and value is not None else _clean(value)
    return found


def read_row(found: Mapping[str, Any]) -> CallRow:
    """Return the inverse of `flat`."""
    values = _values(found, _ROW)
    if values["price"] is not None:
        values["price"] = str(values["price"])
    return CallRow(**values)


def read_event(found: Mapping[str, Any]) -> CallEvent:
    """Return the inverse of `flat`."""
    return CallEvent(**_values(found, _EVENT))


def read_campaign(found: Mapping[str, Any]) -> CampaignRow:
    """Return the inverse of `flat`."""
    return CampaignRow(**_values(found, _CAMPAIGN))


def read_step(found: Mapping[str, Any]) -> Step:
    """Return a step of the answer of the function `call_trends`."""
    waits = {int(wait_ms): number for wait_ms, number in found["waits"].items()}
    return Step.of(_ms(found["at"]) or 0, found["outcomes"], waits)


def _values(found: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: _ms(found[column]) if name.endswith("_ms") else found[column]
        for name, column in names.items()
    }


def _ms(text: str | None) -> int | None:
    return None if text is None else unix_ms(text)


def unix_ms(text: str) -> int:
    """Return the inverse of `time`."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


def _clean(value: Any) -> Any:
    """PostgreSQL has no place for the character NUL, which JSON has."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, Mapping):
        return {_clean(name): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value
