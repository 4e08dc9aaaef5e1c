"""Lists that are read and accepted outside of the request, by a separate process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from vomind_queue.errors import ListBusy, ListNotRead
from vomind_queue.lists.models import Answers
from vomind_queue.lists.work import ListState, ListWork
from vomind_queue.usecases.stage_lists import StageLists

#: Starts the process that does a list's work: gets the ids of campaign and list, and the token.
Start = Callable[[str, str, str], None]


class Store(Protocol):
    """Where the work is kept."""

    #: Rows of a page.
    on_page: int
    #: How often work that broke off is begun again.
    most_tries: int

    def find(self, campaign_id: str, list_id: str) -> ListWork | None: ...
    def begin(
        self,
        list_id: str,
        state: ListState,
        old: Answers | None = None,
        new: Answers | None = None,
    ) -> tuple[str, int]: ...
    def end(self, list_id: str, token: str, state: ListState, *, fault: str = "") -> None: ...
    def page(self, work: ListWork, number: int) -> Sequence[Mapping[str, Any]]: ...


class LargeLists:
    """Large lists. Everything may raise StoreUnavailable and ListNotFound."""

    def __init__(self, store: Store, lists: StageLists, start: Start) -> None:
        self._store = store
        self._lists = lists
        self._start = start

    def stage(self, campaign_id: str, filename: str, raw: bytes) -> ListWork:
        """Keep a file, and begin to read it. Raise CampaignNotFound, TooManyLists."""
        list_id = self._lists.keep(campaign_id, filename, raw)
        return self._begin(campaign_id, list_id, ListState.READING)

    def find(self, campaign_id: str, list_id: str) -> ListWork | None:
        """Return a large list, whose work goes on if it broke off; ``None`` for a small one."""
        work = self._store.find(campaign_id, list_id)
        if not work or not work.is_broken_off:
            return work
        try:
            return self._begin(campaign_id, list_id, work.state)
        except ListBusy:
            # Another request was quicker.
            return self._store.find(campaign_id, list_id)

    def answer(self, work: ListWork, said: Mapping[str, Any]) -> ListWork:
        """Add to what was said of a list, and begin to read it again.

        Raise QueueError where another request was quicker, or where it is being accepted.
        """
        answers = work.answers.with_said(said)
        return self._begin(work.campaign_id, work.list_id, ListState.READING, work.answers, answers)

    def accept(self, work: ListWork) -> ListWork:
        """Begin to give the campaign the calls of a list. Raise ListNotRead."""
        if work.state is ListState.READING or work.pages is None:
            raise ListNotRead(work.fault or f"List {work.list_id} is still being read.")
        if work.state is ListState.ACCEPTING:
            return work
        return self._begin(work.campaign_id, work.list_id, ListState.ACCEPTING)

    def rows(self, work: ListWork, start: int, end: int) -> list[Mapping[str, Any]]:
        """Return rows ``start`` to ``end``, both included."""
        size = self._store.on_page
        first = start // size
        pages = [self._store.page(work, number) for number in range(first, end // size + 1)]
        rows = [row for page in pages for row in page]
        return rows[start - first * size : end - first * size + 1]

    def all_rows(self, work: ListWork) -> Iterator[Mapping[str, Any]]:
        """Yield each row."""
        number = 0
        while page := self._store.page(work, number):
            yield from page
            number += 1

    def _begin(
        self,
        campaign_id: str,
        list_id: str,
        state: ListState,
        old: Answers | None = None,
        new: Answers | None = None,
    ) -> ListWork:
        token, tries = self._store.begin(list_id, state, old, new)
        if tries > self._store.most_tries:
            fault = "It was begun several times, and the process ended each time; split the list."
            self._store.end(list_id, token, ListState.FAILED, fault=fault)
        else:
            self._start(campaign_id, list_id, token)
        work = self._store.find(campaign_id, list_id)
        assert work is not None  # noqa: S101  (it has a state)
        return work
