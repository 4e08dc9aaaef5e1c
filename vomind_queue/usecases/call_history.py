"""Calls of the past are read from the call log, and a person is forgotten everywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from vomind_queue.call_log.models import FINAL_STATES, CallEvent, CallRow, Erased, Search
from vomind_queue.call_log.protocol import CallLog
from vomind_queue.call_log.trends import Span, Step, Window, window
from vomind_queue.calls.call import OPTIONS, Call, Priority, mask_number
from vomind_queue.calls.do_not_call import same_phone
from vomind_queue.calls.phone_number import PhoneNumber
from vomind_queue.errors import CallRefused, JobNotFound, LogUnavailable, WrongState

logger = logging.getLogger(__name__)

#: Calls that are taken out of the log in one go.
ERASED_AT_ONCE = 200


class Erasure(Protocol):
    """What forgetting needs of the queue."""

    def forget(self, number: str) -> tuple[Mapping[str, str], Sequence[str]]: ...


class DoNotCallList(Protocol):
    """What forgetting needs of the do-not-call list."""

    def forget(self, number: str) -> bool | None: ...


class Listing(Protocol):
    """What shows calls where there is no log."""

    def find(self, search: Search) -> tuple[Sequence[CallRow], str | None]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A page of calls."""

    rows: Sequence[CallRow]
    #: Where the next page begins; ``None`` when there is none.
    cursor: str | None
    #: Newest first. Otherwise the queue was read: in its own order, without calls that left it.
    from_log: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Trends:
    """What became of calls over time."""

    window: Window
    #: Those with a call, in order.
    steps: Sequence[Step]


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What was done to forget a number."""

    #: Calls that were waiting or delayed, and will not be made.
    cancelled: int
    #: Recurring calls that were removed.
    recurring: int
    #: Calls that had ended and were in the queue's history.
    history: int
    #: Ids of calls that are being placed: they are ended and forgotten once Twilio has answered.
    being_placed: Sequence[str]
    #: Whether the do-not-call list has a digest in the place of the number, or keeps the number for
    #: want of a key; ``None``: the number is not on it.
    hashed: bool | None
    #: ``None`` when the log could not be reached, or not to the end.
    log: Erased | None

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be done."""
        return self.log is not None and not self.being_placed


class History:
    """Answers questions about calls of the past."""

    def __init__(
        self, log: CallLog, listing: Listing, erasure: Erasure, numbers: DoNotCallList
    ) -> None:
        self._log = log
        self._numbers = numbers
        self._listing = listing
        self._erasure = erasure

    def find(self, search: Search) -> Found:
        """Return a page of calls. Raise LogUnavailable; without a log, StoreUnavailable."""
        if self._log.is_there():
            rows = self._log.find(search)
            more = len(rows) == search.limit
            return Found(rows=rows, cursor=rows[-1].key if more else None, from_log=True)
        rows, cursor = self._listing.find(search)
        return Found(rows=rows, cursor=cursor, from_log=False)

    def ids(self, search: Search) -> Iterator[str]:
        """Yield the ids of all calls in the log that match. Raise LogUnavailable."""
        after: str | None = search.after
        while rows := self._log.find(replace(search, after=after)):
            yield from (row.job_id for row in rows)
            after = rows[-1].key

    def count(self, search: Search) -> int | None:
        """Return how many calls match; ``None`` without a log. Raise LogUnavailable."""
        return self._log.count(search) if self._log.is_there() else None

    def trends(self, span: Span, now_ms: int) -> Trends:
        """Return how the calls of the last hour, day or week ended. Raise LogUnavailable."""
        wanted = window(span, now_ms)
        return Trends(window=wanted, steps=self._log.trends(wanted))

    def call(self, job_id: str) -> tuple[CallRow, Sequence[CallEvent]]:
        """Return the newest call with an id, and its events. Raise JobNotFound, LogUnavailable."""
        found = self._log.call(job_id)
        if found is None:
            raise JobNotFound(job_id)
        return found

    def ended_call(self, job_id: str) -> Call:
        """Return what was to be said to whom, and how. Raise JobNotFound, CallRefused, WrongState.

        A call whose number and message were blanked is not found.
        """
        try:
            found = self._log.call(job_id)
        except LogUnavailable:
            found = None
        if found is None or found[0].to_number is None or found[0].message is None:
            raise JobNotFound(job_id)
        row = found[0]
        if row.state not in FINAL_STATES:
            text = f"Call {job_id} has not ended; it is {row.state}."
            raise WrongState(text, job_id=job_id, state=row.state)
        if row.options is None:
            raise CallRefused("An older version wrote it to the call log, without its options.")
        return Call(
            to=row.to_number or "",
            message=row.message or "",
            lead_id=row.lead_id,
            priority=Priority(row.priority),
            metadata=row.metadata,
            **{own: row.options[name] for name, own in OPTIONS.items() if name in row.options},
        )

    def forget(self, number: str) -> Forgotten:
        """Take a number out of queue, history and log; safe to repeat. Raise StoreUnavailable.

        The queue comes first: a call that is gone from there cannot get into the log again.
        """
        removed, being_placed = self._erasure.forget(number)
        history = sum(state in FINAL_STATES for state in removed.values())
        recurring = sum(state == "recurring" for state in removed.values())
        forgotten = Forgotten(
            cancelled=len(removed) - history - recurring,
            recurring=recurring,
            history=history,
            being_placed=being_placed,
            hashed=self._forget_listed(number),
            log=self._erase(number),
        )
        logger.warning("person forgotten", extra={"to": mask_number(number)})
        return forgotten

    def _forget_listed(self, number: str) -> bool | None:
        """Keep the entry, as a digest if possible: without it the person would be called again."""
        done = [self._numbers.forget(each) for each in same_phone(number)]
        known = [each for each in done if each is not None]
        return all(known) if known else None

    def _erase(self, number: str) -> Erased | None:
        calls, events = 0, 0
        try:
            # Older versions logged a number as it came.
            for spelling in (number, *PhoneNumber(number).other_spellings):
                while keys := self._log.keys_of(spelling, ERASED_AT_ONCE):
                    part = self._log.erase(keys)
                    calls, events = calls + part.calls, events + part.events
        except LogUnavailable as error:
            logger.warning("person not erased from the call log: %s", error)
            return None
        return Erased(calls=calls, events=events)
