"""The call log over HTTP, delivered by a shipper into a file."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from werkzeug.test import TestResponse

from tests.integration.api.conftest import Api
from tests.integration.conftest import KEEP, begin, place, taken
from vomind_queue.call_log.models import Batch, DeadLetter, Search
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.decisions import AttemptResult, Decision
from vomind_queue.queue import keys
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.do_not_call_list import DoNotCallList
from vomind_queue.queue.erasure import Erasure
from vomind_queue.queue.listing import QueueListing
from vomind_queue.queue.outbox import Outbox
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.call_history import History
from vomind_queue.usecases.outbox_relay import OutboxRelay


@pytest.fixture
def logged(api: Api, worker_queue: WorkerQueue, ship: Callable[[], None]) -> None:
    """Seven calls: one placed, one cancelled, one for later, four waiting."""
    api.post("/schedule-call", {"to": "+15550000001", "lead_id": "ann", "message": "=1+1"})
    place(worker_queue, *taken(worker_queue))
    api.post("/schedule-call", {"to": "+15550000002", "lead_id": 7, "metadata": {"a": "ü"}})
    api.delete("/job/2")
    api.post("/schedule-delayed-call", {"to": "+15550000003", "delayMs": 3_600_000})
    bulk = [{"to": f"+1555000010{index}"} for index in range(4)]
    api.post("/schedule-bulk-calls", {"calls": bulk})
    ship()


def calls(api: Api, query: str = "", **options: Any) -> TestResponse:
    """GET /api/calls."""
    return api.web.get(f"/api/calls{query}", **options)


def ids(answer: TestResponse) -> list[str]:
    """Job ids of the calls in an answer."""
    assert answer.status_code == 200, answer.text
    return [call["jobId"] for call in answer.get_json()["calls"]]


def test_without_a_log_there_is_nothing_to_show(api: Api) -> None:
    """A newcomer who asks before the first call."""
    assert ids(calls(api)) == []
    assert api.web.get("/api/calls/1").status_code == 404


def test_without_a_log_the_queue_is_shown(api: Api) -> None:
    """Filters hold, pages follow each other, and the answer says what is not there."""
    for index in range(5):
        body = {"to": f"+1555000000{index}", "priority": "low" if index % 2 else "normal"}
        api.post("/schedule-call", body)
    answer = calls(api, "?limit=2").get_json()
    assert (answer["source"], answer["missing"]) == ("queue", ["cancelled", "removed", "order"])
    rest = ids(calls(api, f"?limit=9&cursor={quote(answer['next'])}"))
    assert [each["jobId"] for each in answer["calls"]] + rest == ["1", "3", "5", "2", "4"]
    assert ids(calls(api, "?priority=low")) == ["2", "4"]
    assert ids(calls(api, "?number=%2B15550000003&state=waiting,delayed")) == ["4"]
    assert ids(calls(api, "?state=cancelled")) == []


@pytest.mark.usefixtures("logged")
def test_those_that_match_are_counted(api: Api) -> None:
    """On request, however many are shown."""
    found = calls(api, "?state=waiting,delayed&limit=1&count=true").get_json()
    assert (found["count"], found["total"], found["source"]) == (1, 5, "log")
    assert "total" not in calls(api).get_json()


def test_a_log_that_is_only_being_made_is_empty(api: Api, log_path: Path) -> None:
    """The file is there before its tables are."""
    with sqlite3.connect(log_path) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE call_logs (key TEXT)")
    assert ids(calls(api)) == []


@pytest.mark.usefixtures("logged")
def test_calls_are_shown_newest_first(api: Api) -> None:
    """Those of one moment by id; fields are named as in a job."""
    assert ids(calls(api)) == ["7", "6", "5", "4", "3", "2", "1"]
    first = calls(api).get_json()["calls"][-1]
    job = api.get("/job/1").get_json()
    for name in (
        "jobId",
        "state",
        "priority",
        "attemptsMade",
        "createdAt",
        "startedAt",
        "finishedAt",
    ):
        assert first[name] == job[name]
    assert first["call"]["sid"] == "CA1"


@pytest.mark.usefixtures("logged")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?number=%2B15550000002", ["2"]),
        ("?number=+15550000002", ["2"]),
        ("?lead_id=ann", ["1"]),
        ("?lead_id=7", ["2"]),
        ("?jobId=3", ["3"]),
        ("?state=cancelled", ["2"]),
        ("?state=delayed", ["3"]),
        ("?state=completed&lead_id=ann", ["1"]),
        ("?state=completed&lead_id=7", []),
        ("?outcome=busy", []),
        ("?until=2020-01-01T00:00:00Z", []),
        ("?since=2020-01-01T00:00:00+00:00&limit=2", ["7", "6"]),
        ("?state=&limit=1", ["7"]),
        ("?state=delayed,cancelled", ["3", "2"]),
        ("?outcome=none&state=waiting&limit=2", ["7", "6"]),
        ("?priority=high", []),
        ("?priority=normal,low&state=cancelled", ["2"]),
    ],
)
def test_calls_are_filtered(api: Api, query: str, found: list[str]) -> None:
    """By number, lead, id, state, outcome and time, and by several of them."""
    assert ids(calls(api, query)) == found


@pytest.mark.usefixtures("logged")
def test_pages_show_each_call_once(api: Api) -> None:
    """Following ``next`` to the end, though all calls of a bulk have one time."""
    seen, query = [], "?limit=2"
    while True:
        answer = calls(api, query)
        seen += ids(answer)
        cursor = answer.get_json()["next"]
        if cursor is None:
            break
        query = f"?limit=2&cursor={quote(cursor)}"
        assert answer.headers["Link"] == f'</api/calls{query}>; rel="next"'
    assert seen == ["7", "6", "5", "4", "3", "2", "1"]


@pytest.mark.usefixtures("logged")
def test_a_table_for_spreadsheets(api: Api) -> None:
    """CSV where it is asked for; what begins like a formula is none."""
    answer = calls(api, headers={"Accept": "text/csv"})
    assert answer.content_type.startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["jobId"] for line in table] == ["7", "6", "5", "4", "3", "2", "1"]
    assert table[-1]["message"] == "'=1+1"
    assert table[-1]["sid"] == "CA1"
    assert table[-1]["to"] == "+15550000001"
    assert table[-2]["metadata"] == '{"a": "ü"}'
    assert calls(api, headers={"Accept": "*/*"}).content_type == "application/json"


@pytest.mark.usefixtures("logged")
def test_one_call_with_its_events(api: Api) -> None:
    """In the order in which they happened."""
    shown = api.web.get("/api/calls/1").get_json()
    assert shown["success"]
    assert shown["state"] == "completed"
    assert [event["event"] for event in shown["events"]] == [
        "accepted",
        "taken",
        "started",
        "completed",
    ]
    assert shown["events"][-1]["sid"] == "CA1"


@pytest.mark.parametrize(
    "query",
    [
        "?stat=failed",
        "?state=gone",
        "?outcome=good",
        "?number=123",
        "?limit=0",
        "?limit=1001",
        "?limit=x",
        "?since=yesterday",
        "?cursor=x",
        f"?lead_id={'x' * 129}",
    ],
)
def test_a_query_that_is_not_understood_is_refused(api: Api, query: str) -> None:
    """A filter that was misspelt must not show everything."""
    answer = calls(api, query)
    assert answer.status_code == 422
    assert query[1:].split("=", maxsplit=1)[0] in answer.get_json()["errors"]


def test_a_log_that_cannot_be_read_is_told(api: Api, log_path: Path) -> None:
    """503 problem+json with Retry-After, and calls are taken all the same."""
    log_path.write_text("no database, but long enough to be taken for one" * 100)
    answer = calls(api)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]
    assert "call log" in answer.get_json()["detail"]
    assert api.post("/schedule-call", {"to": "+1234567890"}).status_code == 200


@pytest.mark.usefixtures("logged")
def test_readers_of_a_slow_log_leave_threads_to_those_who_schedule(
    make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With eight threads two requests may wait for the log; the third is told to come again."""
    api = make_api(WEB_THREADS="8")
    inside, go_on = threading.Semaphore(0), threading.Event()

    def slow(_self: SqliteLog, _search: Search) -> list[Any]:
        inside.release()
        go_on.wait(20)
        return []

    monkeypatch.setattr(SqliteLog, "find", slow)
    threads = [threading.Thread(target=calls, args=(api,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=20)
    assert calls(api).status_code == 503
    go_on.set()
    for thread in threads:
        thread.join()
    assert calls(api).status_code == 200


@pytest.mark.usefixtures("logged")
def test_trends_are_shown(api: Api) -> None:
    """One call was dialed; the hours are those of the zone, and a day is the default."""
    answer = api.web.get("/api/trends?span=hour&timezone=Asia/Kolkata").get_json()
    (step,) = answer["steps"]
    assert (answer["span"], answer["timezone"], answer["stepMs"]) == (
        "hour",
        "Asia/Kolkata",
        60_000,
    )
    assert step["outcomes"] == {"none": 1}
    assert step["waitMs"]["p50"] == step["waitMs"]["p90"] >= 0
    assert answer["since"] <= step["at"] <= answer["until"]
    assert [each["hour"] for each in answer["hours"]] == list(range(24))
    assert api.web.get("/api/trends").get_json()["span"] == "day"


def test_trends_without_a_log_are_empty(api: Api) -> None:
    """As long as nothing was written."""
    assert api.web.get("/api/trends?span=week").get_json()["steps"] == []


@pytest.mark.parametrize("query", ["span=month", "timezone=Mars", "since=2030-01-01T00:00:00Z"])
def test_trends_that_are_not_understood_are_refused(api: Api, query: str) -> None:
    """By the name of the field."""
    answer = api.web.get(f"/api/trends?{query}")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [query.partition("=")[0]]


def forget(api: Api, number: str) -> TestResponse:
    """DELETE /api/people/<number>."""
    return api.web.delete(f"/api/people/{number}")


def mentions(client: redis.Redis, log_path: Path, number: str) -> Iterator[str]:
    """Where a number still stands: keys of Redis, tables of the log."""
    for key in client.scan_iter("*"):
        kind = client.type(key)
        whole = {
            "hash": client.hgetall,
            "stream": client.xrange,
            "string": client.get,
            "zset": lambda name: client.zrange(name, 0, -1),
            "list": lambda name: client.lrange(name, 0, -1),
        }[kind](key)
        if number in str(whole):
            yield str(key)
    with sqlite3.connect(log_path) as database:
        for table in ("call_logs", "call_events"):
            if number in str(database.execute(f"SELECT * FROM {table}").fetchall()):
                yield table


def test_a_person_is_forgotten_everywhere(
    api: Api,
    worker_queue: WorkerQueue,
    ship: Callable[[], None],
    client: redis.Redis,
    log_path: Path,
) -> None:
    """Queue, history, log and what was on its way to it; nobody else is touched."""
    number = "+15550000001"
    api.post("/schedule-call", {"to": number})
    place(worker_queue, *taken(worker_queue))
    ship()
    api.post("/schedule-delayed-call", {"to": number, "delayMs": 3_600_000})
    api.post("/schedule-call", {"to": number})
    api.post("/schedule-call", {"to": number})
    api.delete("/job/4")
    api.post("/schedule-call", {"to": "+15550000002"})
    assert list(mentions(client, log_path, number))
    answer = forget(api, number)
    assert answer.status_code == 200
    shown = answer.get_json()
    assert number not in answer.text
    assert (shown["complete"], shown["cancelled"], shown["history"]) == (True, 2, 1)
    assert shown["log"] == {"calls": 1, "events": 4}
    ship()
    assert list(mentions(client, log_path, number)) == []
    assert ids(calls(api)) == ["5"]
    assert api.total() == 1


def test_recurring_calls_to_a_person_are_forgotten(
    api: Api, client: redis.Redis, log_path: Path, ship: Callable[[], None]
) -> None:
    """With what they had put into the queue; those to others stay."""
    for last in "12":
        body = {"to": f"+1555000000{last}", "cronExpression": "0 9 * * *"}
        assert api.post("/schedule-recurring-call", body).status_code == 200
    ship()
    SqliteLog(log_path).write(Batch(rows=[], events=[]))
    shown = forget(api, "+15550000001").get_json()
    assert (shown["complete"], shown["recurring"]) == (True, 1)
    assert list(mentions(client, log_path, "+15550000001")) == []
    assert list(mentions(client, log_path, "+15550000002"))


def test_a_call_that_is_being_placed_is_forgotten_afterwards(
    api: Api,
    worker_queue: WorkerQueue,
    ship: Callable[[], None],
    client: redis.Redis,
    log_path: Path,
) -> None:
    """It says which, and that it has to be sent again."""
    number = "+15550000001"
    api.post("/schedule-call", {"to": number})
    begin(worker_queue, *taken(worker_queue))
    ship()
    shown = forget(api, number).get_json()
    assert (shown["complete"], shown["beingPlaced"]) == (False, ["1"])
    assert api.get("/job/1").get_json()["state"] == "active"


def test_a_delivery_under_way_does_not_bring_a_forgotten_person_back(
    api: Api, client: redis.Redis, log_path: Path
) -> None:
    """Rows that were read before and written after are erased by the next housekeeping."""
    log, outbox = SqliteLog(log_path), Outbox(RedisStore(client), "one", None)
    api.post("/schedule-call", {"to": "+15550000001"})
    entries = outbox.read()
    assert entries is not None
    batches = list(outbox.batches(entries))
    forget(api, "+15550000001")
    for batch, _ in batches:
        log.write(batch)
    assert ids(calls(api)) == ["1"]
    OutboxRelay(outbox, log, None).step()
    assert ids(calls(api)) == []


def test_a_call_that_goes_back_while_it_is_looked_for_is_found(
    api: Api, queue: CallQueue, worker_queue: WorkerQueue, client: redis.Redis, log_path: Path
) -> None:
    """A failed one that is retried between the look at the waiting ones and that at the failed."""
    api.post("/schedule-call", {"to": "+15550000001"})
    started = begin(worker_queue, *taken(worker_queue))
    worker_queue.finish(started, Decision(result=AttemptResult.FAILED, reason="no"))
    worker_queue.release("1")

    class Meanwhile(Erasure):
        def _scan(self, name: str, number: str, what: str) -> dict[str, str]:
            if name == keys.FAILED and queue.stats().failed:
                queue.retry("1")
            return super()._scan(name, number, what)

    store = RedisStore(client)
    numbers = DoNotCallList(store, KEEP)
    history = History(SqliteLog(log_path), QueueListing(store), Meanwhile(store), numbers)
    done = history.forget("+15550000001")
    assert (done.complete, done.cancelled) == (True, 1)
    assert api.total() == 0


def test_a_line_refused_while_a_person_is_forgotten_is_dropped(
    api: Api, client: redis.Redis, log_path: Path
) -> None:
    """It was on its way, and would stand among the dead letters for good."""
    log, outbox = SqliteLog(log_path), Outbox(RedisStore(client), "one", None)
    api.post("/schedule-call", {"to": "+15550000001"})
    [(batch, _)] = outbox.batches(outbox.read() or [])
    forget(api, "+15550000001")
    outbox.bury([DeadLetter(line=line, reason="no") for line in (*batch.rows, *batch.events)])
    OutboxRelay(outbox, log, None).step()
    assert list(outbox.dead()) == []
    assert list(mentions(client, log_path, "+15550000001")) == []


def test_some_may_ask_at_once(api: Api, logged: None) -> None:
    """They wait for each other for a moment; the log is well, and says so."""

    def ask(_: int) -> int:
        return api.web.application.test_client().get("/api/calls?limit=1").status_code

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(12))) == [200] * 12


