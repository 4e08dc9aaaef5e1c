"""Subscribe apps to events, and show how the deliveries go."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from vomind_queue.errors import ReplayTooEarly, StoreUnavailable
from vomind_queue.usecases.deeds import Deeds
from vomind_queue.webhooks.signing import new_secret
from vomind_queue.webhooks.subscription import ROTATION_MS, Delivery, Shown, Subscription

logger = logging.getLogger(__name__)

#: How often a change is tried again when another one was quicker.
CHANGE_TRIES = 5


class Store(Protocol):
    """What this needs of the subscriptions."""

    def now_ms(self) -> int: ...
    def add(self, new: Subscription) -> None: ...
    def change(self, old: Subscription, new: Subscription, *, again: bool = False) -> bool: ...
    def remove(self, webhook_id: str) -> None: ...
    def replay(self, webhook_id: str, sequence: int) -> None: ...
    def test(self, webhook_id: str) -> None: ...
    def one(self, webhook_id: str) -> Subscription: ...
    def all(self) -> Sequence[Shown]: ...
    def show(self, webhook_id: str) -> Shown: ...
    def deliveries(self, webhook_id: str) -> Sequence[Delivery]: ...


class Events(Protocol):
    """What this needs of the kept events."""

    def first(self) -> int | None: ...
    def last(self) -> int: ...
    def since(self, at_ms: int) -> int: ...


class Webhooks:
    """Everything may raise StoreUnavailable; what names one, WebhookNotFound."""

    def __init__(self, store: Store, events: Events, deeds: Deeds) -> None:
        self._store = store
        self._events = events
        self._deeds = deeds

    def add(self, wanted: Mapping[str, Any], by: str) -> Shown:
        """Subscribe an app to what happens from now on. Raise WebhooksFull."""
        new = Subscription(
            id=secrets.token_hex(16),
            by=by,
            created_ms=self._store.now_ms(),
            secret=new_secret(),
            **wanted,
        )
        self._store.add(new)
        self._deeds.note(by, "webhook added", new.id, host=urlsplit(new.url).hostname)
        logger.info("webhook added", extra={"webhook": new.id})
        return self._store.show(new.id)

    def change(self, webhook_id: str, wanted: Mapping[str, Any], by: str) -> Shown:
        """Change what was sent; ``enabled`` lets one go on that has ended."""
        again = bool(wanted.get("enabled"))
        self._change(webhook_id, lambda old: replace(old, **wanted), again=again)
        self._deeds.note(by, "webhook changed", webhook_id, fields=sorted(wanted))
        return self._store.show(webhook_id)

    def rotate(self, webhook_id: str, by: str) -> Shown:
        """Give a new secret; the old one is used as well for a day."""
        until_ms = self._store.now_ms() + ROTATION_MS
        secret = new_secret()
        self._change(
            webhook_id,
            lambda old: replace(old, secret=secret, old_secret=old.secret, old_until_ms=until_ms),
        )
        self._deeds.note(by, "webhook secret replaced", webhook_id)
        return self._store.show(webhook_id)

    def _change(
        self,
        webhook_id: str,
        changed: Callable[[Subscription], Subscription],
        *,
        again: bool = False,
    ) -> None:
        for _ in range(CHANGE_TRIES):
            old = self._store.one(webhook_id)
            if self._store.change(old, changed(old), again=again):
                return
        raise StoreUnavailable("The webhook is being changed by others.")

    def remove(self, webhook_id: str, by: str) -> None:
        """End a subscription."""
        self._store.remove(webhook_id)
        self._deeds.note(by, "webhook removed", webhook_id)
        logger.info("webhook removed", extra={"webhook": webhook_id})

    def test(self, webhook_id: str, by: str) -> None:
        """Have an event delivered that says nothing."""
        self._store.test(webhook_id)
        self._deeds.note(by, "webhook tested", webhook_id)

    def replay(
        self, webhook_id: str, by: str, *, sequence: int | None = None, since_ms: int | None = None
    ) -> int:
        """Deliver again from an event, or from a time on; return the number of the first.

        Raise ReplayTooEarly if that event is not kept any more.
        """
        first = self._events.first() or self._events.last() + 1
        wanted = first if sequence is None else sequence
        if since_ms is not None:
            wanted = self._events.since(since_ms)
        if wanted < first:
            raise ReplayTooEarly(first)
        wanted = min(wanted, self._events.last() + 1)
        self._store.replay(webhook_id, wanted)
        self._deeds.note(by, "webhook replayed", webhook_id, sequence=wanted)
        return wanted

    def all(self) -> Sequence[Shown]:
        """Return all subscriptions, the oldest first."""
        return self._store.all()

    def show(self, webhook_id: str) -> Shown:
        """Return one of them."""
        return self._store.show(webhook_id)

    def deliveries(self, webhook_id: str) -> Sequence[Delivery]:
        """Return its last attempts, newest first."""
        return self._store.deliveries(webhook_id)
