"""`make run`: from nothing to a ringing phone, and back to nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from tests.acceptance.devserver.whole_stack import Copy
from tests.stack import ROOT, until

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
    """The printed command rings one phone; Ctrl-C ends all; the next start still knows the call."""
    copy.start()
    command = re.search(r"Try it:\n  (curl .*\\\n.*schedule-call)\n", copy.process.output)
    assert command, copy.process.output
    if shutil.which("curl"):
        subprocess.run(["bash", "-c", command[1]], check=True, capture_output=True, timeout=10)
    else:
        copy.post("schedule-call", {"to": "+1234567890"})
    until(lambda: copy.completed("1"), within_s=10, what="the call is placed")
    assert copy.get("job/1")["call"]["sid"].startswith("CA")
    assert [ring["to"] for ring in copy.rings()] == ["+1234567890"]
    seen: list[str] = []
    until(lambda: _is_over(copy, "1", seen), within_s=30, what="the call is over")
    order = ["queued", "initiated", "ringing", "in-progress", "completed"]
    assert seen == [status for status in order if status in seen]
    assert {"ringing", "in-progress"} <= set(seen)
    assert copy.get("job/1")["call"]["duration"] == 4
    until(lambda: _outcomes(copy) == [("completed", 4)], within_s=15, what="the log has it, too")
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

    copy.start()
    assert copy.completed("1")
    assert _logged(copy) == ["completed"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_part_ends_all_with_words(copy: Copy) -> None:
    """Nothing runs on in part and unseen; calls outlive it, and the next start goes on."""
    parts = {
        "worker": "celery_app worker",
        "web": "vomind_queue.processes.web",
        "valkey": "valkey-server",
        "simulator": "-m simulator",
    }
    copy.start()
    for number, (name, words) in enumerate(parts.items(), start=1):
        copy.post("pause", {})
        copy.post("schedule-call", {"to": "+1234567890"})
        os.kill(copy.pid_of(words), signal.SIGKILL)
        assert copy.process.wait(within_s=40) == 1
        assert f"{name} ended (status -9), so everything was ended" in copy.process.output
        assert copy.pids() == {}
        copy.start()
        copy.post("resume", {})
        until(lambda job=str(number): copy.completed(job), within_s=20, what="the call is placed")  # type: ignore[misc]


def test_a_part_that_cannot_start_ends_all_with_words(copy: Copy) -> None:
    """What it said stands above the last line."""
    copy.environment["FLOWER_HOST"] = "0.0.0.0"
    copy.process.start()
    assert copy.process.wait(within_s=60) == 1
    assert "Invalid FLOWER_HOST ('0.0.0.0'): expected a loopback address" in copy.process.output
    assert "flower ended (status 1), so everything was ended" in copy.process.output
    assert copy.pids() == {}


def test_a_call_that_is_being_placed_is_placed_to_its_end(copy: Copy) -> None:
    """Ctrl-C waits for it: the worker ends before the simulator and the server do."""
    copy.start()
    faults = [{"fault": "slow", "ms": 6_500, "when": "after"}]
    simulator = f"http://127.0.0.1:{copy.environment['SIMULATOR_PORT']}/simulator"
    requests.post(f"{simulator}/faults", json=faults, timeout=5).raise_for_status()
    copy.post("schedule-call", {"to": "+1234567890"})
    until(copy.rings, within_s=10, what="the simulator has taken the call")
    copy.process.send(signal.SIGINT)
    assert copy.process.wait(within_s=40) == 0
    assert copy.pids() == {}
    copy.start()
    assert copy.completed("1")


def test_other_users_of_the_machine_are_kept_out_of_the_server(copy: Copy) -> None:
    """The password is made once, lies where only this user reads, and stands in no command line."""
    copy.start()
    stranger = redis.Redis(port=int(copy.environment["EMBEDDED_REDIS_PORT"]))
    for command in (["DBSIZE"], ["SET", "a", "b"], ["CONFIG", "GET", "requirepass"], ["MONITOR"]):
        with pytest.raises(redis.AuthenticationError):
            stranger.execute_command(*command)
    stranger.close()
    directory = Path(copy.environment["DATA_DIR"]) / "valkey"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "access.conf").stat().st_mode & 0o777 == 0o600
    password = (directory / "access.conf").read_text().split()[1]
    assert len(password) > 40
    assert not [line for line in copy.pids().values() if password in line]
    for command in (["vomind_queue", "doctor"], ["celery", "-A", "celery_app", "inspect", "conf"]):
        said = _run(copy, *command)
        assert "NOAUTH" not in said
        assert "refuses our credentials" not in said
        assert password not in said
    assert "redbeat" in said
    copy.process.send(signal.SIGINT)
    assert copy.process.wait(within_s=40) == 0
    assert password not in copy.process.output
    copy.start()
    with copy.valkey() as valkey:
        assert valkey.connection_pool.connection_kwargs["password"] == password
        assert valkey.ping()


def _run(copy: Copy, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env=copy.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_two_copies_run_side_by_side(copy: Copy, tmp_path: Path) -> None:
    """With ports and data of their own; one that would share either is told so."""
    copy.start()
    second = Copy(tmp_path / "second")
    second.directory.mkdir()
    # Its settings are in a file, and some of its environment is Kubernetes'.
    file = second.directory / "env"
    ports = ("PORT", "SIMULATOR_PORT", "FLOWER_PORT", "EMBEDDED_REDIS_PORT")
    file.write_text("".join(f"{name}={second.environment.pop(name)}\n" for name in ports))
    second.environment |= {"VOMIND_ENV_FILE": str(file), "REDIS_PORT": "tcp://10.96.0.12:6379"}
    try:
        second.start()
        second.post("schedule-call", {"to": "+1234567890"})
        until(lambda: second.completed("1"), within_s=20, what="the call is placed")
        assert copy.rings() == []
        assert second.process.stop(within_s=40) == 0
    finally:
        second.process.kill()
    second.environment["DATA_DIR"] = copy.environment["DATA_DIR"]
    second.process.start()
    assert second.process.wait(within_s=20) == 1
    assert (
        "it is in use by another copy; expected a directory that no other copy uses."
        in second.process.output
    )
    assert copy.get("stats")["success"]


def test_an_end_while_it_starts_leaves_nothing(copy: Copy) -> None:
    """Ctrl-C before anything is ready is a clean end as well."""
    copy.process.start()
    copy.process.wait_for("worker started", within_s=30)
    copy.process.send(signal.SIGINT)
    assert copy.process.wait(within_s=60) == 0
    assert copy.pids() == {}


def test_a_killed_stack_leaves_no_process_and_loses_no_call(copy: Copy) -> None:
    """After kill -9 nothing runs any more, and the next start places what was waiting."""
    copy.start()
    copy.post("schedule-delayed-call", {"to": "+1234567890", "delayMs": 3000})
    copy.process.send(signal.SIGKILL)
    copy.process.wait()
    until(lambda: not copy.pids(), within_s=30, what="all processes have ended")
    copy.start()
    until(lambda: copy.completed("1"), within_s=15, what="the call is placed")
    assert len(copy.rings()) == 1


def test_a_port_in_use_is_named(copy: Copy) -> None:
    """Nothing is started; the one line says which variable to change."""
    with socket.create_server(("127.0.0.1", copy.port)):
        copy.process.start()
        assert copy.process.wait(within_s=15) == 1
    line = f"Port {copy.port} is in use on 127.0.0.1: set PORT to another one.\n"
    assert copy.process.output == line
    assert copy.pids() == {}


def test_a_bad_setting_is_named(copy: Copy) -> None:
    """The one line says what is wrong, and nothing is started."""
    copy.environment["CALL_RATE_LIMIT"] = "fast"
    copy.process.start()
    assert copy.process.wait(within_s=15) == 1
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


def _logged(copy: Copy) -> list[str]:
    return [call["state"] for call in copy.get("../calls")["calls"]]
