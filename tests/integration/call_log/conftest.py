"""A PostgreSQL and a Supabase before it, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.supabase import SERVICE_KEY, Postgres, Supabase
from vomind_queue.call_log.protocol import CallLog
from vomind_queue.call_log.sqlite import SqliteLog
from vomind_queue.call_log.supabase import connect


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole run."""
    server = Postgres()
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def _supabase(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Supabase]:
    directory = tmp_path_factory.mktemp("supabase")
    made = Supabase(postgres=postgres, database=directory.name.lower(), directory=directory)
    postgres.database(made.database)
    postgres.migrate(made.database)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def supabase(_supabase: Supabase) -> Supabase:
    """A Supabase with the call log's tables, empty."""
    _supabase.sql("truncate call_logs, call_events, call_campaigns, do_not_call, closed_days")
    return _supabase


@pytest.fixture
def supabase_log(supabase: Supabase) -> Iterator[CallLog]:
    """The log there."""
    made = connect(supabase.url, SERVICE_KEY)
    yield made
    made.close()


def each_home(
    request: pytest.FixtureRequest,
    directory: Path,
    sqlite: Callable[[SqliteLog], Any],
    connect: Callable[[str, str], Any],
) -> Iterator[Any]:
    """Yield what is kept beside the calls of the log that the fixture's parameter names."""
    if request.param == "sqlite":
        yield sqlite(SqliteLog(directory / "calls.sqlite3"))
        return
    made = connect(request.getfixturevalue("supabase").url, SERVICE_KEY)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "supabase"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> CallLog:
    """Either log, empty: what is tested with it holds for both."""
    if request.param == "sqlite":
        return SqliteLog(tmp_path / "calls.sqlite3")
    made: CallLog = request.getfixturevalue("supabase_log")
    return made
