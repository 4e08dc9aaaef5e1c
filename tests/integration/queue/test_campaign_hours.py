"""Hours of a campaign are kept by the script that writes the dial marker."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from tests.integration.conftest import QUICK, taken
from tests.integration.queue.conftest import Made
from vomind_queue.calls.decisions import DialStarted, NotStarted
from vomind_queue.calls.job import Held
from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.due_times import HELD_CALLS, DueTimes
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.queue.worker_report import WorkerReport
from vomind_queue.rules.law import Mode
from vomind_queue.rules.rulebook import rulebook
from vomind_queue.usecases.calling_rules import CallingRules

OPEN = "mon-sun 00:00-24:00"


def not_today() -> str:
    """Hours that are closed today and tomorrow, wherever a number is, and open on other days."""
    now = datetime.now(UTC)
    shut = {(now + timedelta(days=more)).strftime("%a").lower() for more in (-1, 0, 1)}
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return ", ".join(f"{day} {'closed' if day in shut else '00:00-24:00'}" for day in days)


@pytest.fixture
def worker(client: redis.Redis) -> WorkerQueue:
    """A worker of an installation without calling rules."""
    store = RedisStore(client)
    rules = CallingRules(rulebook(Mode.OFF, unknown_zone="UTC"), ClosedDays(store))
    return WorkerQueue(
        store,
        "one",
        Protocol(**{**QUICK, "lease_ms": 60_000}),
        judge=rules.open_hours,
        judges_all=False,
    )


def start(worker: WorkerQueue) -> DialStarted | NotStarted:
    """What becomes of the next call."""
    (job_id,) = taken(worker)
    return worker.start_dialing(job_id, secrets.token_urlsafe(4))


def change(store: CampaignStore, campaign_id: str, hours: str | None) -> None:
    """Gives it other hours."""
    store.change(campaign_id, lambda old: replace(old.campaign, hours=hours))


def test_a_call_outside_the_hours_of_its_campaign_is_held(
    make: Callable[..., Made], queue: CallQueue, worker: WorkerQueue
) -> None:
    """Other calls go on, those of a campaign that is open among them."""
    made = make(1, hours=not_today())
    assert start(worker) is NotStarted.HELD
    job = queue.job(*made.calls)
    assert job.held == Held(by="campaign-hours", until_ms=job.next_attempt_ms)
    assert job.held.until_ms is not None
    assert job.held.until_ms > queue.now_ms() + 86_400_000
    make(1, hours=OPEN)
    make(1)
    assert isinstance(start(worker), DialStarted)
    assert isinstance(start(worker), DialStarted)


def test_changed_hours_hold_for_the_next_call(
    make: Callable[..., Made], store: CampaignStore, worker: WorkerQueue
) -> None:
    """One that was claimed before they were changed does not start by the old ones."""
    made = make(2, hours=OPEN)
    (claimed,) = taken(worker)
    change(store, made.id, not_today())
    assert worker.start_dialing(claimed, secrets.token_urlsafe(4)) is NotStarted.HELD
    change(store, made.id, None)
    assert isinstance(start(worker), DialStarted)


def test_what_the_old_hours_held_is_judged_again(
    client: redis.Redis, make: Callable[..., Made], store: CampaignStore, worker: WorkerQueue
) -> None:
    """A worker learns of it at once, and calls that other rules hold stay where they are."""
    made = make(1, hours=not_today())
    assert start(worker) is NotStarted.HELD
    redis_store = RedisStore(client)
    held = HeldCalls(redis_store, "digest")
    url = "redis://127.0.0.1:{port}".format(**client.connection_pool.connection_kwargs)
    times = DueTimes(redis_store, url, held, WorkerReport(redis_store, "one", Report()))
    while held.wake():
        pass
    assert start(worker) is NotStarted.HELD
    while held.wake():
        pass
    assert HELD_CALLS not in times.next()
    change(store, made.id, OPEN)
    assert HELD_CALLS in times.next()
    assert held.wake() == 1
    assert held.wake() == 0
    assert HELD_CALLS not in times.next()
    assert isinstance(start(worker), DialStarted)


def test_a_worker_that_cannot_judge_hours_starts_no_call_that_has_any(
    client: redis.Redis, make: Callable[..., Made]
) -> None:
    """Nor is the call lost: it is looked at again."""
    make(1, hours=OPEN)
    assert start(WorkerQueue(RedisStore(client), "one", Protocol(**QUICK))) is NotStarted.HELD
