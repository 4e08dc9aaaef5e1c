"""The list of calls is read by an index in its order, whatever is chosen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest

from tests.integration.call_log.lines import AT, row
from tests.supabase import Postgres
from vomind_queue.call_log.models import Batch, Search
from vomind_queue.call_log.sqlite import SqliteLog

#: Enough that reading everything is never the cheapest plan.
CALLS = 20_000
#: What a plan may read of all calls: PostgreSQL takes a larger index where nearly all fit.
MOST_READ = 0.05
FACETS = {"state": "completed", "list_outcome": "busy", "priority": "low", "campaign_id": "7"}
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
    with sqlite3.connect(tmp_path / "calls.sqlite3") as database:
        traced: list[str] = []
        monkeypatch.setattr(log, "read", lambda query, *_: traced.append(query) or [])
        log.find(search)
        marks = ["x"] * traced[0].count("?")
        plan = [step[3] for step in database.execute(f"EXPLAIN QUERY PLAN {traced[0]}", marks)]
    reads = [step for step in plan if "call_logs" in step]
    assert len(reads) == (len(outcomes) if "list_outcome" in chosen else 1)
    # An index of a campaign has its columns in another order, and no priority.
    order = ["campaign_id", *FACETS] if "campaign_id" in chosen else list(FACETS)
    bound = [name for name in dict.fromkeys(order) if name in chosen]
    if "campaign_id" in chosen and "priority" in chosen:
        bound.remove("priority")
    exact = " AND ".join(f"{name.removeprefix('list_')}=?" for name in bound)
    for step in reads:
        assert step.startswith("SEARCH")
        assert f"({exact}{' AND ' if exact else ''}key<?)" in step
