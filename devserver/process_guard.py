"""Ends what the stack has started when the stack itself is killed.

``kill -9`` leaves the stack no moment to end anything. So each command writes its process id into
a file before it runs, and a process beside the stack waits for the stack's end and then asks all
of them to end. POSIX has all that this needs: Linux's ``PR_SET_PDEATHSIG`` is not on macOS.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress

#: Between two checks of the stack, s.
POLL_INTERVAL_S = 0.2
#: This file as a program: without site-packages it starts at once.
_PROGRAM = (sys.executable, "-I", "-S", __file__)


class ProcessGuard:
    """Ties commands to this process while it is entered."""

    def __init__(self) -> None:
        descriptor, self._notes = tempfile.mkstemp(prefix="vomind-stack-")
        os.close(descriptor)

    def __enter__(self) -> None:
        line = (*_PROGRAM, "watch", self._notes, str(os.getpid()))
        # Ctrl-C in the terminal must not end it before the commands.
        self._watch = subprocess.Popen(line, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603

    def __exit__(self, *_: object) -> None:
        self._watch.kill()
        self._watch.wait()
        with suppress(FileNotFoundError):
            os.unlink(self._notes)  # noqa: PTH108

    def command(self, command: Sequence[str]) -> Sequence[str]:
        """Return the command line that runs ``command`` tied to this process."""
        return (*_PROGRAM, "run", self._notes, str(os.getpid()), *command)

    def shell(self, command: str) -> str:
        """Return the same for a line of a shell."""
        return f"exec {shlex.join(self.command(()))} {command}"


def _run(notes: str, stack: int, command: list[str]) -> None:
    """Note this process, then become the command."""
    try:
        noted = os.open(notes, os.O_WRONLY | os.O_APPEND)
        os.kill(stack, 0)
    except (FileNotFoundError, ProcessLookupError):
        sys.exit("the stack has ended")
    text = f"{os.getpid()} {signal.SIGTERM:d}\n"
    if os.getppid() != stack:
        # honcho's process in between, which does not listen and would wait for its reader.
        text += f"{os.getppid()} {signal.SIGKILL:d}\n"
    os.write(noted, text.encode())
    os.close(noted)
    os.execvp(command[0], command)  # noqa: S606


def _watch(notes: str, stack: int) -> None:
    """Wait for the end of the stack, then end all that are noted."""
    while os.getppid() == stack:
        time.sleep(POLL_INTERVAL_S)
    with open(notes, encoding="ascii") as noted:  # noqa: PTH123
        os.unlink(notes)  # noqa: PTH108
        # A command that had opened the file may be about to write.
        time.sleep(POLL_INTERVAL_S)
        for line in noted:
            pid, number = line.split()
            with suppress(ProcessLookupError):
                os.kill(int(pid), int(number))


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        _watch(sys.argv[2], int(sys.argv[3]))
    else:
        _run(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
