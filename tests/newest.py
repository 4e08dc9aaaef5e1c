"""``python -m tests.newest``: the pins, but the frameworks as new as their majors allow.

What those need in their turn may move within its majors, too. All else stays as it is pinned.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

#: Not `pages.ROOT`: that room needs tools which only the other environment has.
ROOT = Path(__file__).parent.parent

#: What a service on public interfaces takes a new version of without a change.
FRAMEWORKS = ("flask", "werkzeug", "granian", "redis", "celery", "kombu")
#: Line of requirements.in below which nothing is imported by us.
NEEDED = "# Needed by those"


def relaxed(pins: str) -> Iterator[str]:
    """Yield the lines of a requirements file with upper bounds in the place of some pins."""
    ours = True
    for line in pins.splitlines():
        ours = ours and line != NEEDED
        name, pinned, rest = line.partition("==")
        version, gap, remark = rest.partition(" ")
        if pinned and (not ours or name.lower() in FRAMEWORKS):
            yield f"{name}>={version},<{int(version.split('.')[0]) + 1}{gap}{remark}"
        else:
            yield line


if __name__ == "__main__":
    for requirement in relaxed((ROOT / "requirements.in").read_text("utf-8")):
        sys.stdout.write(f"{requirement}\n")
