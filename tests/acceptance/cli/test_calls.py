"""Calls at the command line: scheduled, listed, cancelled, by the API and its key."""

from __future__ import annotations

from tests.acceptance.cli.lossy_proxy import lossy
from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import TO, Api
from tests.stack import Stack

HOUR_MS = 3_600_000


def test_a_call_is_put_into_the_queue(typed: Typist, api: Api) -> None:
    """With all that can be said of it; one line says which it is."""
    done = typed(
        "call", TO, "-m", "Hi", "--lead-id", "42", "-p", "high", "--metadata", '{"a": [1]}',
        "--retry-on", "busy,no-answer", "--machine-detection", "enable", "--ring-timeout", "45s",
        "--from", "+15005550006",
    )  # fmt: skip
    assert (done.status, done.out, done.err) == (0, f"Call 1 to {TO} is in the queue.\n", "")
    assert api.job("1")["data"] == {
        "to": TO, "message": "Hi", "lead_id": "42", "priority": "high", "metadata": {"a": [1]},
        "retryOn": ["busy", "no-answer"], "machineDetection": "enable", "ringTimeoutMs": 45_000,
        "from": "+15005550006",
    }  # fmt: skip


def test_a_call_is_scheduled_for_later(typed: Typist, api: Api) -> None:
    """In a while, or at a time; not at none and not at both."""
    assert "(in 1h 30m)" in typed("schedule", TO, "--in", "1h30m").out
    job = api.job("1")
    due_ms = job["timestamp"] + 90 * 60_000
    assert typed("schedule", TO, "--at", "2020-01-01T10:00:00Z").status == 2
    assert typed("schedule", TO, "--in", "soon").status == 2
    assert typed("schedule", TO).status == 2
    assert api.stats()["delayed"] == 1
    at = typed("schedule", TO, "--at", job["scheduledFor"], "--json").document
    assert at["scheduledFor"] == job["scheduledFor"]
    assert due_ms > 0


def test_the_apis_own_words_reach_the_person(typed: Typist, api: Api) -> None:
    """On standard error, with the status for what was typed wrong; as a document when asked."""
    done = typed("call", "123", "--json")
    assert done.status == 2
    assert "Error: to: Must be a phone number in E.164 form, such as +1234567890" in done.err
    assert (done.document["status"], done.document["exitCode"]) == (422, 2)
    assert done.document["errors"]["to"]
    assert typed("call", TO, "--metadata", "{").status == 2
    assert api.stats()["total"] == 0


def test_a_lost_answer_can_be_asked_for_again(typed: Typist, web_of_all: Stack, api: Api) -> None:
    """The advice that is printed leads to one call, not two."""
    with lossy(web_of_all.web_url) as (line, url):
        line.lose = 1
        done = typed("call", TO, VOMIND_URL=url)
        assert done.status == 6
        assert "It may have been accepted" in done.err
        advice = done.err.split("--idempotency-key ")[1].split()[0]
        again = typed("call", TO, "--idempotency-key", advice, VOMIND_URL=url)
    assert (again.status, again.out) == (0, f"Call 1 to {TO} is in the queue.\n")
    assert api.stats()["total"] == 1


def test_lists_are_in_the_queues_order(typed: Typist, api: Api) -> None:
    """As tables, as ids, and as documents, over more than one page of the API's."""
    api.bulk([{"to": TO, "priority": "low"}, {"to": TO, "priority": "high", "lead_id": "x\x1b[2J"}])
    shown = typed("list", "waiting")
    head, first, second = shown.out.splitlines()
    assert head.split()[:4] == ["ID", "STATE", "TO", "PRIORITY"]
    assert (first.split()[0], second.split()[0]) == ("2", "1")
    assert "\x1b" not in shown.out
    assert typed("list", "waiting", "--ids").out == "2\n1\n"
    api.bulk([{"to": TO, "delayMs": HOUR_MS + n} for n in range(1_100)])
    found = typed("list", "delayed", "--limit", "1050", "--start", "3", "--json").document
    assert (found["count"], found["total"]) == (1_050, 1_100)
    assert [job["jobId"] for job in found["jobs"]] == [str(n) for n in range(6, 1_056)]
    assert typed("list", "failed").out == "No failed calls.\n"


