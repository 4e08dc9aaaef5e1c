"""What Supabase's errors mean, as a table, and that none tells who was called."""

from __future__ import annotations

import pytest
from postgrest import APIError

from vomind_queue.call_log.supabase_errors import Fault, classify, describe


def error(code: str | None, message: str = "") -> APIError:
    """An answer with that code."""
    return APIError({"code": code, "message": message, "details": "Failing row: Ann, +1555"})


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("22P02", Fault.LINE),
        ("23502", Fault.LINE),
        ("23505", Fault.LINE),
        ("23514", Fault.LINE),
        ("21000", Fault.LINE),
        ("P0001", Fault.LINE),
        ("54000", Fault.LINE),
        ("PGRST102", Fault.LINE),
        ("57014", Fault.UNCLEAR),
        ("400", Fault.UNCLEAR),
        ("403", Fault.UNCLEAR),
        ("413", Fault.UNCLEAR),
        ("SUP", Fault.UNCLEAR),
        ("08006", Fault.AWAY),
        ("25006", Fault.AWAY),
        ("28P01", Fault.AWAY),
        ("40001", Fault.AWAY),
        ("42501", Fault.AWAY),
        ("42P01", Fault.AWAY),
        ("53300", Fault.AWAY),
        ("57P01", Fault.AWAY),
        ("PGRST002", Fault.AWAY),
        ("PGRST205", Fault.AWAY),
        ("PGRST301", Fault.AWAY),
        ("401", Fault.AWAY),
        ("429", Fault.AWAY),
        ("502", Fault.AWAY),
        ("520", Fault.AWAY),
        (None, Fault.AWAY),
    ],
)
def test_whose_fault_it_is(code: str | None, fault: Fault) -> None:
    """A line is given up only where it is certain that nothing else is wrong."""
    assert classify(error(code)) is fault


@pytest.mark.parametrize(
    ("message", "described"),
    [
        (
            'new row for relation "call_logs" violates check constraint "polite"',
            'new row for relation "call_logs" violates check constraint "polite"',
        ),
        (
            'invalid input syntax for type integer: "ann"',
            "invalid input syntax for type integer: …",
        ),
        ("Key (to_number)=(+1 555 000-0001) exists", "Key (to_number)=(…) exists"),
        ("bad value 'Ann'\nin line 1", "bad value … in line 1"),
    ],
)
def test_what_is_told_names_nobody(message: str, described: str) -> None:
    """Names of tables and columns stay, values go, details are never looked at."""
    assert describe(error("22000", message)) == f"22000: {described}"
