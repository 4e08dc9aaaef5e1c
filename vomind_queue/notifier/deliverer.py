"""Deliver events to one subscription: in order for each call, again after a failure.

One event that failed waits for its next try; other calls go on. After failures of several calls in
a row the receiver counts as down: then one event at a time is tried, the one that failed least
first.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol

from vomind_queue.errors import StoreUnavailable
from vomind_queue.notifier.feed import Feed
from vomind_queue.notifier.guarded_client import Answer, GuardedClient
from vomind_queue.notifier.lanes import Item, Lanes
from vomind_queue.notifier.progress_book import STORE_S, ProgressBook, Store
from vomind_queue.notifier.receiver_health import ReceiverHealth
from vomind_queue.webhooks import signing
from vomind_queue.webhooks.backoff import GIVE_UP_MS, asked_wait_ms, wait_ms
from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.subscription import Delivery, Ended, Progress, Retry, Subscription

logger = logging.getLogger(__name__)

#: Deliveries under way to one receiver.
PARALLEL = 8
#: Events read at once.
READ_AT_ONCE = 200
#: A stopping process waits this long for the deliveries under way, s.
DRAIN_S = 5.0
#: After a fault of Redis, ms.
FAULT_MS = 1_000
#: Looked again after this time at most: Redis may have failed where there was more to read, s.
IDLE_S = 5.0


class Kept(Protocol):
    """What this needs of the kept events."""

    def one(self, sequence: int) -> Event | None:
        """Return an event that is still kept."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What all deliverers of a process share."""

    feed: Feed
    kept: Kept
    client: GuardedClient
    store: Store
    #: Returns unix ms on the clock of Redis.
    now_ms: Callable[[], int]


