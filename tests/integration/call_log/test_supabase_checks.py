"""Whether a Supabase project fits is told from what it answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supabase import ANON_KEY, MIGRATIONS, SERVICE_KEY, Postgres, Supabase
from vomind_queue.call_log.supabase import run_checks
from vomind_queue.observability.check_result import Grade


@pytest.fixture
def empty(postgres: Postgres, tmp_path: Path) -> Iterator[Supabase]:
    """A project without our tables."""
    name = f"empty_{tmp_path.name.lower()}"
    postgres.database(name)
    made = Supabase(postgres=postgres, database=name, directory=tmp_path)
    made.start()
    yield made
    made.kill()


def test_a_project_with_the_tables_is_fine(supabase: Supabase) -> None:
    """Both tables with all their columns; leads are optional; nothing is written."""
    found = list(run_checks(supabase.url, SERVICE_KEY))
    assert {each.grade for each in found} == {Grade.FINE}
    assert [each.what for each in found] == [
        "table call_logs", "table call_events", "table leads",
    ]  # fmt: skip
    assert supabase.sql("select * from call_logs") == []


def test_missing_tables_are_told(empty: Supabase) -> None:
    """With where to find what makes them."""
    (found,) = run_checks(empty.url, SERVICE_KEY)
    assert found.grade is Grade.WRONG
    assert "migrations" in found.said + found.remedy


def test_a_missing_migration_is_told(postgres: Postgres, empty: Supabase) -> None:
    """With the command that runs it; nothing else is wrong."""
    postgres.migrate(empty.database, MIGRATIONS[:2])
    # The REST API looks for tables when it starts.
    empty.kill()
    empty.start()
    wrong = [each for each in run_checks(empty.url, SERVICE_KEY) if each.grade is Grade.WRONG]
    assert [each.what for each in wrong] == [f"migration {file.name}" for file in MIGRATIONS[2:]]
    assert all(
        f"migrations/{file.name}" in each.remedy
        for file, each in zip(MIGRATIONS[2:], wrong, strict=True)
    )


def _token(role: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"role": role}).encode()).decode().rstrip("=")
    return f"e30.{body}.c2lnbmVk"


@pytest.mark.parametrize("key", [ANON_KEY, _token("anon")])
def test_a_key_for_browsers_is_told(key: str) -> None:
    """It would read nothing, and no error would say so; it is not even sent."""
    (found,) = run_checks("http://127.0.0.1:9", key)
    assert (found.grade, "role anon" in found.said, key in found.said) == (Grade.WRONG, True, False)
