"""Days that operators closed at run time, in one hash: a day each, and ``version``.

The version is fresh after each change. The script that writes the dial marker compares it, so that
no call starts by the days that were closed before.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.rules.law import ClosedDay, closed_day

_VERSION = "version"
#: Days that are closed at once, ranges counted as one.
MOST = 1_000


class ClosedDays:
    """The days. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def version(self) -> str:
        """Return what tells these days from those before and after."""
        return self._store.ask("HGET", keys.CLOSED_DAYS, _VERSION) or ""

    def read(self) -> tuple[str, tuple[ClosedDay, ...]]:
        """Return the version and the days in order. Raise ValueError where they cannot be read."""
        with translate_errors(writes=False):
            found: Any = self._store.client.hgetall(keys.CLOSED_DAYS)
        version = found.pop(_VERSION, "")
        days = (_day(*each) for each in found.items())
        return version, tuple(sorted(days, key=lambda each: (each.day, each.id)))

    def close(self, day: ClosedDay, by: str) -> bool:
        """Close a day; return false where there is no room for more. Safe to repeat."""
        return self._change(day.id, _wish(replace(day, by=by))) != Code.WRONG_STATE

    def reopen(self, day_id: str) -> bool:
        """Open a day again; return whether it was closed. What it held is judged again."""
        return self._change(day_id, "") != Code.MISSING

    def restore(self, days: Sequence[ClosedDay]) -> int:
        """Close those of some days that are not; return how many they were."""
        flat = [text for day in days for text in (day.id, _entry(day))]
        if not flat:
            return 0
        version = secrets.token_urlsafe(9)
        _, missing = self._store.write("restore_days", [keys.CLOSED_DAYS], version, *flat)
        return int(missing)

    def _change(self, day_id: str, wish: str) -> Code:
        code, _ = self._store.run_with_deadline(
            "close_day", keys.CLOSED_DAYS, day_id, wish, secrets.token_urlsafe(9), MOST
        )
        return Code(code)


def _wish(day: ClosedDay) -> str:
    return json.dumps({"by": day.by, "reason": day.reason}, ensure_ascii=False)


def _entry(day: ClosedDay) -> str:
    return f"{day.at_ms or 0} {_wish(day)}"


def _day(day_id: str, text: str) -> ClosedDay:
    at_ms, wish = text.split(" ", 1)
    return replace(closed_day(day_id), at_ms=int(at_ms), **json.loads(wish))
