"""Runs a command that ends when its parent does, however the parent dies.

``python leash.py <parent's pid> <command> …`` becomes the command. A parent
killed with ``kill -9`` can end nobody; so the kernel is asked to send SIGTERM
then (``PR_SET_PDEATHSIG``, prctl(2), which survives execve). Linux only:
elsewhere the command simply runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

#: From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ties this process to its parent, then becomes the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have died before the kernel was asked.
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
