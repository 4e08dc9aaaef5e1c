"""One act on many calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.api.conftest import TO, Api
from tests.integration.conftest import begin, place, taken
from vomind_queue.calls.call_act import Act, Order, Outcome, Result
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.queue import keys
from vomind_queue.queue.act_book import ActBook
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_queue import WorkerQueue

#: How long an act in the background may take, s.
WITHIN_S = 60


def act(api: Api, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """POST /api/acts."""
    headers = {"Idempotency-Key": key} if key else {}
    answer = api.web.post("/api/acts", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def ended(api: Api, order_id: str) -> dict[str, Any]:
    """The act once it is over."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        found: dict[str, Any] = api.web.get(f"/api/acts/{order_id}").get_json()
        if found["status"] in ("done", "stopped"):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def results(answer: dict[str, Any]) -> dict[str, str]:
    """What became of each call."""
    return {each["jobId"]: each["result"] for each in answer["results"]}


def schedule(api: Api, count: int, **more: Any) -> None:
    """Some calls."""
    calls = [{"to": f"+1555{index:07d}", **more} for index in range(count)]
    assert api.post("/schedule-bulk-calls", {"calls": calls}).status_code == 200


@pytest.fixture
def failed(api: Api, worker_queue: WorkerQueue) -> None:
    """Call 1 has failed, 2 was placed, 3 waits, 4 is for later."""
    schedule(api, 3)
    started = begin(worker_queue, *taken(worker_queue))
    worker_queue.finish(started, Decision(result=AttemptResult.FAILED, reason="no"))
    worker_queue.release("1")
    place(worker_queue, *taken(worker_queue))
    api.post("/schedule-delayed-call", {"to": TO, "delayMs": 3_600_000})


@pytest.mark.usefixtures("failed")
def test_calls_are_cancelled_and_each_has_its_result(api: Api) -> None:
    """What has ended is left in history, and what is sent again is told the same."""
    body = {"act": "cancel", "jobIds": ["3", "4", "2", "99", "3"]}
    answer = act(api, body, "k")
    assert results(answer) == {"3": "done", "4": "done", "2": "wrong-state", "99": "missing"}
    assert (answer["status"], answer["counts"]["done"], answer["total"]) == ("done", 2, 4)
    assert act(api, body, "k") == answer
    assert api.get("/job/2").status_code == 200
    assert api.get("/job/3").status_code == 404
    refused = api.web.post(
        "/api/acts", json={**body, "jobIds": ["1"]}, headers={"Idempotency-Key": "k"}
    )
    assert refused.status_code == 422


@pytest.mark.usefixtures("failed")
def test_a_retry_that_is_sent_again_retries_nothing(
    api: Api, worker_queue: WorkerQueue, valkey: redis.Redis
) -> None:
    """Even if the call has failed again, and if the first request came to no end."""
    body = {"act": "retry", "jobIds": ["1", "3"]}
    answer = act(api, body, "k")
    assert results(answer) == {"1": "done", "3": "wrong-state"}
    for claim in taken(worker_queue, 2):
        started = begin(worker_queue, claim)
        worker_queue.finish(started, Decision(result=AttemptResult.FAILED, reason="no"))
        worker_queue.release(claim)
    valkey.hset(keys.ACT + answer["id"], mapping={"status": "running", "next": 0})
    assert results(act(api, body, "k")) == {"1": "done", "3": "done"}
    assert api.get("/job/1").get_json()["state"] == "failed"


@pytest.mark.usefixtures("failed")
def test_calls_are_made_again_once(api: Api, ship: Callable[[], None]) -> None:
    """As new calls; also those that only the call log knows."""
    ship()
    api.delete("/job/2")
    ship()
    body = {"act": "again", "jobIds": ["1", "2", "3"], "priority": "high"}
    answer = act(api, body, "k")
    assert results(answer) == {"1": "done", "2": "done", "3": "wrong-state"}
    new = [each["newJobId"] for each in answer["results"] if each["newJobId"]]
    jobs = [api.get(f"/job/{job_id}").get_json() for job_id in new]
    assert [job["data"]["to"] for job in jobs] == ["+15550000000", "+15550000001"]
    assert {job["priority"] for job in jobs} == {"high"}
    before = api.total()
    assert act(api, body, "k") == answer
    assert api.total() == before


def test_a_call_of_the_log_is_made_again_as_it_was(api: Api, ship: Callable[[], None]) -> None:
    """With all that it says of how it is placed."""
    options = {"retryOn": ["busy"], "machineDetection": "enable", "language": "de-DE"}
    schedule(api, 1, **options)
    api.delete("/job/1")
    ship()
    assert api.web.get("/api/calls/1").get_json()["options"] == options
    (made,) = act(api, {"act": "again", "jobIds": ["1"]})["results"]
    data = api.get(f"/job/{made['newJobId']}").get_json()["data"]
    assert {name: data[name] for name in options} == options


@pytest.mark.usefixtures("failed")
def test_priority_and_time_are_changed(api: Api) -> None:
    """Of what waits; a time that is gone is refused for all."""
    answer = act(api, {"act": "change", "jobIds": ["3", "4", "1"], "priority": "low"})
    assert results(answer) == {"3": "done", "4": "done", "1": "wrong-state"}
    assert api.get("/job/3").get_json()["priority"] == "low"
    past = {"act": "change", "jobIds": ["3"], "scheduleAt": "2020-01-01T00:00:00Z"}
    assert api.web.post("/api/acts", json=past).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"act": "cancel"},
        {"act": "cancel", "jobIds": ["1"], "match": {}},
        {"act": "cancel", "jobIds": []},
        {"act": "cancel", "match": {"colour": "red"}},
        {"act": "change", "jobIds": ["1"]},
        {"act": "burn", "jobIds": ["1"]},
    ],
)
def test_what_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    """And nothing is done."""
    assert api.web.post("/api/acts", json=body).status_code == 422


