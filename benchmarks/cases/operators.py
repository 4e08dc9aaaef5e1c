"""What an operator does with very many calls: lists with filters, and one act on many of them."""

from __future__ import annotations

import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from benchmarks.bench import Bench, Figures, quantiles
from benchmarks.cases.scale import SLOW_US, TOO_LONG_US, longest, undisturbed
from benchmarks.client import fill
from benchmarks.machine import Meter
from benchmarks.sides import System, ours
from tests.supabase import Postgres
from vomind_queue.call_log.models import Batch, Search
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.call_log.sqlite_schema import DERIVED
from vomind_queue.call_log.trends import Span, window

#: Calls in the log, and in the queue.
CALLS = 1_000_000
#: How often each list is asked for.
ASKED = 20
#: What is told of the filters that take longest.
WORST = ("p50_ms", "p99_ms")
#: Calls on a page of the dashboard.
PAGE = 25
#: When the first one was accepted, unix ms; the others follow by the second.
FIRST_MS = 1_700_000_000_000
#: Pages that are open, how long, and how often one without the live stream looks, s.
PAGES, LOOKED_S, LOOK_EVERY_S = 100, 30.0, 2.0
#: Between two looks at an act, s.
LOOK_S = 0.1
#: For one answer, s.
TIMEOUT_S = 60.0
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

#: A call in a thousand is of each rare kind, all of them long ago: the worst for a scan backwards.
_COLUMNS = "job_id, version, state, outcome, priority, campaign_id, to_number, lead_id, attempts"
_VALUES = """
    n, 1,
    case when n < {rare} then 'failed' else 'completed' end,
    case when n < {rare} then 'busy' when n % 2 = 0 then 'completed' end,
    case when n < {rare} then 'low' else 'normal' end,
    case when n < {rare} then '7' when n % 2 = 0 then '8' end,
    '+1' || (5550000000 + n), 'lead-' || n, 1
"""
_SQLITE = f"""
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {{calls}})
INSERT INTO call_logs (key, queued_ms, started_ms, {_COLUMNS})
SELECT printf('%015d-%012d', {FIRST_MS} + n * 1000, n), {FIRST_MS} + n * 1000,
    {FIRST_MS} + n * 1000 + n % 7000, {_VALUES}
FROM numbers
"""  # noqa: S608 - all of it is ours
_POSTGRES = f"""
insert into call_logs (call_key, queued_at, started_at, {_COLUMNS})
select lpad(({FIRST_MS} + n * 1000)::text, 15, '0') || '-' || lpad(n::text, 12, '0'),
    to_timestamp({FIRST_MS} / 1000 + n), to_timestamp({FIRST_MS} / 1000 + n + n % 7000 / 1000.0),
    {_VALUES} from generate_series(1::bigint, {{calls}}) n;
vacuum analyze call_logs;
"""  # noqa: S608 - all of it is ours


