"""The queue as the API sees it: add, ask, cancel, retry, list, clean, pause.

Every change carries a deadline on the server's clock. A server that was stopped
carries out, on waking, what its clients have long given up on; the deadline
makes it refuse instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from vomind_queue.calls.call import Call, NewCall, State
from vomind_queue.calls.job import Cleaned, IdempotencyKey, Job, Page, Receipt
from vomind_queue.calls.limits import Rate
from vomind_queue.errors import (
    ExpiresTooSoon,
    JobNotFound,
    NumberListed,
    WrongState,
)
from vomind_queue.observability.queue_stats import Stats
from vomind_queue.queue import call_record, keys, refusals
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.idempotency_keys import asked, recalled, refuse_misuse
from vomind_queue.queue.new_calls import NewCalls, moves, runs, times
from vomind_queue.queue.stats_reader import read_stats
from vomind_queue.rules.law import HOLDING

#: Calls that one script writes at most: it must not hold the server for 5 ms, a slow one either.
CHUNK = 150
#: Records that one script reads at most, for the same reason.
RECORDS = 80
#: A bulk that is not committed this long after its last part is dropped, ms.
STAGING_TTL_MS = 30_000
#: How often a change is tried again when the call was changed meanwhile.
CHANGE_TRIES = 5
#: A worker that did not ask for calls this long is gone, ms.
WORKER_GONE_MS = 30_000

_NEWEST_FIRST = (State.COMPLETED, State.FAILED)


class CallQueue:
    """The jobs in Redis, behind one script a request."""

    def __init__(
        self,
        store: RedisStore,
        rate: Rate | None,
        expiry_ms: int | None = None,
        override_keys: Collection[str] = (),
    ) -> None:
        """``expiry_ms``: how long after it is due a call may start that does not say so itself.

        ``override_keys``: names of the API keys that may lift rules.
        """
        self._store = store
        self._rate = rate
        self._new = NewCalls(expiry_ms)
        self._override_keys = override_keys

    def now_ms(self) -> int:
        """Return Unix ms on the server's clock."""
        return self._store.now_ms()

    def ping(self) -> None:
        """Raise StoreUnavailable when the server does not answer."""
        self._store.ask("PING")

    def check_writable(self) -> None:
        """Raise StoreUnavailable when the server takes no writes, as a replica does."""
        with translate_errors(writes=False):
            # There never is such a key.
            self._store.client.delete(keys.NOTHING)

    def add(
        self,
        news: Sequence[NewCall],
        key: IdempotencyKey | None = None,
        *,
        refuse_listed: bool = False,
        campaign: str = "",
    ) -> Receipt:
        """Store calls, all or none. Raise KeyReused and StoreUnavailable.

        ``refuse_listed``: raise NumberListed where the only call goes to a number on the
        do-not-call list. Other calls to such a number are stored, and end when their turn comes.
        ``campaign``: the one that they belong to. Raise CampaignNotFound, WrongCampaignState where
        it takes no calls.
        """
        refuse = "1" if refuse_listed else ""
        is_plain = key is None and not campaign and not self._new.latest
        if is_plain and len(news) == 1 and _is_plain(news[0]):
            call = news[0].call
            data, rank = call_record.encode(call), call.priority.rank
            answer = self._store.run_with_deadline("add_one", keys.LAST_ID, data, rank, refuse)
        elif len(news) <= CHUNK:
            answer = self._store.run_with_deadline(
                "add", keys.LAST_ID, *asked(key), "", refuse, campaign, *self._new.whole(news)
            )
        else:
            answer = self._add_staged(news, asked(key), campaign)
        return _receipt(answer)

    def publish(self, job_id: str, new: NewCall) -> None:
        """Store one call under an id that was chosen elsewhere; one that exists is left alone."""
        whole = self._new.whole([new])
        self._store.run_with_deadline("add", keys.LAST_ID, *asked(None), job_id, "", "", *whole)

    def recall(self, key: IdempotencyKey) -> Receipt | None:
        """Return what an earlier request with this key was answered; raise KeyReused."""
        answer = recalled(self._store, key)
        return None if answer is None else _receipt(answer)

    def job(self, job_id: str) -> Job:
        """Raise JobNotFound."""
        fields = self._store.read("show", [keys.job(job_id)], job_id)
        job = call_record.read(job_id, call_record.pairs(fields))
        if job is None:
            raise JobNotFound(job_id)
        return job

    def cancel(self, job_id: str, by: str = "") -> State:
        """Remove a call that is not being placed; return the state it was in."""
        answer = self._store.run_with_deadline("cancel", keys.ACTIVE, job_id, by, "")
        return refusals.cancelled(answer, job_id)

    def cancel_each(
        self, job_ids: Sequence[str], by: str = ""
    ) -> Sequence[JobNotFound | WrongState | None]:
        """Remove calls that are to ring, each in a separate step; return why one was not."""
        given = [(job_id, by, "1") for job_id in job_ids]
        answers = self._store.run_each_with_deadline("cancel", keys.ACTIVE, given)
        faults: list[JobNotFound | WrongState | None] = []
        for job_id, answer in zip(job_ids, answers, strict=True):
            try:
                refusals.cancelled(answer, job_id)
            except (JobNotFound, WrongState) as fault:
                faults.append(fault)
            else:
                faults.append(None)
        return faults

    def hang_up(self, job_id: str, by: str = "") -> None:
        """Have a worker end the call on the line. Raise JobNotFound, WrongState."""
        answer = self._store.run_with_deadline("hangup", keys.ACTIVE, job_id, by)
        refusals.refuse(answer, job_id, "Call {id} is not on the line; it is {state}.")

    def change(self, job_id: str, decide: Callable[[Call], NewCall], by: str = "") -> None:
        """Make a call that has not begun what ``decide`` makes of it; no time: that stays."""
        for _ in range(CHANGE_TRIES):
            fields = call_record.pairs(self._store.read("show", [keys.job(job_id)], job_id))
            if not fields:
                raise JobNotFound(job_id)
            old = call_record.decode(fields["data"])
            new = decide(old)
            call = replace(new.call, request_id=old.request_id)
            latest = self._new.latest_of(call) if moves(old, new) else "keep"
            wanted = call_record.encode(call), call.priority.rank, *times(new), by, latest
            answer = self._store.run_with_deadline(
                "change", keys.ACTIVE, job_id, fields["data"], *wanted
            )
            if answer[0] != Code.MISMATCH:
                refusals.refuse(
                    answer, job_id, "Call {id} has begun ({state}); it cannot be changed."
                )
                if answer[0] == Code.EXPIRED:
                    raise ExpiresTooSoon(f"Call {job_id} would expire before it is due.")
                return
        raise refusals.contended(job_id, fields["state"])

    def retry(self, job_id: str, by: str = "", once: str = "") -> None:
        """Put a failed call back into the queue with all its attempts.

        ``once`` names the request: sent again, it does nothing to a call that it has retried.
        Raise JobNotFound, WrongState where it did not fail or its own latest start has passed, and
        NotOverriding.
        """
        answer = self._retry(job_id, by, once, self._new.latest, "", "")
        if answer[0] == Code.EXPIRED:
            text = f"The notAfter of call {job_id} has passed; retry it with a later one, or null."
            raise WrongState(text, job_id=job_id, state=State.FAILED)

    def retry_until(self, job_id: str, not_after: str | None, by: str = "") -> None:
        """Do the same with another latest start, as in `Call`; ``None``: as the settings say.

        Raise JobNotFound, WrongState, ExpiresTooSoon, NotOverriding.
        """
        fields = call_record.pairs(self._store.read("show", [keys.job(job_id)], job_id))
        if not fields:
            raise JobNotFound(job_id)
        old = call_record.decode(fields["data"])
        call = replace(old, not_after=not_after)
        latest, data = self._new.latest_of(call), call_record.encode(call)
        answer = self._retry(job_id, by, "", latest, fields["data"], data)
        if answer[0] == Code.EXPIRED:
            raise ExpiresTooSoon(f"The latest start of call {job_id} has passed.")
        if answer[0] == Code.MISMATCH:
            raise refusals.contended(job_id, fields["state"])

    def _retry(self, job_id: str, by: str, *args: str | int) -> list[Any]:
        may_override = "1" if by in self._override_keys else ""
        answer = self._store.run_with_deadline(
            "retry", keys.FAILED, job_id, by, *args, may_override
        )
        refusals.refuse_retry(answer, job_id, by)
        return answer

    def clean(self, grace_ms: int, limit: int) -> Cleaned:
        """Remove the oldest finished calls, a part at a time."""
        removed: dict[str, list[str]] = {"completed": [], "failed": []}
        while limit > 0:
            part = min(limit, CHUNK)
            answer = self._store.run_with_deadline("clean", keys.COMPLETED, grace_ms, part)
            ids = answer[2:]
            for name, job_id in zip(ids[::2], ids[1::2], strict=True):
                removed[name].append(job_id)
            if len(ids) // 2 < part:
                break
            limit -= part
        return Cleaned(completed=removed["completed"], failed=removed["failed"])

    def pause(self, by: str, reason: str | None = None) -> None:
        """No call starts from now on."""
        self._store.run_with_deadline("pause", keys.PAUSED, by, reason or "")

    def resume(self) -> None:
        """Calls start again."""
        self._store.run_with_deadline("resume", keys.PAUSED)

    def page(self, state: State, start: int, end: int) -> Page:
        """Return jobs ``start`` to ``end``, both included, in the state's own order.

        The order is that of one moment. The records of a long page are read a part at a time, and
        what is not in that state any more when its turn comes is left out.
        """
        newest = "1" if state in _NEWEST_FIRST else ""
        total, ids, *records = self._store.read(
            "page", keys.sets_of(state), start, end, newest, RECORDS
        )
        for offset in range(RECORDS, len(ids), RECORDS):
            part = ids[offset : offset + RECORDS]
            records += self._store.read("records", [keys.job(part[0])], *part)
        jobs = (
            call_record.read(job_id, call_record.pairs(fields))
            for job_id, fields in zip(ids, records, strict=True)
        )
        return Page(jobs=[job for job in jobs if job and job.state is state], total=total)

    def stats(self) -> Stats:
        """Return all numbers, read at one moment."""
        rate = (self._rate.max_starts, self._rate.window_ms) if self._rate else (0, 0)
        return read_stats(self._store.read("stats", [keys.ACTIVE], *rate, WORKER_GONE_MS, *HOLDING))

    def _add_staged(
        self, news: Sequence[NewCall], request: tuple[str, str, int], campaign: str
    ) -> list[Any]:
        first = began = ""
        for offset in range(0, len(news), CHUNK):
            part = self._new.whole(news[offset : offset + CHUNK])
            place = (first, began, len(news), STAGING_TTL_MS, offset, campaign)
            answer = self._store.run_with_deadline("stage", keys.LAST_ID, *place, *part)
            first, began = answer[2], began or answer[1]
        alike = json.dumps(runs(news), separators=(",", ":"))
        return self._store.run_with_deadline(
            "commit", keys.LAST_ID, *request, first, len(news), began, alike, campaign
        )


def _is_plain(new: NewCall) -> bool:
    return new.due_ms is None and new.delay_ms is None and new.call.not_after is None


def _receipt(answer: list[Any]) -> Receipt:
    if answer[0] == Code.DO_NOT_CALL:
        raise NumberListed
    if answer[0] == Code.CAMPAIGN:
        refusals.refuse_calls(*answer[2:])
    if answer[0] != Code.OK:
        refuse_misuse(answer)
    first, count, accepted = answer[2:5]
    count = int(count)
    if count == 1:
        job_ids = [str(first)]
    else:
        job_ids = [str(number) for number in range(int(first), int(first) + count)]
    return Receipt(job_ids=job_ids, accepted_ms=int(accepted), replayed=answer[0] == Code.REPLAY)
