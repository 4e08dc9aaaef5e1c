"""Work on large lists: fields of their hashes, and the rows that were read, in pages.

Fields: ``state``, ``token`` (of the work), ``seen`` (its last sign of life, unix ms), ``tries``,
``done`` and ``total`` (rows), ``fault``, ``summary`` (JSON) and ``pages`` (the token of the pages
that are shown). A page has `ON_PAGE` rows: JSON, compressed, in base64.
"""

from __future__ import annotations

import base64
import json
import secrets
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from vomind_queue.errors import ListBusy, ListNotFound, QueueError
from vomind_queue.lists import last_digits
from vomind_queue.lists.models import Answers, ReadList
from vomind_queue.lists.work import WORKED, ListState, ListWork
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.staged_lists import KEPT_MS, StagedLists, dump

#: Rows of a page.
ON_PAGE = 500
#: After how long without a sign of life work was broken off, ms.
PATIENCE_MS = 60_000
#: How often it is begun again.
MOST_TRIES = 3
_FIELDS = (
    "campaign", "filename", "answers", "state", "seen", "done", "total", "fault", "pages",
    "summary",
)  # fmt: skip


class ListWorkStore:
    """The work. Everything may raise StoreUnavailable."""

    on_page = ON_PAGE
    most_tries = MOST_TRIES

    def __init__(self, store: RedisStore, lists: StagedLists) -> None:
        self._store = store
        self._lists = lists

    def find(self, campaign_id: str, list_id: str) -> ListWork | None:
        """Return a large list; ``None`` for a small one. Raise ListNotFound."""
        values = self._store.ask("HMGET", keys.STAGED_LIST + list_id, *_FIELDS)
        fields = dict(zip(_FIELDS, values, strict=True))
        if fields["campaign"] != campaign_id:
            raise ListNotFound(list_id)
        if fields["state"] is None:
            return None
        state = ListState(fields["state"])
        silent_ms = self._store.now_ms() - int(fields["seen"])
        return ListWork(
            campaign_id=campaign_id,
            list_id=list_id,
            filename=fields["filename"],
            answers=Answers(**json.loads(fields["answers"])),
            state=state,
            done=int(fields["done"] or 0),
            total=int(fields["total"] or 0),
            fault=fields["fault"] or "",
            is_broken_off=state in WORKED and silent_ms > PATIENCE_MS,
            pages=fields["pages"],
            summary=json.loads(fields["summary"] or "{}"),
        )

    def begin(
        self,
        list_id: str,
        state: ListState,
        old: Answers | None = None,
        new: Answers | None = None,
    ) -> tuple[str, int]:
        """Begin to read or accept a list; return the work's token, and how often it broke off.

        Raise ListNotFound, ListBusy, and QueueError where its answers were changed meanwhile.
        """
        token = secrets.token_urlsafe(9)
        said = [dump(each) if each else "" for each in (old, new)]
        answer = self._store.run_with_deadline(
            "begin_list_work", keys.STAGED_LISTS, list_id, KEPT_MS, token, state.value,
            PATIENCE_MS, *said,
        )  # fmt: skip
        if answer[0] == Code.MISSING:
            raise ListNotFound(list_id)
        if answer[0] == Code.MISMATCH:
            raise QueueError(f"List {list_id} is being changed by others: try again.")
        if answer[0] == Code.WRONG_STATE:
            raise ListBusy(list_id)
        return token, int(answer[2])

    def note(self, list_id: str, token: str, done: int, total: int) -> bool:
        """Note how far that work is; return whether it is to go on. Raise ListNotFound."""
        return self._lists.put(list_id, token, "list", {"done": str(done), "total": str(total)})

    def know(self, list_id: str, token: str, found: ReadList) -> bool:
        """Keep by what people are found in it, as `note` does."""
        tails = " ".join(sorted(last_digits.of_list(found)))
        return self._lists.put(list_id, token, "list", {"tails": tails})

    def put_page(
        self, list_id: str, token: str, number: int, rows: Sequence[Mapping[str, Any]]
    ) -> bool:
        """Keep a page of rows, as `note` does."""
        text = json.dumps(rows, separators=(",", ":"))
        page = base64.b64encode(zlib.compress(text.encode())).decode()
        return self._lists.put(list_id, token, "pages", {str(number): page})

    def end(
        self,
        list_id: str,
        token: str,
        state: ListState,
        *,
        fault: str = "",
        summary: Mapping[str, Any] | None = None,
    ) -> None:
        """End that work; with a summary its pages are shown from now on."""
        self._store.run_with_deadline(
            "end_list_work", keys.STAGED_LISTS, list_id, KEPT_MS, token, state.value, fault,
            json.dumps(summary) if summary else "",
        )  # fmt: skip

    def page(self, work: ListWork, number: int) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a page; none where there is no such page."""
        if work.pages is None:
            return []
        name = f"{keys.LIST_PAGES}{work.list_id}:{work.pages}"
        text = self._store.ask("HGET", name, str(number))
        if text is None:
            return []
        found: list[Mapping[str, Any]] = json.loads(zlib.decompress(base64.b64decode(text)))
        return found
