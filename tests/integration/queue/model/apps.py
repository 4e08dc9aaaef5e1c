"""What apps and operators do."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import rule

from tests.integration.conftest import new
from tests.integration.queue.model.bench import (
    HOUR_MS,
    MOST_JOBS,
    PICKS,
    Bench,
    Model,
    known,
    marked,
    while_any,
)
from vomind_queue.calls.call import Priority, State
from vomind_queue.errors import JobNotFound, WrongState
from vomind_queue.queue import keys


class Apps(Bench):
    """Calls come in, are cancelled, retried and cleaned away; the queue is paused."""

    @rule(
        priorities=st.lists(st.sampled_from(Priority), min_size=1, max_size=2),
        later=st.sampled_from([False, False, False, True]),
    )
    def add(self, priorities: list[Priority], later: bool) -> None:
        """Calls come in, now or for later."""
        times = {"delay_ms": HOUR_MS} if later else {}
        if len(self.model) > MOST_JOBS:
            return
        news = [new(self.number(), priority, **times) for priority in priorities]
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
    def hang_up(self, pick: int) -> None:
        """Only a call on the line is ended."""
        job_id = self._pick(pick)
        job = self.model.get(job_id)
        if job is None:
            with pytest.raises(JobNotFound):
                self.queue.hang_up(job_id)
        elif job.state is not State.COMPLETED or job.status.final:
            with pytest.raises(WrongState):
                self.queue.hang_up(job_id)
        else:
            self.queue.hang_up(job_id)
            assert self._is_ended(str(job.sid))

    @while_any(lambda _: True)
    @rule(pick=PICKS)
    def forget(self, pick: int) -> None:
        """All goes; a call on the line is ended, and one being placed is left to `finish`."""
        job_id, job = self._one(pick, lambda _: True)
        removed, being_placed = self.erasure.forget(self.queue.job(job_id).call.to)
        if marked(job):
            assert (removed, being_placed) == ({}, [job_id])
            job.forgotten = True
            return
        assert (list(removed), being_placed) == ([job_id], [])
        if job.state is State.COMPLETED and not job.status.final:
            assert self._is_ended(str(job.sid))
        self._forget(job_id)
        dialing: Any = self.client.hvals(keys.DIALING)
        assert job_id not in dialing

    @rule(
        pick=PICKS,
        priority=st.sampled_from(Priority),
        times=st.sampled_from([{}, {"delay_ms": 0}, {"delay_ms": HOUR_MS}]),
    )
    def change(self, pick: int, priority: Priority, times: dict[str, int]) -> None:
        """Only what has not begun becomes another call, at another time where one is given."""
        job_id = self._pick(pick)
        job, wanted = self.model.get(job_id), new(self.number(), priority, **times)
        if job is None:
            with pytest.raises(JobNotFound):
                self.queue.change(job_id, lambda _: wanted)
        elif known(job) or job.state not in (State.WAITING, State.DELAYED):
            with pytest.raises(WrongState):
                self.queue.change(job_id, lambda _: wanted)
        else:
            self.queue.change(job_id, lambda _: wanted)
            assert self.queue.job(job_id).call.to == wanted.call.to
            job.priority = priority
            if times:
                job.state = State.DELAYED if times["delay_ms"] else State.WAITING

    @rule(pick=PICKS)
    def retry(self, pick: int) -> None:
        """Only failed calls wait again, with all their attempts."""
        job_id = self._pick(pick)
        job = self.model.get(job_id)
        if job is None:
            with pytest.raises(JobNotFound):
                self.queue.retry(job_id)
        elif job.state is not State.FAILED or self._is_cancelled(job):
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
