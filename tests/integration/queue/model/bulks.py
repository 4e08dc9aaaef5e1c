"""Bulks in the making: staged, committed, or dropped because nobody committed them."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from tests.integration.conftest import new
from tests.integration.queue.model.bench import HOUR_MS, MOST_JOBS, Bench, Model
from vomind_queue.calls.call import Priority, State
from vomind_queue.queue import call_record, keys
from vomind_queue.queue.codes import Code


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A bulk of which every part is written and nothing is there."""

    first: str
    began_ms: int
    priorities: list[Priority]
    later: bool

    @property
    def name(self) -> str:
        """As it is in `staging`."""
        return f"{self.first}:{len(self.priorities)}"

    @property
    def ids(self) -> list[str]:
        """Of its calls."""
        return [str(int(self.first) + index) for index in range(len(self.priorities))]


class Bulks(Bench):
    """One bulk at a time."""

    bulk: Staged | None = None

    @precondition(lambda self: self.bulk is None)
    @rule(
        priorities=st.lists(st.sampled_from(Priority), min_size=1, max_size=3),
        later=st.booleans(),
    )
    def stage(self, priorities: list[Priority], later: bool) -> None:
        """Its records are written, part by part; nobody sees them."""
        if len(self.model) > MOST_JOBS:
            return
        first, began = "", ""
        for index, priority in enumerate(priorities):
            call = call_record.encode(new(self.number(), priority).call)
            part = ("", call, priority.rank, "", HOUR_MS if later else "", "")
            answer = self.queue._store.run_with_deadline(
                "stage", keys.LAST_ID, first, began, len(priorities), HOUR_MS, index, *part
            )
            first, began = answer[2], began or answer[1]
        self.bulk = Staged(first=first, began_ms=int(began), priorities=priorities, later=later)
        self.hidden = set(self.bulk.ids)

    @precondition(lambda self: self.bulk is not None)
    @rule()
    def commit(self) -> None:
        """All of it is there; a second commit finds nothing to do."""
        bulk = self.bulk
        assert bulk is not None
        assert self._commit(bulk) == Code.OK
        assert self._commit(bulk) == Code.LATE
        state = State.DELAYED if bulk.later else State.WAITING
        for job_id, priority in zip(bulk.ids, bulk.priorities, strict=True):
            self.model[job_id] = Model(priority=priority, state=state)
        self.bulk, self.hidden = None, set()

    @precondition(lambda self: self.bulk is not None)
    @rule(worker=st.integers(0, 1))
    def goes_stale(self, worker: int) -> None:
        """Its client died: a worker drops it, and no commit brings it back."""
        bulk = self.bulk
        assert bulk is not None
        self.client.zadd(keys.STAGING, {bulk.name: 1}, xx=True)
        self.worker_queues[worker].claim(0, "123")
        assert self._commit(bulk) == Code.LATE
        self.gone |= set(bulk.ids)
        self.bulk, self.hidden = None, set()

    def _commit(self, bulk: Staged) -> Code:
        delay = HOUR_MS if bulk.later else -1
        runs = [value for each in bulk.priorities for value in (1, each.rank, -1, delay)]
        size = len(bulk.priorities)
        request = (0, "", "", 0, bulk.first, size, bulk.began_ms, str(runs), "")
        return Code(self.queue._store.write("commit", [keys.LAST_ID], *request)[0])
