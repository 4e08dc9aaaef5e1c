"""Processes that are forked end, are killed and answer as those that Python itself starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nursery import Child, Nursery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")

#: Ends with status 2, and says why.
REFUSED = ["-m", "vomind_queue.processes.web"]
#: Runs until it is told to end.
RUNS = ["-m", "simulator"]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """One beside that of the run; its imports take seconds."""
    made = Nursery()
    yield made
    made.close()


def started(nursery: Nursery, arguments: list[str], log: Path, **environment: str) -> Child:
    """A child that writes to that file."""
    with log.open("ab") as output:
        assert nursery.takes(arguments, environment)
        return nursery.start(arguments, environment, output.fileno())


def test_an_exit_status_and_the_last_words_arrive(nursery: Nursery, tmp_path: Path) -> None:
    """Of a process that refuses its settings, which are its own alone."""
    log = tmp_path / "log"
    child = started(nursery, REFUSED, log, VOMIND_ENV_FILE="", CALL_RATE_LIMIT="fast")
    by_command = subprocess.run(
        [sys.executable, *REFUSED],
        env={"VOMIND_ENV_FILE": "", "CALL_RATE_LIMIT": "fast"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert child.wait(60) == by_command.returncode != 0
    assert log.read_text() == by_command.stdout + by_command.stderr


def test_a_child_is_killed_at_once_by_its_session(nursery: Nursery, tmp_path: Path) -> None:
    """As soon as its id is known, and with all that it started."""
    child = started(nursery, RUNS, tmp_path / "log", SIMULATOR_PORT="0")
    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    assert child.wait(60) == -signal.SIGKILL
    assert child.poll() == -signal.SIGKILL
