"""The queue as the API sees it: adding, asking, cancelling, retrying, cleaning."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.conftest import begin, new, place, taken
from tests.servers import Server
from vomind_queue.calls.call import Call, NewCall, Priority, State
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.errors import JobNotFound, StoreUnavailable, WrongState
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import RECORDS, CallQueue
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import API_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.worker_queue import WorkerQueue


def test_a_call_comes_back_as_it_was_sent(queue: CallQueue) -> None:
    """All its fields, non-ASCII text and nested metadata included."""
    call = Call(
        to="+15551234567",
        message="Grüße, 世界 📞 \"<&>'",
        lead_id=7,
        priority=Priority.HIGH,
        metadata={"a": {"b": [1, None, 2.5]}},
    )
    receipt = queue.add([NewCall(call=call)])
    job = queue.job(receipt.job_ids[0])
    assert (job.call, job.state, job.created_ms) == (call, State.WAITING, receipt.accepted_ms)
    assert (job.progress, job.attempts_made, job.due_ms, job.placed) == (0, 0, None, None)


def test_one_plain_call_is_stored_like_any_other(queue: CallQueue, client: redis.Redis) -> None:
    """Its own script leaves nothing out of what the general one does."""
    key = IdempotencyKey(name="n", fingerprint="f")
    queue.add([new(1, "high")], key)
    queue.add([new(1, "high")])
    general, plain = client.hgetall(keys.job("1")), client.hgetall(keys.job("2"))
    times = [int(record.pop("at")) for record in (general, plain)]
    assert general == plain
    (first, was), (second, then) = client.zrange(f"{keys.WAITING}1", 0, -1, withscores=True)
    assert ([was, then], len(second)) == (times, len(first))
    entries = [json.loads(entry["e"]) for _, entry in client.xrange(keys.OUTBOX_DETAILS)]
    assert entries == [["accepted", at, [[n, n]], 1] for n, at in enumerate(times, 1)]
    sequences = [int(name.split("-")[0]) for name, _ in client.xrange(keys.OUTBOX_DETAILS)]
    assert sequences == [sequences[0], sequences[0] + 1]
    assert client.hget(keys.TOTALS, "event:accepted") == "2"
    assert client.llen(keys.NOTIFY) == 1


def test_a_plain_call_that_comes_too_late_is_not_stored(client: redis.Redis) -> None:
    """As with every change."""
    answer = RedisStore(client).write("add_one", [keys.LAST_ID], 1, "{}", 2)
    assert answer[0] == Code.LATE
    assert client.keys() == []


def test_entries_of_plain_calls_are_bounded(client: redis.Redis) -> None:
    """By the script itself: nothing else may come for a long time."""
    queue = CallQueue(RedisStore(client, 20), None)
    for number in range(60):
        queue.add([new(number)])
    assert client.xlen(keys.OUTBOX_DETAILS) < 30
    lost = client.hget(keys.OUTBOX_LOST, "details")
    assert client.xlen(keys.OUTBOX_DETAILS) + int(lost) == 60


def test_ids_count_up_and_are_never_given_out_twice(queue: CallQueue) -> None:
    """Not even when the calls before were removed."""
    assert queue.add([new(1), new(2)]).job_ids == ["1", "2"]
    queue.cancel("2")
    assert queue.add([new(3)]).job_ids == ["3"]


def test_a_time_in_the_past_means_now(queue: CallQueue) -> None:
    """The call waits, and remembers what it was scheduled for."""
    queue.add([new(1, due_ms=1_000)])
    job = queue.job("1")
    assert (job.state, job.due_ms) == (State.WAITING, 1_000)


def test_what_can_be_cancelled(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """Waiting, delayed and finished calls; not one that is held, and none twice."""
    queue.add([new(1), new(2, delay_ms=9_000), new(3), new(4)])
    assert taken(worker_queue, 2) == ["1", "3"]
    place(worker_queue, "1")
    with pytest.raises(WrongState) as active:
        queue.cancel("3")
    assert active.value.state == "active"
    was = [queue.cancel(job_id) for job_id in ("1", "2", "4")]
    assert was == [State.COMPLETED, State.DELAYED, State.WAITING]
    for job_id in ("1", "2", "4", "99", "", "job:1"):
        with pytest.raises(JobNotFound):
            queue.cancel(job_id)
    assert taken(worker_queue, 5) == []
    assert queue.stats().total == 1


def test_only_failed_calls_are_retried(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """One gets a full set of attempts at its priority; `attemptsMade` goes on counting."""
    queue.add([new(1, "low"), new(2)])
    taken(worker_queue, 1)
    taken(worker_queue, 1)
    worker_queue.finish(
        begin(worker_queue, "1"), Decision(result=AttemptResult.FAILED, reason="No such number.")
    )
    worker_queue.release("1")
    assert queue.job("1").failed_reason == "No such number."
    with pytest.raises(WrongState):
        queue.retry("2")
    queue.retry("1")
    with pytest.raises(WrongState):
        queue.retry("1")
    job = queue.job("1")
    assert (job.state, job.attempts_made, job.failed_reason) == (State.WAITING, 1, None)
    assert job.finished_ms is None
    worker_queue.give_back("2", str(worker_queue.leases.token("2")))
    look = worker_queue.claim(2, "123")
    assert [(call.job_id, call.rank, call.round) for call in look.calls] == [
        ("2", 2, 0),
        ("1", 3, 0),
    ]


def test_pages_run_through_all_priorities(queue: CallQueue) -> None:
    """A page may begin in one priority and end in another; past the end it is empty."""
    queue.add([new(i, "low") for i in range(3)] + [new(i, "high") for i in range(3, 6)])
    order = ["4", "5", "6", "1", "2", "3"]
    for start, end in itertools.combinations_with_replacement(range(8), 2):
        page = queue.page(State.WAITING, start, end)
        assert [job.id for job in page.jobs] == order[start : end + 1]
        assert page.total == 6


def test_a_long_page_is_read_in_parts(queue: CallQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of one moment; what has gone before its turn came is left out."""
    queue.add([new(i) for i in range(2 * RECORDS + 20)])
    gone, moved, shown = str(RECORDS + 5), str(2 * RECORDS + 7), "3"
    read, parts = queue._store.read, []

    def watched(name: str, key_names: list[str], *args: Any) -> list[Any]:
        answer = read(name, key_names, *args)
        if name == "page":
            for job_id in (gone, shown):
                queue.cancel(job_id)
            queue._store.client.hset(keys.job(moved), "state", "active")
        if name in ("page", "records"):
            parts.append(len(answer) - (2 if name == "page" else 0))
        return answer

    monkeypatch.setattr(queue._store, "read", watched)
    page = queue.page(State.WAITING, 0, 999)
    assert parts == [RECORDS, RECORDS, 20]
    expected = [str(number) for number in range(1, 2 * RECORDS + 21)]
    assert page.total == len(expected)
    assert [job.id for job in page.jobs] == [i for i in expected if i not in (gone, moved)]


