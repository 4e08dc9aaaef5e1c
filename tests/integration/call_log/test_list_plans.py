"""The list of calls is read by an index in its order, whatever is chosen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest

from tests.integration.call_log.lines import AT, row
from tests.supabase import Postgres
from vomind_queue.call_log.models import Batch, Search
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.call_log.sqlite_schema import DERIVED
from vomind_queue.call_log.trends import Span, window

#: Enough that reading everything is never the cheapest plan.
CALLS = 20_000
#: What a plan may read of all calls: PostgreSQL takes a larger index where nearly all fit.
MOST_READ = 0.05
FACETS = {"state": "completed", "list_outcome": "busy", "priority": "low", "campaign_id": "7"}
NEW_INDEXES = (
    "call_list_outcome", "call_list_state_outcome", "call_list_outcome_priority", "call_list_all",
    "call_list_campaign_outcome", "call_list_campaign_both",
)  # fmt: skip
CHOICES = list(chain.from_iterable(combinations(FACETS, size) for size in range(5)))
#: A call in twenty is of each rare kind, all of them long ago: the worst for a scan from the end.
FILL = f"""
insert into call_logs (call_key, job_id, version, state, outcome, priority, campaign_id, queued_at)
select lpad(({AT} + n)::text, 15, '0') || '-' || lpad(n::text, 12, '0'), n::text, 1,
    case when n < 1000 then 'failed' else 'completed' end,
    case when n < 1000 then 'busy' when n % 2 = 0 then 'completed' end,
    case when n < 1000 then 'low' else 'normal' end,
    case when n < 1000 then '7' when n % 2 = 0 then '8' end, now()
from generate_series(1, {CALLS}) n;
analyze call_logs;
"""


@pytest.fixture(scope="module")
def filled(postgres: Postgres) -> Iterator[str]:
    """A database with many calls."""
    postgres.database("plans")
    postgres.migrate("plans")
    postgres.sql("plans", FILL)
    yield "plans"
    postgres.sql("postgres", "drop database plans")


def plan_of(postgres: Postgres, name: str, clauses: Sequence[str]) -> list[dict[str, Any]]:
    """The nodes of the plan for a page, as the REST API of Supabase asks for one."""
    where = f"where {' and '.join(clauses)} " if clauses else ""
    order = "list_key" if clauses else "call_key"
    query = f"select * from call_logs {where}order by {order} desc limit 50"
    answer = postgres.text(name, f"explain (analyze, format json) {query}")
    nodes, rest = [], [json.loads(answer)[0]["Plan"]]
    while rest:
        node = rest.pop()
        nodes.append(node)
        rest += node.get("Plans", [])
    return nodes


@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
@pytest.mark.parametrize("more", ["", "list_key < '1'"])
def test_postgres_reads_an_index_in_order(
    postgres: Postgres, filled: str, chosen: Sequence[str], more: str
) -> None:
    """Few rows are read that are not shown."""
    if more and not chosen:
        return
    clauses = [f"{name} = '{FACETS[name]}'" for name in chosen] + ([more] if more else [])
    *_, scan = plan_of(postgres, filled, clauses)
    assert scan["Node Type"] == "Index Scan"
    assert scan["Index Name"].startswith("call_list" if clauses else "call_logs_")
    # A handful may be put in order afterwards.
    read = scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)
    assert read <= CALLS * MOST_READ, scan


def plan_in_sqlite(
    path: Path, log: SqliteLog, ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The steps of SQLite's plan for what is asked of a log."""
    traced: list[tuple[str, Any]] = []
    with sqlite3.connect(path) as database, monkeypatch.context() as patch:
        patch.setattr(log, "read", lambda query, values, *_: traced.append((query, values)) or [])
        ask()
        query, values = traced[0]
        return [step[3] for step in database.execute(f"EXPLAIN QUERY PLAN {query}", values)]


@pytest.mark.parametrize("span", [Span.DAY, Span.WEEK])
def test_sqlite_counts_trends_in_the_order_of_an_index(
    tmp_path: Path, span: Span, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sorted, and no row is read."""
    log = SqliteLog(tmp_path / "calls.sqlite3")
    log.write(Batch(rows=[row(1)], events=[]))
    ask = partial(log.trends, window(span, AT))
    (step,) = plan_in_sqlite(tmp_path / "calls.sqlite3", log, ask, monkeypatch)
    assert step.startswith("SEARCH call_logs USING COVERING INDEX call_trends (quarter_ms>? AND")


def test_a_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its calls are found by what it did not know."""
    path = tmp_path / "calls.sqlite3"
    log = SqliteLog(path)
    log.write(Batch(rows=[row(1, answered_by="machine_start")], events=[]))
    with closing(sqlite3.connect(path)) as database:
        for name in ("call_trends", *NEW_INDEXES):
            database.execute(f"DROP INDEX {name}")
        for name in DERIVED:
            database.execute(f"ALTER TABLE call_logs DROP COLUMN {name}")
        database.execute("CREATE INDEX call_logs_outcome ON call_logs (outcome, key)")
    assert [each.job_id for each in log.find(Search())] == ["1"]
    log.write(Batch(rows=[], events=[]))
    assert [each.job_id for each in log.find(Search(outcomes=["machine"]))] == ["1"]
    assert [dict(each.outcomes) for each in log.trends(window(Span.HOUR, AT + 60_000))] == [
        {"machine": 1}
    ]


def test_what_an_older_shipper_writes_meanwhile_is_found(tmp_path: Path) -> None:
    """A new process may open the file first; the old one knows nothing of the derived columns."""
    path = tmp_path / "calls.sqlite3"
    log = SqliteLog(path)
    log.write(Batch(rows=[row(1)], events=[]))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE call_logs SET {', '.join(f'{name} = NULL' for name in DERIVED)}")
    log.write(Batch(rows=[], events=[]))
    assert [each.job_id for each in log.find(Search(outcomes=["completed"]))] == ["1"]
    (step,) = log.trends(window(Span.HOUR, AT + 60_000))
    assert dict(step.outcomes) == {"completed": 1}


@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
@pytest.mark.parametrize("outcomes", [["busy"], ["none"], ["busy", "none", "failed"]])
def test_sqlite_reads_an_index_in_order(
    tmp_path: Path, chosen: Sequence[str], outcomes: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same; several values of a filter are several reads, whose pages are put in order."""
    log = SqliteLog(tmp_path / "calls.sqlite3")
    log.write(Batch(rows=[row(1)], events=[]))
    facets = {
        "states": ["completed"],
        "priorities": ["low"],
        "outcomes": outcomes,
        "campaign_id": "7",
    }
    names = {
        "state": "states",
        "list_outcome": "outcomes",
        "priority": "priorities",
        "campaign_id": "campaign_id",
    }
    search = Search(until_ms=AT, **{names[name]: facets[names[name]] for name in chosen})
    path = tmp_path / "calls.sqlite3"
    plan = plan_in_sqlite(path, log, partial(log.find, search), monkeypatch)
    reads = [step for step in plan if "call_logs" in step]
    assert len(reads) == (len(outcomes) if "list_outcome" in chosen else 1)
    # An index of a campaign has its columns in another order, and no priority.
    order = ["campaign_id", *FACETS] if "campaign_id" in chosen else list(FACETS)
    bound = [name for name in dict.fromkeys(order) if name in chosen]
    if "campaign_id" in chosen and "priority" in chosen:
        bound.remove("priority")
    exact = " AND ".join(f"{name}=?" for name in bound)
    for step in reads:
        assert step.startswith("SEARCH")
        assert f"({exact}{' AND ' if exact else ''}key<?)" in step
