"""How events reach one receiver, whatever it answers: without Redis and without a network."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from vomind_queue.notifier import deliverer, lanes
from vomind_queue.notifier.deliverer import Deliverer, Means
from vomind_queue.notifier.feed import Feed
from vomind_queue.notifier.guarded_client import Answer, GuardedClient
from vomind_queue.notifier.receiver_health import DOWN_AFTER
from vomind_queue.notifier.supervisor import Supervisor
from vomind_queue.queue.webhook_store import Changes, WebhookLeases
from vomind_queue.webhooks import backoff
from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.signing import new_secret
from vomind_queue.webhooks.subscription import Progress, Retry, Subscription

WITHIN_S = 60
_SET = asyncio.Event()
_SET.set()
SUBSCRIPTION = Subscription(id="w", url="http://x/", by="app", created_ms=0, secret=new_secret())


@dataclass
class World:
    """Events, a receiver and a place for what is stored."""

    events: list[Event] = field(default_factory=list)
    #: What the receiver does with an event.
    answer: Callable[[int], Answer] = lambda _: Answer(status=200, error=None)
    #: Sequence numbers of what it was sent, and of what it accepted.
    sent: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    stored: list[Changes] = field(default_factory=list)
    forgotten: int = 0
    now_ms: Callable[[], int] = lambda: int(time.time() * 1_000)
    #: What is waited for before an event is answered.
    held: dict[int, asyncio.Event] = field(default_factory=dict)

    def happen(self, sequence: int, call: str) -> None:
        """Add an event."""
        self.events.append(
            Event(sequence=sequence, type="call.changed", at_ms=0, call=call, data="{}")
        )

    def after(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return events, as Redis does."""
        return [each for each in list(self.events) if each.sequence > sequence][:limit]

    def wait(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return the same, a moment later."""
        time.sleep(0.01)
        return self.after(sequence, limit)

    def last(self) -> int:
        """Return the number of the last one."""
        return self.events[-1].sequence if self.events else 0

    def erasures(self) -> int:
        """Return how often people were forgotten."""
        return self.forgotten

    def one(self, sequence: int) -> Event | None:
        """Return one event."""
        return next((each for each in list(self.events) if each.sequence == sequence), None)

    def store(self, _id: str, _epoch: str, changes: Changes) -> bool:
        """Remember what is stored."""
        self.stored.append(changes)
        return True

    async def post(self, _url: str, _headers: Mapping[str, str], body: bytes) -> Answer:
        """Receive an event."""
        sequence = json.loads(body)["sequence"]
        self.sent.append(sequence)
        await self.held.get(sequence, _SET).wait()
        answer = self.answer(sequence)
        if answer.error is None:
            self.accepted.append(sequence)
        return answer


def _means(world: World, threads: ThreadPoolExecutor) -> Means:
    return Means(
        feed=Feed(world, threads),
        kept=world,
        client=cast(GuardedClient, world),
        store=world,
        now_ms=world.now_ms,
    )


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_MS", 5)
    monkeypatch.setattr(backoff, "LONGEST_MS", 20)
    monkeypatch.setattr(deliverer, "FAULT_MS", 5)


def run(
    world: World,
    course: Callable[[], Any],
    progress: Progress | None = None,
    retries: Sequence[Retry] = (),
) -> None:
    """Deliver while ``course``, a coroutine function, runs."""
    asyncio.run(_run(world, course, progress or Progress(cursor=0), retries))


async def _run(
    world: World, course: Callable[[], Any], progress: Progress, retries: Sequence[Retry]
) -> None:
    with ThreadPoolExecutor(4) as threads:
        means = _means(world, threads)
        made = Deliverer(SUBSCRIPTION, progress, retries, "1", means)
        tasks = [asyncio.create_task(means.feed.run()), asyncio.create_task(made.run())]
        try:
            await course()
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def test_a_subscription_that_was_lost_for_a_moment_begins_again() -> None:
    """Its lease is this notifier's again by the time it looks."""
    world = World()
    world.happen(1, "1")
    loads = 0

    class Leases:
        def renew(self) -> Mapping[str, str]:
            return {"w": "1"}

        def load(self, _id: str) -> Any:
            nonlocal loads
            loads += 1
            return SUBSCRIPTION, Progress(cursor=0), []

    def store(_id: str, _epoch: str, changes: Changes) -> bool:
        world.stored.append(changes)
        return loads > 1

    world.store = store  # type: ignore[method-assign]

    async def course() -> None:
        with ThreadPoolExecutor(4) as threads:
            means = _means(world, threads)
            made = Supervisor(cast(WebhookLeases, Leases()), means)
            tasks = [asyncio.create_task(means.feed.run()), asyncio.create_task(made.run())]
            await until(lambda: loads > 1 and len(world.accepted) > 1)
            for task in (*tasks, *asyncio.all_tasks() - {asyncio.current_task()}):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(course())


async def until(met: Callable[[], object]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + WITHIN_S
    while not met():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.005)


def bad(*sequences: int) -> Callable[[int], Answer]:
    """Return a receiver that fails at some events, for ever."""
    return lambda sequence: (
        Answer(status=500, error="HTTP 500")
        if sequence in sequences
        else Answer(status=200, error=None)
    )


def test_one_event_that_always_fails_is_no_receiver_that_is_down() -> None:
    """However often it is tried before another call has one."""
    world = World(answer=bad(1))
    world.happen(1, "1")

    async def course() -> None:
        await until(lambda: len(world.sent) > 2 * DOWN_AFTER)
        world.happen(2, "2")
        await until(lambda: world.accepted == [2])

    run(world, course)


def test_a_receiver_that_counts_as_down_is_tried_with_other_calls() -> None:
    """A few that always fail do not end the others."""
    count = DOWN_AFTER + 4
    world = World(answer=bad(*range(1, count)))
    for number in range(1, count):
        world.happen(number, str(number))

    async def course() -> None:
        await until(lambda: len(world.sent) > 2 * count)
        world.happen(count, "good")
        await until(lambda: world.accepted == [count])

    run(world, course)


def test_events_that_fail_do_not_use_up_the_room_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there may be in hand."""
    monkeypatch.setattr(lanes, "IN_HAND", 3)
    monkeypatch.setattr(deliverer, "READ_AT_ONCE", 1)
    world = World(answer=bad(1, 2, 3, 4))
    for number in range(1, 8):
        world.happen(number, str(number))

    async def course() -> None:
        await until(lambda: sorted(world.accepted) == [5, 6, 7])

    run(world, course)


def test_a_fault_of_our_own_is_tried_again() -> None:
    """Nothing stays under way for ever."""
    faults = iter([RuntimeError("ours")])

    def answer(_sequence: int) -> Answer:
        if fault := next(faults, None):
            raise fault
        return Answer(status=200, error=None)

    world = World(answer=answer)
    world.happen(1, "1")

    async def course() -> None:
        await until(lambda: world.accepted == [1])

    run(world, course)


def test_what_waits_to_be_sent_again_is_not_sent_twice() -> None:
    """Also where events before it, of other calls, had not arrived when the notifier ended."""
    world = World()
    for sequence, call in [(2, "a"), (3, "b"), (4, "b"), (5, "b")]:
        world.happen(sequence, call)
    retries = [Retry(sequence=3, lane="b", failures=1, since_ms=1), Retry(sequence=4, lane="b")]

    async def course() -> None:
        await until(lambda: 5 in world.accepted and 2 in world.accepted)

    run(world, course, Progress(cursor=1), retries)
    assert [each for each in world.sent if each != 2] == [3, 4, 5]


def test_a_subscription_that_goes_on_after_failures_is_healthy_again() -> None:
    """Also where the count of failures in a row was set back."""
    answers = iter([Answer(status=500, error="HTTP 500")])
    world = World(answer=lambda _: next(answers, Answer(status=200, error=None)))
    world.happen(1, "1")

    def unset() -> list[str]:
        return [name for each in list(world.stored) for name in each.unset]

    async def course() -> None:
        await until(lambda: "failing_since" in unset())

    run(world, course, Progress(cursor=1), [Retry(sequence=1, lane="1", failures=3)])


def test_an_event_of_a_forgotten_person_leaves_memory_too() -> None:
    """It waits behind one that is not answered, and its person is forgotten meanwhile."""
    held = asyncio.Event()

    class Slow(World):
        async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            if json.loads(body)["sequence"] == 1:
                await held.wait()
            return await super().post(url, headers, body)

    world = Slow()
    for sequence in (1, 2):
        world.happen(sequence, "1")
    world.happen(3, "2")

    async def course() -> None:
        await until(lambda: world.accepted == [3])
        del world.events[1]
        world.forgotten += 1
        # Read after it was noticed: the feed asks for both each time.
        world.happen(4, "3")
        await until(lambda: world.accepted == [3, 4])
        world.happen(5, "4")
        await until(lambda: world.accepted == [3, 4, 5])
        held.set()
        world.happen(6, "1")
        await until(lambda: world.accepted[-1] == 6)

    run(world, course)
    assert 2 not in world.sent


#: A time at which nothing that waits is due.
NOW_MS = 1_000_000


def failures(world: World) -> int:
    """Return how many attempts were written down as failed."""
    lines = [json.loads(line) for each in list(world.stored) for line in each.deliveries]
    return sum(line["error"] is not None for line in lines)


def pause_ms(world: World) -> int:
    """Return how long the receiver is left alone."""
    set_to = [each.set["next"] for each in list(world.stored) if "next" in each.set]
    return max(int(set_to[-1]) - NOW_MS, 0)


def test_those_under_way_when_a_receiver_fails_do_not_lengthen_its_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They were sent before anybody knew."""
    world = World(answer=bad(*range(100)), now_ms=lambda: NOW_MS)

    async def course() -> None:
        late = asyncio.Event()
        world.held = dict.fromkeys(range(DOWN_AFTER, 2 * DOWN_AFTER), late)
        for number in range(1, 40):
            world.happen(number, str(number))
        await until(lambda: len(world.sent) == 2 * DOWN_AFTER - 1)
        late.set()
        await until(lambda: failures(world) == 2 * DOWN_AFTER - 1)

    monkeypatch.setattr(backoff, "FIRST_MS", 1_000)
    monkeypatch.setattr(backoff, "LONGEST_MS", 3_600_000)
    run(world, course)
    assert 750 <= pause_ms(world) <= 1_250
    assert len(world.sent) == 2 * DOWN_AFTER - 1


def test_a_pause_that_a_receiver_asks_for_is_no_longer_than_it_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However often the event had failed that it answers; and what was under way ends no pause."""
    asking = Answer(status=429, error="HTTP 429", retry_after="17")
    world = World(
        answer=lambda sequence: asking if sequence == 1 else Answer(status=200, error=None),
        now_ms=lambda: NOW_MS,
    )
    world.happen(1, "1")
    world.happen(2, "2")
    retries = [Retry(sequence=1, lane="1", failures=9, since_ms=NOW_MS - 1)]

    async def course() -> None:
        world.held = {1: asyncio.Event(), 2: asyncio.Event()}
        await until(lambda: sorted(world.sent) == [1, 2])
        world.held[1].set()
        await until(lambda: failures(world) == 1)
        world.held[2].set()
        await until(lambda: world.accepted == [2])
        world.happen(3, "3")
        await until(lambda: any("delivered" in each.add for each in list(world.stored)))

    monkeypatch.setattr(backoff, "FIRST_MS", 1_000)
    monkeypatch.setattr(backoff, "LONGEST_MS", 3_600_000)
    run(world, course, Progress(cursor=1), retries)
    assert pause_ms(world) == 17_000
    assert not any("next" in each.unset for each in world.stored)
    assert 3 not in world.sent


def test_those_that_were_sent_before_a_success_do_not_count_after_it() -> None:
    """A receiver that works again is not taken for one that is down."""
    world = World()
    world.answer = lambda sequence: (
        Answer(status=500, error="HTTP 500")
        if sequence < DOWN_AFTER
        else Answer(status=200, error=None)
    )

    async def course() -> None:
        late = asyncio.Event()
        world.held = dict.fromkeys(range(1, DOWN_AFTER), late)
        for number in range(1, DOWN_AFTER + 1):
            world.happen(number, str(number))
        await until(lambda: world.accepted == [DOWN_AFTER])
        late.set()
        await until(lambda: failures(world) >= DOWN_AFTER - 1)

    run(world, course)
    streaks = [int(each.set["streak"]) for each in world.stored if "streak" in each.set]
    assert max(streaks) <= 1
