"""One act on all calls that match, typed."""

from __future__ import annotations

from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import Api

CALLS = [{"to": f"+1555000000{n}", "priority": "low" if n < 3 else "high"} for n in range(5)]


def test_all_that_match_are_acted_on(typed: Typist, api: Api) -> None:
    """After a yes; what was changed is found by its new priority, in several states."""
    api("POST", "/schedule-bulk-calls", {"calls": CALLS})
    unsaid = typed("act", "change", "--state", "waiting,delayed", "--new-priority", "normal")
    assert (unsaid.status, "--yes" in unsaid.err) == (2, True)
    done = typed("act", "change", "--priority", "low", "--new-priority", "normal", "--yes")
    assert (done.status, done.out) == (0, "change: 3 done.\n"), done.err
    document = typed("act", "cancel", "--priority", "normal,low", "-y", "--json").document
    assert (document["status"], document["counts"]["done"]) == ("done", 3)
    assert {each["jobId"] for each in document["results"]} == {"1", "2", "3"}
    left = typed("act", "cancel", "--campaign", "7", "--yes")
    assert (left.status, left.out) == (0, "cancel: no call matches.\n")
    assert typed("act", "cancel", "--yes").status == 2
    assert typed("list", "waiting,delayed", "--ids").status == 0


def test_a_person_is_asked_how_many(typed: Typist, api: Api) -> None:
    """And may say no."""
    api("POST", "/schedule-bulk-calls", {"calls": CALLS})
    with typed.terminal("act", "cancel", "--state", "waiting") as terminal:
        terminal.wait_for("? [y/N]")
        terminal.press("n\r")
        terminal.wait_for("Nobody said yes")
    assert api("GET", "/waiting?start=0&end=0")["total"] == 5
