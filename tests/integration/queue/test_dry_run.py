"""A dry run says what the queue then does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import redis

from tests.integration.conftest import KEEP, QUICK, begin, new, taken
from tests.integration.queue.conftest import Made
from vomind_queue.calls.call import Priority
from vomind_queue.calls.do_not_call import Wish
from vomind_queue.calls.limits import Rate
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.queue.person_history import PersonHistory
from vomind_queue.queue.plan_reader import PlanReader
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.rules.caps import parse
from vomind_queue.rules.law import Mode
from vomind_queue.rules.rulebook import Rulebook, rulebook
from vomind_queue.usecases.calling_rules import CallingRules
from vomind_queue.usecases.preview_campaign import Plan, PreviewCampaign

HOUR_MS = 3_600_000
#: One start a second.
SECOND = Rate(max_starts=1, window_ms=949)


def dry_run(
    client: redis.Redis, campaign_id: str, rate: Rate | None = None, book: Rulebook | None = None
) -> Plan:
    """Of a campaign, with a limit and rules."""
    store = RedisStore(client)
    rules = CallingRules(
        book or rulebook(Mode.OFF), ClosedDays(store), histories=PersonHistory(store).of_each
    )
    numbers = DoNotCallList(store, KEEP)
    preview = PreviewCampaign(PlanReader(store, rate, 0), CampaignStore(store), rules, numbers)
    return preview.plan(campaign_id, 60_000)


def test_calls_start_when_the_dry_run_said(
    client: redis.Redis, make: Callable[..., Made], queue: CallQueue
) -> None:
    """Beside other campaigns and the calls of none, each within two turns of its turn."""
    worker = WorkerQueue(RedisStore(client), "one", Protocol(**{**QUICK, "lease_ms": 600_000}))
    made = [make(20, weight=weight) for weight in (1, 2, 1)]
    made[1].add(5, Priority.HIGH)
    queue.add([new(9_000 + number) for number in range(10)])
    said: dict[str, int] = {}
    for each in made:
        plan = dry_run(client, each.id, SECOND)
        times = {call.waiting.job_id: call.at_ms or 0 for call in plan.calls}
        said |= {job_id: round((at - plan.from_ms) / 1_000) for job_id, at in times.items()}
    order = [job_id for _ in range(80) for job_id in taken(worker)]
    assert len(order) == 75
    found = {job_id: (said[job_id], turn) for turn, job_id in enumerate(order) if job_id in said}
    assert len(found) == 65
    assert {job: turns for job, turns in found.items() if abs(turns[0] - turns[1]) > 2} == {}


def test_starts_of_before_count_and_a_draft_is_taken_as_started(
    client: redis.Redis, make: Callable[..., Made], worker_queue: WorkerQueue
) -> None:
    """The pace has room for one more."""
    made = make(3, pace=Rate(max_starts=2, window_ms=HOUR_MS))
    begin(worker_queue, *taken(worker_queue))
    plan = dry_run(client, made.id)
    first, second = plan.times
    assert first == plan.from_ms
    assert 0 < second - first <= HOUR_MS + 51
    draft = make(2, running=False, start_ms=plan.from_ms + HOUR_MS)
    assert dry_run(client, draft.id).times == [plan.from_ms + HOUR_MS] * 2


def test_rules_caps_the_list_and_hours_are_in_it(
    client: redis.Redis, make: Callable[..., Made], store: CampaignStore, queue: CallQueue
) -> None:
    """A call that does not start says why; so does one that starts later."""
    made = make(2, hours="mon-sun 00:00-24:00")
    again = queue.job(made.calls[1]).call
    queue.add([replace(new(0), call=again)], campaign=made.id)
    listed = queue.job(made.calls[0]).call.to
    list(DoNotCallList(RedisStore(client), KEEP).add([listed], Wish(by="ann", source="app")))
    capped = rulebook(Mode.OFF, own_caps=parse("1/24h"), unknown_zone="UTC")
    plan = dry_run(client, made.id, book=capped)
    assert plan.never == {"do-not-call": 1}
    assert plan.times == [plan.from_ms, plan.from_ms + 24 * HOUR_MS]
    assert plan.held == {"cap": 1}
    store.change(made.id, lambda old: replace(old.campaign, hours="mon-sun closed"))
    assert dry_run(client, made.id, book=capped).never == {"do-not-call": 1, "campaign-hours": 2}


def test_a_refusal_of_before_counts_where_a_law_says_so(
    client: redis.Redis, make: Callable[..., Made], queue: CallQueue
) -> None:
    """Sixty days for someone in France; others of the campaign do not wait for it."""
    made = make(1)
    call = replace(queue.job(made.calls[0]).call, to="+33612345678")
    queue.add([replace(new(0), call=call)], campaign=made.id)
    france = rulebook(Mode.LAW, unknown_zone="UTC")
    soon = max(dry_run(client, made.id, book=france).times)
    PersonHistory(RedisStore(client)).refuse(call.to, None)
    plan = dry_run(client, made.id, book=france)
    first, late = plan.times
    assert first <= soon < plan.from_ms + 7 * 24 * HOUR_MS
    assert late > plan.from_ms + 60 * 24 * HOUR_MS
