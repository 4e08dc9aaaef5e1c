"""Recurring calls through real processes: schedulers, a worker, the API, a telephone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from celery.schedules import schedule as every
from redbeat import RedBeatSchedulerEntry

from tests.acceptance.conftest import FAST, TO, Api
from tests.integration.recurring_calls import RARELY, make_due
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Process, Stack, until
from vomind_queue.config.settings import Settings
from vomind_queue.processes.worker import create_app

LEADS = "scheduler leads"
FOLLOWS = "another scheduler leads"


def start_beat(stack: Stack, says: str = LEADS) -> Process:
    """Starts a scheduler and waits until it says whether it leads."""
    beat = stack.start("beat")
    beat.wait_for(says)
    return beat


def recurring(api: Api, to: str = TO) -> str:
    """Schedules a recurring call; the number in its id."""
    body = {"to": to, "cronExpression": RARELY}
    job_id: str = api("POST", "/schedule-recurring-call", body)["jobId"]
    return job_id.removeprefix("recurring:")


def until_rung(phone: SimulatorClient, count: int) -> None:
    """Waits for so many rings."""
    until(lambda: len(phone.rings()) >= count, within_s=30, what=f"{count} rings")


def test_a_scheduler_ends_while_redis_is_silent(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """SIGTERM interrupts a look that waits for its answer, and Celery steps down right there."""
    server = start_server()
    beat = start_beat(
        Stack(directory=tmp_path, redis_url=server.url, settings={"LEASE_TIME": "1s"})
    )
    server.freeze()
    # It looks twice a second, and waits five seconds for an answer.
    time.sleep(1.5)
    try:
        beat.stop(within_s=60)
    finally:
        beat.kill()
        server.thaw()


def test_a_recurring_call_rings_is_paused_resumed_and_deleted(
    fast: Stack, api: Api, phone: SimulatorClient, valkey: redis.Redis
) -> None:
    """What a newcomer does first."""
    fast.start_worker()
    start_beat(fast)
    number = recurring(api)
    for count in (1, 2):
        tick = make_due(valkey, number)
        until_rung(phone, count)
        api.until_state(f"recurring:{number}:{tick}", "completed")
    path = f"/job/recurring:{number}"
    assert api("GET", path)["firedRuns"] == {"count": 2}
    api("POST", f"{path}/pause")
    api("POST", f"{path}/resume")
    make_due(valkey, number)
    until_rung(phone, 3)
    api("DELETE", path)
    assert api.ask("GET", path).status_code == 404
    assert len(phone.rings()) == 3
    assert api("GET", "/recurring")["total"] == 0


def test_another_scheduler_takes_over(
    fast: Stack, api: Api, phone: SimulatorClient, valkey: redis.Redis
) -> None:
    """After a kill when the leader's time has run out, after a SIGTERM at once; no tick twice."""
    fast.start_worker()
    first = start_beat(fast)
    second = start_beat(fast, FOLLOWS)
    numbers = [recurring(api, f"+1555000000{index}") for index in range(5)]
    first.send(signal.SIGKILL)
    for number in numbers:
        make_due(valkey, number, ago_ms=5_000)
    until_rung(phone, 5)
    second.wait_for(LEADS)
    third = start_beat(fast, FOLLOWS)
    assert second.stop() == 0
    for number in numbers:
        make_due(valkey, number)
    until_rung(phone, 10)
    assert LEADS in third.output
    api.until_done()
    assert sorted(ring["to"] for ring in phone.rings()) == sorted(
        2 * [f"+1555000000{index}" for index in range(5)]
    )


def test_a_frozen_scheduler_fires_nothing_of_anothers(
    fast: Stack, api: Api, phone: SimulatorClient, valkey: redis.Redis
) -> None:
    """Stopped while it leads, then continued: it follows, and no tick fires twice."""
    fast.start_worker()
    first = start_beat(fast)
    number = recurring(api)
    first.send(signal.SIGSTOP)
    second = start_beat(fast)
    make_due(valkey, number, ago_ms=5_000)
    until_rung(phone, 1)
    first.send(signal.SIGCONT)
    first.wait_for(FOLLOWS)
    make_due(valkey, number)
    until_rung(phone, 2)
    api.until_done()
    assert len(phone.rings()) == 2
    assert second.alive


