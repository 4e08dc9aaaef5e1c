"""A notifier that dies between any two steps of its work: receivers still hear of everything.

A step is whatever the world around the process can see: something is read or stored in Redis, a
delivery is sent, or answered. What happens between two of them is lost with the process.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.integration.conftest import new
from vomind_queue.api.serializers import jobs
from vomind_queue.notifier import deliverer, progress_book
from vomind_queue.notifier.deliverer import Deliverer, Means
from vomind_queue.notifier.feed import Feed
from vomind_queue.notifier.guarded_client import Answer, GuardedClient
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.event_outbox import EventOutbox, NewEvent
from vomind_queue.queue.kept_events import KeptEvents
from vomind_queue.queue.webhook_store import Changes, WebhookLeases
from vomind_queue.usecases.prepare_events import PrepareEvents
from vomind_queue.usecases.webhooks import Webhooks
from vomind_queue.webhooks import backoff
from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.subscription import Ended, Shown

WITHIN_S = 60
#: More steps than a course has.
MANY = 1_000


class Died(BaseException):
    """The process is no more."""


@dataclass(kw_only=True)
class Life:
    """Of one process: it ends at a step, and nothing that comes after has any effect."""

    steps: int
    died: bool = False

    def step(self) -> None:
        """Take one."""
        self.steps -= 1
        if self.died or self.steps <= 0:
            self.died = True
            raise Died


@dataclass(kw_only=True)
class Outside:
    """A receiver, which outlives notifiers; and how it answers."""

    #: Statuses that events are answered with first, by their place among all.
    first: dict[int, list[int]]
    events: Sequence[Event]
    #: ``(sequence, id, body, status)`` of each delivery, in order.
    received: list[tuple[int, str, bytes, int]] = field(default_factory=list)

    def answer(self, headers: Mapping[str, str], body: bytes) -> int:
        """Receive an event."""
        sequence = json.loads(body)["sequence"]
        waiting = self.first.get(sequence - self.events[0].sequence, [])
        status = waiting.pop(0) if waiting else 200
        self.received.append((sequence, headers["webhook-id"], body, status))
        return status

    def accepted(self) -> list[int]:
        """Return the numbers of events that it accepted, each once, in order."""
        return list(dict.fromkeys(each[0] for each in self.received if each[3] < 300))


@dataclass(kw_only=True)
class Process:
    """A deliverer whose every step outside may be its last."""

    life: Life
    outside: Outside
    kept: KeptEvents
    leases: WebhookLeases

    def after(self, sequence: int, limit: int) -> Sequence[Event]:
        """Read events."""
        self.life.step()
        return self.kept.after(sequence, limit)

    def one(self, sequence: int) -> Event | None:
        """Read an event again."""
        self.life.step()
        return self.kept.one(sequence)

    def store(self, webhook_id: str, epoch: str, changes: Changes) -> bool:
        """Die before anything is stored, or after all was."""
        self.life.step()
        stored = self.leases.store(webhook_id, epoch, changes)
        self.life.step()
        return stored

    async def post(self, _url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Die before it is sent, or before the answer is read."""
        self.life.step()
        status = self.outside.answer(headers, body)
        await asyncio.sleep(0)
        self.life.step()
        return Answer(status=status, error=None if status < 300 else f"HTTP {status}")


