"""Campaigns with calls, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.conftest import KEEP, new
from vomind_queue.calls.call import Priority
from vomind_queue.calls.campaign import Campaign, CampaignState, Part
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import RedisStore


@pytest.fixture
def store(client: redis.Redis) -> CampaignStore:
    """The campaigns."""
    return CampaignStore(RedisStore(client))


class Made:
    """A campaign with calls."""

    #: Numbers that were given out.
    numbers = 0

    def __init__(
        self,
        queue: CallQueue,
        store: CampaignStore,
        calls: int,
        *,
        running: bool = True,
        **said: Any,
    ) -> None:
        self.id = store.create(Campaign(name="One", **said), None).id
        self._queue, self._store = queue, store
        self.calls = self.add(calls) if calls else []
        if running:
            store.steer(self.id, "start", "ann")

    def add(self, count: int, priority: Priority = Priority.NORMAL, **times: int) -> list[str]:
        """Gives it calls; their ids."""
        first = Made.numbers
        Made.numbers += count
        news = [new(first + index, priority, **times) for index in range(count)]
        return list(self._queue.add(news, campaign=self.id).job_ids)

    @property
    def parts(self) -> dict[Part, int]:
        """Where its calls are, those parts aside that have none."""
        shown = self._store.show(self.id)
        assert sum(shown.parts.values()) == shown.total
        return {part: count for part, count in shown.parts.items() if count}

    @property
    def state(self) -> CampaignState:
        """Of the campaign."""
        return self._store.show(self.id).state


def sweep_all(store: CampaignStore) -> None:
    """Ends what is left of campaigns that were cancelled, or whose end has come."""
    while store.sweep(KEEP):
        pass


@pytest.fixture
def make(queue: CallQueue, store: CampaignStore) -> Callable[..., Made]:
    """Makes campaigns."""
    return lambda calls=0, **said: Made(queue, store, calls, **said)
