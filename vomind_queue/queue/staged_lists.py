"""Lists that were uploaded, for a day: each in a hash that goes by itself, with others beside it.

Its fields: ``campaign``, ``filename``, ``answers`` (JSON), ``size`` (bytes of the file as it is
kept), ``tails`` (the last digits of all that may be a number in it) and, while calls are made of
some of its rows, ``sending`` (JSON: their digests, and the idempotency key). `list_work.py` has
those of large lists. The file is beside it: compressed, in base64, in parts.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from vomind_queue.errors import ListNotFound, QueueError, TooManyLists
from vomind_queue.lists import last_digits
from vomind_queue.lists.models import Answers, ReadList, Sending, StagedList
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore

#: How long a list is kept, and for how long it is known which rows were accepted, ms.
KEPT_MS = 24 * 3600 * 1000
ROWS_KEPT_MS = 7 * KEPT_MS
#: Lists that are kept at once, and what their files may take together, bytes: they are in Redis's
#: memory. What is read of large ones takes about as much again.
MOST_LISTS = 50
MOST_STORED = 256 * 1024 * 1024
#: Rows that one command asks for, and characters of a file: no command holds up the server.
_AT_ONCE = 1_000
_PART = 512 * 1024
#: The states of a list whose last digits may not be known.
READING, FAILED = "reading", "failed"


class StagedLists:
    """The lists. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def add(self, staged: StagedList, found: ReadList | None) -> str:
        """Keep a list; return its id. ``found``: ``None`` where it is still to be read.

        Raise TooManyLists.
        """
        text = base64.b64encode(zlib.compress(staged.raw)).decode()
        tails = " ".join(sorted(last_digits.of_list(found))) if found else ""
        fields = {
            "campaign": staged.campaign_id,
            "filename": staged.filename,
            "answers": dump(staged.answers),
            "tails": tails,
            **({} if found else {"state": READING, "seen": "0"}),
        }
        flat = [part for pair in fields.items() for part in pair]
        answer = self._store.run_with_deadline(
            "keep_list", keys.LAST_LIST, KEPT_MS, MOST_LISTS, MOST_STORED, len(text), *flat
        )
        if answer[0] == Code.WRONG_STATE:
            raise TooManyLists(f"{MOST_LISTS} lists are kept already; each goes after a day.")
        if answer[0] == Code.LIMITED:
            raise TooManyLists("The lists that are kept take all of their room; wait a day.")
        list_id = str(answer[2])
        for number, start in enumerate(range(0, len(text), _PART)):
            self.put(list_id, "", "file", {str(number): text[start : start + _PART]})
        return list_id

    def show(self, campaign_id: str, list_id: str) -> StagedList:
        """Return a list of that campaign. Raise ListNotFound."""
        fields = self._store.ask("HGETALL", keys.STAGED_LIST + list_id)
        if not fields or fields.get("campaign") != campaign_id:
            raise ListNotFound(list_id)
        sending = fields.get("sending")
        return StagedList(
            campaign_id=campaign_id,
            filename=fields["filename"],
            raw=self._file(list_id),
            answers=Answers(**json.loads(fields["answers"])),
            jobs=self._jobs(list_id),
            sending=Sending(**json.loads(sending)) if sending else None,
        )

    def _file(self, list_id: str) -> bytes:
        name = keys.LIST_FILE + list_id
        count = self._store.ask("HLEN", name)
        text = "".join(self._store.ask("HGET", name, str(number)) or "" for number in range(count))
        if not text:
            raise ListNotFound(list_id)
        return zlib.decompress(base64.b64decode(text))

    def _jobs(self, list_id: str) -> dict[str, str]:
        """Return the ids of the calls that were made of rows, by what is written of the rows."""
        found: dict[str, str] = {}
        cursor = "0"
        while True:
            cursor, some = self._store.ask(
                "HSCAN", keys.LIST_JOBS + list_id, cursor, "COUNT", _AT_ONCE
            )
            found |= some
            if str(cursor) == "0":
                return found

    def answer(self, list_id: str, old: Answers, new: Answers, found: ReadList) -> None:
        """Keep what was said of a list. Raise ListNotFound, QueueError."""
        # As it is read now, a number may be made of two columns.
        tails = " ".join(sorted(last_digits.of_list(found) - self._tails(list_id)))
        code = self._change(list_id, tails, dump(old), "answers", dump(new))
        if code == Code.MISMATCH:
            raise QueueError(f"List {list_id} is being changed by others: try again.")

    def begin(self, campaign_id: str, list_id: str, sending: Sending) -> None:
        """Note which rows are about to become calls.

        Raise ListNotFound, and QueueError where some were accepted since they were judged.
        """
        text = json.dumps(asdict(sending))
        answer = self._store.run_with_deadline(
            "claim_rows", keys.STAGED_LISTS, list_id, KEPT_MS, campaign_id, ROWS_KEPT_MS,
            sending.key, "1" if sending.again else "", text, *sending.rows,
        )  # fmt: skip
        if answer[0] == Code.MISSING:
            raise ListNotFound(list_id)
        if answer[0] == Code.MISMATCH:
            raise QueueError(f"Rows of list {list_id} were accepted meanwhile: look at it again.")

    def release(self, campaign_id: str, list_id: str, sending: Sending) -> None:
        """Note that those rows did not become calls: the campaign took none."""
        self._store.run_with_deadline(
            "release_rows", keys.STAGED_LISTS, list_id, campaign_id, sending.key, *sending.rows
        )

    def _change(self, list_id: str, tails: str, old: str, field: str, text: str) -> int:
        answer = self._store.run_with_deadline(
            "change_list", keys.STAGED_LISTS, list_id, KEPT_MS, tails, old, field, text
        )
        if answer[0] == Code.MISSING:
            raise ListNotFound(list_id)
        return int(answer[0])

    def accepted(self, campaign_id: str, list_id: str, jobs: Mapping[str, str], again: str) -> None:
        """Keep which rows became calls just now, with the calls' ids. Raise ListNotFound.

        ``again`` tells apart rows that were accepted before.
        """
        flat = [part for pair in jobs.items() for part in pair]
        answer = self._store.run_with_deadline(
            "note_rows", keys.STAGED_LISTS, list_id, KEPT_MS, campaign_id, ROWS_KEPT_MS, again,
            *flat,
        )  # fmt: skip
        if answer[0] == Code.MISSING:
            raise ListNotFound(list_id)

    def accepted_rows(
        self, campaign_id: str, rows: Sequence[str], sending: Sending | None
    ) -> dict[str, int]:
        """Return when rows were accepted before, unix ms, by digest.

        Also those of other lists that are being accepted; ``sending``: those of this one.
        """
        own = sending.key if sending else None
        found: dict[str, int] = {}
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            times = self._store.ask("HMGET", keys.LIST_ROWS + campaign_id, *part)
            for row, text in zip(part, times, strict=True):
                at_ms, _, key = (text or "").partition(" ")
                if at_ms and (not key or key != own):
                    found[row] = int(at_ms)
        return found

    def put(self, list_id: str, token: str, place: str, fields: Mapping[str, str]) -> bool:
        """Add fields to a list, its file or its pages; return whether that work still goes on.

        Raise ListNotFound.
        """
        flat = [part for pair in fields.items() for part in pair]
        answer = self._store.run_with_deadline(
            "put_list_part", keys.STAGED_LISTS, list_id, KEPT_MS, token, place, *flat
        )
        if answer[0] == Code.MISSING:
            raise ListNotFound(list_id)
        return bool(answer[0] == Code.OK)

    def forget(self, number: str) -> int:
        """Remove each list that may have that number; return how many there were.

        Of one that is being read nobody knows it yet, and never will of one that cannot be: they
        go, too.
        """
        tail, gone = number[-last_digits.COUNT :], 0
        for list_id in self._store.ask("ZRANGE", keys.STAGED_LISTS, 0, -1):
            name = keys.STAGED_LIST + list_id
            state, tails = self._store.ask("HMGET", name, "state", "tails")
            is_unknown = state == READING or (state == FAILED and not tails)
            if is_unknown or tail in (tails or "").split():
                self._store.run_with_deadline("remove_list", keys.STAGED_LISTS, list_id)
                gone += 1
        return gone

    def _tails(self, list_id: str) -> set[str]:
        return set((self._store.ask("HGET", keys.STAGED_LIST + list_id, "tails") or "").split())


def dump(answers: Answers) -> str:
    """Return answers as they are kept."""
    return json.dumps(answers.as_data())