@dataclass(kw_only=True)
class Bench:
    """Events that happened, and subscriptions to them."""

    store: RedisStore
    webhooks: Webhooks
    events: Sequence[Event]
    threads: ThreadPoolExecutor

    def subscribed(self) -> str:
        """Return the id of a new subscription to which all events are still to be sent."""
        made = self.webhooks.add({"url": "https://example.com/"}, "app").subscription
        self.webhooks.replay(made.id, "app", sequence=self.events[0].sequence)
        return made.id

    def live(self, webhook_id: str, outside: Outside, steps: int) -> bool:
        """Run a notifier until it dies or has nothing left to do; return whether it died."""
        leases = WebhookLeases(self.store, "notifier", WITHIN_S * 1_000)
        life, kept = Life(steps=steps), KeptEvents(self.store)
        process = Process(life=life, outside=outside, kept=kept, leases=leases)
        asyncio.run(self._live(webhook_id, process))
        return life.died

    async def _live(self, webhook_id: str, process: Process) -> None:
        epoch = process.leases.renew()[webhook_id]
        loaded = process.leases.load(webhook_id)
        assert loaded is not None
        feed = Feed(cast(Any, process), self.threads)
        feed.last = self.events[-1].sequence
        means = Means(
            feed=feed,
            kept=process,
            client=cast(GuardedClient, process),
            store=process,
            now_ms=self.store.now_ms,
        )
        task = asyncio.create_task(Deliverer(*loaded, epoch, means).run())
        end = time.monotonic() + WITHIN_S
        while not (process.life.died or self._is_over(self.webhooks.show(webhook_id))):
            assert time.monotonic() < end, "it neither died nor had nothing left to do"
            await asyncio.sleep(0.001)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for each in (task, *rest):
            each.cancel()
        for each in (task, *rest):
            with suppress(Died, asyncio.CancelledError):
                await each

    def _is_over(self, shown: Shown) -> bool:
        is_behind = shown.progress.cursor < self.events[-1].sequence
        return bool(shown.progress.ended) or not (is_behind or shown.retrying)

    def judge(self, outside: Outside) -> None:
        """See that each event arrived, in order for each call, always with the same id and body."""
        accepted = outside.accepted()
        assert sorted(accepted) == [each.sequence for each in self.events]
        for lane in {each.lane for each in self.events}:
            of_lane = [each.sequence for each in self.events if each.lane == lane]
            assert [each for each in accepted if each in of_lane] == of_lane
        sent = {(sequence, name, body) for sequence, name, body, _ in outside.received}
        assert sent == {
            (each.sequence, each.id, each.body(with_words=False)) for each in self.events
        }


@pytest.fixture
def bench(
    queue: CallQueue, store: RedisStore, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """Three calls with five events; all waits are short."""
    monkeypatch.setattr(progress_book, "STORE_S", 0.0)
    monkeypatch.setattr(deliverer, "FAULT_MS", 1)
    monkeypatch.setattr(backoff, "FIRST_MS", 1)
    monkeypatch.setattr(backoff, "LONGEST_MS", 2)
    first = webhooks.add({"url": "https://example.com/"}, "app").subscription
    ids = queue.add([new(1), new(2), new(3)]).job_ids
    for job_id in ids[:2]:
        queue.cancel(job_id)
    PrepareEvents(EventOutbox(store, "maker", 1_000), jobs.job, {}, NewEvent).step()
    events = KeptEvents(store).after(0, 100)
    assert [each.call for each in events] == [*ids, *ids[:2]]
    webhooks.remove(first.id, "app")
    with ThreadPoolExecutor(2) as threads:
        yield Bench(store=store, webhooks=webhooks, events=events, threads=threads)


def test_each_event_arrives_in_order_wherever_the_notifier_dies(bench: Bench) -> None:
    """At each step, twice in a row; one call's events fail at first."""
    died, steps = True, 0
    while died:
        steps += 1
        webhook_id = bench.subscribed()
        outside = Outside(first={0: [500, 503], 4: [500]}, events=bench.events)
        died = bench.live(webhook_id, outside, steps)
        bench.live(webhook_id, outside, steps)
        bench.live(webhook_id, outside, MANY)
        bench.judge(outside)
        bench.webhooks.remove(webhook_id, "app")
    # Eight deliveries, two steps each; and what was read and stored.
    assert steps > 8 * 2 + 5


def test_a_410_ends_it_wherever_the_notifier_dies(bench: Bench) -> None:
    """It is over, or it is asked again and says so again; switched on, it goes on without a gap."""
    died, steps = True, 0
    while died:
        steps += 1
        webhook_id = bench.subscribed()
        outside = Outside(first={1: [410] * 2}, events=bench.events)
        died = bench.live(webhook_id, outside, steps)
        bench.live(webhook_id, outside, MANY)
        assert bench.webhooks.show(webhook_id).progress.ended is Ended.GONE
        bench.webhooks.change(webhook_id, {"enabled": True}, "app")
        outside.first.clear()
        bench.live(webhook_id, outside, MANY)
        bench.judge(outside)
        bench.webhooks.remove(webhook_id, "app")
    assert steps > 2 * 2 + 2
