"""``python -m tests.ways``: prints the three ways; ``--write`` puts them into the documentation."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.servers import Server
from tests.ways.drawing import drawn, write
from tests.ways.tree import twice
from tests.ways.walk import ways


def main() -> None:
    """Send a few calls through a separate, empty server."""
    with tempfile.TemporaryDirectory() as name:
        server = Server(kind="valkey", directory=Path(name) / "server")
        server.start()
        try:
            found = ways(Path(name), server.url)
        finally:
            server.kill()
    sys.stdout.write(drawn(found))
    for way, seen in found.items():
        for function in twice(seen):
            sys.stdout.write(f"\n{way}: reached in two ways: {function}\n")
    if "--write" in sys.argv:
        write(found)


if __name__ == "__main__":
    main()
