"""The queue as a worker sees it: take, begin, finish, give back, settle.

Every method is safe to repeat: a script that finds its own work done says so.
`take` alone is not repeated; calls of a lost answer come back when their leases
run out.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vomind_queue.attempts import Accepted, Attempt
from vomind_queue.calls import Rate, Retention
from vomind_queue.clocks import boottime
from vomind_queue.errors import StoreUnavailable
from vomind_queue.progress import FINAL, rank_at_first
from vomind_queue.store import keys, record
from vomind_queue.store.codes import Code
from vomind_queue.store.connection import Gate, told
from vomind_queue.store.leases import LeaseBook
from vomind_queue.verdicts import Begun, Ending, InDoubt, Reception, Refusal, Verdict, Written

#: How long a SID is remembered at least, ms: a doubt may last as long as Twilio is away.
SID_TTL_MS = 24 * 3600 * 1000
#: How long a call stands back for another one to the same number, ms.
BUSY_NUMBER_MS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """Times and numbers by which workers work together; the same for all of them."""

    #: A worker that is silent for this long has lost its calls, ms.
    lease_ms: int
    #: Starts allowed; ``None`` for no limit.
    rate: Rate | None
    #: Time between two probes of an open breaker, ms.
    breaker_probe_ms: int
    #: How long a ring may take to appear in Twilio's list, ms.
    in_doubt_horizon_ms: int
    #: After how long Twilio is first asked what became of a placed call, ms.
    first_look_ms: int
    keep_completed: Retention
    keep_failed: Retention

    @property
    def sid_ttl_ms(self) -> int:
        """How long a SID is remembered, ms."""
        return max(2 * self.in_doubt_horizon_ms, SID_TTL_MS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A call that a worker may start."""

    job_id: str
    #: Lease token.
    lease: str
    #: 1 high, 2 normal, 3 low.
    rank: int
    #: Attempts that ended since the last manual retry.
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """What one look at the queue gave."""

    calls: Sequence[Taken]
    #: When to look again, ms from now; ``None`` when nothing will change by itself.
    next_ms: int | None
    #: Calls wait that only other workers ask for, and a word was left for those.
    passed_on: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Started:
    """A call that was begun by the script that took it, and is not placed yet."""

    lease: str
    #: Of the attempt.
    token: str
    #: What `begin` said.
    answer: list[Any]
    #: When it was asked for, on the clock of `boottime`, s.
    begun_s: float


