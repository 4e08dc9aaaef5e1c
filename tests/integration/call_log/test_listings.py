"""The do-not-call list in its second home: what an empty Redis gets back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from tests.integration.call_log.conftest import each_home
from tests.integration.conftest import KEEP
from vomind_queue.call_log.listings import Listings
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.call_log.sqlite_listings import SqliteListings
from vomind_queue.call_log.supabase import connect_listings
from vomind_queue.calls.do_not_call import ListingsState, Wish
from vomind_queue.calls.number_key import NumberKey
from vomind_queue.errors import LogUnavailable
from vomind_queue.queue import keys
from vomind_queue.queue.closed_days import ClosedDays
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.do_not_call_changes import DoNotCallChanges
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.rules.law import ClosedDay, closed_day
from vomind_queue.usecases.keep_listings import KeepListings

ADA, BOB, EVE = "+15550000001", "+15550000002", "+15550000003"
WISH = Wish(by="ops", source="crm", reason="Said so.")
KEY = NumberKey("a key that is long enough")


@pytest.fixture(params=["sqlite", "supabase"])
def listings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listings]:
    """Each of the two logs."""
    yield from each_home(request, tmp_path, SqliteListings, connect_listings)


def keeper_of(store: RedisStore, listings: Listings) -> KeepListings:
    """What a shipper or a worker that has just started runs."""
    return KeepListings(DoNotCallChanges(store), ClosedDays(store), lambda: listings)


def test_an_empty_redis_gets_the_list_back(client: redis.Redis, listings: Listings) -> None:
    """Who was listed, removed and forgotten; in the order in which that was."""
    store = RedisStore(client)
    numbers = DoNotCallList(store, KEEP, KEY)
    list(numbers.add([ADA, BOB, EVE], WISH))
    numbers.remove(BOB, WISH)
    keeper = keeper_of(store, listings)
    keeper.step()
    assert numbers.forget(EVE) is True
    keeper.step()
    assert DoNotCallChanges(store).pending() == []
    client.flushdb()
    keeper_of(store, listings).ensure_whole()
    entry = numbers.entry(ADA)
    assert entry is not None
    assert entry.wish == WISH
    assert (numbers.entry(BOB), numbers.entry(EVE) is not None) == (None, True)
    assert [each.number for each in numbers.page(None, 9).entries] == [None, ADA]
    assert EVE not in str(listings.after("", 100))


def test_a_delivery_that_comes_twice_does_no_harm(client: redis.Redis, listings: Listings) -> None:
    """Also where the person was forgotten in between."""
    store = RedisStore(client)
    changes, numbers = DoNotCallChanges(store), DoNotCallList(store, KEEP, KEY)
    list(numbers.add([ADA], WISH))
    first = changes.pending()
    listings.note(first)
    numbers.forget(ADA)
    listings.note(changes.pending())
    listings.note(first)
    assert [each.number for each in listings.after("", 9)] == [KEY.member(ADA)]


def test_a_log_that_is_away_keeps_the_list_from_being_whole(
    client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost, and it is said once."""

    class Away:
        def note(self, _: object) -> None:
            raise LogUnavailable("away")

        def days(self) -> list[object]:
            raise LogUnavailable("away")

    store = RedisStore(client)
    changes = DoNotCallChanges(store)
    list(DoNotCallList(store, KEEP).add([ADA], WISH))
    keeper = KeepListings(changes, ClosedDays(store), Away)  # type: ignore[arg-type]
    for _ in range(3):
        keeper.step()
    keeper.ensure_whole()
    assert (changes.is_whole(), len(changes.pending())) == (False, 1)
    said = [record.levelname for record in caplog.records]
    assert said == ["WARNING", "ERROR"]


def test_a_log_that_cannot_be_read_ends_no_worker(
    client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has written a day into its table by hand: calls wait, and the log says why."""

    class Mistyped:
        def days(self) -> list[ClosedDay]:
            return [closed_day("2027-02-30")]

    store = RedisStore(client)
    changes = DoNotCallChanges(store)
    KeepListings(changes, ClosedDays(store), Mistyped).ensure_whole()  # type: ignore[arg-type]
    assert not changes.is_whole()
    assert "cannot be restored" in caplog.text


def test_the_shipper_mends_a_redis_of_an_older_state(client: redis.Redis, tmp_path: Path) -> None:
    """What was listed since is in the log alone."""
    listings = SqliteListings(SqliteLog(tmp_path / "calls.sqlite3"))
    store = RedisStore(client)
    numbers = DoNotCallList(store, KEEP)
    list(numbers.add([ADA, BOB], WISH))
    keeper_of(store, listings).step()
    client.zrem(keys.DO_NOT_CALL, BOB)
    keeper_of(store, listings).step()
    assert numbers.entry(BOB) is not None


def test_an_empty_redis_gets_closed_days_back_before_anything_rings(
    client: redis.Redis, listings: Listings
) -> None:
    """With who closed them and why; one that was opened again stays open."""
    store = RedisStore(client)
    days, changes = ClosedDays(store), DoNotCallChanges(store)
    flood, strike = closed_day("US-LA:2027-02-09..2027-02-11"), closed_day("2027-03-01")
    days.close(replace(flood, reason="A flood."), "ops")
    days.close(strike, "ops")
    keeper = keeper_of(store, listings)
    keeper.step()
    days.reopen(strike.id)
    keeper.step()
    _, closed = days.read()
    client.flushdb()
    keeper_of(store, listings).ensure_whole()
    assert changes.is_whole()
    assert days.read()[1] == closed
    assert [each.id for each in closed] == [flood.id]


def test_days_of_an_older_state_do_not_replace_newer_ones(
    client: redis.Redis, tmp_path: Path
) -> None:
    """The server has restarted under the same shipper: it lacks a day, and gets it."""
    listings = SqliteListings(SqliteLog(tmp_path / "calls.sqlite3"))
    store = RedisStore(client)
    days, changes = ClosedDays(store), Restarted(store)
    keeper = KeepListings(changes, days, lambda: listings)
    days.close(closed_day("2027-02-09"), "ops")
    keeper.step()
    older = client.dump(keys.CLOSED_DAYS)
    days.close(closed_day("2027-02-10"), "ops")
    keeper.step()
    client.restore(keys.CLOSED_DAYS, 0, older, replace=True)  # type: ignore[arg-type]
    changes.runs += 1
    keeper.step()
    wanted = ["2027-02-09", "2027-02-10"]
    assert [each.id for each in days.read()[1]] == wanted
    assert sorted(each.id for each in listings.days()) == wanted


class Restarted(DoNotCallChanges):
    """The list on a server that restarts."""

    runs = 0

    def state(self) -> ListingsState:
        """Say which run it is."""
        return replace(super().state(), server=str(self.runs))