@pytest.mark.parametrize("message", [" =1+1", "\u200b=1+1", "＝1+1", "\ufeff@SUM", "\t1", '"=1'])
def test_no_text_becomes_a_formula(api: Api, ship: Callable[[], None], message: str) -> None:
    """Whatever a spreadsheet passes over before it."""
    api.post("/schedule-call", {"to": "+15550000001", "message": message})
    ship()
    sheet = calls(api, headers={"Accept": "text/csv"}).get_data(as_text=True)
    [line] = csv.DictReader(io.StringIO(sheet, newline=""))
    assert line["message"] == f"'{message}"


@pytest.mark.parametrize("separator", [";", "|", "\n", "; ", ";\u200b", "a;b;"])
def test_no_part_of_a_text_becomes_a_formula(
    api: Api, ship: Callable[[], None], separator: str
) -> None:
    """A spreadsheet may take another separator for the file's than the comma."""
    message = f"hello{separator}=cmd|' /C calc'!A0"
    body = {"to": "+15550000001", "message": message, "metadata": {"note": message}}
    api.post("/schedule-call", body)
    ship()
    sheet = calls(api, headers={"Accept": "text/csv"}).get_data(as_text=True)
    cells = [cell.strip(' \u200b"') for cell in re.split(r"[;|\t\r\n]", sheet)]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_thousands_of_calls_are_searched_for_one_number(api: Api, client: redis.Redis) -> None:
    """In parts, so that Redis is never busy for long; all are found."""
    numbers = [f"+1555{index % 2:07d}" for index in range(4_000)]
    api.post("/schedule-bulk-calls", {"calls": [{"to": number} for number in numbers]})
    shown = forget(api, "+15550000001").get_json()
    assert shown["cancelled"] == 2_000
    assert api.total() == 2_000


