"""One id goes with a call from the request to the ring and to what Twilio reports of it."""

from __future__ import annotations

import pytest
import redis

from tests.integration.api.conftest import Api
from tests.integration.placed_call import SID, Line
from vomind_queue.calls.call_status import StatusUpdate
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.record_outcome import fields_of
from vomind_queue.usecases.status_callbacks import log_callback

GIVEN = {"X-Request-Id": "order-4711/a"}


@pytest.fixture
def line(queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis) -> Line:
    """A line to the telephone."""
    return Line(queue, worker_queue, client)


def test_it_stands_in_the_lines_of_worker_and_callback(
    api: Api, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """And is never shown as a part of the call."""
    answer = api.post("/schedule-call", {"to": "+15550000001"}, headers=GIVEN)
    assert answer.headers["X-Request-Id"] == GIVEN["X-Request-Id"]
    started = line.took(line.again(), SID)
    assert fields_of(started)["origin_request_id"] == GIVEN["X-Request-Id"]
    heard = line.say(started, "ringing", sequence=1)
    with caplog.at_level("INFO"):
        log_callback("1", StatusUpdate(sid=SID), heard)
    assert vars(caplog.records[-1])["origin_request_id"] == GIVEN["X-Request-Id"]
    assert "requestId" not in str(api.get("/job/1").get_json())


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/schedule-call", {}, keys.job("1")),
        ("/schedule-delayed-call", {"delayMs": 1_000}, keys.job("1")),
        ("/schedule-bulk-calls", None, keys.job("2")),
        ("/schedule-recurring-call", {"cronExpression": "0 9 * * *"}, keys.schedule("1")),
    ],
)
def test_it_is_kept_where_it_was_given(
    api: Api, valkey: redis.Redis, path: str, body: dict[str, object] | None, key: str
) -> None:
    """One that we have made ourselves costs no byte, and neither does one that is too odd."""
    call = {"to": "+15550000001"}
    sent = {"calls": [call, call]} if body is None else {**call, **body}
    api.post(path, sent, headers=GIVEN)
    assert '"requestId":"order-4711/a"}' in (valkey.hget(key, "data") or "")
    valkey.flushdb()
    for headers in ({}, {"X-Request-Id": 'quo"ted'}, {"X-Request-Id": "x" * 65}):
        valkey.flushdb()
        api.post(path, sent, headers=headers)
        assert "requestId" not in (valkey.hget(key, "data") or "")


def test_what_only_looks_like_one_is_none(api: Api, line: Line) -> None:
    """A client's own metadata are its own."""
    api.post("/schedule-call", {"to": "+15550000001", "metadata": {"requestId": "theirs"}})
    heard = line.say(line.took(line.again(), SID), "ringing", sequence=1)
    assert (heard.status, heard.request_id) == ("ringing", None)
