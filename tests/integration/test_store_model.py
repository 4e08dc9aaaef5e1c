"""The store's scripts driven at random against a plain Python model of the queue.

Commands are repeated as a client repeats those whose replies were lost. Time is
moved by hand: a lease "runs out" and a delayed call "becomes due" when the test
says so.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.integration.conftest import QUICK, new
from vomind_queue.attempts import Accepted
from vomind_queue.calls import Job, Priority, State
from vomind_queue.errors import JobNotFound, WrongState
from vomind_queue.progress import Hearing, LineStatus, OutcomePolicy, Report
from vomind_queue.store import keys
from vomind_queue.store.codes import Code
from vomind_queue.store.connection import API_TIMEOUT_S, Gate, connect
from vomind_queue.store.desk import Protocol, WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.store.reports import ReportDesk
from vomind_queue.verdicts import Begun, Ending, Reception, Refusal, Verdict

#: Scripts that a client may send twice; the others are sent once.
REPEATED = {
    "begin", "finish", "defer", "settle", "extend", "pause", "resume", "stats", "page", "report",
}  # fmt: skip
#: A busy line is tried again, once.
POLICY = OutcomePolicy(retry_on=("busy",), delay_ms=3_600_000, most=1)
#: What may be said of a call; nothing of its status, too.
STATUSES = ["initiated", "ringing", "in-progress", "completed", "busy", None]
#: Which of the calls a step is about: mostly one that is there.
PICKS = st.integers(0, 9)
#: Few enough that something happens to each.
MOST_JOBS = 4
#: Far from any time that a test reaches, ms.
HOUR_MS = 3_600_000


def held(job: Model) -> bool:
    """A worker has its lease."""
    return job.holder is not None


def marked(job: Model) -> bool:
    """Its phone may be ringing."""
    return job.begun is not None


def known(job: Model) -> bool:
    """It was begun once, so that there is a token."""
    return job.last is not None


def delayed(job: Model) -> bool:
    """It is for later."""
    return job.state is State.DELAYED


def tried(job: Model) -> bool:
    """It has an attempt that is over."""
    return bool(job.old)


def while_any(fits: Callable[[Model], Any]) -> Any:
    """A step makes sense only while there is such a call."""
    return precondition(lambda self: any(fits(job) for job in self.model.values()))


class RepeatingGate(Gate):
    """Sends every command that may be repeated twice, and believes the second reply."""

    def write(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
        """As a client does whose first reply was lost, now and then."""
        if name in REPEATED and random.random() < 0.5:
            super().write(name, key_names, *args)
        return super().write(name, key_names, *args)


@dataclass
class Model:
    """What the queue should make of one call."""

    priority: Priority
    state: State
    attempts: int = 0
    round: int = 0
    #: Worker that holds it, while it has a lease.
    holder: int | None = None
    #: The attempt whose mark stands.
    begun: Begun | None = None
    #: Its holder is to put it off.
    to_defer: bool = False
    in_doubt: bool = False
    #: Attempts of it that are over; their late answers must change nothing.
    old: list[Begun] = field(default_factory=list)
    #: The attempt that was begun last, whether it counts, and the call that Twilio made of it.
    last: Begun | None = None
    counted: bool = False
    sid: str | None = None
    status: LineStatus = LineStatus.QUEUED
    #: Sequence numbers of the callbacks so far.
    seen: set[int] = field(default_factory=set)
    #: Attempts made for an outcome on the line since the last manual retry.
    repeats: int = 0

    def hear(self, status: LineStatus | None, sequence: int | None) -> bool:
        """What a report on its call should do; whether it is made again."""
        if sequence is not None and sequence in self.seen:
            return False
        latest = max(self.seen, default=-1)
        if sequence is not None:
            self.seen.add(sequence)
        if status is None or status.rank <= self.status.rank:
            return False
        if not status.final and sequence is not None and sequence < latest:
            return False
        self.status = status
        return status == "busy" and self.state is State.COMPLETED and self.repeats < POLICY.most


class Queue(RuleBasedStateMachine):
    """Two workers and an API at one queue."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.client: redis.Redis = connect(self.url, timeout_s=API_TIMEOUT_S)
        self.client.flushall()
        gate = RepeatingGate(self.client)
        self.queue = CallQueue(gate, None)
        protocol = Protocol(**{**QUICK, "lease_ms": HOUR_MS, "breaker_probe_ms": HOUR_MS})
        self.strays = 0
        self.desks = [WorkDesk(gate, f"worker-{i}", protocol) for i in range(2)]
        self.model: dict[str, Model] = {}
        self.gone: set[str] = set()
        self.paused = False
        self.sids = 0
        self.reports = ReportDesk(gate, self.desks[0], POLICY)
        #: Every lease that was ever given out, by job.
        self.leases: dict[str, list[str]] = {}

    def teardown(self) -> None:
        """Gives the connections back."""
        self.client.close()

    def _pick(self, pick: int) -> str:
        if pick == 9 or not self.model:
            return max(self.gone, default="1")
        return sorted(self.model)[pick % len(self.model)]

    def _one(self, pick: int, fits: Callable[[Model], Any]) -> tuple[str, Model]:
        fitting = sorted(job_id for job_id, job in self.model.items() if fits(job))
        job_id = fitting[pick % len(fitting)]
        return job_id, self.model[job_id]

    # What apps and operators do.

    @rule(
        priorities=st.lists(st.sampled_from(Priority), min_size=1, max_size=2),
        later=st.sampled_from([False, False, False, True]),
    )
    def add(self, priorities: list[Priority], later: bool) -> None:
        """Calls come in, now or for later."""
        times = {"delay_ms": HOUR_MS} if later else {}
        if len(self.model) > MOST_JOBS:
            return
        count = len(self.model) + len(self.gone)
        news = [new(count + i, priority, **times) for i, priority in enumerate(priorities)]
        ids = self.queue.add(news).job_ids
        for job_id, priority in zip(ids, priorities, strict=True):
            state = State.DELAYED if later else State.WAITING
            self.model[job_id] = Model(priority=priority, state=state)

    @rule(pick=PICKS)
    def cancel(self, pick: int) -> None:
        """Only what is not held goes."""
        job_id = self._pick(pick)
        job = self.model.get(job_id)
        if job is None:
            with pytest.raises(JobNotFound):
                self.queue.cancel(job_id)
        elif job.state is State.ACTIVE:
            with pytest.raises(WrongState):
                self.queue.cancel(job_id)
        else:
            assert self.queue.cancel(job_id) is job.state
            self._forget(job_id)

    @rule(pick=PICKS)
    def retry(self, pick: int) -> None:
        """Only failed calls wait again, with all their attempts."""
        job_id = self._pick(pick)
        job = self.model.get(job_id)
        if job is None:
            with pytest.raises(JobNotFound):
                self.queue.retry(job_id)
        elif job.state is not State.FAILED:
            with pytest.raises(WrongState):
                self.queue.retry(job_id)
        else:
            self.queue.retry(job_id)
            job.state, job.round, job.repeats = State.WAITING, 0, 0

    @rule(limit=st.integers(1, 3))
    def clean(self, limit: int) -> None:
        """Only what ended goes."""
        ended = {i for i, job in self.model.items() if job.state in (State.COMPLETED, State.FAILED)}
        cleaned = self.queue.clean(0, limit)
        removed = {*cleaned.completed, *cleaned.failed}
        assert len(removed) == min(limit, len(ended))
        assert removed <= ended
        for job_id in removed:
            self._forget(job_id)

    @rule(pause=st.sampled_from([True, False, False, False]))
    def pause_or_resume(self, pause: bool) -> None:
        """Both may be said any number of times."""
        if pause:
            self.queue.pause("ann")
        else:
            self.queue.resume()
        self.paused = pause

    # What workers do.

    @rule(worker=st.integers(0, 1), wanted=st.integers(0, 4))
    def take(self, worker: int, wanted: int) -> None:
        """The most urgent ones, in the order of the list, unless the queue is paused."""
        listed = [job.id for job in self.queue.page(State.WAITING, 0, 99).jobs]
        taken = [call.job_id for call in self.desks[worker].take(wanted, "123").calls]
        assert taken == ([] if self.paused else listed[:wanted])
        for job_id in taken:
            self.model[job_id].state = State.ACTIVE
            self.model[job_id].holder = worker
            self.leases.setdefault(job_id, []).append(str(self.desks[worker].book.token(job_id)))

    @rule(worker=st.integers(0, 1))
    def work(self, worker: int) -> None:
        """What a worker does most of the time."""
        before = {job_id for job_id, job in self.model.items() if job.holder == worker}
        self.take(worker, 1)
        for job_id, job in list(self.model.items()):
            if job.holder == worker and job_id not in before:
                self.begin(sorted(self.model).index(job_id), worker)

    @while_any(held)
    @rule(pick=PICKS)
    def stale_lease(self, pick: int) -> None:
        """Whoever lost a call cannot begin it, put it off, give it back or keep it."""
        job_id, job = self._one(pick, held)
        for lease in self.leases[job_id]:
            if self.desks[job.holder or 0].book.token(job_id) == lease:
                continue
            gate = self.queue._gate
            begun = gate.write("begin", [keys.ACTIVE], job_id, lease, "token", 0, 0, 1)
            assert begun[0] == Code.LOST
            assert gate.write("defer", [keys.ACTIVE], job_id, lease, 0)[0] == Code.LOST
            kept = gate.write("extend", [keys.LEASES], "worker-9", HOUR_MS, job_id, lease)
            assert kept[1:] == [job_id]
            if not job.in_doubt:
                assert gate.write("settle", [keys.ACTIVE], job_id, lease)[0] == Code.LOST

    @rule(pick=PICKS, worker=st.integers(0, 1))
    def begin(self, pick: int, worker: int) -> None:
        """Only its holder begins a call, once, and only while it is its turn."""
        job_id = self._pick(pick)
        job = self.model.get(job_id)
        answer = self.desks[worker].begin(job_id, secrets.token_urlsafe(4))
        if job is None or job.holder != worker or job.begun or job.in_doubt:
            assert answer is Refusal.LOST
            if job is not None and job.holder == worker:
                # The lease is forgotten by the worker; it would run out.
                self._run_out(job_id, job)
            return
        if self.paused or self._outranked(job):
            wanted = {Refusal.PAUSED, Refusal.OUTRANKED, Refusal.LOST}
            assert answer in wanted
            self._let_go(job)
            return
        assert isinstance(answer, Begun)
        assert (answer.attempt.number, answer.round) == (job.attempts + 1, job.round)
        job.begun, job.to_defer = answer, False
        job.last, job.counted = answer, False
        job.sid, job.status, job.seen = None, LineStatus.QUEUED, set()

    @while_any(marked)
    @rule(pick=PICKS, ending=st.sampled_from(Ending), defers=st.booleans())
    def finish(self, pick: int, ending: Ending, defers: bool) -> None:
        """The outcome of an attempt comes in, from its worker or from a settler."""
        job_id, job = self._one(pick, marked)
        begun, was_held = job.begun, held(job)
        assert begun is not None
        desk = self.desks[job.holder or 0]
        verdict = self._verdict(ending)
        written = desk.finish(begun, verdict, deferred=defers)
        assert written.reception in (Reception.OK, Reception.AGAIN)
        if ending is Ending.DOUBT:
            job.in_doubt, job.holder = True, None
            desk.release(job_id)
            return
        job.old.append(begun)
        job.begun, job.in_doubt = None, False
        if ending in (Ending.COMPLETED, Ending.FAILED, Ending.AGAIN):
            job.attempts += 1
            job.round += 1
            job.counted = True
        if verdict.accepted:
            job.sid = verdict.accepted.sid
        if ending is Ending.AGAIN and defers and was_held:
            job.to_defer = True
            return
        desk.release(job_id)
        job.holder = None
        job.state = {
            Ending.COMPLETED: State.COMPLETED,
            Ending.FAILED: State.FAILED,
            Ending.AGAIN: State.DELAYED,
            Ending.POSTPONED: State.WAITING,
            Ending.ACCOUNT: State.WAITING,
        }[ending]
        self.paused = self.paused or ending is Ending.ACCOUNT

    @while_any(tried)
    @rule(pick=PICKS)
    def late_answer(self, pick: int) -> None:
        """An answer to an attempt that is over changes nothing."""
        _, job = self._one(pick, tried)
        written = self.desks[0].finish(job.old[0], self._verdict(Ending.COMPLETED))
        assert written.reception is Reception.SUPERSEDED

    # What Twilio says.

    @while_any(known)
    @rule(
        pick=PICKS,
        status=st.sampled_from(STATUSES),
        sequence=st.sampled_from([None, 0, 1, 2, 3]),
    )
    def report(self, pick: int, status: str | None, sequence: int | None) -> None:
        """On the last attempt: it settles a doubt, revives what was given up, moves on the line."""
        job_id, job = self._one(pick, known)
        said = LineStatus(status) if status else None
        sid = job.sid or self._fresh()
        hearing = self._say(job_id, job.last, sid, said, sequence)
        if job.begun is not None:
            assert hearing is Hearing.UNDECIDED
            self.reports.settle(job_id, job.begun.attempt.token, sid)
            job.old.append(job.begun)
            self._place(job_id, job, sid)
            self._say(job_id, job.last, sid, said, sequence)
        else:
            assert hearing in (Hearing.OK, Hearing.AGAIN)
            if job.sid is None:
                self._place(job_id, job, sid)
        if job.hear(said, sequence):
            job.state, job.round = State.DELAYED, 0
            job.repeats += 1

    @while_any(tried)
    @rule(pick=PICKS, gone=st.booleans())
    def stray(self, pick: int, gone: bool) -> None:
        """A ring that no attempt accounts for changes no job, and is handed out to be ended."""
        job_id, job = self._one(pick, tried)
        older = [old for old in job.old if old is not job.last]
        begun = older[0] if older else job.last
        if (not older and job.sid is None) or (gone and not self.gone):
            return
        sid = self._fresh()
        self._say(max(self.gone) if gone else job_id, begun, sid, LineStatus.RINGING, 1)
        self.strays += 1
        assert self.client.zscore(keys.STRAYS, sid) is not None

    def _fresh(self) -> str:
        self.sids += 1
        return f"CA{self.sids}"

    def _say(
        self,
        job_id: str,
        begun: Begun | None,
        sid: str,
        status: LineStatus | None,
        sequence: int | None,
    ) -> Hearing:
        assert begun is not None
        report = Report(sid=sid, status=status, sequence=sequence)
        token = begun.attempt.token
        return self.reports.report(job_id, token, report, look_ms=HOUR_MS, price_ms=0).hearing

    def _place(self, job_id: str, job: Model, sid: str) -> None:
        """The last attempt did ring."""
        if job.holder is not None:
            self.desks[job.holder].release(job_id)
        if not job.counted:
            job.attempts += 1
            job.round += job.begun is not None
        job.counted, job.begun, job.in_doubt, job.to_defer = True, None, False, False
        job.state, job.holder, job.sid = State.COMPLETED, None, sid

    @while_any(held)
    @rule(pick=PICKS)
    def put_off(self, pick: int) -> None:
        """Its holder puts a call off, as Celery's retry does."""
        job_id, job = self._one(pick, held)
        done = self.desks[job.holder or 0].defer(job_id, self.queue.now_ms() + HOUR_MS)
        if job.begun is None:
            job.state, job.holder, job.to_defer = State.DELAYED, None, False
        else:
            assert done is False
            self._run_out(job_id, job)

    @while_any(held)
    @rule(pick=PICKS)
    def give_back(self, pick: int) -> None:
        """Its worker lets go of a call without having ended it."""
        job_id, job = self._one(pick, held)
        desk = self.desks[job.holder or 0]
        desk.give_back(job_id, str(desk.book.token(job_id)))
        self._let_go(job)

    @rule(worker=st.integers(0, 1))
    def renew(self, worker: int) -> None:
        """A living worker keeps what it holds."""
        its = {job_id for job_id, job in self.model.items() if job.holder == worker}
        self.desks[worker].extend()
        assert {job_id for job_id, _ in self.desks[worker].book.held()} == its

    # What time does.

    @while_any(held)
    @rule(pick=PICKS)
    def lease_runs_out(self, pick: int) -> None:
        """The worker was silent for too long."""
        job_id, job = self._one(pick, held)
        self._run_out(job_id, job)

    @while_any(delayed)
    @rule(pick=PICKS)
    def becomes_due(self, pick: int) -> None:
        """A delayed call's time has come."""
        job_id, job = self._one(pick, delayed)
        self.client.zadd(keys.DELAYED, {_member(job_id): 1}, xx=True)
        self.desks[0].take(0, "123")
        job.state = State.WAITING

    def _run_out(self, job_id: str, job: Model) -> None:
        assert job.holder is not None
        self.client.zadd(keys.LEASES, {_member(job_id): 1}, xx=True)
        self.desks[job.holder].book.forget([job_id])
        self.desks[1 - job.holder].take(0, "123")
        self._let_go(job)

    def _let_go(self, job: Model) -> None:
        job.holder = None
        if job.begun is None:
            # An attempt that is over is put off, whoever lets go of the call.
            job.state = State.DELAYED if job.to_defer else State.WAITING
            job.to_defer = False
        else:
            job.in_doubt = True

    def _outranked(self, job: Model) -> bool:
        return any(
            other.state is State.WAITING and other.priority.rank < job.priority.rank
            for other in self.model.values()
        )

    def _verdict(self, ending: Ending) -> Verdict:
        accepted = None
        if ending is Ending.COMPLETED:
            accepted = Accepted(sid=self._fresh(), status="queued")
        wait_ms = HOUR_MS if ending in (Ending.AGAIN, Ending.DOUBT) else 0
        return Verdict(ending=ending, reason="Words.", accepted=accepted, wait_ms=wait_ms)

    def _forget(self, job_id: str) -> None:
        del self.model[job_id]
        self.gone.add(job_id)

    @invariant()
    def every_state_agrees(self) -> None:
        """Each job is in exactly one list, the right one, and the numbers say the same."""
        found: dict[str, State] = {}
        for state in State:
            for job in self.queue.page(state, 0, 999).jobs:
                assert job.id not in found
                assert job.state is state
                self._check_line(job, self.model[job.id])
                found[job.id] = state
        assert found == {job_id: job.state for job_id, job in self.model.items()}
        stats = self.queue.stats()
        assert stats.total == len(found)
        assert stats.in_doubt == sum(job.in_doubt for job in self.model.values())
        assert (stats.pause is not None) == self.paused
        assert stats.stray_rings == self.strays

    def _check_line(self, job: Job, model: Model) -> None:
        assert job.attempts_made == model.attempts
        placed = (job.placed.sid, job.placed.status) if job.placed else None
        assert placed == ((model.sid, model.status) if model.sid else None)
        numbers = [made.number for made in job.attempts]
        assert numbers == list(range(1, model.attempts + marked(model) + 1))

    @invariant()
    def nothing_is_left_behind(self) -> None:
        """Removed calls leave no record, and only marked calls keep their number busy."""
        if self.gone:
            assert self.client.exists(*map(keys.job, self.gone)) == 0
        dialing: Any = self.client.hvals(keys.DIALING)
        assert set(dialing) == {job_id for job_id, job in self.model.items() if marked(job)}


def _member(job_id: str) -> str:
    return chr(96 + len(job_id)) + job_id


def test_the_store_does_what_the_model_does(redis_url: str) -> None:
    """10,000 steps at random, with commands repeated: every state of every call agrees."""
    machine = type("QueueOnThisServer", (Queue,), {"url": redis_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # A run that fails prints its steps; making them fewer takes minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
