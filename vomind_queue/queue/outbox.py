"""What the shipper takes out of Redis, in plain values.

An entry names calls and what happened to them; their rows are made from the records as
they are when they are read. So an entry costs next to nothing, a row is never older than
the event that it comes with, and the last one is as the API shows the call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from vomind_queue.call_log.models import (
    OUTCOMES,
    STATE_AFTER,
    Batch,
    CallEvent,
    CallRow,
    DeadLetter,
)
from vomind_queue.queue import call_record, keys
from vomind_queue.queue.connection import RedisStore, translate_errors

#: A shipper that is silent for this long has lost the lead, ms. A delivery may take longer:
#: two that overlap do no harm, because lines may be repeated.
LEADERSHIP_MS = 5_000
#: How long an empty outbox is waited at, ms: the lead is renewed in time after that.
WAIT_MS = 3_500
#: Entries read at once.
ENTRIES = 500
#: Events and rows in one delivery, about: an entry of a bulk stands for many.
LINES = 500
#: Lines kept that the log refused; further ones are counted and dropped.
DEAD_MAX = 10_000
#: How long a forgotten person's rows are looked for again, ms: longer than any delivery lasts.
FORGET_MS = 3_600_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of the outbox."""

    sequence: int
    time_ms: int
    kind: str
    job_ids: Sequence[str]
    details: Mapping[str, Any]


class Outbox:
    """The outbox as one shipper sees it. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, token: str, from_number: str | None) -> None:
        """``token``: names this shipper. ``from_number``: where a record names none."""
        self._store = store
        self._token = token
        self._from_number = from_number
        #: Sequence number of the last entry that was written before the last look.
        self._last = "0"

    def read(self) -> Sequence[Entry] | None:
        """Return the oldest entries in order; ``None`` while another shipper leads."""
        answer = self._store.write(
            "outbox_read", [keys.OUTBOX_LEADER], self._token, LEADERSHIP_MS, ENTRIES
        )
        if not answer[0]:
            return None
        self._last = answer[2]
        return [
            _entry(int(sequence), text)
            for sequence, text in zip(answer[3::2], answer[4::2], strict=True)
        ]

    def wait(self) -> None:
        """Wait until there is another entry, or until the lead is to be renewed."""
        behind = f"{self._last}-0"
        streams: Any = {keys.OUTBOX_DETAILS: behind, keys.OUTBOX_FINALS: behind}
        with translate_errors(writes=False):
            self._store.client.xread(streams, count=1, block=WAIT_MS)

    def release_leadership(self) -> None:
        """Let another shipper lead at once."""
        with translate_errors(writes=True):
            if self._store.client.get(keys.OUTBOX_LEADER) == self._token:
                self._store.client.delete(keys.OUTBOX_LEADER)

    def batches(self, entries: Sequence[Entry]) -> Iterator[tuple[Batch, int | None]]:
        """Return deliveries in order, each with the number of the last entry that it completes."""
        events: list[tuple[Entry, str]] = []
        for entry in entries:
            for start in range(0, len(entry.job_ids), LINES):
                part = entry.job_ids[start : start + LINES]
                events += [(entry, job_id) for job_id in part]
                whole = start + LINES >= len(entry.job_ids)
                if len(events) >= LINES and not (whole and entry is entries[-1]):
                    yield self._batch(events), entry.sequence if whole else None
                    events = []
        if entries:
            yield self._batch(events), entries[-1].sequence

    def _batch(self, wanted: Sequence[tuple[Entry, str]]) -> Batch:
        flat = [value for entry, job_id in wanted for value in (job_id, entry.sequence)]
        version, *found = self._store.read("outbox_records", [keys.OUTBOX_GONE], *flat)
        rows: dict[str, CallRow] = {}
        events = []
        for (entry, job_id), pairs in zip(wanted, found, strict=True):
            fields = call_record.pairs(pairs)
            # A call whose person was forgotten has no record, and is left out.
            if "at" in fields:
                row = row_of(job_id, fields, int(version))
                event = _event(entry, row, fields.get("from", self._from_number))
                rows[row.key] = _answered(row, event, rows.get(row.key), fields)
                events.append(event)
        return Batch(rows=list(rows.values()), events=events)

    def done(self, sequence: int) -> None:
        """Take entries out, up to and with this one."""
        while self._store.write("outbox_done", [keys.OUTBOX_LEADER], sequence)[0]:
            pass

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Keep lines that the log refused for good."""
        with translate_errors(writes=True):
            for letter in letters:
                client = self._store.client
                if int(client.hlen(keys.OUTBOX_DEAD)) >= DEAD_MAX:
                    client.hincrby(keys.OUTBOX_LOST, "dead", 1)
                else:
                    client.hset(keys.OUTBOX_DEAD, letter.name, _dump(letter))

    def dead(self) -> Iterator[DeadLetter]:
        """Return the lines that the log refused for good, in no order."""
        with translate_errors(writes=False):
            for _, text in self._store.client.hscan_iter(keys.OUTBOX_DEAD, count=500):
                yield read_letter(text)

    def unbury(self, names: Sequence[str]) -> None:
        """Forget lines that have found their place after all."""
        if names:
            with translate_errors(writes=True):
                self._store.client.hdel(keys.OUTBOX_DEAD, *names)

    def forgotten(self) -> Sequence[str]:
        """Return keys of rows that must not be in the log; each is returned for an hour."""
        client = self._store.client
        with translate_errors(writes=True):
            found: Any = client.zrange(keys.OUTBOX_FORGOTTEN, 0, -1)
        return list(found)

    def erased(self, row_keys: Sequence[str]) -> None:
        """Note that these rows were erased; forget those that were returned for an hour."""
        with translate_errors(writes=True):
            before = self._store.clock.now_ms() - FORGET_MS
            old: Any = self._store.client.zrangebyscore(keys.OUTBOX_FORGOTTEN, "-inf", before)
            gone = set(old) & set(row_keys)
            if gone:
                self._store.client.zrem(keys.OUTBOX_FORGOTTEN, *gone)


