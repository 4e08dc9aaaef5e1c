"""A supervisor over small programs that are given as JSON: ``[[name, code], …]``."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from vomind_queue.stack.supervisor import Part, Supervisor


def main() -> None:
    """Runs the programs of the first argument, each with a grace of 1 s."""
    parts = [
        Part(
            name=name,
            command=(sys.executable, "-u", "-c", code),
            environment=dict(os.environ),
            grace_s=1,
            probe=None,
        )
        for name, code in json.loads(sys.argv[1])
    ]
    asyncio.run(Supervisor(parts).run(lambda: print("all started", flush=True)))


if __name__ == "__main__":
    main()
