"""Read or accept one large list, in a separate process, and keep what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from vomind_queue.errors import QueueError, StoreUnavailable
from vomind_queue.lists.columns import Hints
from vomind_queue.lists.models import ReadList, UnreadableList
from vomind_queue.lists.preview import Fate
from vomind_queue.lists.refused import own_cells
from vomind_queue.lists.work import WORKED, ListState, ListWork
from vomind_queue.usecases.stage_lists import Judge, Seen, StageLists, check_legible

#: Time between two signs of life, s.
NOTE_S = 2.0
#: The longest rest between two steps of accepting, s.
_LONGEST_REST_S = 1.0


class Superseded(Exception):
    """Other work goes on with that list."""


class Store(Protocol):
    """Where the work is kept."""

    #: Rows of a page.
    on_page: int

    def find(self, campaign_id: str, list_id: str) -> ListWork | None: ...
    def note(self, list_id: str, token: str, done: int, total: int) -> bool: ...
    def know(self, list_id: str, token: str, found: ReadList) -> bool: ...
    def put_page(
        self, list_id: str, token: str, number: int, rows: Sequence[Mapping[str, Any]]
    ) -> bool: ...
    def end(
        self,
        list_id: str,
        token: str,
        state: ListState,
        *,
        fault: str = "",
        summary: Mapping[str, Any] | None = None,
    ) -> None: ...


class ReadLargeList:
    """One piece of work. Everything may raise StoreUnavailable, ListNotFound and Superseded."""

    def __init__(
        self,
        store: Store,
        lists: StageLists,
        judge: Judge,
        hints: Hints,
        *,
        campaign_id: str,
        list_id: str,
        token: str,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._lists = lists
        self._judge = judge
        self._hints = hints
        self._campaign_id = campaign_id
        self._list_id = list_id
        self._token = token
        self._rest = rest
        #: When the last step of accepting began, by the monotonic clock.
        self._began: float | None = None
        #: Rows that are done, and rows in all.
        self._far = (0, 0)

    def run(self) -> None:
        """Do what the list's state says."""
        work = self._store.find(self._campaign_id, self._list_id)
        if work is None or work.state not in WORKED:
            # It is done: a process that was started again must not undo that.
            raise Superseded
        self.note()
        try:
            self._accept() if work.state is ListState.ACCEPTING else self._read()
        except UnreadableList as error:
            self._fail(str(error))
        except MemoryError:
            self._fail("Reading it takes too much memory; split the list.")
        except StoreUnavailable:
            raise
        except QueueError as error:
            # The campaign has gone, or takes no calls.
            self._fail(str(error))

    def note(self) -> None:
        """Give a sign of life."""
        self._check(going_on=self._store.note(self._list_id, self._token, *self._far))

    def keep_noting(self, stopped: threading.Event) -> None:
        """Do so until stopped, however long a step takes; what Redis does not take is left out."""
        while not stopped.wait(NOTE_S):
            try:
                self.note()
            except StoreUnavailable:
                continue

    def _tell(self, done: int, total: int) -> None:
        self._far = (done, total)

    def _tell_sent(self, done: int, total: int) -> None:
        if self._began is not None:
            # Redis and the log of calls are left to calls for half of the time.
            self._rest(min(time.monotonic() - self._began, _LONGEST_REST_S))
        self._began = time.monotonic()
        # Before each part: other work may have begun meanwhile.
        self._far = (done, total)
        self.note()

    @staticmethod
    def _check(*, going_on: bool) -> None:
        if not going_on:
            raise Superseded

    def _read(self) -> None:
        seen = self._seen()
        check_legible(seen.found)
        self._end(ListState.READY, seen)

    def _accept(self) -> None:
        seen = self._seen()
        if seen.preview.questions:
            # What was clear may not be so by now: the same rows were accepted of another list.
            self._end(ListState.READY, seen)
            return
        self._end(
            ListState.ACCEPTED, seen, self._lists.accept(self._list_id, seen, self._tell_sent)
        )

    def _seen(self) -> Seen:
        seen = self._lists.preview(
            self._campaign_id, self._list_id, self._judge, self._hints, self._tell
        )
        # Before anybody sees its rows: who forgets a person looks for them by that.
        self._check(going_on=self._store.know(self._list_id, self._token, seen.found))
        return seen

    def _end(self, state: ListState, seen: Seen, jobs: Mapping[str, str] | None = None) -> None:
        rows, size = list(_rows(seen, jobs or {})), self._store.on_page
        for number, start in enumerate(range(0, len(rows), size)):
            page = rows[start : start + size]
            self._check(going_on=self._store.put_page(self._list_id, self._token, number, page))
        summary = {"found": seen.found.found(), **seen.preview.as_data()}
        summary["readAt"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if jobs is not None:
            summary["count"] = sum("jobId" in row for row in rows)
        self._store.end(self._list_id, self._token, state, summary=summary)

    def _fail(self, fault: str) -> None:
        self._store.end(self._list_id, self._token, ListState.FAILED, fault=fault)


def _rows(seen: Seen, jobs: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Yield each row as JSON has it, refused ones with their own cells."""
    for row in seen.preview.rows:
        data = row.as_data()
        if row.digest in jobs:
            data["jobId"] = jobs[row.digest]
        if row.fate is Fate.REFUSED:
            data["cells"] = own_cells(seen.found, row)
        yield data
