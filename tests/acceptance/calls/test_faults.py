"""What happens to calls when processes die, Redis goes away or Twilio misbehaves."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import FAST, Api, calls, each_rang_once, number
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Stack, until
from vomind_queue.api.serializers.times import parse_instant


def test_a_killed_worker_loses_nothing_and_rings_nobody_twice(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """`kill -9` amid 100 calls: each phone rings once, unknown outcomes are reconciled."""
    phone.faults({"fault": "slow", "ms": 100, "when": "after"})
    api.bulk(calls(100))
    for _ in range(3):
        rung = len(phone.rings())
        worker = fast.start_worker()
        until(lambda least=rung: len(phone.rings()) > least + 10, within_s=30, what="rings")  # type: ignore[misc]
        worker.kill()
    fast.start_worker()
    stats = api.until_done()
    each_rang_once(phone, 100)
    assert (stats["completed"], stats["failed"]) == (100, 0)


def test_a_lost_answer_is_reconciled_by_twilios_list(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Twilio accepted, the answer never came: one ring, found by looking, with its SID."""
    phone.faults(
        {"fault": "drop", "when": "after", "to": number(0)},
        {"fault": "silent", "when": "after", "to": number(1)},
        {"fault": "error", "status": 500, "when": "after", "to": number(2)},
        {"fault": "html", "when": "after", "to": number(3)},
    )
    fast.start_worker()
    job_ids = api.bulk(calls(4))
    for job_id in job_ids:
        job = api.until_state(job_id, "completed")
        assert job["attemptsMade"] == 1
        assert job["call"]["sid"].startswith("CA")
    each_rang_once(phone, 4)


def test_a_slow_list_hides_no_ring(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """The look's own duration makes no ring look older than the attempt it belongs to."""
    phone.faults({"fault": "drop", "when": "after"}, {"fault": "slow", "on": "list", "ms": 2_600})
    fast.start_worker(DIAL_DEADLINE="5s", UNKNOWN_OUTCOME_HORIZON="10s")
    job = api.until_state(api.schedule(number(0)), "completed")
    assert job["attemptsMade"] == 1
    each_rang_once(phone, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9/elsewhere"),
        ("http://127.0.0.1:9", ""),
        ("", "http://127.0.0.1:9"),
    ],
    ids=["another", "none any more", "the first one"],
)
def test_a_ring_is_known_after_the_public_address_has_changed(
    fast: Stack, api: Api, phone: SimulatorClient, before: str, after: str
) -> None:
    """Twilio took the call, its answer was lost, and the worker starts with another address."""
    phone.faults({"fault": "slow", "when": "after", "ms": 8_000, "times": 1})
    worker = fast.start_worker(PUBLIC_URL=before, DIAL_DEADLINE="9s", UNKNOWN_OUTCOME_HORIZON="20s")
    job_id = api.schedule(number(0))
    until(phone.rings, within_s=30, what="Twilio has the call")
    worker.kill()
    fast.start_worker("-n", "two@%h", PUBLIC_URL=after)
    job = api.until_state(job_id, "completed", "failed")
    (ring,) = phone.rings()
    assert (job["state"], job["call"]["sid"], job["attemptsMade"]) == ("completed", ring["sid"], 1)


