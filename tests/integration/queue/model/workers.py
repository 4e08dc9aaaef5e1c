"""What workers do, and what time does to them."""

from __future__ import annotations

import secrets

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.integration.queue.model.bench import (
    HOUR_MS,
    PICKS,
    Bench,
    delayed,
    held,
    marked,
    member,
    tried,
    while_any,
)
from vomind_queue.calls.call import State
from vomind_queue.calls.call_status import LineStatus
from vomind_queue.calls.campaign import CampaignState
from vomind_queue.calls.decisions import AttemptResult, DialStarted, FinishStatus, NotStarted
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code


class Workers(Bench):
    """Calls are taken, begun, ended, delayed and given back; leases run out."""

    @rule(worker=st.integers(0, 1), wanted=st.integers(0, 4))
    def take(self, worker: int, wanted: int) -> None:
        """The most urgent ones, in the order of the list, unless the queue is paused."""
        listed = [job.id for job in self.queue.page(State.WAITING, 0, 99).jobs]
        listed = [job_id for job_id in listed if self._may_start(self.model[job_id])]
        taken = [call.job_id for call in self.worker_queues[worker].claim(wanted, "123").calls]
        self._check_order(taken, [] if self.paused else listed, wanted)
        for job_id in taken:
            self.model[job_id].state = State.ACTIVE
            self.model[job_id].holder = worker
            self.leases.setdefault(job_id, []).append(
                str(self.worker_queues[worker].leases.token(job_id))
            )

    def _check_order(self, taken: list[str], listed: list[str], wanted: int) -> None:
        """The most urgent ones; in the order of the list, but campaigns share a priority."""
        assert len(taken) == min(wanted, len(listed))
        if not any(self.model[job_id].campaign for job_id in listed):
            assert taken == listed[:wanted]
        ranks = [self.model[job_id].priority.rank for job_id in listed]
        assert [self.model[job_id].priority.rank for job_id in taken] == ranks[: len(taken)]
        for campaign in (None, *self.campaigns):
            its = [job_id for job_id in listed if self.model[job_id].campaign == campaign]
            mine = [job_id for job_id in taken if self.model[job_id].campaign == campaign]
            for rank in set(ranks):
                of_rank = [job_id for job_id in its if self.model[job_id].priority.rank == rank]
                among = [job_id for job_id in mine if self.model[job_id].priority.rank == rank]
                assert among == of_rank[: len(among)]

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
        """A worker that lost a call cannot begin it, delay it, give it back or keep it."""
        job_id, job = self._one(pick, held)
        for lease in self.leases[job_id]:
            if self.worker_queues[job.holder or 0].leases.token(job_id) == lease:
                continue
            store = self.queue._store
            args = (job_id, lease, "token", 0, 0, 1, 0, 30_000, HOUR_MS, 9)
            started = store.write("start_dialing", [keys.ACTIVE], *args)
            assert started[0] == Code.LOST
            assert store.write("defer", [keys.ACTIVE], job_id, lease, 0)[0] == Code.LOST
            kept = store.write("renew_leases", [keys.LEASES], "worker-9", HOUR_MS, job_id, lease)
            assert kept[1:] == [job_id]
            if not job.unknown:
                assert store.write("give_back", [keys.ACTIVE], job_id, lease)[0] == Code.LOST

    @rule(pick=PICKS, worker=st.integers(0, 1), callbacks=st.booleans())
    def begin(self, pick: int, worker: int, callbacks: bool = False) -> None:
        """Only its holder begins a call, once, and only while it is its turn."""
        job_id = self._pick(pick)
        job = self.model.get(job_id)
        answer = self.worker_queues[worker].start_dialing(
            job_id, secrets.token_urlsafe(4), callbacks=callbacks
        )
        if job is None or job.holder != worker or job.started or job.unknown:
            assert answer is NotStarted.LOST
            if job is not None and job.holder == worker:
                # The lease is forgotten by the worker; it would run out.
                self._run_out(job_id, job)
            return
        campaign = self.campaigns.get(job.campaign or "")
        is_stopped = campaign is not None and campaign.state is not CampaignState.RUNNING
        if self.paused or self._preempted(job) or is_stopped:
            wanted = {NotStarted.PAUSED, NotStarted.PREEMPTED, NotStarted.LOST}
            wanted |= {NotStarted.CAMPAIGN} if is_stopped else set()
            assert answer in wanted
            self._let_go(job)
            return
        assert isinstance(answer, DialStarted)
        assert (answer.attempt.number, answer.round) == (job.attempts + 1, job.round)
        assert answer.attempt.callbacks is callbacks
        job.started, job.to_defer = answer, False
        job.last, job.counted = answer, False
        job.sid, job.status, job.seen = None, LineStatus.QUEUED, set()

    @while_any(marked)
    @rule(pick=PICKS, result=st.sampled_from(AttemptResult), defers=st.booleans())
    def finish(self, pick: int, result: AttemptResult, defers: bool) -> None:
        """The outcome of an attempt comes in, from its worker or from a reconciler."""
        job_id, job = self._one(pick, marked)
        started, was_held = job.started, held(job)
        assert started is not None
        worker_queue = self.worker_queues[job.holder or 0]
        decision = self._verdict(result)
        written = worker_queue.finish(started, decision, deferred=defers)
        if job.forgotten and result is not AttemptResult.UNKNOWN:
            assert written.status is not FinishStatus.SUPERSEDED
            assert decision.accepted is None or self._is_ended(decision.accepted.sid)
            self.paused = self.paused or result is AttemptResult.ACCOUNT
            self._forget(job_id)
            return
        assert written.status in (FinishStatus.OK, FinishStatus.AGAIN)
        if result is AttemptResult.UNKNOWN:
            job.unknown, job.holder = True, None
            worker_queue.release(job_id)
            return
        job.old.append(started)
        job.started, job.unknown = None, False
        if result in (AttemptResult.COMPLETED, AttemptResult.FAILED, AttemptResult.AGAIN):
            job.attempts += 1
            job.round += 1
            job.counted = True
        if decision.accepted:
            job.sid = decision.accepted.sid
        if result is AttemptResult.AGAIN and defers and was_held:
            job.to_defer = True
            return
        worker_queue.release(job_id)
        job.holder = None
        job.state = {
            AttemptResult.COMPLETED: State.COMPLETED,
            AttemptResult.FAILED: State.FAILED,
            AttemptResult.AGAIN: State.DELAYED,
            AttemptResult.POSTPONED: State.WAITING,
            AttemptResult.ACCOUNT: State.WAITING,
        }[result]
        self.paused = self.paused or result is AttemptResult.ACCOUNT

    @rule(worker=st.integers(0, 1))
    def check_unknown_outcomes(self, worker: int) -> None:
        """Each comes with its token, and with whether that attempt asked for callbacks."""
        unknown = {job_id: job for job_id, job in self.model.items() if job.unknown}
        for job_id in unknown:
            self.client.zadd(keys.RECONCILING, {member(job_id): 1}, xx=True)
        found = {
            each.started.attempt.job_id: each
            for each in self.worker_queues[worker].due_reconciliations(99)
        }
        assert found.keys() == unknown.keys()
        for job_id, job in unknown.items():
            assert job.started is not None
            now, then = found[job_id].started.attempt, job.started.attempt
            assert (now.token, now.callbacks) == (then.token, then.callbacks)

    @while_any(tried)
    @rule(pick=PICKS)
    def late_answer(self, pick: int) -> None:
        """An answer to an attempt that is over changes nothing."""
        _, job = self._one(pick, tried)
        written = self.worker_queues[0].finish(job.old[0], self._verdict(AttemptResult.COMPLETED))
        assert written.status is FinishStatus.SUPERSEDED

    @while_any(held)
    @rule(pick=PICKS)
    def delay(self, pick: int) -> None:
        """Its holder puts a call off, as Celery's retry does."""
        job_id, job = self._one(pick, held)
        done = self.worker_queues[job.holder or 0].defer(job_id, self.queue.now_ms() + HOUR_MS)
        if job.started is None:
            job.state, job.holder, job.to_defer = State.DELAYED, None, False
        else:
            assert done is False
            self._run_out(job_id, job)

    @while_any(held)
    @rule(pick=PICKS)
    def give_back(self, pick: int) -> None:
        """Its worker gives up a call without having ended it."""
        job_id, job = self._one(pick, held)
        worker_queue = self.worker_queues[job.holder or 0]
        worker_queue.give_back(job_id, str(worker_queue.leases.token(job_id)))
        self._let_go(job)

    @rule(worker=st.integers(0, 1))
    def renew(self, worker: int) -> None:
        """A living worker keeps what it holds."""
        its = {job_id for job_id, job in self.model.items() if job.holder == worker}
        self.worker_queues[worker].renew_leases()
        assert {job_id for job_id, _ in self.worker_queues[worker].leases.held()} == its

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
        self.client.zadd(keys.DELAYED, {member(job_id): 1}, xx=True)
        self.worker_queues[0].claim(0, "123")
        job.state = State.WAITING