def test_calls_are_cancelled_by_their_ids(typed: Typist, api: Api) -> None:
    """Many at once, also from another command; what is not there does not hold up the rest."""
    api.bulk([{"to": TO}, {"to": TO}, {"to": TO, "delayMs": HOUR_MS}])
    ids = typed("list", "waiting", "--ids").out
    assert typed("cancel", "-", text=ids).out == (
        "1: cancelled (was waiting)\n2: cancelled (was waiting)\n"
    )
    done = typed("cancel", "99", "3", "--json")
    assert (done.status, done.err) == (3, "99: No such job: 99.\n")
    missing, gone = done.documents
    assert (missing["jobId"], missing["exitCode"], gone["was"]) == ("99", 3, "delayed")
    assert api.stats()["total"] == 0
    assert typed("retry", "99").status == 3


def test_only_failed_calls_are_retried(typed: Typist, api: Api) -> None:
    """The API's refusal has its own status."""
    api.schedule(TO)
    done = typed("retry", "1")
    assert (done.status, done.err) == (
        4,
        "1: Only failed calls can be retried; call 1 is waiting.\n",
    )


def test_the_queue_is_paused_and_resumed(typed: Typist, api: Api) -> None:
    """For all workers, until somebody says so."""
    assert typed("pause").status == 0
    assert api("GET", "/stats")["paused"] is True
    assert typed("resume", "--json").document == {"success": True, "message": "Queue resumed"}
    assert api("GET", "/stats")["paused"] is False


def test_recurring_calls_go_by_number_and_key(typed: Typist, api: Api) -> None:
    """A second one for a number is told of the first; the same key is the same one."""
    typed("recurring", "create", TO, "--cron", "0 3 * * *")
    named = ("--recurring-key", "k", "--lead-id", "a")
    second = ("recurring", "create", TO, "--cron", "0 4 * * *", *named)
    lines = typed(*second).out.splitlines()
    assert lines[-2] == "  Other recurring calls to this number: 1:"
    assert lines[-1].startswith("  recurring:1  0 3 * * *  UTC  ")
    assert typed(*second, "--json").document["updated"] is True
    assert "  key       k\n" in typed("recurring", "show", "2").out
    for words in (["--recurring-key", "k"], ["--lead-id", "a"]):
        (found,) = typed("recurring", "list", *words, "--json").document["jobs"]
        assert found["jobId"] == "recurring:2"
    assert typed("recurring", "list", "--number", TO, "--json").document["total"] == 2


def test_recurring_calls_have_a_command_each(typed: Typist, api: Api) -> None:
    """From creation to deletion; 1 and recurring:1 are the same."""
    made = typed("recurring", "create", TO, "--cron", "0 9 * * 1-5", "--timezone", "Europe/Berlin")
    assert made.out.startswith("recurring:1: Recurring call scheduled successfully.\n  next  ")
    assert "0 9 * * 1-5" in typed("recurring", "list").out
    assert typed("recurring", "edit", "1", "-m", "Other").status == 0
    assert api.job("recurring:1")["data"]["message"] == "Other"
    assert typed("recurring", "pause", "1").out == "recurring:1: Recurring call paused.\n"
    assert "recurring:1  paused by API" in typed("recurring", "show", "recurring:1").out
    assert typed("recurring", "resume", "recurring:1").status == 0
    assert typed("recurring", "delete", "1", "--json").document["was"] == "recurring"
    assert typed("recurring", "show", "1").status == 3
    assert typed("recurring", "list").out == "No recurring calls.\n"
    preview = typed(
        "recurring", "preview", "30 2 * * *", "--timezone", "Europe/Berlin",
        "--from", "2027-03-28T00:00:00Z", "--count", "1",
    )  # fmt: skip
    assert preview.out.splitlines()[1] == "  2027-03-28T03:00:00+02:00  2027-03-28 01:00:00 UTC"
