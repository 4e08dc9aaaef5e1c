"""The queue as a worker sees it: claim, start dialing, finish, give back, reconcile.

Every method is safe to repeat: a script that finds its own work done says so.
`claim` alone is not repeated; calls of a lost answer come back when their leases
run out.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from vomind_queue.calls.attempts import Accepted, Attempt
from vomind_queue.calls.call import Call
from vomind_queue.calls.call_status import FINAL, RANK_AT_FIRST
from vomind_queue.calls.decisions import (
    AttemptResult,
    Claim,
    Decision,
    DialStarted,
    FetchResult,
    FinishResult,
    FinishStatus,
    NotStarted,
    OpenHours,
    UnknownOutcome,
)
from vomind_queue.calls.limits import Rate
from vomind_queue.calls.senders import NO_SENDERS, Senders
from vomind_queue.clocks import boottime
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.do_not_call_list import ListAccess
from vomind_queue.queue.person_history import history
from vomind_queue.queue.start_rules import ANY_HOUR, BEHIND, Judge, judged
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.rules.caps import History

#: How often the rules are applied to a call again because they have changed meanwhile.
_TRIES = 5
#: How long a call waits for another one to the same number, ms.
BUSY_NUMBER_MS = 1_000


class LeaseBook:
    """Calls held by this process, each with its lease token. Safe to share between threads.

    A lease belongs to the process, not to a connection: a call goes on being placed while its
    worker reconnects.
    """

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        self._calls: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tokens)

    def hold(self, job_id: str, token: str, data: str = "", now_ms: int = 0) -> None:
        """Note a call that was just claimed; ``data`` as it was then, if it was asked for."""
        with self._lock:
            self._tokens[job_id] = token
            if data:
                self._calls[job_id] = data, now_ms

    def call(self, job_id: str) -> tuple[str, int] | None:
        """Return the data of a held call, which cannot change meanwhile, and when it was read."""
        return self._calls.get(job_id)

    def token(self, job_id: str) -> str | None:
        """Return the lease on a job, or ``None`` when this process does not hold it."""
        return self._tokens.get(job_id)

    def drop(self, job_id: str, token: str) -> bool:
        """Forget a lease; false when that lease was not held (any more)."""
        with self._lock:
            if self._tokens.get(job_id) != token:
                return False
            del self._tokens[job_id]
            self._calls.pop(job_id, None)
            return True

    def held(self) -> list[tuple[str, str]]:
        """Return job ids and lease tokens, as of now."""
        with self._lock:
            return list(self._tokens.items())


class WorkerQueue:
    """One worker process at the queue."""

    def __init__(
        self,
        store: RedisStore,
        name: str,
        protocol: Protocol,
        access: ListAccess | None = None,
        judge: Judge | None = None,
        senders: Senders = NO_SENDERS,
        *,
        judges_all: bool = True,
    ) -> None:
        """``access``: how the do-not-call list is read. ``senders``: numbers that calls come from.

        ``judge`` None: calls start at any time. ``judges_all``: whether it judges calls without a
        campaign that has hours as well.
        """
        self._store = store
        access = access or ListAccess()
        self._must_be_whole, self._number_key = access.must_be_whole, access.key_arguments
        self._judge = judge
        self._judges_all = judges_all and judge is not None
        self._senders, self._default_sender = senders, senders.default
        #: Of the closed days, as far as it is known.
        self._days_version = ""
        self._name = name
        self.protocol = protocol
        self._sid_ttl_ms = protocol.sid_ttl_ms
        self.leases = LeaseBook()
        #: Workers at the queue when this one last asked for calls, itself included.
        self.worker_count = 1

    def claim(self, wanted: int, ranks: str) -> FetchResult:
        """Claim up to ``wanted`` calls of the priorities in ``ranks``, the most urgent first."""
        now, next_ms, passed_on, self.worker_count, *flat = self._store.write(
            "claim",
            [keys.ACTIVE],
            self._name,
            wanted,
            self.protocol.lease_ms,
            *self._rate(),
            secrets.token_urlsafe(9) + ".",
            ranks,
            self.protocol.breaker_probe_ms,
            "1" if self._judges_all or self._senders.by_country else "",
        )
        self._store.clock.note(now)
        calls = []
        for job_id, lease, rank, round_, data in zip(*[iter(flat)] * 5, strict=True):
            calls.append(Claim(job_id=job_id, lease=lease, rank=int(rank), round=int(round_)))
            self.leases.hold(job_id, lease, data, now)
        return FetchResult(
            calls=calls, next_ms=None if next_ms < 0 else next_ms, passed_on=bool(passed_on)
        )

    def start_dialing(
        self, job_id: str, token: str, *, callbacks: bool = False
    ) -> DialStarted | NotStarted:
        """Write the dial marker with a fresh token; return why not if the call must not start now.

        ``callbacks``: whether the request will ask for status callbacks. The number that the call
        comes from is recorded with the marker.
        """
        lease = self.leases.token(job_id)
        if lease is None:
            return NotStarted.LOST
        claimed = self.leases.call(job_id)
        write = partial(
            self._store.write,
            "start_dialing",
            [keys.ACTIVE],
            *(job_id, lease, token, *self._rate(), BUSY_NUMBER_MS, int(callbacks)),
            *(self.protocol.ring_timeout_ms, *self._keep_failed(), self._sender(claimed)),
            *("1" if self._must_be_whole() else "", *self._number_key),
            *(self.protocol.number_gap_ms, self.protocol.starts_kept),
        )
        answer, hours, started_s = self._write_marker(write, claimed)
        if answer[0] != Code.OK:
            self.leases.drop(job_id, lease)
            return NotStarted(Code(answer[0]).name.lower())
        _, now, data, attempts, round_, *asked, latest = answer
        flag = str(int(callbacks))
        return _dial_started(
            *(job_id, token, data, now, attempts, round_, flag, *asked),
            started_s=started_s,
            left_s=_left_s(int(now), latest, hours),
        )

    def _write_marker(
        self, write: Callable[..., list[Any]], claimed: tuple[str, int] | None
    ) -> tuple[list[Any], OpenHours | None, float]:
        """Run the script with the hours of a call, as they were when it was claimed.

        Where closed days have changed since, caps have no room, or its campaign has hours, it is
        run again with others. Return its answer, the hours, and when it was asked.
        """
        hours, arguments, started_s = None, ANY_HOUR, boottime()
        if self._judges_all:
            if claimed is None:
                return [Code.LOST], None, started_s
            hours, arguments = self._judged(*claimed)
        for _ in range(_TRIES):
            started_s = boottime()
            answer = write(*arguments)
            if answer[0] != Code.UNJUDGED:
                return answer, hours, started_s
            _, now_ms, self._days_version, times, campaign_hours, data = answer
            hours, arguments = self._judged(data, now_ms, history(times), campaign_hours)
        return write(*BEHIND), None, started_s

    def _judged(
        self, data: str, now_ms: int, past: History | None = None, campaign_hours: str = ""
    ) -> tuple[OpenHours | None, tuple[Any, ...]]:
        """Return the hours of a call, and what the script is told of them."""
        if self._judge is None:
            return None, BEHIND
        return judged(self._judge, data, now_ms, self._days_version, past, campaign_hours)

    def _sender(self, claimed: tuple[str, int] | None) -> str:
        """Return the number that a held call comes from, unless it names one."""
        if claimed is None or not self._senders.by_country:
            return self._default_sender
        return self._senders.number_for(json.loads(claimed[0])["to"])

    def finish(
        self, started: DialStarted, decision: Decision, *, deferred: bool = False
    ) -> FinishResult:
        """Write an attempt's outcome. ``deferred``: the holder will delay the call itself."""
        return self._finish(
            started.attempt.job_id, started.attempt.token, decision, deferred=deferred
        )

    def _finish(
        self, job_id: str, token: str, decision: Decision, *, deferred: bool = False
    ) -> FinishResult:
        protocol = self.protocol
        accepted = decision.accepted
        rank = RANK_AT_FIRST.get(accepted.status, 0) if accepted else 0
        code, _, open_, uncounted = self._store.write(
            "finish",
            [keys.ACTIVE],
            job_id,
            token,
            decision.result,
            decision.reason,
            accepted.sid if accepted else "",
            accepted.status if accepted else "",
            "1" if decision.refused else "",
            decision.wait_ms,
            max(protocol.breaker_probe_ms, decision.quiet_ms),
            protocol.keep_completed.age_ms,
            protocol.keep_completed.count,
            *self._keep_failed(),
            self._sid_ttl_ms,
            "1" if deferred else "",
            # A call that is over already is asked for at once.
            0 if rank == FINAL - 1 else protocol.first_poll_ms,
            rank,
            decision.kind or "",
            "1" if decision.capacity else "",
            protocol.unknown_outcome_horizon_ms,
            protocol.number_gap_ms,
        )
        return FinishResult(
            status=FinishStatus(Code(code).name.lower()),
            circuit_open=bool(open_),
            uncounted=bool(uncounted),
        )

    def complete(self, job_id: str, token: str, accepted: Accepted) -> None:
        """Record evidence that an attempt whose outcome is not written yet did place its call."""
        decision = Decision(result=AttemptResult.COMPLETED, accepted=accepted)
        self._finish(job_id, token, decision)

    def abandon(self, job_id: str, token: str) -> None:
        """Remove a dial marker that may be set, for a request that was certainly never sent.

        Where it is not set nothing happens, and the call is given back.
        """
        self._finish(job_id, token, Decision(result=AttemptResult.POSTPONED))

    def release(self, job_id: str) -> None:
        """Forget the lease on a call that has ended or was delayed."""
        lease = self.leases.token(job_id)
        if lease is not None:
            self.leases.drop(job_id, lease)

    def defer(self, job_id: str, due_ms: int) -> bool:
        """Delay a held call; return false when it is not held (any more)."""
        lease = self.leases.token(job_id)
        if lease is None:
            return False
        code, _ = self._store.write("defer", [keys.ACTIVE], job_id, lease, due_ms)
        self.leases.drop(job_id, lease)
        return bool(code == Code.OK)

    def give_back(self, job_id: str, lease: str) -> None:
        """Give back a call that was not ended; one with a dial marker has an unknown outcome."""
        if self.leases.drop(job_id, lease):
            self._store.write("give_back", [keys.ACTIVE], job_id, lease)

    def renew_leases(self) -> None:
        """Renew the leases of all calls held; forgets those that are lost."""
        held = self.leases.held()
        if not held:
            # Each check of the queue shows that this worker is alive.
            return
        flat = [value for pair in held for value in pair]
        answer = self._store.write(
            "renew_leases", [keys.LEASES], self._name, self.protocol.lease_ms, *flat
        )
        lost = set(answer[1:])
        for job_id, lease in held:
            if job_id in lost:
                self.leases.drop(job_id, lease)

    def due_reconciliations(self, wanted: int) -> list[UnknownOutcome]:
        """Return unknown outcomes that are due for a check, leased to the caller."""
        now, *flat = self._store.write(
            "due_reconciliations", [keys.RECONCILING], wanted, self.protocol.lease_ms
        )
        return [
            UnknownOutcome(
                started=_dial_started(job_id, token, data, mark, *marked),
                checks=int(checks),
                age_ms=now - int(mark),
            )
            for job_id, token, data, mark, checks, *marked in zip(*[iter(flat)] * 10, strict=True)
        ]

    def expire_due(self, wanted: int) -> tuple[int, Sequence[str]]:
        """End calls that have expired; return how many were looked at, and ids of those ended."""
        _, looked_at, *ended = self._store.write(
            "expire_due", [keys.EXPIRING], wanted, *self._keep_failed()
        )
        return looked_at, ended

    def known_sids(self, sids: Sequence[str]) -> set[str]:
        """Return which of these SIDs belong to attempts whose outcome is known."""
        if not sids:
            return set()
        with translate_errors(writes=False):
            scores: Any = self._store.client.zmscore(keys.SIDS, list(sids))
        return {sid for sid, score in zip(sids, scores, strict=True) if score is not None}

    def change_rate(self, rate: Rate | None) -> None:
        """Store an operator's change of the rate, for all workers and over restarts."""
        value = f"{rate.max_starts}:{rate.window_ms}" if rate else "off"
        with translate_errors(writes=True):
            self._store.client.set(keys.RATE, value)
            self._store.client.rpush(keys.NOTIFY, "1")

    def reset_rate(self) -> None:
        """Go back to the rate of the settings."""
        with translate_errors(writes=True):
            self._store.client.delete(keys.RATE)
            self._store.client.rpush(keys.NOTIFY, "1")

    def _keep_failed(self) -> tuple[int, int]:
        keep = self.protocol.keep_failed
        return keep.age_ms, keep.count

    def _rate(self) -> tuple[int, int]:
        rate = self.protocol.rate
        return (rate.max_starts, rate.window_ms) if rate else (0, 0)


def _left_s(now: int, latest: str, hours: OpenHours | None) -> float | None:
    """Return how long the request may take to leave: not beyond latest start and hours; s."""
    ends = [end for start, end in hours.intervals if start <= now < end] if hours else []
    if latest:
        ends.append(int(latest))
    return (min(ends) - now) / 1000 if ends else None


def _dial_started(
    job_id: str,
    token: str,
    data: str,
    mark: Any,
    attempts: Any,
    round_: Any,
    *asked: Any,
    started_s: float | None = None,
    left_s: float | None = None,
) -> DialStarted:
    callbacks, ring, sender = asked
    attempt = Attempt(
        job_id=job_id,
        token=token,
        call=Call.from_data(json.loads(data)),
        number=int(attempts) + 1,
        marked_ms=int(mark),
        started_s=started_s,
        left_s=left_s,
        callbacks=callbacks == "1" if callbacks else None,
        ring_ms=int(ring),
        sender=sender or None,
    )
    return DialStarted(attempt=attempt, round=int(round_))
