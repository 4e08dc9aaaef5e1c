"""Deliver events to one subscription: in order for each call, again after a failure.

Events of one call form a lane, and only the first of a lane is under way. One that failed waits
for its next try, and those after it wait with it; other lanes go on. After failures of several
lanes in a row the receiver counts as down: then one event at a time is tried, the one that failed
least first.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol

from vomind_queue.errors import StoreUnavailable
from vomind_queue.notifier.feed import Feed
from vomind_queue.notifier.guarded_client import Answer, GuardedClient
from vomind_queue.queue.webhook_store import Changes, delivery_text, retry_text
from vomind_queue.webhooks import signing
from vomind_queue.webhooks.backoff import GIVE_UP_MS, MOST_ASKED_MS, asked_wait_ms, wait_ms
from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.subscription import (
    DELIVERIES_SHOWN,
    Delivery,
    Ended,
    Progress,
    Retry,
    Subscription,
)

logger = logging.getLogger(__name__)

#: Deliveries under way to one receiver.
PARALLEL = 8
#: Failures in a row after which a receiver counts as down.
DOWN_AFTER = 8
#: Events of one subscription in memory; more are read when these are delivered.
IN_HAND = 500
#: The same with those that are sent again, of which the numbers alone are in memory.
MOST_WAITING = 10_000
#: Events read at once.
READ_AT_ONCE = 200
#: Between two times at which progress is stored, s; and where nothing but the place moved.
STORE_S, STORE_PLACE_S = 0.25, 10.0
#: A stopping process waits this long for the deliveries under way, s.
DRAIN_S = 5.0
#: After a fault of Redis, ms.
FAULT_MS = 1_000
#: Looked again after this time at most: Redis may have failed where there was more to read, s.
IDLE_S = 5.0


class Store(Protocol):
    """What this needs of the subscriptions."""

    def store(self, webhook_id: str, epoch: str, changes: Changes) -> bool:
        """Store how far one is; return False if it is not the caller's any more."""
        ...


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


