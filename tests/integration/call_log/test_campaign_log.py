"""Campaigns in the call log: as they were last known, and back in an empty Redis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from tests.integration.call_log.conftest import each_home
from tests.integration.conftest import KEEP, begin, new, place, taken
from tests.integration.queue.conftest import sweep_all
from vomind_queue.call_log.campaigns import CampaignLog, CampaignRow
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.call_log.sqlite_campaigns import SqliteCampaigns
from vomind_queue.call_log.supabase import connect_campaigns
from vomind_queue.calls.campaign import Campaign, CampaignState, CampaignView, Part
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.calls.limits import Rate
from vomind_queue.errors import CampaignNotFound, LogUnavailable, WrongState
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_changes import CampaignChange, CampaignChanges
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.keep_campaigns import AT_ONCE, KeepCampaigns

TOKEN = "one"


@pytest.fixture(params=["sqlite", "supabase"])
def campaign_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CampaignLog]:
    """Each of the two logs."""
    yield from each_home(request, tmp_path, SqliteCampaigns, connect_campaigns)


@pytest.fixture
def store(client: redis.Redis) -> CampaignStore:
    """The campaigns in Redis."""
    return CampaignStore(RedisStore(client))


def changes_of(client: redis.Redis) -> CampaignChanges:
    """What the shipper reads that leads."""
    client.set(keys.OUTBOX_LEADER, TOKEN)
    return CampaignChanges(RedisStore(client), TOKEN)


def ship(client: redis.Redis, log: CampaignLog) -> None:
    """What a shipper does that has just started."""
    KeepCampaigns(changes_of(client), lambda: log).step()


def rows_of(log: CampaignLog) -> Sequence[CampaignRow]:
    """All rows."""
    return log.after("", 100)


def told(client: redis.Redis, log: CampaignLog) -> CampaignRow:
    """Ships, and returns the one row that there is."""
    ship(client, log)
    (row,) = rows_of(log)
    return row


def test_the_log_has_a_campaign_as_it_is(
    client: redis.Redis,
    store: CampaignStore,
    queue: CallQueue,
    worker_queue: WorkerQueue,
    campaign_log: CampaignLog,
) -> None:
    """After each change, by a person or by a call; with who steered it."""
    made = store.create(
        Campaign(name="Reminders", pace=Rate(max_starts=10, window_ms=60_000)), None
    )
    row = told(client, campaign_log)
    assert (row.campaign_id, row.name, row.state, row.steered_by) == (
        made.id, "Reminders", "draft", None,
    )  # fmt: skip
    queue.add([new(1), new(2)], campaign=made.id)
    store.change(made.id, lambda old: replace(old.campaign, name="Others"))
    row = told(client, campaign_log)
    assert (row.name, row.settings["pace"], row.counts["waiting"]) == ("Others", "10/m", 2)
    for deed, state in (("start", "running"), ("pause", "paused"), ("resume", "running")):
        store.steer(made.id, deed, "ann")
        row = told(client, campaign_log)
        assert (row.state, row.steered_by) == (state, "ann")
    place(worker_queue, taken(worker_queue)[0])
    assert told(client, campaign_log).counts["on-line"] == 1
    store.steer(made.id, "cancel", "bob")
    sweep_all(store)
    row, shown = told(client, campaign_log), store.show(made.id)
    assert (row.state, row.counts["cancelled"], row.counts["total"]) == ("cancelled", 1, 2)
    assert (row.created_ms, row.started_ms, row.ended_ms) == (
        shown.created_ms, shown.started_ms, shown.ended_ms,
    )  # fmt: skip
    assert changes_of(client).pending(AT_ONCE).changes == []


def test_an_empty_redis_gets_campaigns_back(
    client: redis.Redis, store: CampaignStore, queue: CallQueue, campaign_log: CampaignLog
) -> None:
    """A draft as it was; one that ran is cancelled: its calls are gone; deleted ones stay away."""
    ran, draft, gone, ended = (
        store.create(Campaign(name=name, hours="mon-sun 09:00-18:00"), None).id
        for name in ("Ran", "Draft", "Gone", "Ended")
    )
    queue.add([new(1), new(2)], campaign=ran)
    for campaign_id, deed in ((ran, "start"), (ended, "cancel"), (gone, "cancel")):
        store.steer(campaign_id, deed, "ann")
    for _ in (ended, gone):
        sweep_all(store)
    ship(client, campaign_log)
    store.remove(gone)
    ship(client, campaign_log)
    before: dict[str, CampaignView] = {each: store.show(each) for each in (draft, ended)}
    assert before[ended].steered_by == "ann"
    client.flushdb()
    ship(client, campaign_log)
    assert {each: store.show(each) for each in before} == before
    shown = store.show(ran)
    assert (shown.state, shown.steered_by) == (CampaignState.CANCELLED, None)
    assert (shown.total, shown.parts[Part.CANCELLED], shown.parts[Part.WAITING]) == (2, 2, 0)
    assert [each.id for each in store.page(0, 9).views] == [ended, draft, ran]
    with pytest.raises(CampaignNotFound):
        store.show(gone)
    # No id is given out twice, and what came back works.
    assert int(store.create(Campaign(name="New"), None).id) > int(ended)
    queue.add([new(3)], campaign=draft)
    assert store.steer(draft, "start", "ann")
    store.remove(ended)
    ship(client, campaign_log)
    assert [each.state for each in rows_of(campaign_log)] == [
        "cancelled", "running", "deleted", "deleted", "draft",
    ]  # fmt: skip


@contextmanager
def put_back(client: redis.Redis) -> Iterator[None]:
    """Put the server back afterwards to what it is now, as from a snapshot."""
    snapshot = {key: client.dump(key) for key in client.keys("*")}
    yield
    client.flushdb()
    for key, value in snapshot.items():
        client.restore(key, 0, value)
    # Another run of the server.
    client.delete(keys.OUTBOX_COMPARED)


def test_a_redis_that_came_back_older_stops_what_was_stopped_since(
    client: redis.Redis,
    store: CampaignStore,
    queue: CallQueue,
    worker_queue: WorkerQueue,
    campaign_log: CampaignLog,
) -> None:
    """Cancelled, paused, finished or deleted since: none of their calls starts; others go on."""
    names = ("Cancelled", "Paused", "Deleted", "Finished", "Running")
    made = {name: store.create(Campaign(name=name), None).id for name in names}
    ids = {name: queue.add([new(int(each))], campaign=each).job_ids for name, each in made.items()}
    for each in made.values():
        store.steer(each, "start", "ann")
    ship(client, campaign_log)
    with put_back(client):
        for name, deed in (("Cancelled", "cancel"), ("Paused", "pause"), ("Deleted", "cancel")):
            store.steer(made[name], deed, "bob")
            sweep_all(store)
        store.remove(made["Deleted"])
        queue.cancel(*ids["Finished"])
        ship(client, campaign_log)
    ship(client, campaign_log)
    shown = {name: store.show(each) for name, each in made.items()}
    assert {name: str(each.state) for name, each in shown.items()} == {
        "Cancelled": "cancelled", "Paused": "paused", "Deleted": "cancelled",
        "Finished": "finished", "Running": "running",
    }  # fmt: skip
    assert [shown[name].steered_by for name in names] == ["bob", "bob", None, "ann", "ann"]
    assert taken(worker_queue, 9) == list(ids["Running"])
    sweep_all(store)
    assert all(sum(each.parts.values()) == each.total for each in map(store.show, made.values()))
    # A person who resumes it after that is heard.
    assert store.steer(made["Paused"], "resume", "ann")
    ship(client, campaign_log)
    assert taken(worker_queue) == list(ids["Paused"])


def test_what_had_finished_since_stays_so_while_its_calls_are_removed(
    client: redis.Redis,
    store: CampaignStore,
    queue: CallQueue,
    worker_queue: WorkerQueue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its calls were placed in the time that this server has lost: none rings once more."""
    monkeypatch.setattr("vomind_queue.queue.campaign_store.SWEPT_AT_ONCE", 1)
    log = SqliteCampaigns(SqliteLog(tmp_path / "calls.sqlite3"))
    made = store.create(Campaign(name="One"), None)
    ids = queue.add([new(1), new(2), new(3), new(4)], campaign=made.id).job_ids
    store.steer(made.id, "start", "ann")
    assert taken(worker_queue) == [ids[0]]
    refused = Decision(result=AttemptResult.FAILED, reason="no")
    worker_queue.finish(begin(worker_queue, ids[0]), refused)
    worker_queue.release(ids[0])
    ship(client, log)
    with put_back(client):
        for each in ids[1:]:
            queue.cancel(each)
        ship(client, log)
    ship(client, log)
    while store.sweep(KEEP):
        assert store.show(made.id).state is CampaignState.FINISHED
        assert taken(worker_queue) == []
    with pytest.raises(WrongState):
        queue.retry(ids[0])


