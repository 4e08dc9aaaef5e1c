"""Entries of the events' outbox, and the events that are made of them.

Like the call log's outbox, an entry names calls, and what is told of them is read from their
records afterwards: an event is never older than what it is about. Each event is kept complete, so
that all its deliveries are the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

from vomind_queue.calls.job import Job
from vomind_queue.queue import call_record, keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.outbox import ids_of

logger = logging.getLogger(__name__)

#: A notifier that is silent for this long makes no events any more, ms.
LEADERSHIP_MS = 5_000
#: How long an empty outbox is waited at, ms.
WAIT_MS = 1_000
#: Entries read at once, and events stored by one script: it must not hold the server for 5 ms.
ENTRIES, EVENTS_AT_ONCE = 200, 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One thing that happened to a call, or to something else."""

    kind: str
    at_ms: int
    details: Mapping[str, Any]
    #: ``None``: it is not about a call.
    job_id: str | None = None
    #: ``None``: not about a call, or its person was forgotten.
    job: Job | None = None
    #: Whether the call was taken out of the queue: no job has a state for that.
    is_cancelled: bool = False
    #: Whether nothing can be made of it: written by another version, perhaps.
    is_unreadable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEvent:
    """An event before it has its number."""

    type: str
    at_ms: int
    call: str
    campaign: str
    data: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    sequence: int
    kind: str = ""
    at_ms: int = 0
    #: ``None``: it is not about calls.
    job_ids: Sequence[str] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    is_unreadable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some of what happened, and where it ends."""

    happenings: Sequence[Happening]
    #: Before and after it, as ``events:prepared`` has it.
    start: str
    end: str


class EventOutbox:
    """The outbox as one notifier sees it. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, token: str, kept: int) -> None:
        """``token``: names this notifier; ``kept``: events kept, about."""
        self._store = store
        self._token = token
        self._kept = kept

    def parts(self) -> Iterator[Part] | None:
        """Return what happened, in order; ``None`` while another notifier leads."""
        answer = self._store.write(
            "event_read", [keys.EVENTS_LEADER], self._token, LEADERSHIP_MS, ENTRIES
        )
        if not answer[0]:
            return None
        entries = [
            _entry(int(sequence), text)
            for sequence, text in zip(answer[3::2], answer[4::2], strict=True)
        ]
        return self._parts(entries, answer[2])

    def _parts(self, entries: Sequence[_Entry], skipped: int) -> Iterator[Part]:
        if not entries:
            return
        start = self._store.ask("GET", keys.EVENTS_PREPARED) or "0 0"
        wanted: list[tuple[_Entry, str | None]] = []
        for entry in entries:
            ids: Sequence[str | None] = [None] if entry.job_ids is None else entry.job_ids
            for number, job_id in enumerate(ids[skipped:], skipped + 1):
                wanted.append((entry, job_id))
                whole = number == len(ids)
                if len(wanted) >= EVENTS_AT_ONCE or (whole and entry is entries[-1]):
                    end = f"{entry.sequence} 0" if whole else f"{entry.sequence - 1} {number}"
                    yield Part(happenings=self._happenings(wanted), start=start, end=end)
                    start, wanted = end, []
            skipped = 0

    def _happenings(self, wanted: Sequence[tuple[_Entry, str | None]]) -> Sequence[Happening]:
        flat = [each for entry, job_id in wanted if job_id for each in (job_id, entry.sequence)]
        records = iter(())
        if flat:
            records = iter(self._store.read("outbox_records", [keys.OUTBOX_GONE], *flat)[1:])
        return [
            _happening(entry, job_id, call_record.pairs(next(records)) if job_id else {})
            for entry, job_id in wanted
        ]

    def append(self, events: Sequence[NewEvent], part: Part, unmade: int) -> bool:
        """Store the events of a part; return False if another notifier has done it.

        ``unmade``: how many more could not be made.
        """
        flat = [value for each in events for value in astuple(each)]
        (code,) = self._store.write(
            "event_append",
            [keys.EVENTS_LEADER],
            self._token,
            part.start,
            part.end,
            self._kept,
            unmade,
            *flat,
        )
        return bool(code == Code.OK)

    def wait(self) -> None:
        """Wait a moment for another entry."""
        # What became events was taken out.
        streams: Any = {keys.EVENTS_OUTBOX: "0"}
        with translate_errors(writes=False):
            self._store.client.xread(streams, count=1, block=WAIT_MS)

    def forget(self, number: str) -> None:
        """Remove all events that name a number."""
        last = "-"
        with translate_errors(writes=True):
            while True:
                found: Any = self._store.client.xrange(keys.EVENTS, min=last, count=ENTRIES)
                named = [name for name, fields in found if f'"{number}"' in fields["d"]]
                if named:
                    self._store.client.xdel(keys.EVENTS, *named)
                if len(found) < ENTRIES:
                    break
                last = f"({found[-1][0]}"
            # Notifiers have some in memory.
            self._store.client.incr(keys.EVENTS_ERASURES)

    def release_leadership(self) -> None:
        """Let another notifier make the events at once."""
        with translate_errors(writes=True):
            if self._store.client.get(keys.EVENTS_LEADER) == self._token:
                self._store.client.delete(keys.EVENTS_LEADER)


def _entry(sequence: int, text: str) -> _Entry:
    try:
        return _read_entry(sequence, text)
    except (IndexError, KeyError, TypeError, ValueError):
        logger.error("an event is left out: its entry cannot be read", extra={"entry": sequence})
        return _Entry(sequence=sequence, is_unreadable=True)


def _read_entry(sequence: int, text: str) -> _Entry:
    kind, at_ms, *rest = json.loads(text)
    if isinstance(rest[0], Mapping):
        return _Entry(sequence=sequence, kind=kind, at_ms=at_ms, details=rest[0])
    ids, _, *details = rest
    return _Entry(
        sequence=sequence,
        kind=kind,
        at_ms=at_ms,
        job_ids=ids_of(ids),
        details=details[0] if details else {},
    )


def _happening(entry: _Entry, job_id: str | None, fields: Mapping[str, str]) -> Happening:
    is_cancelled = fields.get("state") == "cancelled"
    job, is_unreadable = None, entry.is_unreadable
    if job_id is not None and "at" in fields:
        try:
            job = call_record.read(
                job_id, {**fields, "state": "failed"} if is_cancelled else fields
            )
        except (KeyError, TypeError, ValueError):
            logger.error("an event is left out: its call cannot be read", extra={"job_id": job_id})
            is_unreadable = True
    return Happening(
        kind=entry.kind,
        at_ms=entry.at_ms,
        details=entry.details,
        job_id=job_id,
        job=job,
        is_cancelled=is_cancelled,
        is_unreadable=is_unreadable,
    )
