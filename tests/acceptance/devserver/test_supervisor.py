"""The stack over small programs: what dies ends the rest with words, nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack import READY_S, ROOT, Process, until

#: Runs a stack of the programs that it is given as JSON.
FAKE_STACK = "tests.acceptance.devserver.fake_stack"
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
    """Starts a stack of programs given by name, and ends all of them at the end."""
    started: list[Process] = []

    def _start(**programs: str) -> Process:
        process = Process(
            name="stack",
            arguments=(
                "-m",
                FAKE_STACK,
                json.dumps(list(programs.items())),
            ),
            environment=dict(os.environ),
            log=tmp_path / "stack.log",
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


def pids(process: Process) -> list[int]:
    """Return the pids that programs have said so far; a server's lines have no name in front."""
    found = re.findall(r"^(?:\S+ \w+ +\| )?pid (\d+)", process.output, re.MULTILINE)
    return [int(pid) for pid in found]


def _named(process: Process, name: str) -> list[int]:
    found = re.findall(rf"^\S+ {name} +\| pid (\d+)", process.output, re.MULTILINE)
    return [int(pid) for pid in found]


def runs(pid: int) -> bool:
    """Return whether a process with that pid exists and is no zombie."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_in_the_opposite_order(start: Start, number: signal.Signals) -> None:
    """What the others need is asked last; the stack ends with 0 and leaves nothing."""
    process = start(one=POLITE, server=POLITE, two=POLITE)
    until(lambda: len(pids(process)) == 3, within_s=READY_S, what="three programs run")
    process.send(number)
    assert process.wait(within_s=READY_S) == 0
    asked = re.findall(r"^(?:\S+ (\w+) +\| )?asked to end", process.output, re.MULTILINE)
    assert sorted(asked[:2]) == ["one", "two"]
    assert asked[2:] == [""]
    assert not any(map(runs, pids(process)))


@pytest.mark.parametrize("wait_s", [0, 0.1, 0.2, 0.3, 0.5])
def test_it_may_be_ended_while_it_starts(start: Start, wait_s: float) -> None:
    """However early the signal comes, nothing is left running."""
    process = start(server=POLITE, one=POLITE, two=POLITE)
    until(lambda: pids(process), within_s=READY_S, what="the server runs")
    time.sleep(wait_s)
    process.send(signal.SIGTERM)
    assert process.wait(within_s=READY_S) == 0
    assert not any(map(runs, pids(process)))


def test_what_dies_ends_the_rest_with_words(start: Start) -> None:
    """Nothing goes on without a part; the last line names the one that ended."""
    process = start(one=POLITE, server=POLITE, two=POLITE)
    until(lambda: len(pids(process)) == 3, within_s=READY_S, what="three programs run")
    os.kill(_named(process, "one")[0], signal.SIGKILL)
    assert process.wait(within_s=READY_S) == 1
    assert process.output.endswith(
        "one ended (status -9), so everything was ended; it says why above.\n"
    )
    assert process.output.count("asked to end") == 2
    assert not any(map(runs, pids(process)))


def test_a_server_that_dies_ends_the_rest_with_words(start: Start) -> None:
    """The same for what the others need."""
    process = start(one=POLITE, server=POLITE)
    until(lambda: len(pids(process)) == 2, within_s=READY_S, what="both run")
    process.wait_for("all is ready", within_s=READY_S)
    (server,) = set(pids(process)) - set(_named(process, "one"))
    os.kill(server, signal.SIGKILL)
    assert process.wait(within_s=READY_S) == 1
    assert "server ended (status -9), so everything was ended" in process.output
    assert not any(map(runs, pids(process)))


def test_what_does_not_end_when_asked_is_killed(start: Start) -> None:
    """A program that ignores SIGTERM holds up the end for its grace and no longer."""
    process = start(one=STUBBORN)
    until(lambda: pids(process), within_s=READY_S, what="the program runs")
    assert process.stop(within_s=20) == 0
    assert not runs(pids(process)[0])


def test_a_grace_is_granted(start: Start) -> None:
    """A program that takes a while to end is not killed because another one was quick."""
    slow = POLITE.replace('print("asked to end")', 'time.sleep(0.7); print("done")')
    process = start(one=slow, two=POLITE)
    until(lambda: len(pids(process)) == 2, within_s=READY_S, what="both run")
    assert process.stop(within_s=READY_S) == 0
    assert "| done" in process.output


def test_children_of_a_program_end_with_it(start: Start) -> None:
    """What a program has started is ended, too, also when it does not listen."""
    process = start(one=PARENT)
    until(lambda: pids(process), within_s=READY_S, what="the child runs")
    assert process.stop(within_s=READY_S) == 0
    assert not runs(pids(process)[0])


def test_a_killed_stack_leaves_no_orphan(start: Start) -> None:
    """After kill -9 of the stack there are no processes to look for."""
    process = start(one=POLITE, server=POLITE, two=POLITE)
    until(lambda: len(pids(process)) == 3, within_s=READY_S, what="three programs run")
    process.send(signal.SIGKILL)
    until(lambda: not any(map(runs, pids(process))), within_s=30, what="all have ended")


def test_the_stack_ends_when_nobody_listens_any_more() -> None:
    """`make run | head` ends the stack instead of leaving it running unseen."""
    chatty = "import time\nwhile True: print('on and on'); time.sleep(0.05)"
    command = [
        sys.executable,
        "-m",
        FAKE_STACK,
        json.dumps([["one", chatty]]),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.wait(60)


def test_long_lines_and_odd_bytes_pass(start: Start) -> None:
    """Output that is no text, or has no end, stops neither the program nor the stack."""
    odd = (
        "import sys, time; sys.stdout.buffer.write(b'\\xff' * 300_000 + b'\\nlast\\n');"
        "sys.stdout.flush(); time.sleep(60)"
    )
    process = start(one=odd)
    process.wait_for("one    | last", within_s=READY_S)


def test_a_program_that_cannot_start_ends_the_stack(start: Start) -> None:
    """What it said stays on the screen, and nothing is tried for ever."""
    process = start(good=POLITE, bad="import sys; sys.exit('a reason')")
    assert process.wait() == 1
    assert "bad ended (status 1)" in process.output
    assert "| a reason" in process.output
    assert not any(runs(pid) for pid in pids(process))
