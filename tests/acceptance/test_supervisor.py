"""The supervisor, over small programs: what dies is restarted, nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT, Process, until

#: Says its pid, and that it was asked to end.
POLITE = """
import os, signal, sys, time
def end(*_):
    print("asked to end"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("pid", os.getpid())
while True: time.sleep(1)
"""

#: Cannot be asked to end.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pid", os.getpid())
while True: time.sleep(1)
"""

#: Starts a child that would outlive it.
PARENT = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-u", "-c", {STUBBORN!r}])
while True: time.sleep(1)
"""

Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a supervisor over programs given by name, and ends all of them at the end."""
    started: list[Process] = []

    def _start(**programs: str) -> Process:
        process = Process(
            name="supervisor",
            arguments=("-m", "tests.acceptance.fake_stack", json.dumps(list(programs.items()))),
            environment=dict(os.environ),
            log=tmp_path / "supervisor.log",
        )
        started.append(process)
        process.start()
        return process

    yield _start
    for process in started:
        process.kill()
        for pid in pids(process):
            if runs(pid):
                os.kill(pid, signal.SIGKILL)


def pids(process: Process, name: str = r"\w+") -> list[int]:
    """The pids that programs have said so far."""
    return [int(pid) for pid in re.findall(rf"^{name} +\| pid (\d+)", process.output, re.MULTILINE)]


def runs(pid: int) -> bool:
    """Whether a process with that pid exists and is no zombie."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_in_the_opposite_order(start: Start, number: signal.Signals) -> None:
    """What was started last is asked first; the supervisor ends with 0 and leaves nothing."""
    process = start(one=POLITE, two=POLITE, three=POLITE)
    until(lambda: len(pids(process)) == 3, within_s=10, what="three programs run")
    process.send(number)
    assert process.wait(within_s=10) == 0
    asked = re.findall(r"^(\w+) +\| asked to end", process.output, re.MULTILINE)
    assert asked == ["three", "two", "one"]
    assert not any(map(runs, pids(process)))


def test_what_dies_is_started_again(start: Start) -> None:
    """A killed program is back within seconds; the others do not notice."""
    process = start(one=POLITE, two=POLITE)
    until(lambda: len(pids(process)) == 2, within_s=10, what="two programs run")
    other = pids(process, "two")
    os.kill(pids(process, "one")[0], signal.SIGKILL)
    until(lambda: len(pids(process, "one")) == 2, within_s=5, what="the second start")
    assert "one | ended (SIGKILL); started again in 0.5 s" in process.output
    assert pids(process, "two") == other
    assert all(map(runs, other))


def test_what_fails_at_once_is_not_started_in_a_hurry(start: Start) -> None:
    """A program that cannot start is tried at growing intervals, and said why."""
    process = start(broken="raise SystemExit('PORT is wrong')")
    process.wait_for("ended (status 1); started again in 1 s", within_s=10)
    assert "broken | PORT is wrong" in process.output


def test_what_does_not_end_when_asked_is_killed(start: Start) -> None:
    """A program that ignores SIGTERM holds up the end for its grace and no longer."""
    process = start(one=STUBBORN)
    until(lambda: pids(process), within_s=10, what="the program runs")
    assert process.stop(within_s=5) == 0
    assert "did not end within 1 s: killed" in process.output
    assert not runs(pids(process)[0])


def test_children_of_a_program_end_with_it(start: Start) -> None:
    """A killed program's own children are gone before it is started again."""
    process = start(one=PARENT)
    until(lambda: pids(process), within_s=10, what="the child runs")
    child = pids(process)[0]
    (parent,) = re.findall(
        r"^PPid:\t(\d+)", Path(f"/proc/{child}/status").read_text(), re.MULTILINE
    )
    os.kill(int(parent), signal.SIGKILL)
    until(lambda: not runs(child), within_s=5, what="the child ends")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_supervisor_leaves_no_orphan(start: Start) -> None:
    """Whoever kills the supervisor with -9 has no processes to look for."""
    process = start(one=POLITE, two=POLITE)
    until(lambda: len(pids(process)) == 2, within_s=10, what="two programs run")
    process.send(signal.SIGKILL)
    until(lambda: not any(map(runs, pids(process))), within_s=5, what="all have ended")
    assert process.output.count("asked to end") == 0, "nobody is left to pass it on"


def test_the_stack_ends_when_nobody_listens_any_more(tmp_path: Path) -> None:
    """`make run | head` ends the stack instead of leaving it running unseen."""
    chatty = "import time\nwhile True: print('on and on'); time.sleep(0.05)"
    command = [sys.executable, "-m", "tests.acceptance.fake_stack", json.dumps([["one", chatty]])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.wait(10)


def test_long_lines_and_odd_bytes_pass(start: Start) -> None:
    """Output that is no text, or has no end, stops neither the program nor the supervisor."""
    odd = "import sys; sys.stdout.buffer.write(b'\\xff' * 300_000 + b'\\nlast')"
    process = start(one=odd)
    process.wait_for("one | last", within_s=10)


def test_a_part_that_cannot_start_ends_the_stack(start: Start) -> None:
    """Three faulty ends before all was ready: the fault stays, and is not tried for ever."""
    supervisor = start(good=POLITE, bad="import sys; sys.exit('a reason')")
    assert supervisor.wait() != 0
    assert "bad cannot be started" in supervisor.output
    assert "a reason" in supervisor.output
    assert not any(runs(pid) for pid in pids(supervisor))
