"""Runs a command that ends when the stack does, however the stack dies.

``python leash.py <pid of the stack> <command> …`` becomes the command. A stack killed with
``kill -9`` can end nobody, so the kernel is asked to send SIGTERM to the command when its parent
dies (``PR_SET_PDEATHSIG``, prctl(2), which survives execve). Linux only: elsewhere the command
simply runs.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import shlex
import signal
import sys
from collections.abc import Sequence

#: From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> Sequence[str]:
    """Return the command line that runs ``command`` tied to this process."""
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *command)


def leashed_shell(command: str) -> str:
    """Return the same for a line of a shell."""
    return f"exec {shlex.join(leashed(()))} {command}"


def leash_forks() -> None:
    """Let the kernel kill whatever this process forks from now on when this process dies.

    honcho forks a process for each command that it runs, which stands between us and the command.
    """
    if sys.platform == "linux":
        # From Python 3.14 on, a server of Python's own would do the forking.
        multiprocessing.set_start_method("fork", force=True)
        prctl = ctypes.CDLL(None).prctl
        os.register_at_fork(after_in_child=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL))


def main() -> None:
    """Tie this process to its parent, then become the command."""
    stack, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        try:
            # It may have died before the kernel was asked.
            os.kill(stack, 0)
        except ProcessLookupError:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
