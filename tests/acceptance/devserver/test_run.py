"""`make run`: from nothing to a ringing phone, and back to nothing."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.devserver.whole_stack import Copy
from tests.stack import until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
    pytest.mark.slow,
]


@pytest.fixture(autouse=True)
def _show_output(request: pytest.FixtureRequest) -> Iterator[None]:
    """A failed test shows what the stack said."""
    yield
    made = request.node.funcargs.get("copy")
    if isinstance(made, Copy):
        print(made.process.output[-8000:])


def test_a_newcomer_gets_a_ring(copy: Copy) -> None:
    """The printed command rings one phone; Ctrl-C ends all, and its ports are free."""
    copy.start()
    command = re.search(r"Try it:\n  (curl .*\\\n.*schedule-call)\n", copy.process.output)
    assert command, copy.process.output
    if shutil.which("curl"):
        subprocess.run(["bash", "-c", command[1]], check=True, capture_output=True, timeout=30)
    else:
        copy.post("schedule-call", {"to": "+1234567890"})
    until(lambda: copy.completed("1"), within_s=30, what="the call is placed")
    assert copy.get("job/1")["call"]["sid"].startswith("CA")
    assert [ring["to"] for ring in copy.rings()] == ["+1234567890"]
    seen: list[str] = []
    until(lambda: _is_over(copy, "1", seen), within_s=30, what="the call is over")
    order = ["queued", "initiated", "ringing", "in-progress", "completed"]
    assert seen == [status for status in order if status in seen]
    assert {"ringing", "in-progress"} <= set(seen)
    assert copy.get("job/1")["call"]["duration"] == 4
    until(lambda: _outcomes(copy) == [("completed", 4)], within_s=30, what="the log has it, too")
    logged = copy.get("../calls/1")
    assert logged["answeredAt"]
    names = [event["event"] for event in logged["events"]]
    assert names[:4] == ["accepted", "taken", "started", "completed"]
    heard = [event["status"] for event in logged["events"]]
    assert heard[-3:] == ["ringing", "in-progress", "completed"]

    copy.process.send(signal.SIGINT)
    assert copy.process.wait(within_s=40) == 0
    assert copy.pids() == {}
    asked = [copy.environment["PORT"], copy.environment["EMBEDDED_REDIS_PORT"]]
    for port in asked:
        with socket.create_server(("127.0.0.1", int(port))):
            pass


def test_a_part_that_cannot_start_ends_all_with_words(copy: Copy) -> None:
    """What it said stands above the last line."""
    copy.environment["FLOWER_HOST"] = "0.0.0.0"
    copy.process.start()
    assert copy.process.wait(within_s=60) == 1
    assert "Invalid FLOWER_HOST ('0.0.0.0'): expected a loopback address" in copy.process.output
    assert "flower ended (status 1), so everything was ended" in copy.process.output
    assert copy.pids() == {}


def test_an_end_while_it_starts_leaves_nothing(copy: Copy) -> None:
    """Ctrl-C before anything is ready is a clean end as well."""
    copy.process.start()
    copy.process.wait_for("worker started", within_s=30)
    copy.process.send(signal.SIGINT)
    assert copy.process.wait(within_s=60) == 0
    assert copy.pids() == {}


def test_a_port_in_use_is_named(copy: Copy) -> None:
    """Nothing is started; the one line says which variable to change."""
    with socket.create_server(("127.0.0.1", copy.port)):
        copy.process.start()
        assert copy.process.wait(within_s=30) == 1
    line = f"Port {copy.port} is in use on 127.0.0.1: set PORT to another one.\n"
    assert copy.process.output == line
    assert copy.pids() == {}


def test_a_bad_setting_is_named(copy: Copy) -> None:
    """The one line says what is wrong, and nothing is started."""
    copy.environment["CALL_RATE_LIMIT"] = "fast"
    copy.process.start()
    assert copy.process.wait(within_s=30) == 1
    assert copy.process.output.startswith("Invalid CALL_RATE_LIMIT ('fast'): expected ")
    assert copy.process.output.count("\n") == 1


def _is_over(copy: Copy, job_id: str, seen: list[str]) -> bool:
    """Note where a call is; whether it was answered and is over."""
    status = copy.get(f"job/{job_id}")["call"]["status"]
    if status not in seen:
        seen.append(status)
    return bool(status == "completed")


def _outcomes(copy: Copy) -> list[tuple[str, int]]:
    calls = copy.get("../calls")["calls"]
    return [(call["outcome"], call["call"]["duration"]) for call in calls if call["call"]]