class WorkDesk:
    """One worker process at the queue."""

    def __init__(self, gate: Gate, name: str, protocol: Protocol) -> None:
        self._gate = gate
        self._name = name
        self.protocol = protocol
        self.book = LeaseBook()
        self._started: dict[str, _Started] = {}
        #: Tokens of attempts that may have been begun and will not be placed.
        self._astray: deque[str] = deque()
        #: Workers at the queue when this one last asked for calls, itself included.
        self.company = 1
        #: Called when a slot may have become free; set by whoever takes calls in.
        self.on_free: Callable[[], None] = lambda: None
        #: Ranks of the calls that the thread which ends one goes on with, as digits; none for ''.
        #: Set by whoever takes calls in, as is `on_next`, which is given what there was.
        self.wants_next: Callable[[], str] = str
        self.on_next: Callable[[Intake], None] = lambda _: None
        #: A client and the key under which a sleeping worker is woken.
        self.waker = (gate.client, keys.WAKE)

    def take(self, wanted: int, ranks: str) -> Intake:
        """Takes up to ``wanted`` calls of the priorities in ``ranks``, the most urgent first."""
        found = self._found(self._gate.write("take", [keys.ACTIVE], *self._order(wanted, ranks)))
        for call in found.calls:
            self.book.hold(call.job_id, call.lease)
        return found

    def _order(self, wanted: int, ranks: str) -> tuple[str | int, ...]:
        """The arguments of `take`."""
        return (
            self._name,
            wanted,
            self.protocol.lease_ms,
            *self._rate(),
            secrets.token_urlsafe(9) + ".",
            ranks,
            self.protocol.breaker_probe_ms,
        )

    def _found(self, answer: list[Any]) -> Intake:
        now, next_ms, passed_on, self.company, *flat = answer
        self._gate.clock.note(now)
        calls = [
            Taken(job_id=job_id, lease=lease, rank=int(rank), round=int(round_))
            for job_id, lease, rank, round_ in zip(*[iter(flat)] * 4, strict=True)
        ]
        return Intake(
            calls=calls,
            next_ms=None if next_ms < 0 else next_ms,
            passed_on=bool(passed_on),
        )

    def begin(self, job_id: str, token: str) -> Begun | Refusal:
        """Writes the dialing mark with a fresh token, or says why the call must not start now.

        A call that was begun when it was taken has its mark already, with a token of its own.
        """
        started = self._started.pop(job_id, None)
        lease = self.book.token(job_id)
        if started is not None and started.lease != lease:
            # It was lost meanwhile, and its mark was never used.
            self._note_astray(started)
            started = None
        if lease is None:
            return Refusal.LOST
        if started is None:
            begun_s = boottime()
            answer = self._gate.write(
                "begin", [keys.ACTIVE], job_id, lease, token, *self._rate(), BUSY_NUMBER_MS
            )
        else:
            begun_s, answer, token = started.begun_s, started.answer, started.token
        if answer[0] != Code.OK:
            self.book.drop(job_id, lease)
            return Refusal(Code(answer[0]).name.lower())
        _, now, data, attempts, round_ = answer
        return _begun(job_id, token, data, now, attempts, round_, begun_s)

    def finish(self, begun: Begun, verdict: Verdict, *, deferred: bool = False) -> Written:
        """Writes an attempt's outcome. ``deferred``: the holder will put the call off itself.

        Where the call is over and its holder wants the next one, that is taken and begun in the
        same go.
        """
        outcome = self._outcome(begun.attempt.job_id, begun.attempt.token, verdict, deferred)
        over = deferred and verdict.ending in (Ending.COMPLETED, Ending.FAILED)
        if not (over and (ranks := self.wants_next())):
            return _written(self._gate.write("finish", [keys.ACTIVE], *outcome))
        return self._finish_and_go_on(begun.attempt.job_id, outcome, self._order(1, ranks))

    def _finish_and_go_on(
        self, job_id: str, outcome: tuple[str | int, ...], order: tuple[str | int, ...]
    ) -> Written:
        token, begun_s = secrets.token_urlsafe(16), boottime()
        try:
            answer, taken, *answers = self._gate.write(
                "next", [keys.ACTIVE], *outcome, *order, token, BUSY_NUMBER_MS
            )
        except BaseException as error:
            if not isinstance(error, StoreUnavailable) or error.outcome_unknown:
                self._astray.append(token)
            raise
        found = self._found(taken)
        self.book.exchange(job_id, ((call.job_id, call.lease) for call in found.calls))
        # Where a limit is in force, a call is begun on its own, right before it is placed.
        for call, answer_of_begin in zip(found.calls, answers, strict=False):
            self._started[call.job_id] = _Started(
                lease=call.lease, token=token, answer=answer_of_begin, begun_s=begun_s
            )
        self.on_next(found)
        return _written(answer)

    def _finish(self, job_id: str, token: str, verdict: Verdict) -> None:
        outcome = self._outcome(job_id, token, verdict, deferred=False)
        self._gate.write("finish", [keys.ACTIVE], *outcome)

    def _outcome(
        self, job_id: str, token: str, verdict: Verdict, deferred: bool
    ) -> tuple[str | int, ...]:
        """The arguments of `finish`."""
        protocol = self.protocol
        accepted = verdict.accepted
        rank = rank_at_first(accepted.status) if accepted else 0
        return (
            job_id,
            token,
            verdict.ending,
            verdict.reason,
            accepted.sid if accepted else "",
            accepted.status if accepted else "",
            "1" if verdict.refused else "",
            verdict.wait_ms,
            max(protocol.breaker_probe_ms, verdict.quiet_ms),
            protocol.keep_completed.age_ms,
            protocol.keep_completed.count,
            protocol.keep_failed.age_ms,
            protocol.keep_failed.count,
            protocol.sid_ttl_ms,
            "1" if deferred else "",
            # A call that is over already is asked for at once.
            0 if rank == FINAL - 1 else protocol.first_look_ms,
            rank,
            verdict.kind or "",
        )

    def complete(self, job_id: str, token: str, accepted: Accepted) -> None:
        """Evidence that an attempt whose outcome is not written yet did place its call."""
        verdict = Verdict(ending=Ending.COMPLETED, accepted=accepted)
        self._finish(job_id, token, verdict)

    def abandon(self, job_id: str, token: str) -> None:
        """Takes back a mark that may stand, for a request that was certainly never sent.

        Where it does not stand nothing happens, and the call is given back unmarked.
        """
        self._finish(job_id, token, Verdict(ending=Ending.POSTPONED))

    def release(self, job_id: str) -> None:
        """Forgets the lease on a call that has ended or was put off."""
        lease = self.book.token(job_id)
        started = self._started.get(job_id)
        # It may have been taken anew with its own end: that lease stays.
        if lease is not None and (started is None or started.lease != lease):
            self.book.drop(job_id, lease)

    def defer(self, job_id: str, due_ms: int) -> bool:
        """Puts a held call off; false when it is not held (any more)."""
        lease = self.book.token(job_id)
        if lease is None:
            return False
        code, _ = self._gate.write("defer", [keys.ACTIVE], job_id, lease, due_ms)
        self.book.drop(job_id, lease)
        return bool(code == Code.OK)

    def give_back(self, job_id: str, lease: str) -> None:
        """Gives back a call that was not ended; one whose mark stands becomes in doubt.

        One that was begun when it was taken, and never placed, waits as before.
        """
        was_held = self.book.drop(job_id, lease)
        started = self._started.get(job_id)
        # It may have been taken anew with its own end: that is another lease.
        if started is not None and started.lease == lease:
            # `None`: its thread has just begun with it.
            started = self._started.pop(job_id, None)
            if started is not None:
                self._note_astray(started)
                self.disown_astray()
        if was_held:
            self._gate.write("settle", [keys.ACTIVE], job_id, lease)

    def extend(self) -> None:
        """Renews the leases of all calls held; forgets those that are lost."""
        held = self.book.held()
        flat = [value for pair in held for value in pair]
        answer = self._gate.write(
            "extend", [keys.LEASES], self._name, self.protocol.lease_ms, *flat
        )
        lost = set(answer[1:])
        for job_id, lease in held:
            if job_id in lost:
                self.book.drop(job_id, lease)
        self.disown_astray()

    def _note_astray(self, started: _Started) -> None:
        if started.answer[0] == Code.OK:
            self._astray.append(started.token)

    def disown_astray(self) -> None:
        """Gives back the calls that were begun for this process and will not be placed by it."""
        tokens = [self._astray.popleft() for _ in range(len(self._astray))]
        if not tokens:
            return
        try:
            self._gate.write("disown", [keys.ACTIVE], *tokens)
        except StoreUnavailable:
            self._astray.extend(tokens)
            raise

    def doubts(self, wanted: int) -> list[InDoubt]:
        """Attempts in doubt that are due for a look, leased to the caller."""
        now, *flat = self._gate.write("doubts", [keys.SETTLING], wanted, self.protocol.lease_ms)
        return [
            InDoubt(
                begun=_begun(job_id, token, data, mark, attempts, round_),
                looks=int(looks),
                age_ms=now - int(mark),
            )
            for job_id, token, data, mark, looks, attempts, round_ in zip(
                *[iter(flat)] * 7, strict=True
            )
        ]

    def accounted(self, sids: Sequence[str]) -> set[str]:
        """Which of these SIDs belong to attempts whose outcome is known."""
        if not sids:
            return set()
        with told(writes=False):
            scores: Any = self._gate.client.zmscore(keys.SIDS, list(sids))
        return {sid for sid, score in zip(sids, scores, strict=True) if score is not None}

    def change_rate(self, rate: Rate | None) -> None:
        """Stores an operator's change of the rate, for all workers and over restarts."""
        value = f"{rate.max_starts}:{rate.window_ms}" if rate else "off"
        with told(writes=True):
            self._gate.client.set(keys.RATE, value)
            self._gate.client.rpush(keys.WAKE, "1")

    def reset_rate(self) -> None:
        """Goes back to the rate of the settings."""
        with told(writes=True):
            self._gate.client.delete(keys.RATE)
            self._gate.client.rpush(keys.WAKE, "1")

    def _rate(self) -> tuple[int, int]:
        rate = self.protocol.rate
        return (rate.max_starts, rate.window_ms) if rate else (0, 0)


def _written(answer: list[Any]) -> Written:
    return Written(
        reception=Reception(Code(answer[0]).name.lower()),
        breaker_open=bool(answer[2]),
        uncounted=bool(answer[3]),
    )


def _begun(
    job_id: str,
    token: str,
    data: str,
    mark: Any,
    attempts: Any,
    round_: Any,
    begun_s: float | None = None,
) -> Begun:
    attempt = Attempt(
        job_id=job_id,
        token=token,
        call=record.decode(data),
        number=int(attempts) + 1,
        marked_ms=int(mark),
        begun_s=begun_s,
    )
    return Begun(attempt=attempt, round=int(round_))