class Deliverer:
    """Delivers until it is cancelled, or until the subscription ends or is another's."""

    def __init__(
        self,
        subscription: Subscription,
        progress: Progress,
        retries: Sequence[Retry],
        epoch: str,
        means: Means,
    ) -> None:
        """``epoch``: of the subscription as it was read."""
        self._subscription = subscription
        self._means = means
        self._lanes = Lanes(retries)
        self._health = ReceiverHealth(progress)
        self._book = ProgressBook(means.store, means.feed, subscription.id, epoch, progress.cursor)
        #: Number of the last event in hand.
        self._read = progress.cursor
        self._ended = progress.ended is not None or not subscription.enabled
        self._under_way: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Deliver. Never raise but CancelledError."""
        self._means.feed.wake(self._wake, self._subscription.campaign)
        try:
            while not (self._ended or self._stopping):
                self._wake.clear()
                await self._fill()
                pause_s = self._start()
                if self._book.is_due and not await self._store():
                    # It was changed by a person, or is another notifier's.
                    return
                await self._sleep(pause_s)
            if self._under_way and self._stopping:
                await asyncio.wait(self._under_way, timeout=DRAIN_S)
            await self._store()
        finally:
            self._means.feed.let_sleep(self._wake, self._subscription.campaign)
            for task in self._under_way:
                task.cancel()

    @property
    def has_ended(self) -> bool:
        """Return whether the subscription gets no events any more."""
        return self._ended

    def stop(self) -> None:
        """End soon, without beginning further deliveries."""
        self._stopping = True
        self._wake.set()

    async def _store(self) -> bool:
        return await self._book.store(self._lanes.cursor(self._read))

    async def _sleep(self, pause_s: float) -> None:
        try:
            # `wait_for` of Python 3.11 may swallow that this task is cancelled.
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _fill(self) -> None:
        """Take new events, as many as may be in hand."""
        feed = self._means.feed
        while self._lanes.has_room(is_down=self._health.is_down) and self._read < feed.last:
            erasures = feed.erasures
            try:
                page = await feed.page(self._read, READ_AT_ONCE, self._subscription.campaign)
            except StoreUnavailable:
                return
            if page.last == self._read:
                return
            self._book.add("missed", page.missed)
            for event in filter(self._subscription.wants, page.events):
                self._take(event, erasures)
            self._read = page.last

    def _take(self, event: Event, erasures: int) -> None:
        if self._lanes.has(event.sequence):
            return
        if waiting := self._lanes.add(event, erasures):
            self._book.wait(waiting.retry)

    def _start(self) -> float:
        """Begin what is due; return when to look again, s from now, unless woken before."""
        now_ms, is_down = self._means.now_ms(), self._health.is_down
        longest_s = STORE_S if self._book.has_changes else IDLE_S
        if now_ms < self._health.next_ms:
            return min((self._health.next_ms - now_ms) / 1_000, longest_s)
        for item in self._lanes.by_turn(is_down=is_down):
            if len(self._under_way) >= (1 if is_down else PARALLEL):
                break
            if item.under_way:
                continue
            if is_down or item.retry.due_ms <= now_ms:
                self._send(item)
            else:
                longest_s = min(longest_s, (item.retry.due_ms - now_ms) / 1_000)
        return longest_s

    def _send(self, item: Item) -> None:
        item.under_way, item.news = True, self._health.news
        task = asyncio.create_task(self._deliver(item))
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._done(done, item))

    def _done(self, task: asyncio.Task[None], item: Item) -> None:
        self._under_way.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            logger.error("delivery of a webhook broke: %s", type(error).__name__)
            self._again_after_fault(item)

    def _again_after_fault(self, item: Item) -> None:
        """Try an event again soon: that it was not sent is not the receiver's fault."""
        item.under_way = False
        self._health.pause_until(self._means.now_ms() + FAULT_MS)

    async def _event_of(self, item: Item) -> Event | None:
        """Return the event; ``None`` if it is not kept any more."""
        means, sequence = self._means, item.retry.sequence
        if item.event is not None and item.erasures == means.feed.erasures:
            return item.event
        # A person may have been forgotten since it was read.
        return await means.feed.in_thread(lambda: means.kept.one(sequence))

    async def _deliver(self, item: Item) -> None:
        try:
            event = await self._event_of(item)
        except StoreUnavailable:
            self._again_after_fault(item)
            return
        if event is None:
            self._book.add("missed", 1)
            self._leave(item)
            return
        at_ms = self._means.now_ms()
        answer = await self._post(event, at_ms)
        self._note_delivery(item, event, answer, at_ms)
        if answer.error is None:
            self._succeeded(item)
        else:
            self._failed(item, answer)

    async def _post(self, event: Event, at_ms: int) -> Answer:
        subscription = self._subscription
        body = event.body(with_words=subscription.with_words)
        signed = signing.headers(subscription.secrets(at_ms), event.id, at_ms // 1_000, body)
        headers = {"Content-Type": "application/json", **signed}
        return await self._means.client.post(subscription.url, headers, body)

    def _note_delivery(self, item: Item, event: Event, answer: Answer, at_ms: int) -> None:
        self._book.note_delivery(
            Delivery(
                at_ms=at_ms,
                sequence=event.sequence,
                type=event.type,
                job_id=event.call,
                attempt=item.retry.failures + 1,
                status=answer.status,
                duration_ms=answer.duration_ms,
                error=answer.error,
            )
        )

    def _succeeded(self, item: Item) -> None:
        health = self._health
        was_down, was_failing = health.is_down, health.failing_since_ms is not None
        health.succeeded(item.news)
        if was_down:
            self._lanes.all_due()
        if was_failing:
            self._book.note({**health.fields(), "last_error": None})
        self._book.add("delivered", 1)
        self._book.note({"last_success": str(self._means.now_ms())})
        self._leave(item)

    def _leave(self, item: Item) -> None:
        if self._lanes.leave(item):
            self._book.leave(item.retry.sequence)

    def _failed(self, item: Item, answer: Answer) -> None:
        now_ms, retry = self._means.now_ms(), item.retry
        asked_ms = asked_wait_ms(answer.retry_after, now_ms / 1_000)
        self._book.add("failed", 1)
        self._health.failed(item.news, retry.failures, asked_ms, now_ms)
        self._book.note({**self._health.fields(), "last_error": answer.error or ""})
        item.under_way = False
        item.retry = replace(
            retry,
            failures=retry.failures + 1,
            since_ms=retry.since_ms or now_ms,
            due_ms=now_ms + wait_ms(retry.failures + 1, asked_ms, random.random),
        )
        if answer.status == HTTPStatus.GONE:
            self._end(Ended.GONE)
        elif now_ms - (self._health.failing_since_ms or now_ms) >= GIVE_UP_MS:
            self._end(Ended.FAILING)
        elif now_ms - item.retry.since_ms >= GIVE_UP_MS:
            self._book.add("abandoned", 1)
            self._leave(item)
        else:
            for each in self._lanes.park(item):
                self._book.wait(each.retry)

    def _end(self, why: Ended) -> None:
        self._ended = True
        self._book.note({"ended": why.value, "ended_at": str(self._means.now_ms())})
        logger.warning(
            "webhook ended",
            extra={"webhook": self._subscription.id, "reason": why.value},
        )
        self._wake.set()
