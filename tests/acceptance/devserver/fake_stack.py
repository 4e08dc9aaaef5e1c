"""A stack over small programs that are given as JSON: ``[[name, code], …]``.

A name that begins with ``server`` is a server, which the others need.
"""

from __future__ import annotations

import json
import os
import shlex
import sys

from devserver.processes import Stack
from devserver.servers import Server


def main() -> None:
    """Run the programs of the first argument, each with a grace of 1 s."""
    programs = {name: (sys.executable, "-u", "-c", code) for name, code in json.loads(sys.argv[1])}
    servers = [
        Server(name=name, command=line, environment=os.environ, ready=lambda: True, grace_s=1)
        for name, line in programs.items()
        if name.startswith("server")
    ]
    lines = {
        name: shlex.join(line) for name, line in programs.items() if not name.startswith("server")
    }
    stack = Stack(servers, lines, os.environ, grace_s=1)
    sys.exit(not stack.run([], "all is ready"))


if __name__ == "__main__":
    main()
