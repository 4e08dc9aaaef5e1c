"""Subscriptions in Redis, and how far each of them is.

The hash ``webhooks`` has what an app asked for, as JSON. ``webhook:<id>`` has the fields of
`Progress`; ``webhook:<id>:retries`` the events to be sent again, each ``lane failures since due``
with the lane in quotes, as JSON; ``webhook:<id>:deliveries`` the last attempts, newest first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import fields as fields_of
from typing import Any

from vomind_queue.errors import WebhookNotFound, WebhooksFull
from vomind_queue.queue import call_record, keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.kept_events import WANTED_MS
from vomind_queue.webhooks.subscription import (
    DELIVERIES_SHOWN,
    MOST_SUBSCRIPTIONS,
    Delivery,
    Ended,
    Progress,
    Retry,
    Shown,
    Subscription,
)


@dataclass(kw_only=True, slots=True)
class Changes:
    """What became of a subscription since it was stored last."""

    set: dict[str, str] = field(default_factory=dict)
    unset: list[str] = field(default_factory=list)
    add: dict[str, int] = field(default_factory=dict)
    retries: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)


class WebhookStore:
    """Subscriptions as people see them. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def now_ms(self) -> int:
        """Return unix ms on the server's clock."""
        return self._store.now_ms()

    def add(self, new: Subscription) -> None:
        """Store a subscription: it gets what happens from now on. Raise WebhooksFull."""
        code = self._put(new, MOST_SUBSCRIPTIONS)
        if code == Code.WRONG_STATE:
            raise WebhooksFull(MOST_SUBSCRIPTIONS)

    def change(self, old: Subscription, new: Subscription, *, again: bool = False) -> bool:
        """Store what changed; ``again``: it had ended, and goes on.

        Return False where another request was quicker. Raise WebhookNotFound.
        """
        code = self._put(new, "", "1" if again else "", _dump(old))
        if code == Code.MISSING:
            raise WebhookNotFound
        return code == Code.OK

    def _put(self, new: Subscription, most: int | str, again: str = "", old: str = "") -> int:
        code, _ = self._store.run_with_deadline(
            "put_webhook", keys.WEBHOOKS, new.id, _dump(new), most, again, old
        )
        return int(code)

    def remove(self, webhook_id: str) -> None:
        """Remove a subscription. Raise WebhookNotFound."""
        self._for_one("remove_webhook", webhook_id, WANTED_MS)

    def replay(self, webhook_id: str, sequence: int) -> None:
        """Deliver again from an event on. Raise WebhookNotFound."""
        self._for_one("replay_webhook", webhook_id, sequence)

    def test(self, webhook_id: str) -> None:
        """Have an event delivered that nothing but this causes. Raise WebhookNotFound."""
        self._for_one("test_webhook", webhook_id)

    def _for_one(self, script: str, webhook_id: str, *args: Any) -> None:
        code, _ = self._store.run_with_deadline(script, keys.WEBHOOKS, webhook_id, *args)
        if code == Code.MISSING:
            raise WebhookNotFound

    def one(self, webhook_id: str) -> Subscription:
        """Return a subscription. Raise WebhookNotFound."""
        text = self._store.ask("HGET", keys.WEBHOOKS, webhook_id)
        if text is None:
            raise WebhookNotFound
        return _read(text)

    def all(self) -> Sequence[Shown]:
        """Return all subscriptions with how far they are, the oldest first."""
        with translate_errors(writes=False):
            found: Any = self._store.client.hgetall(keys.WEBHOOKS)
        stored = map(_read, found.values())
        return self._shown(sorted(stored, key=lambda each: (each.created_ms, each.id)))

    def show(self, webhook_id: str) -> Shown:
        """Return one with how far it is. Raise WebhookNotFound."""
        return self._shown([self.one(webhook_id)])[0]

    def _shown(self, found: Sequence[Subscription]) -> Sequence[Shown]:
        with translate_errors(writes=False):
            pipeline = self._store.client.pipeline(transaction=False)
            pipeline.get(keys.EVENTS_LAST)
            for each in found:
                pipeline.hgetall(keys.WEBHOOK + each.id)
                pipeline.hlen(f"{keys.WEBHOOK}{each.id}:retries")
            last, *answers = pipeline.execute()
        pairs = zip(answers[::2], answers[1::2], strict=True)
        return [
            Shown(
                subscription=each,
                progress=_progress(fields),
                retrying=retrying,
                last=int(last or 0),
            )
            for each, (fields, retrying) in zip(found, pairs, strict=True)
        ]

    def deliveries(self, webhook_id: str) -> Sequence[Delivery]:
        """Return the last attempts, newest first. Raise WebhookNotFound."""
        self.one(webhook_id)
        lines = self._store.ask("LRANGE", f"{keys.WEBHOOK}{webhook_id}:deliveries", 0, -1)
        return [Delivery(**json.loads(line)) for line in lines]