def test_a_clock_that_was_put_back_stops_nothing_twice(
    client: redis.Redis, store: CampaignStore, queue: CallQueue, tmp_path: Path
) -> None:
    """The log is told what was resumed, although it has a later delivery by the server's clock."""
    log = SqliteCampaigns(SqliteLog(tmp_path / "calls.sqlite3"))
    made = store.create(Campaign(name="One"), None)
    queue.add([new(1)], campaign=made.id)
    store.steer(made.id, "start", "ann")
    row = told(client, log)
    hour_us = 3_600_000_000
    log.keep([replace(row, state="paused", version=row.version + hour_us)])
    client.delete(keys.OUTBOX_COMPARED)
    assert told(client, log).state == "paused"
    store.steer(made.id, "resume", "ann")
    assert told(client, log).state == "running"
    client.delete(keys.OUTBOX_COMPARED)
    assert told(client, log).state == "running"
    assert store.show(made.id).state is CampaignState.RUNNING


def test_a_delivery_that_comes_late_undoes_nothing(
    client: redis.Redis, store: CampaignStore, campaign_log: CampaignLog
) -> None:
    """Of a shipper that was stopped in the middle of it, or that has lost the lead."""
    made = store.create(Campaign(name="One"), None)
    first = changes_of(client)
    late: Sequence[CampaignChange] = first.pending(AT_ONCE).changes
    store.steer(made.id, "cancel", "ann")
    ship(client, campaign_log)
    campaign_log.keep([each.row for each in late])
    assert [each.state for each in rows_of(campaign_log)] == ["cancelled"]
    sweep_all(store)
    store.remove(made.id)
    read = first.pending(AT_ONCE).changes
    client.set(keys.OUTBOX_LEADER, "another")
    first.delivered(read)
    assert [each.row.state for each in first.pending(AT_ONCE).changes] == ["deleted"]


def test_what_changes_while_it_is_delivered_is_delivered_again(
    client: redis.Redis, store: CampaignStore
) -> None:
    """A change that comes between reading and the note is not lost."""
    made = store.create(Campaign(name="One"), None)
    changes = changes_of(client)
    read = changes.pending(AT_ONCE).changes
    store.steer(made.id, "cancel", "ann")
    changes.delivered(read)
    assert [each.row.state for each in changes.pending(AT_ONCE).changes] == ["cancelled"]


def test_a_log_that_lacks_the_table_is_told_once(
    client: redis.Redis, store: CampaignStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again after a pause; nothing is lost, and campaigns work without."""

    class Away:
        def keep(self, _: object) -> None:
            raise LogUnavailable("away")

        def after(self, *_: object) -> list[CampaignRow]:
            return []

    store.create(Campaign(name="One"), None)
    now, changes = [0.0], changes_of(client)
    keeper = KeepCampaigns(changes, Away, monotonic=lambda: now[0])
    for _ in range(30):
        keeper.step()
        now[0] += 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    found = changes.pending(AT_ONCE)
    assert (len(found.changes), found.is_compared) == (1, False)
