"""`make run` comes up again, whatever it was left with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import FAST, Api, calls
from tests.acceptance.devserver.whole_stack import Copy
from tests.integration.recurring_calls import RARELY, make_due
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
    pytest.mark.slow,
]


class Before:
    """What ran on the data directory before: processes that a test starts as it needs them."""

    def __init__(self, stack: Stack, server: Server) -> None:
        self.stack = stack
        self.server = server
        self.api = Api(stack.queue_url)
        self.phone = SimulatorClient(stack.simulator_url)

    def recurring(self, **fields: object) -> str:
        """Schedule a recurring call; the number in its id."""
        body = {"to": "+1234567890", "cronExpression": RARELY, **fields}
        job_id: str = self.api("POST", "/schedule-recurring-call", body)["jobId"]
        return job_id.removeprefix("recurring:")

    def due(self, number: str) -> None:
        """Let a recurring call be overdue, as after a night without processes."""
        with self.server.client() as valkey:
            make_due(valkey, number, ago_ms=40_000)


@pytest.fixture
def before(copy: Copy, tmp_path: Path) -> Iterator[Before]:
    """A web process and a simulator on the data that `copy` will find."""
    server = Server(kind="valkey", directory=tmp_path / "data" / "valkey", durable=True)
    server.start()
    stack = Stack(directory=tmp_path, redis_url=server.url, settings=dict(FAST))
    stack.start_simulator()
    stack.start_web()
    yield Before(stack, server)
    stack.close()
    server.kill()


def paused(before: Before) -> None:
    """A queue and a recurring call that are paused, with calls that wait."""
    number = before.recurring()
    before.api("POST", f"/job/recurring:{number}/pause")
    before.api("POST", "/pause")
    before.api.bulk(calls(3))


def all_at_once(before: Before) -> None:
    """Calls and recurring calls in every state, and a log that has none of them."""
    _placed_and_failed(before)
    _unknown_outcome(before)
    _ended(before)
    before.recurring()
    before.due(before.recurring())
    before.api.bulk(calls(3))
    before.api("POST", "/schedule-delayed-call", {"to": "+1234567890", "delayMs": 3_600_000})
    stats = before.api.stats()
    found = ("waiting", "active", "delayed", "completed", "failed")
    assert [stats[state] for state in found] == [4, 1, 1, 20, 1]


def _placed_and_failed(before: Before) -> None:
    worker = before.stack.start_worker()
    before.api.bulk(calls(20))
    before.api.until_done()
    before.phone.faults({"fault": "error", "status": 400, "code": 21211})
    before.api.until_state(before.api.schedule("+1234567890"), "failed")
    worker.kill()


def _unknown_outcome(before: Before) -> None:
    before.phone.reset()
    before.phone.faults({"fault": "drop", "when": "after"}, {"fault": "list_lag", "ms": 600_000})
    worker = before.stack.start_worker(UNKNOWN_OUTCOME_HORIZON="10m")
    job_id = before.api.schedule("+1234567890")
    until(before.phone.rings, within_s=30, what="it rings")
    before.api.until_state(job_id, "active")
    worker.kill()


def _ended(before: Before) -> None:
    number = before.recurring(maxRuns=1)
    before.due(number)
    beat = before.stack.start("beat")
    schedule = f"/job/recurring:{number}"
    until(
        lambda: before.api("GET", schedule)["status"] == "ended", within_s=30, what="it has ended"
    )
    beat.kill()


@pytest.mark.parametrize("leave", [paused, all_at_once])
def test_it_is_ready_again(copy: Copy, before: Before, leave: Callable[[Before], None]) -> None:
    """What waits for a part of the stack never keeps that part from starting."""
    leave(before)
    before.stack.close()
    with before.server.client() as valkey:
        keys = valkey.dbsize()
    before.server.stop()
    copy.start()
    with copy.valkey() as valkey:
        assert valkey.dbsize() >= keys
    assert copy.process.stop(within_s=40) == 0
