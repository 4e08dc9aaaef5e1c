"""Lists that were uploaded, for a day: each in one hash that goes by itself.

Its fields: ``campaign``, ``filename``, ``answers`` (JSON), ``file`` (compressed, in base64),
``tails`` (the last digits of all that may be a number in it) and ``jobs`` (JSON, ids by row).
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence

from vomind_queue.errors import ListNotFound, TooManyLists
from vomind_queue.lists.models import Answers, ReadList, StagedList
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore

#: How long a list is kept, and for how long it is known which rows were accepted, s.
KEPT_S = 24 * 3600
ROWS_KEPT_S = 7 * KEPT_S
#: Lists that are kept at once, and what one may take, bytes: they are in Redis's memory.
MOST_LISTS = 50
MOST_STORED = 8 * 1024 * 1024
#: Rows that one command asks for.
_AT_ONCE = 1_000
#: By so many last digits a number is looked for, however it is written.
_TAIL = 7


class StagedLists:
    """The lists. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def add(self, staged: StagedList, found: ReadList) -> str:
        """Keep a list; return its id. Raise TooManyLists."""
        ask, now_ms = self._store.ask, self._store.now_ms()
        file = base64.b64encode(zlib.compress(staged.raw)).decode()
        ask("ZREMRANGEBYSCORE", keys.STAGED_LISTS, "-inf", now_ms)
        if len(file) > MOST_STORED:
            raise TooManyLists("The list is too large even when compressed; split it.")
        if int(ask("ZCARD", keys.STAGED_LISTS)) >= MOST_LISTS:
            raise TooManyLists(f"{MOST_LISTS} lists are kept already; each goes after a day.")
        list_id = str(ask("INCR", keys.LAST_LIST))
        name = keys.STAGED_LIST + list_id
        fields = {
            "campaign": staged.campaign_id,
            "filename": staged.filename,
            "answers": json.dumps(staged.answers.as_data()),
            "file": file,
            "tails": " ".join(sorted(_tails(found))),
        }
        # In the set first: what is not listed there would not be found to be forgotten.
        ask("ZADD", keys.STAGED_LISTS, now_ms + KEPT_S * 1000, list_id)
        ask("HSET", name, *(part for pair in fields.items() for part in pair))
        ask("PEXPIRE", name, KEPT_S * 1000)
        return list_id

    def show(self, campaign_id: str, list_id: str) -> StagedList:
        """Return a list of that campaign. Raise ListNotFound."""
        fields = self._store.ask("HGETALL", keys.STAGED_LIST + list_id)
        if not fields or fields.get("campaign") != campaign_id:
            raise ListNotFound(list_id)
        return StagedList(
            campaign_id=campaign_id,
            filename=fields["filename"],
            raw=zlib.decompress(base64.b64decode(fields["file"])),
            answers=Answers(**json.loads(fields["answers"])),
            jobs=json.loads(fields.get("jobs", "{}")),
        )

    def answer(self, list_id: str, answers: Answers) -> None:
        """Keep what was said of a list."""
        self._set(list_id, "answers", json.dumps(answers.as_data()))

    def accepted(self, list_id: str, jobs: Mapping[str, str]) -> None:
        """Keep the ids of the calls that were made of its rows."""
        self._set(list_id, "jobs", json.dumps(dict(jobs)))

    def _set(self, list_id: str, name: str, text: str) -> None:
        # A hash that has just gone does not come back without an expiry.
        self._store.ask("HSET", keys.STAGED_LIST + list_id, name, text)
        self._store.ask("PEXPIRE", keys.STAGED_LIST + list_id, KEPT_S * 1000)

    def accepted_rows(self, campaign_id: str, rows: Sequence[str]) -> dict[str, int]:
        """Return when rows were accepted before, unix ms, by digest."""
        found: dict[str, int] = {}
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            times = self._store.ask("HMGET", keys.LIST_ROWS + campaign_id, *part)
            pairs = zip(part, times, strict=True)
            found |= {row: int(at_ms) for row, at_ms in pairs if at_ms is not None}
        return found

    def remember(self, campaign_id: str, rows: Iterable[str]) -> None:
        """Note that rows were accepted now."""
        name, now_ms = keys.LIST_ROWS + campaign_id, self._store.now_ms()
        flat = [part for row in rows for part in (row, now_ms)]
        if flat:
            self._store.ask("HSET", name, *flat)
            self._store.ask("PEXPIRE", name, ROWS_KEPT_S * 1000)

    def forget(self, number: str) -> int:
        """Remove each list that may have that number; return how many there were."""
        tail, gone = number[-_TAIL:], 0
        for list_id in self._store.ask("ZRANGE", keys.STAGED_LISTS, 0, -1):
            name = keys.STAGED_LIST + list_id
            if tail in (self._store.ask("HGET", name, "tails") or "").split():
                self._store.ask("DEL", name)
                self._store.ask("ZREM", keys.STAGED_LISTS, list_id)
                gone += 1
        return gone


def _tails(found: ReadList) -> set[str]:
    """Return the last digits of all cells that may hold a number, and of the numbers read."""
    tails = {row.to[-_TAIL:] for row in found.rows if row.to}
    for record in found.records.values():
        for cell in (*record.cells, record.raw):
            for text in re.findall(r"[\d\s().+/-]{7,}", str(cell or "")):
                digits = re.sub(r"\D", "", text)
                tails |= {digits[-_TAIL:]} if len(digits) >= _TAIL else set()
    return tails