def _entry(sequence: int, text: str) -> Entry:
    kind, time_ms, ids, _, *details = json.loads(text)
    return Entry(
        sequence=sequence,
        time_ms=time_ms,
        kind=kind,
        job_ids=ids_of(ids),
        details=details[0] if details else {},
    )


def ids_of(written: Sequence[str | Sequence[int]]) -> Sequence[str]:
    """Return the ids of an entry, in which runs of numbers are written as first and last."""
    job_ids: list[str] = []
    for each in written:
        if isinstance(each, str):
            job_ids.append(each)
        else:
            job_ids += map(str, range(each[0], each[1] + 1))
    return job_ids


def row_of(job_id: str, fields: Mapping[str, str], version: int) -> CallRow:
    """Return the line of the log for a record."""
    call = call_record.decode(fields["data"])
    queued_ms = int(fields["at"])
    state, sid, status = fields["state"], fields.get("sid"), fields.get("status")
    outcome = status if status in OUTCOMES else None
    if state == "failed" and sid is None:
        outcome = call_record.last_status(fields) or "not-placed"
    return CallRow(
        # As `log_key` in includes/log_key.lua.
        key=f"{queued_ms:015d}-{job_id:0>12}",
        job_id=job_id,
        version=version,
        to_number=call.to,
        lead_id=None if call.lead_id is None else str(call.lead_id),
        priority=call.priority.value,
        message=call.message,
        metadata=call.metadata,
        options=call.options,
        state=state,
        attempts=int(fields.get("attempts", 0)),
        scheduled_ms=call_record.number(fields, "due"),
        queued_ms=queued_ms,
        started_ms=call_record.number(fields, "started"),
        finished_ms=call_record.ended_ms(fields),
        call_sid=sid,
        call_status=status,
        outcome=outcome,
        duration=call_record.number(fields, "duration"),
        price=fields.get("price"),
        price_unit=fields.get("unit"),
        answered_by=fields.get("answered"),
        failure=fields.get("reason"),
        campaign_id=fields.get("c"),
    )


def _answered(
    row: CallRow, event: CallEvent, before: CallRow | None, fields: Mapping[str, str]
) -> CallRow:
    """Return the row with the time at which somebody picked up; no record holds it."""
    answered_ms = before.answered_ms if before else None
    if event.call_status == "in-progress":
        answered_ms = event.time_ms
    over_ms = call_record.number(fields, "over")
    if answered_ms is None and row.outcome == "completed" and over_ms is not None:
        answered_ms = over_ms - 1000 * (row.duration or 0)
    return replace(row, answered_ms=answered_ms)


def _event(entry: Entry, row: CallRow, from_number: str | None) -> CallEvent:
    details = dict(entry.details)
    kind = entry.kind
    state = STATE_AFTER.get(kind)
    if kind == "accepted":
        later = row.scheduled_ms is not None and row.scheduled_ms > row.queued_ms
        state = "delayed" if later else "waiting"
    attempt, duration = details.pop("attempt", None), details.pop("duration", None)
    return CallEvent(
        key=row.key,
        job_id=row.job_id,
        sequence=entry.sequence,
        time_ms=entry.time_ms,
        event=kind,
        state=state,
        attempt=None if attempt is None else int(attempt),
        call_sid=details.pop("sid", None),
        call_status=details.pop("status", None),
        from_number=details.pop("from", from_number),
        to_number=row.to_number,
        duration=None if duration is None else int(duration),
        details=details,
    )


def _dump(letter: DeadLetter) -> str:
    document = {"table": letter.table, "reason": letter.reason, "line": asdict(letter.line)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def read_letter(text: str) -> DeadLetter:
    """Return the inverse of how a dead letter is kept."""
    document = json.loads(text)
    kind = CallRow if document["table"] == "call_logs" else CallEvent
    return DeadLetter(line=kind(**document["line"]), reason=document["reason"])
