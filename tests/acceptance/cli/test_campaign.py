"""`campaign` at the command line."""

from __future__ import annotations

import csv

from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import Api


def test_a_campaign_is_made_steered_and_reported(typed: Typist, api: Api) -> None:
    """Each command says what became of it."""
    assert typed("campaign", "list").out == "No campaigns.\n"
    made = typed("campaign", "create", "Reminders", "--pace", "10/m", "--weight", "2")
    assert (made.status, made.out) == (0, "1: created as a draft.\n")
    wrong = typed("campaign", "create", "Reminders", "--pace", "often")
    assert (wrong.status, "pace" in wrong.err) == (2, True)
    body = {"calls": [{"to": "+15550000091", "lead_id": "=1+1"}, {"to": "+15550000092"}]}
    api("POST", "/campaigns/1/calls", body)
    assert typed("campaign", "preview", "1").out.startswith("1: 2 of 2 calls would ring.\n")
    assert typed("campaign", "start", "1").out == "1: running; 2 calls left.\n"
    assert typed("campaign", "pause", "1").out == "1: paused; 2 calls left.\n"
    assert typed("campaign", "resume", "1").out == "1: running; 2 calls left.\n"
    shown = typed("campaign", "show", "1").out
    assert ("1: Reminders" in shown, "running by API" in shown) == (True, True)
    assert "  why         No worker is running." in shown
    assert typed("campaign", "list").out.splitlines()[1].split() == [
        "1",
        "running",
        "2",
        "2",
        "Reminders",
    ]
    rows = list(csv.DictReader(typed("campaign", "report", "1").out.splitlines()))
    assert [(each["to"], each["lead_id"], each["state"]) for each in rows] == [
        ("+15550000091", "'=1+1", "waiting"),
        ("+15550000092", "", "waiting"),
    ]
    assert typed("campaign", "cancel", "1").status == 0
    assert typed("campaign", "report", "1", "--json").document["count"] == 0
    assert typed("campaign", "start", "1").status == 4
    assert typed("campaign", "show", "9").status == 3