def test_lists_have_their_own_orders(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """Delayed soonest first, active oldest first, completed newest first."""
    queue.add([new(1, delay_ms=9_000), new(2, delay_ms=5_000), *(new(i) for i in range(3, 9))])
    for _ in range(6):
        taken(worker_queue, 1)
        time.sleep(0.002)
    for job_id in ("3", "4"):
        place(worker_queue, job_id)
        time.sleep(0.002)
    listed = {
        state: [job.id for job in queue.page(state, 0, 100).jobs]
        for state in (State.DELAYED, State.ACTIVE, State.COMPLETED)
    }
    assert listed == {
        State.DELAYED: ["2", "1"],
        State.ACTIVE: ["5", "6", "7", "8"],
        State.COMPLETED: ["4", "3"],
    }


def test_clean_takes_the_oldest_of_both_states(queue: CallQueue, worker_queue: WorkerQueue) -> None:
    """The limit holds over completed and failed together; nothing else is touched."""
    queue.add([new(i) for i in range(6)])
    for job_id in taken(worker_queue, 5):
        if int(job_id) % 2:
            place(worker_queue, job_id)
        else:
            worker_queue.finish(
                begin(worker_queue, job_id), Decision(result=AttemptResult.FAILED, reason="No.")
            )
        time.sleep(0.002)
    assert queue.clean(60_000, 10).completed == []
    cleaned = queue.clean(0, 3)
    assert (cleaned.completed, cleaned.failed) == (["1", "3"], ["2"])
    cleaned = queue.clean(0, 1_000)
    assert (cleaned.completed, cleaned.failed) == (["5"], ["4"])
    assert queue.stats().total == 1


def test_clean_of_many_is_done_in_parts(queue: CallQueue, client: redis.Redis) -> None:
    """1,300 calls go in one request of three scripts, and all are named."""
    queue.add([new(i) for i in range(1_300)])
    with client.pipeline() as pipe:
        for member, _ in client.zrange(keys.waiting(Priority.NORMAL), 0, -1, withscores=True):
            pipe.hset(keys.job(member[1:]), "state", "completed")
            pipe.zadd(keys.COMPLETED, {member: 1})
        pipe.delete(keys.waiting(Priority.NORMAL))
        pipe.execute()
    assert len(queue.clean(0, 1_201).completed) == 1_201
    assert queue.stats().completed == 99


def test_a_frozen_server_refuses_later_what_was_given_up(
    start_server: Callable[..., Server],
) -> None:
    """The client is told in time, and the server does nothing of it on waking."""
    server = start_server()
    queue = CallQueue(RedisStore(connect(server.url, timeout_s=API_TIMEOUT_S)), None)
    queue.add([new(1)])
    server.freeze()
    asked = time.monotonic()
    for change in (lambda: queue.add([new(2)]), lambda: queue.cancel("1"), queue.resume):
        with pytest.raises(StoreUnavailable):
            change()
    assert time.monotonic() - asked < 3 * 10
    time.sleep(1.0)
    server.thaw()
    time.sleep(0.3)
    assert queue.stats().waiting == 1
    assert queue.job("1").state is State.WAITING


def test_an_absent_server_is_told_as_such(start_server: Callable[..., Server]) -> None:
    """A command that never left has a known outcome; the next one works once it is back."""
    server = start_server(durable=True)
    queue = CallQueue(RedisStore(connect(server.url, timeout_s=API_TIMEOUT_S)), None)
    queue.add([new(1)])
    server.kill()
    with pytest.raises(StoreUnavailable):
        queue.add([new(2)])
    with pytest.raises(StoreUnavailable) as gone:
        queue.add([new(2)])
    assert gone.value.outcome_unknown is False
    server.start()
    assert queue.add([new(3)]).job_ids == ["2"]
    assert queue.stats().waiting == 2


def test_scripts_are_loaded_again_when_forgotten(queue: CallQueue, client: redis.Redis) -> None:
    """A server that lost its script cache is no fault."""
    queue.add([new(1)])
    client.script_flush()
    assert queue.add([new(2)]).job_ids == ["2"]


def test_scripts_run_however_often_they_are_forgotten(
    queue: CallQueue, client: redis.Redis
) -> None:
    """Not even between the loading of one and its call does it matter."""
    over = threading.Event()

    def forget() -> None:
        while not over.is_set():
            client.script_flush()

    threads = [threading.Thread(target=forget) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        ids = [queue.add([new(i)]).job_ids[0] for i in range(300)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert ids == [str(i) for i in range(1, 301)]


def test_a_worker_knows_how_many_ask(make_worker_queue: Callable[..., WorkerQueue]) -> None:
    """By that they share the looks at what is due."""
    one, other = make_worker_queue(), make_worker_queue()
    one.claim(1, "123")
    assert one.worker_count == 1
    other.claim(1, "123")
    one.claim(1, "123")
    assert (one.worker_count, other.worker_count) == (2, 2)