def lists(bench: Bench) -> None:
    """First pages of filtered lists, and a week of trends, with 1,000,000 calls in the log."""
    calls = bench.size(CALLS, CALLS // 10)
    bench.round = 1
    searches = list(_searches(FIRST_MS + calls * 500))
    week = window(Span.WEEK, FIRST_MS + calls * 1000)
    with _sqlite(calls) as log:
        asks = [partial(log.find, each) for each in searches]
        bench.measure(f"lists in SQLite, {calls:,} calls", "ours", partial(_asked, asks))
        step = partial(_asked, [partial(log.trends, week)])
        bench.measure(f"a week of trends in SQLite, {calls:,} calls", "ours", step)
    with _postgres(calls) as postgres:
        queries = [_query(each) for search in searches for each in search.parts()]
        step = partial(_timed, postgres, queries)
        bench.measure(f"lists in PostgreSQL, {calls:,} calls", "ours", step)
        times = f"to_timestamp({week.since_ms / 1000}), to_timestamp({week.until_ms / 1000})"
        query = f"select * from call_trends({times}, {week.step_ms});"  # noqa: S608
        step = partial(_timed, postgres, [query])
        bench.measure(f"a week of trends in PostgreSQL, {calls:,} calls", "ours", step)


def _searches(middle_ms: int) -> Iterator[Search]:
    """Yield a search for each choice of filters, of frequent values and of rare ones."""
    states = ([], ["completed"], ["failed"])
    outcomes = ([], ["completed"], ["busy", "none"])
    for state, outcome, low, campaign, until_ms in product(
        states, outcomes, ([], ["low"]), (None, "7"), (None, middle_ms)
    ):
        yield Search(
            states=state, outcomes=outcome, priorities=low, campaign_id=campaign,
            until_ms=until_ms, limit=PAGE,
        )  # fmt: skip


def _asked(asks: Sequence[Callable[[], object]]) -> Figures:
    took_ms: list[float] = []
    for ask in [*asks] * ASKED:
        began = time.perf_counter()
        ask()
        took_ms.append((time.perf_counter() - began) * 1000)
    return _figures(took_ms, len(asks))


def _figures(took_ms: Sequence[float], asks: int) -> Figures:
    """Return quantiles of all, and the worst of those of each; they were asked for in turn."""
    each = [quantiles(took_ms[at::asks]) for at in range(asks)]
    worst = {f"worst_{name}": max(found[name] or 0 for found in each) for name in WORST}
    return {**quantiles(took_ms), **worst}


@contextmanager
def _sqlite(calls: int) -> Iterator[SqliteLog]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "calls.sqlite3"
        log = SqliteLog(path)
        log.write(Batch(rows=[], events=[]))
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(_SQLITE.format(calls=calls, rare=calls // 1000))
            derived = ", ".join(f"{name} = {value}" for name, value in DERIVED.items())
            database.execute(f"UPDATE call_logs SET {derived}")  # noqa: S608
        yield log


@contextmanager
def _postgres(calls: int) -> Iterator[Postgres]:
    postgres = Postgres()
    try:
        postgres.start()
        postgres.database("lists")
        postgres.migrate("lists")
        for command in _POSTGRES.format(calls=calls, rare=calls // 1000).split(";")[:2]:
            postgres.text("lists", command)
        yield postgres
    finally:
        postgres.kill()


def _query(search: Search) -> str:
    """Return the query of a page, as the REST API of Supabase asks for it."""
    given = {
        "state": search.states,
        "list_outcome": search.outcomes,
        "priority": search.priorities,
        "campaign_id": [search.campaign_id] if search.campaign_id else [],
    }
    clauses = [f"{column} = '{values[0]}'" for column, values in given.items() if values]
    order = "list_key" if clauses else "call_key"
    clauses += [f"{order} < '{search.end_key}'"] if search.end_key else []
    where = f"where {' and '.join(clauses)} " if clauses else ""
    return f"select * from call_logs {where}order by {order} desc limit {search.limit};"  # noqa: S608


def _timed(postgres: Postgres, queries: Sequence[str]) -> Figures:
    """Return how long they take in one session, as psql has it."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("\\timing on\n" + "\n".join([*queries] * ASKED))
        file.flush()
        shown = postgres.file("lists", Path(file.name))
    found = re.findall(r"^Time: ([\d.]+) ms", shown, re.MULTILINE)
    return _figures([float(each) for each in found], len(queries))


def open_pages(bench: Bench) -> None:
    """CPU of the API for 100 open pages without the live stream, while a call comes each second."""
    bench.round = 1
    with System(side=ours(), workers=1) as system:
        meter, seconds = Meter({"api": system.pids["api"]}), bench.seconds(LOOKED_S)
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(PAGES) as pool:
            looks = [pool.submit(_looking, system.url, at, until) for at in range(PAGES)]
            while time.monotonic() < until:
                fill(system.client, 1)
                time.sleep(1)
            seen = [each for look in looks for each in look.result()]
        spent = meter.used_s()["api"]
        figures: Figures = {
            "percent": round(spent / meter.seconds() * 100, 2),
            "us_a_look": round(spent / len(seen) * 1e6, 1),
            "looks": len(seen),
            "unchanged_percent": round(seen.count(304) / len(seen) * 100, 1),
        }
    bench.measure(f"{PAGES} open pages", "ours", lambda: figures, noise=False)


def _looking(url: str, at: int, until: float) -> list[int]:
    """Ask for the overview as a page does; return the statuses."""
    time.sleep(LOOK_EVERY_S * at / PAGES)
    statuses: list[int] = []
    with requests.Session() as session:
        while time.monotonic() < until:
            answer = session.get(f"{url}/api/overview", timeout=TIMEOUT_S)
            session.headers["If-None-Match"] = answer.headers["ETag"]
            statuses.append(answer.status_code)
            time.sleep(LOOK_EVERY_S)
    return statuses


def bulk_cancel(bench: Bench) -> None:
    """100,000 calls cancelled by one request, among 1,000,000 that wait."""
    side, waiting = ours(), bench.size(CALLS, CALLS // 10)
    bench.round = 1
    with System(side=side, settings=side.keep_all) as system:
        fill(system.client, waiting)
        undisturbed(system.server.pid)
        with system.server.client() as client:
            client.config_set("slowlog-max-len", 100_000)
            client.config_set("slowlog-log-slower-than", SLOW_US)
            client.slowlog_reset()
            figures = _cancelled(f"{system.url}/api/acts")
            us = [each for found in longest(client).values() for each in found] or [0]
    over = sum(each > TOO_LONG_US for each in us)
    figures |= {"longest_script_ms": round(max(us) / 1000, 2), "over_5_ms": over}
    what = f"up to 100,000 cancelled by one request, {waiting:,} waiting"
    bench.measure(what, "ours", partial(dict, figures), noise=False)


def _cancelled(url: str) -> dict[str, float | None]:
    """Cancel all that are low, break it off in the middle, and send it again."""
    body = {"act": "cancel", "match": {"state": "waiting", "priority": "low,normal"}}
    began = time.monotonic()
    found, first_s, seen = _sent(url, body), None, set()
    stopped = False
    while found["status"] != "done":
        time.sleep(LOOK_S)
        found = _got("GET", f"{url}/{found['id']}")
        seen.add(found["handled"])
        if found["handled"] and first_s is None:
            first_s = time.monotonic() - began
        if not stopped and found["handled"] * 2 > found["total"] > 0:
            stopped = True
            _got("DELETE", f"{url}/{found['id']}")
            found = _sent(url, body)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "first_cancelled_s": first_s and round(first_s, 1),
        "cancelled": found["counts"]["done"],
        "steps_seen": len(seen),
    }


def _sent(url: str, body: object) -> Any:
    return _got("POST", url, body, {"Idempotency-Key": "the-same-act"})


def _got(
    method: str, url: str, body: object = None, headers: Mapping[str, str] = NO_HEADERS
) -> Any:
    answer = requests.request(method, url, json=body, headers=headers, timeout=TIMEOUT_S)
    answer.raise_for_status()
    return answer.json()
