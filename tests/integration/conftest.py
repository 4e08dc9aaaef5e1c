"""The store on a real server, for the tests beside this file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from vomind_queue.api import redis_outage
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call import Call, NewCall, Priority
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted
from vomind_queue.calls.limits import Rate, Retention
from vomind_queue.calls.senders import NO_SENDERS, Senders
from vomind_queue.queue import connection, keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore, connect
from vomind_queue.queue.outbox import Outbox
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases import do_not_call
from vomind_queue.usecases.outbox_relay import OutboxRelay

#: How long a busy machine may take for an answer, s.
PATIENCE_S = 30
KEEP = Retention(age_ms=3_600_000, count=1_000)
#: Times of the protocol, short enough to be waited for. A lease is not, as a busy machine would
#: lose it: `run_out` ends one.
QUICK: dict[str, Any] = {
    "lease_ms": 60_000,
    "rate": None,
    "breaker_probe_ms": 200,
    "unknown_outcome_horizon_ms": 1_000,
    "ring_timeout_ms": 30_000,
    "first_poll_ms": 1_000,
    "number_gap_ms": 0,
    "keep_completed": KEEP,
    "keep_failed": KEEP,
}


def new(number: int, priority: str = "normal", **times: int) -> NewCall:
    """A call to a number that no other has."""
    return NewCall(call=Call(to=f"+1555{number:07d}", priority=Priority(priority)), **times)


def placed(sid: str) -> Decision:
    """The verdict on a call that Twilio took."""
    return Decision(result=AttemptResult.COMPLETED, accepted=Accepted(sid=sid, status="queued"))


def begin(worker_queue: WorkerQueue, job_id: str) -> DialStarted:
    """Begins a call that may start."""
    started = worker_queue.start_dialing(job_id, secrets.token_urlsafe(4))
    assert isinstance(started, DialStarted), started
    return started


def place(worker_queue: WorkerQueue, job_id: str) -> None:
    """Begins and completes a call that is held."""
    worker_queue.finish(begin(worker_queue, job_id), placed(f"CA{job_id}"))
    worker_queue.release(job_id)


def taken(worker_queue: WorkerQueue, wanted: int = 1, ranks: str = "123") -> list[str]:
    """Takes calls; their job ids."""
    return [call.job_id for call in worker_queue.claim(wanted, ranks).calls]


def run_out(client: redis.Redis, key: str = keys.LEASES) -> None:
    """Let the time of all leases, or of what else a sorted set holds, run out."""
    held: list[str] = client.zrange(key, 0, -1)  # type: ignore[assignment]
    client.zadd(key, dict.fromkeys(held, 1), xx=True)


@pytest.fixture
def _patient_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API gives nothing up before a busy machine has done it."""
    monkeypatch.setattr(connection, "API_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(redis_outage, "SLOW_S", PATIENCE_S)
    monkeypatch.setattr(do_not_call, "ENDING_S", PATIENCE_S)


@pytest.fixture
def client(redis_url: str, _patient_api: None) -> Iterator[redis.Redis]:
    """The API's kind of client, as patient."""
    made = connect(redis_url, timeout_s=PATIENCE_S)
    yield made
    made.close()


@pytest.fixture
def queue(client: redis.Redis) -> CallQueue:
    """The queue as the API sees it, without a limit."""
    return CallQueue(RedisStore(client), None)


@pytest.fixture
def recurring_store(client: redis.Redis) -> RecurringStore:
    """The recurring calls."""
    return RecurringStore(RedisStore(client))


@pytest.fixture
def make_worker_queue(client: redis.Redis) -> Callable[..., WorkerQueue]:
    """Makes workers at the queue; ``make_worker_queue(rate=Rate(…), lease_ms=…)``."""
    names = iter(range(100))

    def make(senders: Senders = NO_SENDERS, **changes: Any) -> WorkerQueue:
        store, protocol = RedisStore(client), Protocol(**{**QUICK, **changes})
        return WorkerQueue(store, f"worker-{next(names)}", protocol, senders=senders)

    return make


@pytest.fixture
def worker_queue(make_worker_queue: Callable[..., WorkerQueue]) -> WorkerQueue:
    """One worker at the queue, without a limit."""
    return make_worker_queue()


@pytest.fixture
def limited(make_worker_queue: Callable[..., WorkerQueue]) -> WorkerQueue:
    """A worker that may start 3 calls in any second."""
    return make_worker_queue(rate=Rate(max_starts=3, window_ms=1_000))


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    """The file of the call log, which the API reads."""
    return tmp_path / "calls.sqlite3"


@pytest.fixture
def ship(client: redis.Redis, log_path: Path) -> Callable[[], None]:
    """Delivers all that there is to the log."""
    shipping = OutboxRelay(
        Outbox(RedisStore(client), "one", "+15005550006"), SqliteLog(log_path), None
    )

    def all_of_it() -> None:
        while shipping.step():
            pass

    return all_of_it
