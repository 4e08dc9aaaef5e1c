"""What became of calls, and how the queue stands: status, watch, show, failures, export."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import TO, Api
from tests.ports import free_port
from tests.simulator import SimulatorClient
from tests.stack import Stack, until
from vomind_queue.api.blueprints.overview import FRESH_S

ANSWERED, BUSY, REFUSED = "+15550000001", "+15005550011", "+15005550001"


def forget_last_look() -> None:
    """Waits until the web process, which others asked before, looks at Redis again."""
    time.sleep(FRESH_S + 0.1)


def test_the_status_says_what_is_wrong(typed: Typist, api: Api) -> None:
    """In words and with what to do; its exit status says whether calls can go out."""
    api.schedule(TO, priority="high")
    forget_last_look()
    stuck = typed("status")
    assert stuck.status == 1
    assert "Stuck" in stuck.out
    assert "No worker is running" in stuck.out
    assert "→ Start one" in stuck.out
    assert re.search(r"waiting +1   high 1 · normal 0 · low 0", stuck.out)
    document = typed("status", "--json").document
    assert (document["state"], document["stats"]["waiting"]) == ("stuck", 1)


def test_watching_without_a_terminal_prints_changes(typed: Typist, api: Api) -> None:
    """A line when something has changed, and none when nothing has."""
    forget_last_look()
    watching = typed.start("watch", "--interval", "0.2")
    assert watching.stdout is not None
    first = watching.stdout.readline()
    assert first.endswith("  stuck  waiting 0  active 0  delayed 0  completed 0  failed 0\n")
    api.schedule(TO)
    assert "waiting 1" in watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=30)
    assert (watching.returncode, out, "Traceback" in err) == (0, "", False), err
    forget_last_look()
    done = typed("watch", "--count", "1", "--json")
    assert done.document["stats"]["waiting"] == 1


def test_watching_in_a_terminal_is_live(typed: Typist, api: Api) -> None:
    """On its own screen, painted again; Ctrl-C gives the terminal back as it was."""
    with typed.terminal("watch", "--interval", "0.2") as terminal:
        terminal.wait_for("Ctrl-C ends")
        assert terminal.shown.startswith("\x1b[?1049h\x1b[?25l")
        api.bulk([{"to": TO}] * 3)
        terminal.wait_for("high 0 · normal 3 · low 0")
        terminal.press("\x03")
        assert terminal.end() == 0
    assert terminal.shown.endswith("\x1b[?25h\x1b[?1049l")


def test_watching_outlives_an_outage(typed: Typist, stack: Stack) -> None:
    """It says that the service is away, and goes on when it is back."""
    web = stack.start_web()
    watching = typed.start("watch", "--interval", "0.2", VOMIND_URL=stack.web_url)
    assert watching.stdout is not None
    assert watching.stderr is not None
    watching.stdout.readline()
    web.stop()
    assert stack.web_url in watching.stderr.readline()
    stack.start_web()
    Api(stack.queue_url).schedule(TO)
    assert "  waiting 1  " in watching.stdout.readline()
    watching.kill()
    watching.communicate(timeout=30)
    nowhere = typed("watch", VOMIND_URL=f"http://127.0.0.1:{free_port()}")
    assert nowhere.status == 6


def test_a_waiting_call_tells_why(typed: Typist, api: Api) -> None:
    """And one that is not there has its own status."""
    api.bulk([{"to": TO}, {"to": TO, "lead_id": "7", "metadata": {"a": "\x1b[2J"}}])
    shown = typed("show", "2").out
    assert shown.splitlines()[:2] == [
        "Call 2  waiting",
        "  It is behind 1 call of the same or a higher priority.",
    ]
    assert "normal priority, lead 7" in shown
    assert "\x1b" not in shown
    assert typed("show", "2", "--json").document["why"]["ahead"] == 1
    missing = typed("show", "99")
    assert (missing.status, missing.err) == (3, "Error: No such job: 99.\n")


@pytest.fixture
def running(fast: Stack, typed: Typist) -> Typist:
    """Types commands to a stack that calls, with its log."""
    fast.settings["PUBLIC_URL"] = fast.web_url
    fast.start("shipper")
    fast.start_worker()
    fast.start_web()
    typed.url = fast.web_url
    return typed


def test_a_call_on_the_line_is_hung_up(running: Typist, phone: SimulatorClient) -> None:
    """By its id; one that is over is refused, and one that never was is not found."""
    phone.outcomes({"outcome": "human", "pace": 30})
    running("call", ANSWERED)
    shown = until(lambda: _placed(running), within_s=30, what="it is on the line")
    assert running("hangup", "1").out == "1: is being hung up\n"
    until(lambda: "over: canceled" in running("show", "1").out, within_s=30, what="its end")
    assert phone.rings()[0]["sid"] in shown
    done = running("hangup", "1", "99")
    assert (done.status, done.out) == (4, "")
    assert done.err == "1: Call 1 is not on the line; it is completed.\n99: No such job: 99.\n"
    assert running("hangup", "99").status == 3


def _placed(running: Typist) -> str:
    shown = running("show", "1").out
    return shown if "placed:" in shown else ""


def test_from_a_call_to_its_export(running: Typist, fast: Stack, tmp_path: Path) -> None:
    """It is followed to its end, told from the log, found, counted, retried and written out."""
    waited = running("call", ANSWERED, "--wait", "-m", '=HYPERLINK("x")', "--lead-id", "@7")
    assert (waited.status, waited.out.splitlines()[-1]) == (0, "  over: answered for 4 s")
    busy = running("call", BUSY, "--wait", "--json")
    assert (busy.status, busy.document["call"]["status"]) == (1, "busy")
    refused = running("call", REFUSED, "--wait")
    assert (refused.status, "failed: Twilio will not place" in refused.out) == (1, True)

    found = running("failures").out.splitlines()[1]
    assert found.split()[:2] == ["twilio-21217", "1"]
    assert running("retry", "--reason", "twilio-99999").out == "0 calls put back in the queue.\n"
    assert running("retry", "--reason", "twilio-21217").out == "1 call put back in the queue.\n"

    _logged(running, 3)
    story = running("show", "1").out
    assert "attempt 1" in story
    assert [line.split()[2] for line in story.split("story (UTC)\n")[1].splitlines()][:4] == [
        "accepted", "taken", "started", "completed",
    ]  # fmt: skip
    assert running("list", "--outcome", "busy", "--ids").out == "2\n"
    assert running("list", "--number", ANSWERED, "--since", "1h", "--ids").out == "1\n"
    assert running("list", "--until", "1h", "--ids").out == ""

    assert running("export", "-o", "calls.csv").out == "3 calls written to calls.csv.\n"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "calls.csv").read_text())))
    assert (rows[2]["message"], rows[2]["lead_id"]) == ('\'=HYPERLINK("x")', "'@7")
    lines = running("export", "--format", "jsonl", "--state", "completed").out.splitlines()
    assert [json.loads(line)["jobId"] for line in lines] == ["2", "1"]
    assert running("clean", "--older-than", "0s", "--dry-run").out.startswith("3 calls would be")
    assert running("clean", "--older-than", "0s").out.startswith("3 calls removed")
    gone = running("show", "1")
    assert (gone.status, "over: answered for 4 s" in gone.out) == (0, True)
    assert running("status").status == 0


def _logged(running: Typist, calls: int) -> None:
    """Waits until the log has so many, all ended."""

    def ended() -> bool:
        found = running("list", "--json").document["jobs"]
        return len([job for job in found if job["finishedAt"] and job["outcome"]]) == calls

    until(ended, within_s=30, what="the log has all calls")


def test_an_export_over_pages_is_whole(running: Typist, fast: Stack, tmp_path: Path) -> None:
    """More than a page of the API's; a file that cannot be whole does not appear."""
    api = Api(fast.queue_url)
    api.bulk([{"to": TO, "delayMs": 3_600_000, "message": "a\nb"} for _ in range(1_100)])
    until(
        lambda: not api("GET", "/stats")["callLog"]["pending"], within_s=30, what="it is in the log"
    )
    done = running("export", "-o", "calls.csv", "--json")
    assert (done.status, done.document["count"]) == (0, 1_100)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "calls.csv").read_text())))
    assert sorted(int(row["jobId"]) for row in rows) == list(range(1, 1_101))
    fast.processes[-1].stop()
    broken = running("export", "-o", "more.jsonl")
    assert broken.status == 6
    assert [path.name for path in tmp_path.glob("more*")] == []


def test_trends_are_told_for_people_and_programs(running: Typist) -> None:
    """By step and by hour of the day; without a call there is one line."""
    assert running("trends").out == "No call started in the last day.\n"
    running("call", ANSWERED, "--wait")

    def outcomes() -> object:
        return [each["outcomes"] for each in running("trends", "--json").document["steps"]]

    until(lambda: outcomes() == [{"completed": 1}], within_s=30, what="its end is in the log")
    head, step, _, hours, hour = running(
        "trends", "week", "--timezone", "Asia/Tokyo"
    ).out.splitlines()
    assert head.split()[:2] == ["TIME", "(UTC)"]
    assert step.split()[2] == "1"
    assert hours.startswith("HOUR IN Asia/Tokyo")
    assert hour.split()[1:3] == ["1", "100%"]
    assert running("trends", "--timezone", "Mars").status == 2
