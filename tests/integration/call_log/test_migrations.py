"""The tables, on a real PostgreSQL by psql, as a company's database may be when they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.supabase import MIGRATIONS, Postgres


@pytest.fixture
def name(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database."""
    made = f"m{abs(hash(request.node.name)):x}"
    postgres.database(made)
    yield made
    postgres.sql("postgres", f"drop database {made}")


def columns(postgres: Postgres, name: str, table: str) -> dict[str, Any]:
    """Types of a table's columns by name."""
    found = postgres.sql(
        name,
        "select column_name, data_type from information_schema.columns "
        f"where table_schema = 'public' and table_name = '{table}'",
    )
    return {each["column_name"]: each["data_type"] for each in found}


def test_they_run_and_run_again(postgres: Postgres, name: str) -> None:
    """Twice changes nothing; all columns that the existing application has are there."""
    postgres.migrate(name)
    before = columns(postgres, name, "call_logs"), columns(postgres, name, "call_events")
    postgres.migrate(name)
    assert (columns(postgres, name, "call_logs"), columns(postgres, name, "call_events")) == before
    wanted = {"call_sid", "call_status", "direction", "from_number", "to_number", "duration"}
    assert wanted | {"job_id", "attempt", "sequence", "time"} <= set(before[1])


def test_names_are_as_the_command_line_of_supabase_wants_them() -> None:
    """Fourteen digits and a name; in the order of running."""
    stamps = [file.name.split("_", 1)[0] for file in MIGRATIONS]
    assert all(len(stamp) == 14 and stamp.isdigit() for stamp in stamps)
    assert len(set(stamps)) == len(stamps) == 7


def test_tables_that_exist_are_kept_with_what_is_in_them(postgres: Postgres, name: str) -> None:
    """As in the application that wrote call events before."""
    postgres.sql(
        name,
        "create table call_events (id bigserial primary key, call_sid text, call_status text, "
        "direction text, from_number text, to_number text, duration integer); "
        "insert into call_events (call_sid, duration) values ('CAold', 3)",
    )
    postgres.migrate(name)
    postgres.sql(name, "insert into call_events (call_key, sequence) values ('k', 1)")
    found = postgres.sql(name, "select call_sid, duration from call_events order by id")
    assert found == [{"call_sid": "CAold", "duration": 3}, {"call_sid": None, "duration": None}]


def test_a_plain_postgres_without_the_roles_of_supabase_will_do(postgres: Postgres) -> None:
    """Nothing in them needs Supabase."""
    postgres.sql("postgres", "create database bare")
    postgres.migrate("bare")
    assert columns(postgres, "bare", "leads") == {}
    postgres.sql("postgres", "drop database bare")


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize("table", ["call_logs", "call_events"])
def test_a_client_without_the_service_key_sees_nothing(
    postgres: Postgres, name: str, role: str, table: str
) -> None:
    """Neither by grant nor by policy, where one is given by mistake."""
    postgres.migrate(name)
    postgres.sql(name, f"insert into {table} (call_key) values ('k')")
    may = f"select has_table_privilege('{role}', 'public.{table}', 'select') as may"
    assert postgres.sql(name, may) == [{"may": False}]
    postgres.sql(name, f"grant select on {table} to {role}")
    counted = (
        f"begin; set local role {role}; create temp table seen as select * from {table}; commit"
    )
    postgres.sql(
        name, counted.replace("create temp table seen as ", "").replace("select *", "select 1")
    )
    policies = f"select * from pg_policies where tablename = '{table}'"
    assert postgres.sql(name, policies) == []
    secured = f"select relrowsecurity from pg_class where relname = '{table}'"
    assert postgres.sql(name, secured) == [{"relrowsecurity": True}]


LEADS = {
    "bigint": ("create table leads (id bigint primary key)", "7"),
    "uuid": (
        "create table leads (id uuid primary key)",
        "6f1c2f52-6a5e-4a52-9a3e-5d6f0a4f2b11",
    ),
    "text": ("create table leads (id text primary key)", "ann"),
}


def _log(postgres: Postgres, name: str, version: int, lead: str, **fields: str) -> None:
    names = ["call_key", "version", "lead_id", *fields]
    values = ["'k'", str(version), f"'{lead}'", *(f"'{value}'" for value in fields.values())]
    newer = ", ".join(f"{each} = excluded.{each}" for each in names)
    postgres.sql(
        name,
        f"insert into call_logs ({', '.join(names)}) values ({', '.join(values)}) "
        f"on conflict (call_key) do update set {newer}",
    )


@pytest.mark.parametrize("kind", LEADS)
def test_a_lead_hears_of_its_call(postgres: Postgres, name: str, kind: str) -> None:
    """Its SID when it is placed; that it was contacted once a person answered."""
    table, lead = LEADS[kind]
    postgres.sql(name, table)
    postgres.migrate(name)
    postgres.sql(name, f"insert into leads values ('{lead}')")
    shown = "select call_sid, lead_status, last_contacted_at from leads"
    _log(postgres, name, 1, lead, call_sid="CA1")
    assert postgres.sql(name, shown)[0]["call_sid"] == "CA1"
    assert postgres.sql(name, shown)[0]["lead_status"] is None
    when = "2030-11-20T10:00:00+00:00"
    _log(postgres, name, 2, lead, call_sid="CA1", outcome="completed", answered_at=when)
    assert postgres.sql(name, shown)[0]["lead_status"] == "contacted"
    assert postgres.sql(name, shown)[0]["last_contacted_at"].startswith("2030-11-20T10:00:00")
    # Whatever the company makes of it later stays, though the row comes again.
    postgres.sql(name, "update leads set lead_status = 'customer'")
    _log(postgres, name, 3, lead, call_sid="CA1", outcome="completed", answered_at=when)
    assert postgres.sql(name, shown)[0]["lead_status"] == "customer"


@pytest.mark.parametrize("by", ["machine_start", "machine_end_beep", "fax"])
def test_a_machine_is_no_person(postgres: Postgres, name: str, by: str) -> None:
    """The lead is called, and not contacted."""
    postgres.sql(name, LEADS["text"][0])
    postgres.migrate(name)
    postgres.sql(name, "insert into leads values ('ann')")
    _log(postgres, name, 1, "ann", call_sid="CA1", outcome="completed", answered_by=by)
    found = postgres.sql(name, "select call_sid, lead_status from leads")
    assert found == [{"call_sid": "CA1", "lead_status": None}]


@pytest.mark.parametrize(
    "table",
    [
        None,
        "create table leads (id bigint primary key)",
        "create table leads (name text)",
        "create table leads (id text primary key, lead_status integer)",
    ],
)
def test_whatever_is_wrong_with_leads_the_call_is_logged(
    postgres: Postgres, name: str, table: str | None
) -> None:
    """No table, another kind of id, no id, a status that is no text; and no lead is made."""
    if table:
        postgres.sql(name, table)
    postgres.migrate(name)
    _log(postgres, name, 1, "ann", call_sid="CA1", outcome="completed")
    assert len(postgres.sql(name, "select * from call_logs")) == 1
    if table:
        assert postgres.sql(name, "select * from leads") == []
