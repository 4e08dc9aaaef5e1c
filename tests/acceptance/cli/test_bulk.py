"""Calls from a file: checked whole, sent in parts, each accepted once."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.acceptance.cli.lossy_proxy import lossy
from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import Api
from tests.stack import Stack, until

HOUR = 3_600_000


def table(path: Path, count: int) -> Path:
    """A file with so many calls, an hour from now."""
    rows = [f"+1555{n:07d},Hello,{HOUR},{n}" for n in range(count)]
    path.write_text("\n".join(["to,message,delayMs,lead_id", *rows, ""]))
    return path


def leads(api: Api, count: int) -> list[str]:
    """Whom the delayed calls are about, in order."""
    found: list[str] = []
    for start in range(0, count + 1, 1_000):
        page = api("GET", f"/delayed?start={start}&end={start + 999}")
        found += [job["data"]["lead_id"] for job in page["jobs"]]
    return sorted(found, key=int)


def test_a_table_as_a_spreadsheet_writes_it(typed: Typist, api: Api, tmp_path: Path) -> None:
    """Byte order mark, semicolons, cells over several lines, columns in any order and case."""
    text = (
        "\ufeffCity;Phone;TEXT;Schedule At;Metadata.Campaign;retry on\r\n"
        'Köln;+15550000001;"Hello; you\r\nthere";2099-01-01T10:00:00+01:00;Q4;busy, no-answer\r\n'
        ";;;;;\r\n"
        "Ulm;+15550000002;;;;\r\n"
    )
    (tmp_path / "calls.csv").write_text(text, newline="")
    refused = typed("bulk", "calls.csv")
    assert refused.status == 2
    assert "line 2: scheduleAt: Must be" in refused.err
    (tmp_path / "calls.csv").write_text(text.replace("2099-01-01T10:00:00+01:00", ""), newline="")
    default = ("--answer", "message=default")
    done = typed("bulk", "calls.csv", "--report", "report.csv", *default, "--yes")
    assert (done.status, done.out) == (
        0,
        "2 calls accepted: jobs 1 to 2. What was sent is kept in calls.csv.sent.jsonl.\n",
    )
    assert done.err == "Not sent: City (--rest-to-metadata includes them).\n"
    assert api.job("1")["data"] == {
        "to": "+15550000001", "message": "Hello; you\r\nthere", "priority": "normal",
        "metadata": {"Campaign": "Q4"}, "retryOn": ["busy", "no-answer"],
    }  # fmt: skip
    assert (tmp_path / "report.csv").read_text() == "line,jobId\n2,1\n5,2\n"


def test_every_error_is_told_by_line_before_anything_is_sent(
    typed: Typist, api: Api, tmp_path: Path
) -> None:
    """The file's own and the API's, over several parts."""
    lines = [{"to": "+15550000001"}, {"to": "123"}, {"to": "+15550000001", "delayMs": -1}]
    text = "\n".join([*map(json.dumps, lines), "", "no call", "[1]", ""])
    (tmp_path / "calls.jsonl").write_text(text)
    done = typed("bulk", "calls.jsonl", "--part", "1", "--json")
    assert done.status == 2
    assert [(each["line"], each["field"]) for each in done.document["errors"]] == [
        (2, "to"), (3, "delayMs"), (5, ""), (6, ""),
    ]  # fmt: skip
    assert done.err.splitlines()[0].startswith("line 2: to: Must be a phone number")
    assert api.stats()["total"] == 0
    assert [path.name for path in tmp_path.glob("calls*")] == ["calls.jsonl"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,town\na,b\n", "No column has the number"),
        ("to,phone\n+15550000001,+15550000001\n", "Two columns map to 'to'"),
        ("to,scheduelAt\n+15550000001,x\n", "did you mean scheduleAt?"),
        ("to\n", "has no calls"),
        ("", "is empty"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(
    typed: Typist, api: Api, tmp_path: Path, text: str, said: str
) -> None:
    """A slip in a header never makes an immediate call of a later one."""
    (tmp_path / "calls.csv").write_text(text)
    done = typed("bulk", "calls.csv")
    assert done.status == 2
    assert said in done.err
    assert api.stats()["total"] == 0


def test_a_column_is_named_and_the_rest_taken_along(
    typed: Typist, api: Api, tmp_path: Path
) -> None:
    """Where the header does not say what is what."""
    (tmp_path / "calls.csv").write_text("Home,Work,Town\n+15550000001,+15550000002,Ulm\n")
    words = ("--message", "Hello", "--yes")
    done = typed("bulk", "calls.csv", "--column", "to=Work", "--rest-to-metadata", *words)
    assert done.status == 0
    assert api.job("1")["data"]["to"] == "+15550000002"
    assert api.job("1")["data"]["metadata"] == {"Home": "+15550000001", "Town": "Ulm"}


def test_a_quotation_mark_that_is_not_closed_is_told(
    typed: Typist, api: Api, tmp_path: Path
) -> None:
    """It would make one spoken message of all lines below it."""
    path = tmp_path / "calls.csv"
    path.write_text('to,message\n+14155550100,a\n+14155550101,"b\n+14155550102,c\n')
    done = typed("bulk", str(path))
    assert done.status == 2
    assert "line 3: a quotation mark is never closed" in done.out + done.err
    assert api("GET", "/stats")["stats"]["total"] == 0


def test_checking_sends_nothing(typed: Typist, api: Api, tmp_path: Path) -> None:
    """And leaves nothing beside the file."""
    table(tmp_path / "calls.csv", 3)
    assert typed("bulk", "calls.csv", "--check").out == "3 calls, no errors; nothing was sent.\n"
    assert api.stats()["total"] == 0
    assert [path.name for path in tmp_path.glob("calls*")] == ["calls.csv"]


def test_lost_answers_make_no_call_twice(
    typed: Typist, web_of_all: Stack, api: Api, tmp_path: Path
) -> None:
    """A part whose answer is lost is sent again under its key; all calls are there once."""
    table(tmp_path / "calls.csv", 50)
    with lossy(web_of_all.web_url) as (line, url):
        line.well, line.lose = 1, 2
        done = typed("bulk", "calls.csv", "--part", "10", "--yes", VOMIND_URL=url)
    assert done.status == 0
    assert len(line.keys) == 7
    assert len(set(line.keys)) == 5
    assert leads(api, 50) == [str(n) for n in range(50)]


def test_the_same_command_goes_on_where_it_stopped(
    typed: Typist, web_of_all: Stack, api: Api, tmp_path: Path
) -> None:
    """Broken off with an answer outstanding, begun again, it completes; then it does nothing."""
    file = table(tmp_path / "calls.csv", 50)
    with lossy(web_of_all.web_url) as (line, url):
        line.well, line.lose = 2, 100
        impatient = ("--part", "10", "--patience", "1s", "--yes")
        broken = typed("bulk", "calls.csv", *impatient, VOMIND_URL=url)
        assert broken.status == 6
        assert "20 of 50 calls were accepted" in broken.err
        assert api.stats()["delayed"] == 30
        elsewhere = typed("bulk", "calls.csv")
        assert elsewhere.status == 2
        assert "another address" in elsewhere.err
        whole = file.read_text()
        file.write_text(whole.replace("+15550000020", "+15550099999"))
        changed = typed("bulk", "calls.csv", VOMIND_URL=url)
        assert (changed.status, "which may have been sent" in changed.err) == (2, True)
        file.write_text(whole)
        line.lose = 0
        done = typed("bulk", "calls.csv", "--yes", "--json", VOMIND_URL=url).document
        assert (done["count"], done["sent"], len(done["jobs"])) == (50, 30, 50)
        again = typed("bulk", "calls.csv", VOMIND_URL=url)
    assert again.out.startswith("All 50 calls were accepted before; nothing was sent this time.")
    assert leads(api, 50) == [str(n) for n in range(50)]


def test_a_kill_in_the_middle_loses_and_doubles_nothing(
    typed: Typist, api: Api, tmp_path: Path
) -> None:
    """After kill -9 the next run sends what was not accepted; two at a time are refused."""
    table(tmp_path / "calls.csv", 3_000)
    journal = tmp_path / "calls.csv.sent.jsonl"
    running = typed.start("bulk", "calls.csv", "--part", "20", "--yes")
    until(lambda: journal.exists() and '"jobs"' in journal.read_text(), within_s=30, what="a part")
    running.send_signal(signal.SIGSTOP)
    assert "Another process is sending this file" in typed("bulk", "calls.csv").err
    running.kill()
    running.communicate(timeout=30)
    before = api.stats()["delayed"]
    assert 0 < before < 3_000
    assert typed("bulk", "calls.csv", "--yes").status == 0
    assert leads(api, 3_000) == [str(n) for n in range(3_000)]


def test_an_old_unanswered_part_is_left_to_a_person(
    typed: Typist, web_of_all: Stack, api: Api, tmp_path: Path
) -> None:
    """After a day a key means nothing any more; the person looks, and says what to do."""
    table(tmp_path / "calls.csv", 4)
    with lossy(web_of_all.web_url) as (line, url):
        line.lose = 100
        args = ("bulk", "calls.csv", "--part", "2", "--patience", "0s", "--yes")
        assert typed(*args, VOMIND_URL=url).status == 6
        journal = tmp_path / "calls.csv.sent.jsonl"
        first, tried = journal.read_text().splitlines()
        old = {**json.loads(tried), "tried": json.loads(tried)["tried"] - 24 * 3_600}
        journal.write_text(f"{first}\n{json.dumps(old)}\n")
        line.lose = 0
        asked = typed(*args, VOMIND_URL=url)
        assert (asked.status, "--unknown skip or --unknown send" in asked.err) == (2, True)
        assert typed(*args, "--unknown", "skip", VOMIND_URL=url).status == 0
    assert leads(api, 4) == ["0", "1", "2", "3"]


def test_a_terminal_shows_how_far_it_is(typed: Typist, web_of_all: Stack, tmp_path: Path) -> None:
    """A bar that ends full; Ctrl-C says what was accepted and ends with 130."""
    table(tmp_path / "calls.csv", 40)
    with typed.terminal("bulk", "calls.csv", "--part", "10", "--yes") as terminal:
        assert terminal.end() == 0
        assert "Sending  [####################################]  40/40" in terminal.shown
    table(tmp_path / "more.csv", 40)
    with lossy(web_of_all.web_url) as (line, url):
        line.well, line.lose = 2, 100
        url_of = {"VOMIND_URL": url}
        with typed.terminal("bulk", "more.csv", "--part", "10", "--yes", **url_of) as terminal:
            terminal.wait_for("Trying again in")
            terminal.press("\x03")
            assert terminal.end() == 130
    assert "20 of 40 calls were accepted" in terminal.shown
    assert "Traceback" not in terminal.shown


def test_a_campaign_gets_the_calls_of_a_file(typed: Typist, api: Api, tmp_path: Path) -> None:
    """Its country and words hold; the file is sent there once, and nowhere else meanwhile."""
    made = typed("campaign", "create", "Parcels", "--country", "DE", "--message", "Hello {{Name}}")
    assert made.status == 0
    (tmp_path / "people.csv").write_text("Phone,Name\n0171/39200133,Ann\n0171/39200134,Ben\n")
    given = ("bulk", "people.csv", "--yes")
    assert typed(*given, "--campaign", "9").status == 3
    done = typed(*given, "--campaign", "1")
    assert (done.status, done.out.startswith("2 calls accepted")) == (0, True)
    assert api.job("1")["data"]["to"] == "+4917139200133"
    assert api.job("1")["data"]["message"] == "Hello Ann"
    assert api("GET", "/campaigns/1")["counts"]["waiting"] == 2
    again = typed(*given, "--campaign", "1")
    assert "were accepted before; nothing was sent" in again.out
    elsewhere = typed(*given, "--country", "DE", "--message", "Hello")
    assert (elsewhere.status, "campaign" in elsewhere.err) == (2, True)
    assert api.stats()["total"] == 2