def test_all_that_match_are_cancelled_in_the_background(api: Api) -> None:
    """Others stay, and the queue's numbers add up."""
    schedule(api, 1_500, priority="low")
    schedule(api, 10, priority="high")
    body = {"act": "cancel", "match": {"state": "waiting", "priority": "low"}}
    answer = ended(api, act(api, body, "k")["id"])
    assert (answer["status"], answer["total"], answer["handled"]) == ("done", 1_500, 1_500)
    assert (answer["counts"]["done"], answer["results"]) == (1_500, [])
    assert api.get("/stats").get_json()["byPriority"] == {"high": 10, "normal": 0, "low": 0}


@pytest.mark.parametrize(
    ("match", "matching"),
    [
        ({"state": "delayed"}, {"4"}),
        ({"number": "+15550000002"}, {"3"}),
        ({"lead_id": "ann", "outcome": "none"}, {"3", "4"}),
        ({"campaignId": "1", "until": "2100-01-01T00:00:00Z"}, {"5"}),
        ({"priority": "normal", "since": "2100-01-01T00:00:00Z"}, set()),
    ],
)
def test_every_filter_of_a_list_chooses_calls(
    api: Api, match: dict[str, str], matching: set[str]
) -> None:
    """Those of the queue, which the call log may not have yet."""
    schedule(api, 2)
    api.post("/schedule-call", {"to": "+15550000002", "lead_id": "ann"})
    api.post("/schedule-delayed-call", {"to": TO, "delayMs": 3_600_000, "lead_id": "ann"})
    api.post("/campaigns", {"name": "One"})
    api.post("/campaigns/1/calls", {"calls": [{"to": "+15550000003"}]})
    before = {job_id for job_id in "12345" if api.get(f"/job/{job_id}").status_code == 200}
    ended(api, act(api, {"act": "cancel", "match": match})["id"])
    after = {job_id for job_id in "12345" if api.get(f"/job/{job_id}").status_code == 200}
    assert (before, before - after) == (set("12345"), matching)


@pytest.mark.usefixtures("failed")
def test_calls_that_left_the_queue_are_called_again(api: Api, ship: Callable[[], None]) -> None:
    """All that match, by the call log as well: cancelled ones, and one no longer in history."""
    api.delete("/job/3")
    ship()
    api.delete("/job/2")
    ship()
    found = ended(api, act(api, {"act": "again", "match": {"until": "2100-01-01T00:00:00Z"}})["id"])
    assert results(found) == {"1": "done", "2": "done", "3": "done"}
    only = ended(api, act(api, {"act": "again", "match": {"state": "cancelled"}})["id"])
    assert results(only) == {"3": "done"}


def test_an_act_is_broken_off_and_sent_again(api: Api) -> None:
    """It goes on where it was."""
    schedule(api, 3_000)
    body = {"act": "cancel", "match": {"state": "waiting"}}
    order_id = act(api, body, "k")["id"]
    stopped = api.web.delete(f"/api/acts/{order_id}").get_json()
    assert stopped["status"] in ("stopped", "done")
    act(api, body, "k")
    until = time.monotonic() + WITHIN_S
    while ended(api, order_id)["status"] != "done" and time.monotonic() < until:
        act(api, body, "k")
    assert ended(api, order_id)["counts"]["done"] == 3_000
    assert api.total() == 0
    assert api.web.get("/api/acts/nothing").status_code == 404


def test_an_act_whose_process_died_goes_on(api: Api, client: redis.Redis, queue: CallQueue) -> None:
    """With the next request for it, once its lease is over; nothing is done twice."""
    schedule(api, 120)
    ids = [str(number) for number in range(1, 121)]
    book = ActBook(RedisStore(client))
    order = Order(id="0123456789abcdef", act=Act.CANCEL, by="ops")
    book.open(order, "mark", {"states": ["waiting"]}, [])
    assert book.claim(order.id, "a process that dies")
    book.select(order.id, ids, 100_000)
    begun = book.progress(order.id, outcomes=False)
    assert begun is not None
    # It dies when it has cancelled ten more than it has noted.
    queue.cancel_each(ids[:60], "ops")
    book.note(begun, 50, {job_id: Outcome(result=Result.DONE) for job_id in ids[:50]})
    shown = api.web.get(f"/api/acts/{order.id}").get_json()
    assert (shown["status"], shown["handled"]) == ("running", 50)
    book.release(order.id)
    found = ended(api, order.id)
    assert (found["handled"], found["counts"]["done"], found["counts"]["missing"]) == (120, 110, 10)
    assert api.total() == 0


def test_what_two_processes_do_at_once_is_counted_once(client: redis.Redis) -> None:
    """One that was frozen, and whose lease another took, notes its portion in vain."""
    book = ActBook(RedisStore(client))
    order = Order(id="0123456789abcdef", act=Act.CANCEL, by="ops")
    book.open(order, "mark", {}, ["1", "2", "3"])
    before = book.progress(order.id, outcomes=False)
    assert before is not None
    done = {job_id: Outcome(result=Result.DONE) for job_id in ("1", "2")}
    for _ in range(2):
        book.note(before, 2, done)
    after = book.progress(order.id, outcomes=True)
    assert after is not None
    assert (after.handled, after.counts["done"], sorted(after.outcomes)) == (2, 2, ["1", "2"])
