"""What became of one subscription, gathered and stored a few times a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Protocol

from vomind_queue.errors import StoreUnavailable
from vomind_queue.notifier.feed import Feed
from vomind_queue.queue.webhook_store import Changes, delivery_text, retry_text
from vomind_queue.webhooks.subscription import DELIVERIES_SHOWN, Delivery, Retry

logger = logging.getLogger(__name__)

#: Between two times at which progress is stored, s; and where nothing but the place moved.
STORE_S, STORE_PLACE_S = 0.25, 10.0


class Store(Protocol):
    """What this needs of the subscriptions."""

    def store(self, webhook_id: str, epoch: str, changes: Changes) -> bool:
        """Store how far one is; return False if it is not the caller's any more."""
        ...


class ProgressBook:
    """Holds what is not stored yet."""

    def __init__(self, store: Store, feed: Feed, webhook_id: str, epoch: str, cursor: int) -> None:
        """``epoch``: of the subscription as it was read; ``cursor``: as it is stored."""
        self._store = store
        self._feed = feed
        self._webhook_id = webhook_id
        self._epoch = epoch
        self._cursor = cursor
        self._changes = Changes()
        self._stored_at = time.monotonic()

    @property
    def has_changes(self) -> bool:
        """Return whether anything but the place has to be stored."""
        changes = self._changes
        return bool(
            changes.set or changes.add or changes.deliveries or changes.retries or changes.left
        )

    @property
    def is_due(self) -> bool:
        """Return whether it is time to store."""
        pause_s = STORE_S if self.has_changes else STORE_PLACE_S
        return time.monotonic() - self._stored_at >= pause_s

    def note(self, fields: Mapping[str, str | None]) -> None:
        """Have fields stored; ``None``: have one removed."""
        changes = self._changes
        for name, text in fields.items():
            changes.set.pop(name, None)
            changes.unset = [each for each in changes.unset if each != name]
            if text is None:
                changes.unset.append(name)
            else:
                changes.set[name] = text

    def add(self, name: str, number: int) -> None:
        """Have a count grow."""
        if number:
            self._changes.add[name] = self._changes.add.get(name, 0) + number

    def note_delivery(self, delivery: Delivery) -> None:
        """Have an attempt shown."""
        self._changes.deliveries.append(delivery_text(delivery))
        del self._changes.deliveries[:-DELIVERIES_SHOWN]

    def wait(self, retry: Retry) -> None:
        """Have an event stored to be sent again."""
        self._changes.retries[str(retry.sequence)] = retry_text(retry)

    def leave(self, sequence: int) -> None:
        """Undo `wait`."""
        self._changes.retries.pop(str(sequence), None)
        self._changes.left.append(str(sequence))

    async def store(self, cursor: int) -> bool:
        """Store all; return False once the subscription is not this notifier's any more."""
        self._stored_at = time.monotonic()
        if not self.has_changes and cursor == self._cursor:
            return True
        changes, self._changes = self._changes, Changes()
        self._cursor = cursor
        changes.set["cursor"] = str(cursor)
        try:
            return await self._feed.in_thread(
                lambda: self._store.store(self._webhook_id, self._epoch, changes)
            )
        except StoreUnavailable as error:
            logger.warning("progress of a webhook not stored: %s", error)
            self._put_back(changes)
            return True

    def _put_back(self, older: Changes) -> None:
        """Put back what could not be stored; what has changed since counts."""
        newer = self._changes
        newer.set = older.set | newer.set
        newer.unset = [each for each in older.unset if each not in newer.set] + newer.unset
        newer.retries = older.retries | newer.retries
        newer.left = older.left + newer.left
        newer.deliveries = (older.deliveries + newer.deliveries)[-DELIVERIES_SHOWN:]
        for name, number in older.add.items():
            newer.add[name] = newer.add.get(name, 0) + number
