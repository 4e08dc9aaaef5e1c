"""The shipper as a process: what its settings do, its end, and the one that takes over."""

from __future__ import annotations

import pytest
import redis

from tests.integration.call_log.lines import AT, event, row
from tests.stack import Stack, until
from vomind_queue.call_log.models import Batch, Search
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.container.log_services import SQLITE_FILE
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore

#: Longer ago than any retention of these tests, ms.
OLD = 1_500_000_000_000


def log_of(stack: Stack) -> SqliteLog:
    """The log that a shipper of that stack writes."""
    return SqliteLog(stack.directory / "data" / SQLITE_FILE)


@pytest.mark.parametrize("mode", ["delete", "anonymize"])
def test_old_calls_leave_the_log(stack: Stack, mode: str) -> None:
    """Erased or blanked by the process itself; one that ended later stays as it is."""
    log = log_of(stack)
    log.write(Batch(rows=[row(1, finished_ms=OLD), row(2, finished_ms=AT)], events=[event(1)]))
    stack.start("shipper", RETENTION_DAYS="30", RETENTION_MODE=mode)
    numbers = {"delete": ["+15550000002"], "anonymize": ["+15550000002", None]}[mode]
    until(
        lambda: [each.to_number for each in log.find(Search())] == numbers,
        within_s=30,
        what="the old call is gone",
    )


def test_one_that_ends_hands_over_at_once(stack: Stack, valkey: redis.Redis) -> None:
    """SIGTERM: what is under way is finished, the status is 0, and the other one delivers."""
    queue, log = CallQueue(RedisStore(valkey), None), log_of(stack)
    first = stack.start("shipper")
    first.wait_for("shipper started")
    queue.add([NewCall(call=Call(to="+15550000001"))])
    until(lambda: len(log.find(Search())) == 1, within_s=30, what="the first delivers")
    second = stack.start("shipper")
    second.wait_for("shipper started")
    assert first.stop() == 0
    assert "shipper stopped" in first.output
    queue.add([NewCall(call=Call(to="+15550000002"))])
    until(lambda: len(log.find(Search())) == 2, within_s=30, what="the second delivers")


def test_redis_away_is_waited_for(stack: Stack) -> None:
    """With a line that says so, again and again, and no traceback."""
    shipper = stack.start("shipper", REDIS_URL="redis://127.0.0.1:9")
    shipper.wait_for("next try in 1 s")
    assert "Traceback" not in shipper.output
    assert shipper.stop() == 0
