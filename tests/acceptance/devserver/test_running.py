"""`make run` while it runs: one copy for all tests here, which leave it running again."""

from __future__ import annotations

import os
import signal
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


@pytest.fixture(scope="module")
def of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy for all these tests; its start takes seconds."""
    made = Copy(tmp_path_factory.mktemp("run"))
    yield made
    made.end()


@pytest.fixture
def running(of_all: Copy) -> Iterator[Copy]:
    """That copy, started unless the test before has left it so; its words, if the test fails."""
    if not of_all.process.alive:
        of_all.start()
    yield of_all
    print(of_all.process.output[-8000:])


def test_a_killed_part_ends_all_with_words(running: Copy) -> None:
    """Nothing runs on in part and unseen; calls outlive it, and the next start goes on.

    Any part and the server, which the others need: `test_supervisor.py` has what else may die.
    """
    parts = {"worker": "celery_app worker", "valkey": "valkey-server"}
    for index, (name, words) in enumerate(parts.items()):
        running.post("pause", {})
        # Another number each time: nobody tells the next start that the last line ended.
        job_id = running.post("schedule-call", {"to": f"+1555010010{index}"})["jobId"]
        os.kill(running.pid_of(words), signal.SIGKILL)
        assert running.process.wait(within_s=60) == 1
        assert f"{name} ended (status -9), so everything was ended" in running.process.output
        assert running.pids() == {}
        running.start()
        running.post("resume", {})
        until(lambda job=job_id: running.completed(job), within_s=30, what="the call is placed")  # type: ignore[misc]


def test_a_call_that_is_being_placed_is_placed_to_its_end(running: Copy) -> None:
    """Ctrl-C waits for it: the worker ends before the simulator and the server do.

    The password of the server, which nothing has shown, is the same after the next start.
    """
    password = _password(running)
    faults = [{"fault": "slow", "ms": 6_500, "when": "after"}]
    simulator = f"http://127.0.0.1:{running.environment['SIMULATOR_PORT']}/simulator"
    requests.post(f"{simulator}/faults", json=faults, timeout=30).raise_for_status()
    job_id = running.post("schedule-call", {"to": "+15550000001"})["jobId"]
    until(lambda: running.rings("+15550000001"), within_s=30, what="the simulator has the call")
    running.process.send(signal.SIGINT)
    assert running.process.wait(within_s=40) == 0
    assert running.pids() == {}
    assert password not in running.process.output
    running.start()
    assert running.completed(job_id)
    with running.valkey() as valkey:
        assert valkey.connection_pool.connection_kwargs["password"] == password
        assert valkey.ping()


def _password(copy: Copy) -> str:
    text = (Path(copy.environment["DATA_DIR"]) / "valkey" / "access.conf").read_text()
    return text.split()[1]


def test_other_users_of_the_machine_are_kept_out_of_the_server(running: Copy) -> None:
    """The password is made once, lies where only this user reads, and is in no command line."""
    stranger = redis.Redis(port=int(running.environment["EMBEDDED_REDIS_PORT"]))
    for command in (["DBSIZE"], ["SET", "a", "b"], ["CONFIG", "GET", "requirepass"], ["MONITOR"]):
        with pytest.raises(redis.AuthenticationError):
            stranger.execute_command(*command)
    stranger.close()
    directory = Path(running.environment["DATA_DIR"]) / "valkey"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "access.conf").stat().st_mode & 0o777 == 0o600
    password = _password(running)
    assert len(password) > 40
    assert not [line for line in running.pids().values() if password in line]
    for command in (
        ["vomind_queue", "doctor"],
        ["celery", "-A", "celery_app", "inspect", "-t", "5", "conf"],
    ):
        said = _run(running, *command)
        assert "NOAUTH" not in said
        assert "refuses our credentials" not in said
        assert password not in said
    assert "redbeat" in said
    assert password not in running.process.output


def _run(copy: Copy, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env=copy.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.stdout + done.stderr


def test_two_copies_run_side_by_side(running: Copy, tmp_path: Path) -> None:
    """With their own ports and data; one that would share either is told so."""
    second = Copy(tmp_path / "second")
    second.directory.mkdir()
    # Its settings are in a file, and some of its environment is Kubernetes'.
    file = second.directory / "env"
    ports = ("PORT", "SIMULATOR_PORT", "FLOWER_PORT", "NOTIFIER_PORT", "EMBEDDED_REDIS_PORT")
    file.write_text("".join(f"{name}={second.environment.pop(name)}\n" for name in ports))
    second.environment |= {"VOMIND_ENV_FILE": str(file), "REDIS_PORT": "tcp://10.96.0.12:6379"}
    try:
        second.start()
        second.post("schedule-call", {"to": "+15550000002"})
        until(lambda: second.completed("1"), within_s=30, what="the call is placed")
        assert running.rings("+15550000002") == []
        assert second.process.stop(within_s=40) == 0
    finally:
        second.process.kill()
    second.environment["DATA_DIR"] = running.environment["DATA_DIR"]
    second.process.start()
    assert second.process.wait(within_s=60) == 1
    assert (
        "it is in use by another copy; expected a directory that no other copy uses."
        in second.process.output
    )
    assert running.get("stats")["success"]


def test_a_killed_stack_leaves_no_process_and_loses_no_call(running: Copy) -> None:
    """After kill -9 nothing runs any more, and the next start places what was waiting."""
    body = {"to": "+15550000003", "delayMs": 3000}
    job_id = running.post("schedule-delayed-call", body)["jobId"]
    running.process.send(signal.SIGKILL)
    running.process.wait()
    until(lambda: not running.pids(), within_s=30, what="all processes have ended")
    running.start()
    until(lambda: running.completed(job_id), within_s=30, what="the call is placed")
    assert len(running.rings("+15550000003")) == 1