def test_a_scheduler_survives_an_outage_in_place(
    stack: Stack, start_server: Callable[..., Server]
) -> None:
    """It starts while Redis is away, and goes on when it comes, is gone, and comes again."""
    server = start_server(durable=True)
    stack.settings |= {**FAST, "REDIS_URL": server.url}
    server.stop()
    beat = stack.start("beat")
    beat.wait_for("Redis cannot be reached")
    server.start()
    beat.wait_for(LEADS)
    stack.start_simulator()
    stack.start_worker()
    stack.start_web()
    api, phone = Api(stack.queue_url), SimulatorClient(stack.simulator_url)
    number = recurring(api)
    server.kill()
    until(lambda: beat.output.count("Redis cannot be reached") == 2, within_s=30, what="an outage")
    server.start()
    with server.client() as client:
        make_due(client, number)
    until_rung(phone, 1)
    assert beat.alive
    assert "Traceback" not in beat.output
    phone.close()


def test_redbeats_keys_are_the_truth(
    fast: Stack, api: Api, phone: SimulatorClient, valkey: redis.Redis
) -> None:
    """RedBeat's own class reads a recurring call; deleted by it, it is gone and rings nobody."""
    fast.start_worker("--include", "tests.ordinary")
    beat = start_beat(fast)
    numbers = [recurring(api, f"+1555000000{index}") for index in range(3)]
    app = create_app(Settings.from_env({"REDIS_URL": fast.redis_url}))
    note = RedBeatSchedulerEntry("note", "tests.note", every(1), args=["key", "value"], app=app)
    note.save()
    until(lambda: valkey.get("key") == "value", within_s=30, what="the ordinary task runs")
    assert api("GET", "/recurring")["total"] == 3
    entries = valkey.zrange("{calls}:redbeat::schedule", 0, -1)
    assert note.key in entries
    found = [RedBeatSchedulerEntry.from_key(key, app=app) for key in entries]
    assert {entry.name for entry in found} == {
        "note",
        *(f"recurring:{number}" for number in numbers),
    }
    kept, deleted, lost = numbers
    RedBeatSchedulerEntry.from_key(f"{{calls}}:redbeat:recurring:{deleted}", app=app).delete()
    valkey.delete(f"{{calls}}:redbeat:recurring:{lost}")
    valkey.zadd("{calls}:redbeat::schedule", {f"{{calls}}:redbeat:recurring:{lost}": 1})
    # RedBeat's lock is taken from the one that leads: it waits until nobody has it, and goes on.
    valkey.set("{calls}:redbeat::lock", "somebody")
    beat.wait_for(FOLLOWS)
    for number in (deleted, lost):
        assert api.ask("GET", f"/job/recurring:{number}").status_code == 404
    make_due(valkey, kept)
    until_rung(phone, 1)
    until(lambda: api("GET", "/recurring")["total"] == 1, within_s=30, what="the others are gone")
    for key in valkey.scan_iter("{calls}:redbeat:*"):
        valkey.delete(key)
    valkey.delete("key")
    note.save()
    until(lambda: valkey.get("key") == "value", within_s=30, what="the ordinary task runs again")
    # Of an entry that was deleted by hand the scheduler removes what is left once nothing is due.
    until(lambda: api("GET", "/recurring")["total"] == 0, within_s=30, what="all are gone")
    assert len(phone.rings()) == 1
    assert beat.alive
    assert beat.stop() == 0


@pytest.mark.parametrize("policy", ["allkeys-lru"])
def test_a_scheduler_refuses_a_server_that_drops_data(
    stack: Stack, valkey: redis.Redis, policy: str
) -> None:
    """As web and worker do: one line, and an end that is no success."""
    valkey.config_set("maxmemory-policy", policy)
    try:
        beat = stack.start("beat")
        assert beat.wait() != 0
        assert policy in beat.output
        assert "Traceback" not in beat.output
    finally:
        valkey.config_set("maxmemory-policy", "noeviction")
