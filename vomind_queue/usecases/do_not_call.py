"""Put numbers on the do-not-call list, and end all calls to them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from vomind_queue.calls.call import mask_number
from vomind_queue.calls.do_not_call import Added, Entry, EntryPage, Wish, same_phone
from vomind_queue.errors import JobNotFound, NumberListed, NumberNotListed, StoreUnavailable
from vomind_queue.recurring.schedule import Removed
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)

#: How long a request spends on ending waiting calls, s. The rest end when their turn comes.
ENDING_S = 1.0
#: The same while the person who pressed the key listens.
LISTENING_S = 0.2


class List(Protocol):
    """What this needs of the list."""

    def add(
        self, numbers: Sequence[str], wish: Wish, *, end_call: bool = False
    ) -> Iterator[Added]: ...
    def remove(self, number: str, wish: Wish) -> bool: ...
    def entry(self, number: str) -> Entry | None: ...
    def listed(self, numbers: Sequence[str]) -> frozenset[str]: ...
    def page(self, after: int | None, limit: int) -> EntryPage: ...
    def end_waiting(self, within_s: float) -> tuple[Sequence[str], bool]: ...
    def on_the_line(self, number: str, *, end: bool = False, by: str = "") -> Sequence[str]: ...


class RecurringStore(Protocol):
    """What this needs of the recurring calls."""

    def remove(self, schedule_id: str) -> Removed: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """What was done when numbers were listed."""

    added: Sequence[Added]
    #: Calls that waited or were delayed, and were ended.
    cancelled: int
    #: Recurring calls that were removed.
    recurring: int
    #: Calls whose phone rings or may ring.
    being_placed: Sequence[str]
    #: Whether all waiting calls were checked; the rest end when their turn comes.
    complete: bool


class DoNotCall:
    """The list and its consequences for calls. Everything may raise StoreUnavailable."""

    def __init__(self, numbers: List, recurring_store: RecurringStore, deeds: Deeds) -> None:
        self._list = numbers
        self._recurring_store = recurring_store
        self._deeds = deeds

    def put(self, number: str, wish: Wish, *, end_call: bool = False) -> Listed:
        """List a number; once this returns, no call to it starts.

        ``end_call``: end the calls to it that are on the line.
        """
        listed = self._put([number], wish, end_call=end_call)
        line = [
            job_id
            for each in same_phone(number)
            for job_id in self._list.on_the_line(each, end=end_call, by=wish.by)
        ]
        self._deeds.note(wish.by, "do-not-call", to=mask_number(number), source=wish.source)
        logger.info("number put on the do-not-call list", extra={"to": mask_number(number)})
        return replace(listed, being_placed=list(dict.fromkeys([*listed.being_placed, *line])))

    def opt_out(self, number: str, job_id: str, digit: str) -> None:
        """List the number of a person who pressed the key for it during a call."""
        reason = f"Pressed {digit} in call {job_id}."
        wish = Wish(by="the person called", source="key-press", reason=reason)
        fields = {"job_id": job_id, "to": mask_number(number)}
        try:
            self._put([number], wish, within_s=LISTENING_S)
        except StoreUnavailable:
            logger.exception("opt-out by key lost", extra=fields)
            raise
        self._deeds.note(wish.by, "do-not-call", job_id, source=wish.source)
        logger.warning("opted out by key", extra=fields)

    def put_many(self, numbers: Sequence[str], wish: Wish) -> Listed:
        """List many numbers. Safe to repeat: a number that is listed keeps its entry."""
        listed = self._put(numbers, wish)
        new = sum(each.is_new for each in listed.added)
        self._deeds.note(wish.by, "do-not-call of many", numbers=new, source=wish.source)
        logger.info("%d numbers put on the do-not-call list", new)
        return listed

    def _put(
        self,
        numbers: Sequence[str],
        wish: Wish,
        *,
        end_call: bool = False,
        within_s: float | None = None,
    ) -> Listed:
        both = list(dict.fromkeys(each for number in numbers for each in same_phone(number)))
        added: list[Added] = []
        try:
            # What was yielded before an error stays in the list.
            added.extend(self._list.add(both, wish, end_call=end_call))
            ended, complete = self._list.end_waiting(ENDING_S if within_s is None else within_s)
            cancelled, recurring = self._remove_recurring(added)
        except StoreUnavailable as error:
            if not added:
                raise
            raise StoreUnavailable(str(error), outcome_unknown=True) from error
        cancelled += len(ended)
        asked = set(numbers)
        return Listed(
            added=[each for each in added if each.number in asked],
            cancelled=cancelled,
            recurring=recurring,
            being_placed=[each.being_placed for each in added if each.being_placed],
            complete=complete,
        )

    def _remove_recurring(self, added: Iterable[Added]) -> tuple[int, int]:
        """Remove the recurring calls to numbers; return how many calls ended, and of how many."""
        cancelled = recurring = 0
        for schedule_id in dict.fromkeys(each for one in added for each in one.recurring):
            # Somebody else may have removed it meanwhile.
            with suppress(JobNotFound):
                cancelled += len(self._recurring_store.remove(schedule_id).cancelled)
                recurring += 1
        return cancelled, recurring

    def remove(self, number: str, by: str, reason: str) -> None:
        """Take a number off the list. Raise NumberNotListed."""
        wish = Wish(by=by, source="api", reason=reason)
        removed = [self._list.remove(each, wish) for each in same_phone(number)]
        if not any(removed):
            raise NumberNotListed
        to = mask_number(number)
        self._deeds.note(by, "do-not-call removed", to=to, reason=reason)
        logger.warning("number taken off the do-not-call list", extra={"to": to})

    def entry(self, number: str) -> Entry | None:
        """Return the entry of a number; ``None`` where it is not on the list."""
        return self._list.entry(number)

    def listed(self, numbers: Sequence[str]) -> frozenset[str]:
        """Return those of many numbers that are on the list."""
        return self._list.listed(numbers)

    def refuse(self, number: str) -> None:
        """Raise NumberListed for a number on the list."""
        if self._list.entry(number) is not None:
            raise NumberListed

    def page(self, after: int | None, limit: int) -> EntryPage:
        """Return up to ``limit`` entries, newest first; ``after``: place of the last one before."""
        return self._list.page(after, limit)