def test_a_number_that_an_older_version_logged_as_it_came_is_erased(
    api: Api, queue: CallQueue, ship: Callable[[], None], client: redis.Redis, log_path: Path
) -> None:
    """The queue has no call to it any more; the log has one under another spelling."""
    queue.add([NewCall(call=Call(to="+4402079460123"))])
    api.delete("/job/1")
    ship()
    assert forget(api, "+442079460123").get_json()["log"]["calls"] == 1
    assert list(mentions(client, log_path, "2079460123")) == []


def test_what_is_no_number_is_refused(api: Api) -> None:
    """Before anything is looked for."""
    assert forget(api, "12").status_code == 422


def test_a_log_that_is_away_leaves_the_rest_done(api: Api, log_path: Path) -> None:
    """It says what was done, and to send it again."""
    api.post("/schedule-call", {"to": "+15550000001"})
    log_path.write_text("no database, but long enough to be taken for one" * 100)
    answer = forget(api, "+15550000001")
    assert answer.status_code == 503
    assert "Removed from the queue: 1," in answer.get_json()["detail"]
    assert api.total() == 0


def test_the_file_of_an_older_version_is_read_and_goes_on(
    api: Api, ship: Callable[[], None], tmp_path: Path
) -> None:
    """What it does not know of a call is not guessed when that is placed again."""
    api.post("/schedule-call", {"to": "+15550000001"})
    api.delete("/job/1")
    ship()
    with closing(sqlite3.connect(tmp_path / "calls.sqlite3")) as database:
        database.execute("ALTER TABLE call_logs DROP COLUMN options")
    assert calls(api).get_json()["calls"][0]["options"] is None
    (refused,) = api.web.post("/api/acts", json={"act": "again", "jobIds": ["1"]}).get_json()[
        "results"
    ]
    assert (refused["result"], refused["newJobId"]) == ("refused", None)
    assert "without its options" in refused["detail"]
    api.post("/schedule-call", {"to": "+15550000002", "language": "de-DE"})
    ship()
    assert [each["options"] for each in calls(api).get_json()["calls"]] == [
        {"language": "de-DE"},
        None,
    ]
