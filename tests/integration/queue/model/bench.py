"""What is modelled, and what holds after each step."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
import redis
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition

from tests.integration.conftest import KEEP, PATIENCE_S, QUICK
from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call import Priority, State
from vomind_queue.calls.call_status import LineStatus, OutcomePolicy
from vomind_queue.calls.campaign import CampaignState, Part
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.calls.job import Job
from vomind_queue.errors import JobNotFound
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.callback_store import CallbackStore
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue

#: Scripts that a client may send twice; the others are sent once.
REPEATED = {
    "start_dialing", "finish", "defer", "give_back", "renew_leases", "pause", "resume", "stats",
    "page", "status_callback",
}  # fmt: skip
#: A busy line is tried again, once.
POLICY = OutcomePolicy(retry_on=("busy",), delay_ms=3_600_000, most=1)
#: Which of the calls a step is about: mostly one that is there.
PICKS = st.integers(0, 9)
#: Few enough that something happens to each.
MOST_JOBS = 4
#: A usual ring and what Twilio adds to it, and some more, ms.
RINGS_AT_MOST_MS = 40_000
#: Far from any time that a test reaches, ms.
HOUR_MS = 3_600_000


def held(job: Model) -> bool:
    """A worker has its lease."""
    return job.holder is not None


def marked(job: Model) -> bool:
    """Its phone may be ringing."""
    return job.started is not None


def on_the_line(job: Model) -> bool:
    """Twilio took it, and it is not over."""
    return job.sid is not None and not marked(job) and job.status.rank < LineStatus.UNKNOWN.rank


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


class RepeatingGate(RedisStore):
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
    started: DialStarted | None = None
    #: Its holder is to put it off.
    to_defer: bool = False
    unknown: bool = False
    #: Attempts of it that are over; their late answers must change nothing.
    old: list[DialStarted] = field(default_factory=list)
    #: The attempt that was begun last, whether it counts, and the call that Twilio made of it.
    last: DialStarted | None = None
    counted: bool = False
    sid: str | None = None
    status: LineStatus = LineStatus.QUEUED
    #: Sequence numbers of the callbacks so far.
    seen: set[int] = field(default_factory=set)
    #: Attempts made for an outcome on the line since the last manual retry.
    repeats: int = 0
    #: Its person was forgotten while it was being placed.
    forgotten: bool = False
    #: The campaign that it belongs to.
    campaign: str | None = None


@dataclass
class CampaignModel:
    """What the queue should make of one campaign."""

    state: CampaignState = CampaignState.DRAFT
    total: int = 0
    #: Calls whose records are gone, by where they were counted last.
    gone: Counter[Part] = field(default_factory=Counter)


def part_of(job: Model) -> Part:
    """Where a campaign counts a call."""
    if job.state is not State.COMPLETED:
        return Part(job.state)
    if job.status.rank < LineStatus.UNKNOWN.rank:
        return Part.ON_LINE
    return {LineStatus.COMPLETED: Part.ANSWERED, LineStatus.BUSY: Part.BUSY}[job.status]


#: Where a call is counted whose record goes before it is over.
LAST_PARTS = {
    Part.WAITING: Part.CANCELLED,
    Part.DELAYED: Part.CANCELLED,
    Part.ACTIVE: Part.UNKNOWN,
    Part.ON_LINE: Part.UNKNOWN,
}


class Bench(RuleBasedStateMachine):
    """Two workers and an API at one queue."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.client: redis.Redis = connect(self.url, timeout_s=PATIENCE_S)
        self.client.flushall()
        store = RepeatingGate(self.client)
        self.queue = CallQueue(store, None)
        self.campaign_store = CampaignStore(store)
        self.campaigns: dict[str, CampaignModel] = {}
        protocol = Protocol(**{**QUICK, "lease_ms": HOUR_MS, "breaker_probe_ms": HOUR_MS})
        self.worker_queues = [WorkerQueue(store, f"worker-{i}", protocol) for i in range(2)]
        self.model: dict[str, Model] = {}
        self.gone: set[str] = set()
        self.paused = False
        self.sids = 0
        self.numbers = 0
        self.orphans = 0
        self.erasure = Erasure(store)
        self.reports = CallbackStore(store, self.worker_queues[0], POLICY)
        #: Ids of a bulk that is staged.
        self.hidden: set[str] = set()
        #: Every lease that was ever given out, by job.
        self.leases: dict[str, list[str]] = {}

    def teardown(self) -> None:
        """Gives the connections back."""
        self.client.close()

    def number(self) -> int:
        """A phone number's, never given out before."""
        self.numbers += 1
        return self.numbers

    def sid(self) -> str:
        """A call's at Twilio, never given out before."""
        self.sids += 1
        return f"CA{self.sids}"

    def _pick(self, pick: int) -> str:
        if pick == 9 or not self.model:
            return max(self.gone | self.hidden, default="1")
        return sorted(self.model)[pick % len(self.model)]

    def _one(self, pick: int, fits: Callable[[Model], Any]) -> tuple[str, Model]:
        fitting = sorted(job_id for job_id, job in self.model.items() if fits(job))
        job_id = fitting[pick % len(fitting)]
        return job_id, self.model[job_id]

    def _run_out(self, job_id: str, job: Model) -> None:
        assert job.holder is not None
        self.client.zadd(keys.LEASES, {member(job_id): 1}, xx=True)
        book = self.worker_queues[job.holder].leases
        book.drop(job_id, str(book.token(job_id)))
        self.worker_queues[1 - job.holder].claim(0, "123")
        self._let_go(job)

    def _let_go(self, job: Model) -> None:
        job.holder = None
        if job.started is None:
            # An attempt that is over is delayed, no matter which worker releases the call.
            job.state = State.DELAYED if job.to_defer else State.WAITING
            job.to_defer = False
        else:
            job.unknown = True

    def _is_cancelled(self, job: Model) -> bool:
        """Whether it belongs to a campaign that was cancelled."""
        campaign = self.campaigns.get(job.campaign or "")
        return campaign is not None and campaign.state is CampaignState.CANCELLED

    def _may_start(self, job: Model) -> bool:
        """Whether it waits, and its campaign, if any, runs."""
        campaign = self.campaigns.get(job.campaign or "")
        is_running = campaign is None or campaign.state is CampaignState.RUNNING
        return job.state is State.WAITING and is_running

    def _preempted(self, job: Model) -> bool:
        return any(
            self._may_start(other) and other.priority.rank < job.priority.rank
            for other in self.model.values()
        )

    def _verdict(self, result: AttemptResult) -> Decision:
        accepted = None
        if result is AttemptResult.COMPLETED:
            accepted = Accepted(sid=self.sid(), status="queued")
        wait_ms = HOUR_MS if result in (AttemptResult.AGAIN, AttemptResult.UNKNOWN) else 0
        return Decision(result=result, reason="Words.", accepted=accepted, wait_ms=wait_ms)

    def _forget(self, job_id: str) -> None:
        job = self.model.pop(job_id)
        if job.campaign in self.campaigns:
            part = part_of(job)
            if part is Part.ACTIVE and not marked(job) and not job.forgotten:
                # Claimed, and certainly not placed.
                part = Part.WAITING
            self.campaigns[job.campaign].gone[LAST_PARTS.get(part, part)] += 1
        if job.holder is not None:
            # It finds out when it begins or delays the call.
            self.worker_queues[job.holder].release(job_id)
        self.gone.add(job_id)

    def _is_ended(self, sid: str) -> bool:
        return self.client.zscore(keys.ORPHANS, sid) is not None

    @invariant()
    def every_state_agrees(self) -> None:
        """Each job is in exactly one list, the right one, and the numbers say the same."""
        self._sweep()
        found: dict[str, State] = {}
        for state in State:
            for job in self.queue.page(state, 0, 999).jobs:
                assert job.id not in found
                assert job.state is state
                self._check_line(job, self.model[job.id])
                found[job.id] = state
        assert found == {job_id: job.state for job_id, job in self.model.items()}
        for job_id in self.hidden:
            with pytest.raises(JobNotFound):
                self.queue.job(job_id)
        stats = self.queue.stats()
        assert stats.total == len(found)
        assert stats.unknown_outcomes == sum(job.unknown for job in self.model.values())
        assert (stats.pause is not None) == self.paused
        assert stats.orphaned_calls == self.orphans

    def _check_line(self, job: Job, model: Model) -> None:
        assert job.attempts_made == model.attempts
        placed = (job.placed.sid, job.placed.status) if job.placed else None
        assert placed == ((model.sid, model.status) if model.sid else None)
        numbers = [made.number for made in job.attempts]
        assert numbers == list(range(1, model.attempts + marked(model) + 1))

    def _sweep(self) -> None:
        """What was cancelled with its campaign is gone at once, and removed later."""
        withdrawn = {
            job_id
            for job_id, job in self.model.items()
            if job.campaign
            and self.campaigns[job.campaign].state is CampaignState.CANCELLED
            and job.state in (State.WAITING, State.DELAYED)
        }
        for job_id in withdrawn:
            with pytest.raises(JobNotFound):
                self.queue.job(job_id)
        for campaign in self.client.zrange(keys.SWEEPING, 0, -1):
            self.client.zadd(keys.SWEEPING, {campaign: 1}, xx=True)
            while self.campaign_store.sweep(KEEP):
                pass
        for job_id in withdrawn:
            self._forget(job_id)

    @invariant()
    def campaigns_add_up(self) -> None:
        """The parts of each sum to its total, and are what became of its calls."""
        self._sweep()
        for campaign_id, campaign in self.campaigns.items():
            parts = Counter(campaign.gone)
            parts.update(part_of(job) for job in self.model.values() if job.campaign == campaign_id)
            shown = self.campaign_store.show(campaign_id)
            assert Counter({part: n for part, n in shown.parts.items() if n}) == parts
            assert shown.total == campaign.total == sum(shown.parts.values())
            is_over = not parts.keys() & LAST_PARTS.keys()
            if campaign.state is CampaignState.RUNNING and is_over and campaign.total:
                campaign.state = CampaignState.FINISHED
            elif campaign.state is CampaignState.FINISHED and not is_over:
                campaign.state = CampaignState.RUNNING
            assert shown.state is campaign.state

    @invariant()
    def nothing_is_left_behind(self) -> None:
        """Removed calls leave no record; only marked calls and those on the line have a number.

        A number whose call was removed is free once the phone cannot ring any more.
        """
        if self.gone:
            assert self.client.exists(*map(keys.job, self.gone)) == 0
        dialing: Any = self.client.hgetall(keys.DIALING)
        until: Any = dict(self.client.zrange(keys.BUSY_UNTIL, 0, -1, withscores=True))
        for number, job_id in dialing.items():
            if job_id in self.gone:
                assert until[number] < self.queue.now_ms() + RINGS_AT_MOST_MS
        assert set(dialing.values()) - self.gone == {
            job_id for job_id, job in self.model.items() if marked(job) or on_the_line(job)
        }
        taken = {number for number, job_id in dialing.items() if not self._is_marked(job_id)}
        assert set(until) == taken

    def _is_marked(self, job_id: str) -> bool:
        return job_id in self.model and marked(self.model[job_id])


def member(job_id: str) -> str:
    """As it stands in the sorted sets."""
    return chr(96 + len(job_id)) + job_id
