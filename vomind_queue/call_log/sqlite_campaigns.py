"""Campaigns in the SQLite file of the call log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields

from vomind_queue.call_log.campaigns import CampaignRow
from vomind_queue.call_log.sqlite import SqliteLog

_NAMES = tuple(each.name for each in fields(CampaignRow))
#: Kept as JSON.
_OBJECTS = ("settings", "counts")
# Names of columns are ours; values are always given apart.
_PUT = (
    f"INSERT INTO call_campaigns ({', '.join(_NAMES)}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(_NAMES))}) ON CONFLICT (key) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in _NAMES)} "
    "WHERE excluded.version >= version"
)
_AFTER = "SELECT * FROM call_campaigns WHERE key > ? ORDER BY key LIMIT ?"


class SqliteCampaigns:
    """The table `call_campaigns`."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log

    def keep(self, rows: Sequence[CampaignRow]) -> None:
        """Store rows, each in the place of an older one."""
        with self._log.writing() as database:
            for row in rows:
                values = ((name, getattr(row, name)) for name in _NAMES)
                flat = [
                    json.dumps(value, ensure_ascii=False) if name in _OBJECTS else value
                    for name, value in values
                ]
                database.execute(_PUT, flat)

    def after(self, key: str, limit: int) -> Sequence[CampaignRow]:
        """Return rows in the order of their keys."""
        found = self._log.read(_AFTER, [key, limit], "call_campaigns")
        objects = ({name: json.loads(each[name]) for name in _OBJECTS} for each in found)
        return [
            CampaignRow(**{**dict(each), **more}) for each, more in zip(found, objects, strict=True)
        ]
