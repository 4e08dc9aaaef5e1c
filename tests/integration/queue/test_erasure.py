"""Recurring calls to a person who is to be forgotten, on a store that goes on meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.integration.recurring_calls import set_tick, wanted
from vomind_queue.queue import erasure, keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.recurring_store import RecurringStore

NUMBER = "+15550000001"
#: Later than any tick of the tests' recurring calls, unix ms.
LATE_MS = 4_000_000_000_000


def test_a_tick_that_fires_meanwhile_hides_no_recurring_call(
    client: redis.Redis, recurring_store: RecurringStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It moves the first one to the end, and all others one place to the front."""
    for index in range(3):
        recurring_store.put(wanted(NUMBER, key=f"key{index}"), LATE_MS - 10 + index)
    monkeypatch.setattr(erasure, "SCHEDULES", 1)

    fires = ["once"]

    class Meanwhile(RedisStore):
        def read(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
            answer = super().read(name, key_names, *args)
            if name in ("recurring_page", "find_recurring") and fires:
                fires.pop()
                first = str(client.zrange(keys.SCHEDULES, 0, 0)[0])
                set_tick(client, first.removeprefix(keys.SCHEDULE), LATE_MS)
            return answer

    removed, _ = Erasure(Meanwhile(client)).forget(NUMBER)
    assert removed == {f"recurring:{number}": "recurring" for number in (1, 2, 3)}
    assert recurring_store.page(0, 9).total == 0


def test_recurring_calls_that_are_not_in_the_index_are_forgotten(
    client: redis.Redis, recurring_store: RecurringStore
) -> None:
    """An older version stored them, and no scheduler has come by since."""
    for index in range(1_200):
        to = NUMBER if index % 400 == 0 else "+15550000002"
        recurring_store.put(wanted(to, key=f"key{index}"), LATE_MS)
    client.delete(keys.RECURRING_INDEX)
    removed, _ = Erasure(RedisStore(client)).forget(NUMBER)
    assert sorted(removed) == ["recurring:1", "recurring:401", "recurring:801"]
    assert recurring_store.page(0, 0).total == 1_197


def test_an_entry_of_nothing_leaves_the_index(
    client: redis.Redis, recurring_store: RecurringStore
) -> None:
    """Its recurring call was deleted by other means."""
    recurring_store.put(wanted(NUMBER), LATE_MS)
    client.delete(keys.SCHEDULES)
    assert Erasure(RedisStore(client)).forget(NUMBER) == ({}, [])
    assert client.exists(keys.RECURRING_INDEX) == 0
