"""What Twilio says of calls on the line."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.integration.queue.model.bench import (
    HOUR_MS,
    PICKS,
    POLICY,
    Bench,
    Model,
    known,
    tried,
    while_any,
)
from vomind_queue.calls.call import State
from vomind_queue.calls.call_status import LineStatus, StatusUpdate, UpdateOutcome
from vomind_queue.calls.decisions import DialStarted
from vomind_queue.queue import keys

#: What may be said of a call; nothing of its status, too.
STATUSES = ["initiated", "ringing", "in-progress", "completed", "busy", None]


class Twilio(Bench):
    """Reports come in any order, repeated, and on calls that nobody asked for."""

    @while_any(known)
    @rule(
        pick=PICKS,
        status=st.sampled_from(STATUSES),
        sequence=st.sampled_from([None, 0, 1, 2, 3]),
    )
    def report(self, pick: int, status: str | None, sequence: int | None) -> None:
        """About the last attempt: reconcile it, revive a failed call, or update the call status."""
        job_id, job = self._one(pick, known)
        said = LineStatus(status) if status else None
        sid = job.sid or self.sid()
        outcome = self._say(job_id, job.last, sid, said, sequence)
        if job.started is not None:
            assert outcome is UpdateOutcome.UNDECIDED
            self.reports.reconcile(job_id, job.started.attempt.token, sid)
            if job.forgotten:
                assert self._is_ended(sid)
                self._forget(job_id)
                return
            job.old.append(job.started)
            self._place(job_id, job, sid)
            self._say(job_id, job.last, sid, said, sequence)
        else:
            assert outcome in (UpdateOutcome.OK, UpdateOutcome.AGAIN)
            if job.sid is None:
                self._place(job_id, job, sid)
        if hear(job, said, sequence) and not self._is_cancelled(job):
            job.state, job.round = State.DELAYED, 0
            job.repeats += 1

    @while_any(tried)
    @rule(pick=PICKS, gone=st.booleans())
    def orphan(self, pick: int, gone: bool) -> None:
        """A ring that belongs to no attempt changes no job, and is handed out to be ended.

        Where the job is gone nobody can tell, and nothing is ended.
        """
        job_id, job = self._one(pick, tried)
        older = [old for old in job.old if old is not job.last]
        started = older[0] if older else job.last
        if (not older and job.sid is None) or (gone and not self.gone):
            return
        sid = self.sid()
        outcome = self._say(max(self.gone) if gone else job_id, started, sid, LineStatus.RINGING, 1)
        self.orphans += not gone
        # A repetition of what made it an orphan counts as one.
        assert (outcome is UpdateOutcome.MISSING) == gone
        assert (self.client.zscore(keys.ORPHANS, sid) is None) == gone

    @while_any(known)
    @rule(pick=PICKS, rarely=st.integers(0, 4))
    def data_emptied(self, pick: int, rarely: int) -> None:
        """Calls are on the line, and nobody knows of them: nothing of it is a reason to end one."""
        if rarely or self.hidden:
            return
        job_id, job = self._one(pick, known)
        sid = job.sid or self.sid()
        self.client.flushall()
        for each in list(self.model):
            self._forget(each)
        self.gone, self.paused, self.orphans, self.campaigns = set(), False, 0, {}
        assert self._say(job_id, job.last, sid, LineStatus.RINGING, 1) is UpdateOutcome.MISSING
        assert not self._is_ended(sid)

    def _say(
        self,
        job_id: str,
        started: DialStarted | None,
        sid: str,
        status: LineStatus | None,
        sequence: int | None,
    ) -> UpdateOutcome:
        assert started is not None
        report = StatusUpdate(sid=sid, status=status, sequence=sequence)
        token = started.attempt.token
        return self.reports.record(job_id, token, report, poll_ms=HOUR_MS, price_ms=0).outcome

    def _place(self, job_id: str, job: Model, sid: str) -> None:
        """The last attempt did ring."""
        if job.holder is not None:
            self.worker_queues[job.holder].release(job_id)
        if not job.counted:
            job.attempts += 1
            job.round += job.started is not None
        job.counted, job.started, job.unknown, job.to_defer = True, None, False, False
        job.state, job.holder, job.sid = State.COMPLETED, None, sid


def hear(job: Model, status: LineStatus | None, sequence: int | None) -> bool:
    """What a report on a call's line should do; whether the call is made again."""
    if sequence is not None and sequence in job.seen:
        return False
    latest = max(job.seen, default=-1)
    if sequence is not None:
        job.seen.add(sequence)
    if status is None or status.rank <= job.status.rank:
        return False
    if not status.final and sequence is not None and sequence < latest:
        return False
    job.status = status
    return status == "busy" and job.state is State.COMPLETED and job.repeats < POLICY.most