class WebhookLeases:
    """Subscriptions as one notifier sees them. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, token: str, lease_ms: int) -> None:
        """``token``: names this notifier; ``lease_ms``: how long it may be silent."""
        self._store = store
        self._token = token
        self._lease_ms = lease_ms

    def renew(self) -> Mapping[str, str]:
        """Return the subscriptions to deliver to, each with its epoch."""
        return self._lease("")

    def give_back(self) -> None:
        """Leave them to other notifiers."""
        self._lease("1")

    def _lease(self, end: str) -> Mapping[str, str]:
        answer = self._store.write(
            "lease_webhooks", [keys.WEBHOOK_LEASES], self._token, self._lease_ms, end
        )
        self._store.clock.note(int(answer[0]))
        return call_record.pairs(answer[1:])

    def load(self, webhook_id: str) -> tuple[Subscription, Progress, Sequence[Retry]] | None:
        """Return what is known of a subscription; ``None`` if it was removed."""
        name = keys.WEBHOOK + webhook_id
        with translate_errors(writes=False):
            pipeline = self._store.client.pipeline(transaction=True)
            pipeline.hget(keys.WEBHOOKS, webhook_id)
            pipeline.hgetall(name)
            pipeline.hgetall(f"{name}:retries")
            text, fields, retries = pipeline.execute()
        if text is None:
            return None
        return _read(text), _progress(fields), sorted_retries(retries)

    def store(self, webhook_id: str, epoch: str, changes: Changes) -> bool:
        """Store how far it is; return False if it is not this notifier's as it was any more."""
        (code,) = self._store.write(
            "webhook_progress",
            [keys.WEBHOOK_LEASES],
            webhook_id,
            self._token,
            epoch,
            DELIVERIES_SHOWN,
            json.dumps(_plain(changes), ensure_ascii=False),
        )
        return bool(code == Code.OK)


def sorted_retries(found: Mapping[str, str]) -> Sequence[Retry]:
    """Return what `retry_text` wrote, in the order of the events."""
    read = [Retry(sequence=int(sequence), **json.loads(text)) for sequence, text in found.items()]
    return sorted(read, key=lambda each: each.sequence)


def retry_text(retry: Retry) -> str:
    """Return what is kept of an event that is to be sent again."""
    values = _plain(retry)
    del values["sequence"]
    return json.dumps(values)


def delivery_text(delivery: Delivery) -> str:
    """Return what is kept of an attempt."""
    return json.dumps(_plain(delivery), ensure_ascii=False)


def _plain(record: Changes | Delivery | Retry) -> dict[str, Any]:
    """Return the fields of a record; they are written at once, so that no copy is wanted."""
    return {each.name: getattr(record, each.name) for each in fields_of(record)}


def _dump(subscription: Subscription) -> str:
    return json.dumps(asdict(subscription), ensure_ascii=False, sort_keys=True)


def _read(text: str) -> Subscription:
    return Subscription(**json.loads(text))


def _progress(fields: Mapping[str, str]) -> Progress:
    def number(name: str) -> int | None:
        return int(fields[name]) if name in fields else None

    return Progress(
        cursor=number("cursor") or 0,
        ended=Ended(fields["ended"]) if "ended" in fields else None,
        ended_ms=number("ended_at"),
        failing_since_ms=number("failing_since"),
        streak=number("streak") or 0,
        next_ms=number("next") or 0,
        delivered=number("delivered") or 0,
        abandoned=number("abandoned") or 0,
        missed=number("missed") or 0,
        last_success_ms=number("last_success"),
        last_error=fields.get("last_error"),
    )