def test_an_attempt_that_left_no_trace_is_made_again(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Twilio failed before accepting: after the horizon, not before, the next attempt."""
    phone.faults({"fault": "error", "status": 500, "times": 1})
    fast.start_worker()
    job_id = api.schedule(number(0))
    until(lambda: api.job(job_id)["progress"] == 50, within_s=30, what="it is being placed")
    assert api.ask("DELETE", f"/job/{job_id}").status_code == 409
    job = api.until_state(job_id, "completed")
    assert job["attemptsMade"] == 2
    assert job["processedOn"] - job["timestamp"] >= 3_000
    each_rang_once(phone, 1)


def test_a_long_ring_is_waited_for(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """Of two calls without a trace one may ring for ten minutes: it is not tried again by then."""
    phone.faults({"fault": "error", "status": 500, "times": 2})
    fast.start_worker()
    patient = api.schedule(number(0), ringTimeoutMs=600_000)
    until(lambda: api.job(patient)["reconciledBy"], within_s=30, what="its outcome is unknown")
    usual = api.schedule(number(1))
    assert api.until_state(usual, "completed")["attemptsMade"] == 2
    job = api.job(patient)
    waits_ms = parse_instant(job["reconciledBy"]) - parse_instant(job["startedAt"])
    assert (job["state"], job["attempts"][1:], waits_ms) == ("active", [], 573_000)
    assert [ring["to"] for ring in phone.rings()] == [number(1)]


def test_unknown_outcomes_can_be_left_to_a_person(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """With ON_UNKNOWN_OUTCOME=fail the call fails with words on what to check."""
    phone.faults({"fault": "drop", "when": "after"})
    fast.start_worker(ON_UNKNOWN_OUTCOME="fail")
    job = api.until_state(api.schedule(number(0)), "failed")
    assert "Twilio's call log" in job["failedReason"]
    each_rang_once(phone, 1)


def test_the_circuit_breaker_holds_the_rest_back_whole(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """While connections are refused the rest waits with all attempts; then all goes on."""
    # Before, for on a busy machine its start takes as long as connections are refused.
    fast.start_worker()
    phone.faults({"fault": "refuse", "on": None, "ms": 4_000})
    until(lambda: not _answers(phone), within_s=30, what="connections are refused")
    job_ids = api.bulk(calls(30))
    until(lambda: api("GET", "/stats")["stats"]["active"] == 0, within_s=30, what="a standstill")
    stats = api.until_done()
    assert (stats["completed"], stats["failed"]) == (30, 0)
    attempts = [api.job(job_id)["attemptsMade"] for job_id in job_ids]
    assert attempts.count(1) == 25
    assert attempts.count(2) == 5
    each_rang_once(phone, 30)


def _answers(phone: SimulatorClient) -> bool:
    try:
        return phone.get().ok
    except OSError:
        return False


def test_a_fault_of_our_own_pauses_the_queue(fast: Stack, api: Api, phone: SimulatorClient) -> None:
    """A wrong token costs no attempt; the reason is in stats; resume goes on."""
    phone.faults({"fault": "error", "status": 401, "code": 20003})
    fast.start_worker()
    job_ids = api.bulk(calls(20))
    until(lambda: api("GET", "/stats")["paused"], within_s=30, what="it is paused")
    assert "20003" in str(api("GET", "/stats"))
    until(lambda: api.stats()["active"] == 0, within_s=30, what="nothing is active")
    assert [api.job(job_id)["attemptsMade"] for job_id in job_ids] == [0] * 20
    phone.mend()
    api("POST", "/resume")
    assert api.until_done()["completed"] == 20
    each_rang_once(phone, 20)


def test_a_frozen_worker_changes_nothing_that_is_no_longer_its_own(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """Stopped in the middle of asking Twilio for longer than its lease: one ring."""
    phone.faults({"fault": "slow", "ms": 500, "when": "after"})
    frozen = fast.start_worker("-n", "one@%h")
    job_id = api.schedule(number(0))
    until(phone.rings, within_s=30, what="it rings")
    frozen.send(signal.SIGSTOP)
    fast.start_worker("-n", "two@%h")
    api.until_state(job_id, "completed")
    frozen.send(signal.SIGCONT)
    time.sleep(1.5)
    job = api.job(job_id)
    assert (job["state"], job["attemptsMade"]) == ("completed", 1)
    each_rang_once(phone, 1)


def test_sigterm_lets_calls_be_placed_and_gives_the_rest_back(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """The worker takes nothing more, finishes what it began, and ends with 0."""
    phone.faults({"fault": "slow", "ms": 700, "when": "after"})
    worker = fast.start_worker()
    api.bulk(calls(20))
    until(lambda: len(phone.rings()) >= 5, within_s=30, what="five ring")
    assert worker.stop() == 0
    stats = api.stats()
    assert stats["active"] == 0
    assert stats["completed"] == len(phone.rings())
    assert stats["completed"] + stats["waiting"] == 20
    phone.mend()
    fast.start_worker()
    api.until_done()
    each_rang_once(phone, 20)


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A server of the test's own that keeps its data over a kill."""
    return start_server(durable=True)


@pytest.fixture
def mortal(server: Server, tmp_path: Path) -> Iterator[Stack]:
    """A whole stack on that server."""
    stack = Stack(directory=tmp_path, redis_url=server.url)
    stack.settings.update(FAST)
    stack.start_all()
    yield stack
    stack.close()


@pytest.mark.parametrize("how", ["kill", "stop", "freeze"])
def test_an_outage_of_redis_is_told_and_survived(mortal: Stack, server: Server, how: str) -> None:
    """503 while it is away; what was refused never happens; then everything goes on by itself."""
    api, phone = Api(mortal.queue_url), SimulatorClient(mortal.simulator_url)
    phone.faults({"fault": "slow", "ms": 50, "when": "after"})
    api.bulk(calls(100))
    until(lambda: len(phone.rings()) > 10, within_s=30, what="ten ring")
    getattr(server, how)()
    refused = [api.ask("POST", "/schedule-call", {"to": "+15559999999"}) for _ in range(3)]
    assert [answer.status_code for answer in refused] == [503] * 3
    assert all("Retry-After" in answer.headers for answer in refused)
    time.sleep(1)
    if how == "freeze":
        server.thaw()
    else:
        server.start()
    until(lambda: api.ask("GET", "/stats").ok, within_s=30, what="the API answers again")
    stats = api.until_done()
    assert (stats["completed"], stats["failed"]) == (100, 0)
    each_rang_once(phone, 100)
    phone.close()