@dataclass(kw_only=True, slots=True)
class _Item:
    """An event on its way."""

    retry: Retry
    #: ``None``: to be read when it is sent.
    event: Event | None = None
    #: `Feed.erasures` when it was read.
    erasures: int = -1
    under_way: bool = False
    #: `Deliverer._news` when it was sent.
    news: int = 0


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
        self._epoch = epoch
        self._read = progress.cursor
        self._streak = progress.streak
        self._next_ms = progress.next_ms
        self._failing_since_ms = progress.failing_since_ms
        #: Grows once the receiver works again, counts as down or asks for a pause: how a delivery
        #: from before ends says nothing of it any more.
        self._news = 0
        self._ended = progress.ended is not None or not subscription.enabled
        self._lanes: dict[str, deque[_Item]] = {}
        #: Read, and neither delivered nor stored among the retries.
        self._fresh: set[int] = set()
        #: Waiting already, whatever the cursor says.
        self._known = {retry.sequence for retry in retries}
        self._count = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._changes = Changes()
        self._stored_at = time.monotonic()
        self._wake = asyncio.Event()
        self._stored_cursor = progress.cursor
        self._stopping = False
        for retry in retries:
            self._append(_Item(retry=retry))

    async def run(self) -> None:
        """Deliver. Never raise but CancelledError."""
        self._means.feed.wake(self._wake)
        try:
            while not (self._ended or self._stopping):
                self._wake.clear()
                await self._fill()
                pause_s = self._start()
                if self._is_due_to_store() and not await self._store():
                    # It was changed by a person, or is another notifier's.
                    return
                await self._sleep(pause_s)
            if self._under_way and self._stopping:
                await asyncio.wait(self._under_way, timeout=DRAIN_S)
            await self._store()
        finally:
            self._means.feed.let_sleep(self._wake)
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

    async def _sleep(self, pause_s: float) -> None:
        try:
            # `wait_for` of Python 3.11 may swallow that this task is cancelled.
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            return

    @property
    def _is_down(self) -> bool:
        return self._streak >= DOWN_AFTER

    async def _fill(self) -> None:
        """Take new events, as many as may be in hand."""
        feed = self._means.feed
        while self._has_room and self._read < feed.last:
            erasures = feed.erasures
            try:
                found = await feed.after(self._read, READ_AT_ONCE)
            except StoreUnavailable:
                return
            if not found:
                return
            self._count_missed(found[0].sequence - self._read - 1)
            for event in found:
                self._read = event.sequence
                if event.sequence not in self._known and self._subscription.wants(event):
                    self._fresh.add(event.sequence)
                    retry = Retry(sequence=event.sequence, lane=event.lane)
                    self._queue(_Item(retry=retry, event=event, erasures=erasures))

    @property
    def _has_room(self) -> bool:
        if self._is_down and self._fresh:
            # Enough to try it with.
            return False
        return len(self._fresh) < IN_HAND and self._count < MOST_WAITING

    def _count_missed(self, missed: int) -> None:
        if missed:
            self._add("missed", missed)

    def _queue(self, item: _Item) -> None:
        lane = self._lanes.setdefault(item.retry.lane, deque())
        if lane and lane[0].retry.failures:
            self._park(item)
        self._append(item)

    def _append(self, item: _Item) -> None:
        self._lanes.setdefault(item.retry.lane, deque()).append(item)
        self._count += 1

    def _start(self) -> float:
        """Begin what is due; return when to look again, s from now, unless woken before."""
        now_ms = self._means.now_ms()
        if now_ms < self._next_ms:
            return min((self._next_ms - now_ms) / 1_000, STORE_S if self._changed else IDLE_S)
        most = 1 if self._is_down else PARALLEL
        due_ms = None
        for lane in self._by_turn():
            if len(self._under_way) >= most:
                break
            item = lane[0]
            if item.under_way:
                continue
            if self._is_down or item.retry.due_ms <= now_ms:
                self._send(item)
            else:
                due_ms = min(item.retry.due_ms, due_ms or item.retry.due_ms)
        until_s = IDLE_S if due_ms is None else (due_ms - now_ms) / 1_000
        return min(until_s, STORE_S if self._changed else IDLE_S)

    def _by_turn(self) -> Sequence[deque[_Item]]:
        lanes = list(self._lanes.values())
        if self._is_down:
            # What failed often may be the only thing that does.
            lanes.sort(key=lambda lane: lane[0].retry.failures)
        return lanes

    def _send(self, item: _Item) -> None:
        item.under_way, item.news = True, self._news
        task = asyncio.create_task(self._deliver(item))
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._done(done, item))

    def _done(self, task: asyncio.Task[None], item: _Item) -> None:
        self._under_way.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            logger.error("delivery of a webhook broke: %s", type(error).__name__)
            self._again_after_fault(item)

    def _again_after_fault(self, item: _Item) -> None:
        """Try an event again soon: that it was not sent is not the receiver's fault."""
        item.under_way = False
        self._pause_until(self._means.now_ms() + FAULT_MS)

    async def _event_of(self, item: _Item) -> Event | None:
        """Return the event; ``None`` if it is not kept any more."""
        means, sequence = self._means, item.retry.sequence
        if item.event is not None and item.erasures == means.feed.erasures:
            return item.event
        # A person may have been forgotten since it was read.
        return await means.feed.in_thread(lambda: means.kept.one(sequence))

    async def _deliver(self, item: _Item) -> None:
        means = self._means
        try:
            event = await self._event_of(item)
        except StoreUnavailable:
            self._again_after_fault(item)
            return
        if event is None:
            self._count_missed(1)
            self._leave(item)
            return
        at_ms = means.now_ms()
        body = event.body(with_words=self._subscription.with_words)
        signed = signing.headers(self._subscription.secrets(at_ms), event.id, at_ms // 1_000, body)
        headers = {"Content-Type": "application/json", **signed}
        answer = await means.client.post(self._subscription.url, headers, body)
        self._note_delivery(item, event, answer, at_ms)
        if answer.error is None:
            self._succeeded(item)
        else:
            self._failed(item, answer)

    def _note_delivery(self, item: _Item, event: Event, answer: Answer, at_ms: int) -> None:
        shown = Delivery(
            at_ms=at_ms,
            sequence=event.sequence,
            type=event.type,
            job_id=event.call,
            attempt=item.retry.failures + 1,
            status=answer.status,
            duration_ms=answer.duration_ms,
            error=answer.error,
        )
        self._changes.deliveries.append(delivery_text(shown))
        del self._changes.deliveries[:-DELIVERIES_SHOWN]

    def _succeeded(self, item: _Item) -> None:
        if item.news == self._news:
            self._next_ms = 0
        if self._failing_since_ms is not None:
            # A pause that was asked for since it was sent goes on.
            paused = ["next"] if not self._next_ms else []
            for name in ("failing_since", "streak", "last_error", *paused):
                self._changes.set.pop(name, None)
                self._changes.unset.append(name)
        if self._is_down:
            for lane in self._lanes.values():
                lane[0].retry = replace(lane[0].retry, due_ms=0)
        self._streak, self._failing_since_ms = 0, None
        self._news += 1
        self._add("delivered", 1)
        self._changes.set["last_success"] = str(self._means.now_ms())
        self._leave(item)

    def _leave(self, item: _Item) -> None:
        """Leave the event behind, and let the next of its lane begin."""
        lane = self._lanes[item.retry.lane]
        lane.popleft()
        if not lane:
            del self._lanes[item.retry.lane]
        self._count -= 1
        sequence = item.retry.sequence
        if sequence in self._fresh:
            self._fresh.discard(sequence)
        else:
            self._changes.retries.pop(str(sequence), None)
            self._changes.left.append(str(sequence))

    def _failed(self, item: _Item, answer: Answer) -> None:
        now_ms = self._means.now_ms()
        retry, asked_ms = item.retry, asked_wait_ms(answer.retry_after, now_ms / 1_000)
        if item.news == self._news:
            self._count_failure(retry.failures, now_ms)
        if asked_ms:
            self._news += 1
            self._pause_until(now_ms + min(asked_ms, MOST_ASKED_MS))
        since_ms = self._failing_since_ms = self._failing_since_ms or now_ms
        pause_ms = wait_ms(retry.failures + 1, asked_ms, random.random)
        item.retry = replace(
            retry,
            failures=retry.failures + 1,
            since_ms=retry.since_ms or now_ms,
            due_ms=now_ms + pause_ms,
        )
        item.under_way = False
        self._changes.unset.clear()
        self._changes.set |= {
            "failing_since": str(since_ms),
            "streak": str(self._streak),
            "next": str(self._next_ms),
            "last_error": answer.error or "",
        }
        if answer.status == HTTPStatus.GONE:
            self._end(Ended.GONE)
        elif now_ms - since_ms >= GIVE_UP_MS:
            self._end(Ended.FAILING)
        elif now_ms - item.retry.since_ms >= GIVE_UP_MS:
            self._add("abandoned", 1)
            self._leave(item)
        else:
            for each in self._lanes[retry.lane]:
                self._park(each)

    def _count_failure(self, failures: int, now_ms: int) -> None:
        """Count a failure of the receiver, of an event that had failed this often before."""
        if not self._is_down and failures and self._streak:
            # One event that fails again and again says nothing of all others.
            return
        self._streak += 1
        if self._is_down:
            self._news += 1
            pause_ms = wait_ms(self._streak - DOWN_AFTER + 1, None, random.random)
            self._pause_until(now_ms + pause_ms)

    def _pause_until(self, at_ms: int) -> None:
        self._next_ms = max(self._next_ms, at_ms)

    def _park(self, item: _Item) -> None:
        """Keep an event among those to be sent again."""
        item.event = None
        self._fresh.discard(item.retry.sequence)
        self._changes.retries[str(item.retry.sequence)] = retry_text(item.retry)

    def _end(self, why: Ended) -> None:
        self._ended = True
        self._changes.set |= {"ended": why.value, "ended_at": str(self._means.now_ms())}
        logger.warning(
            "webhook ended",
            extra={"webhook": self._subscription.id, "reason": why.value},
        )
        self._wake.set()

    def _add(self, name: str, number: int) -> None:
        self._changes.add[name] = self._changes.add.get(name, 0) + number

    @property
    def _changed(self) -> bool:
        changes = self._changes
        return bool(
            changes.set or changes.add or changes.deliveries or changes.retries or changes.left
        )

    def _is_due_to_store(self) -> bool:
        pause_s = STORE_S if self._changed else STORE_PLACE_S
        return time.monotonic() - self._stored_at >= pause_s

    async def _store(self) -> bool:
        """Return False once the subscription is not this deliverer's any more."""
        cursor = min(self._fresh) - 1 if self._fresh else self._read
        self._stored_at = time.monotonic()
        if not self._changed and cursor == self._stored_cursor:
            return True
        changes, self._changes = self._changes, Changes()
        self._stored_cursor = cursor
        changes.set["cursor"] = str(cursor)
        store, webhook_id = self._means.store, self._subscription.id
        try:
            return await self._means.feed.in_thread(
                lambda: store.store(webhook_id, self._epoch, changes)
            )
        except StoreUnavailable as error:
            logger.warning("progress of a webhook not stored: %s", error)
            self._merge(changes)
            return True

    def _merge(self, older: Changes) -> None:
        """Put back what could not be stored; what has changed since counts."""
        newer = self._changes
        newer.set = older.set | newer.set
        newer.unset = [each for each in older.unset if each not in newer.set] + newer.unset
        newer.retries = older.retries | newer.retries
        newer.left = older.left + newer.left
        newer.deliveries = (older.deliveries + newer.deliveries)[-DELIVERIES_SHOWN:]
        for name, number in older.add.items():
            newer.add[name] = newer.add.get(name, 0) + number
