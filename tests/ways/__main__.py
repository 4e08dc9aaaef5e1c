"""``python -m tests.ways``: prints the three ways and how many modules each has."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.servers import Server
from tests.ways.walk import ways

TITLES = {
    "post": "From a POST to its answer",
    "placing": "From the fetch to the written outcome",
    "callback": "Twilio's status callback",
}


def main() -> None:
    """Runs calls through an empty server of its own."""
    with tempfile.TemporaryDirectory() as name:
        server = Server(kind="valkey", directory=Path(name) / "server")
        server.start()
        try:
            found = ways(Path(name), server.url)
        finally:
            server.kill()
    for way, title in TITLES.items():
        tree = found[way]
        sys.stdout.write(f"{title}: {len(tree.modules())} modules\n\n{tree.drawn()}\n\n")
        for name in tree.twice():
            sys.stdout.write(f"Reached in two ways: {name}\n\n")


if __name__ == "__main__":
    main()
