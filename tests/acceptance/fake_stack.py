"""A supervisor over small programs that are given as JSON: ``[[name, code], …]``."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from vomind_queue.stack.supervisor import Part, Supervisor


class Never:
    """Asks in vain."""

    async def ready(self) -> None:
        """Waits for what does not come."""
        await asyncio.Event().wait()


def main() -> None:
    """Runs the programs of the first argument, each with a grace of 1 s."""
    parts = [
        Part(
            name=name,
            command=(sys.executable, "-u", "-c", code),
            environment=dict(os.environ),
            grace_s=1,
            probe=Never() if name == "bad" else None,
        )
        for name, code in json.loads(sys.argv[1])
    ]
    supervisor = Supervisor(parts)
    sys.exit(not asyncio.run(supervisor.run(lambda: print("all started", flush=True))))


if __name__ == "__main__":
    main()
