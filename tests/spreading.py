"""How ``make test`` spreads tests: which go to one worker of xdist, and which run alone."""

from __future__ import annotations

import pytest

#: What all but a few tests are in, and what is run after it: those that judge time.
PARTS = ("together", "alone")

#: What takes long to start serves all tests of one of these: they go to one worker together.
TOGETHER = (
    "tests/acceptance/devserver/test_running.py",
    "tests/acceptance/calls/test_status_callbacks.py",
    "tests/acceptance/web/test_http_server.py",
    "tests/acceptance/calls/test_ways.py",
    "tests/browser/",
    "tests/contract/",
    "tests/integration/call_log/",
)
#: Each of these starts processes for itself and takes seconds: they go out one by one.
ONE_BY_ONE = ("tests/acceptance/", "tests/chaos/", "tests/reference/test_any_request.py")

#: These take minutes, one after the other: begun late, they would go on when all else is over.
FIRST = ("tests/reference/test_any_request.py", "tests/browser/")


def part_of(item: pytest.Item) -> str:
    """Return which of ``PARTS`` a test is in."""
    return "together" if item.get_closest_marker("alone") is None else "alone"


def group_of(path: str) -> str | None:
    """Return the group of a test file, relative to the root; None: its tests have none."""
    for together in TOGETHER:
        if path.startswith(together):
            return together
    return None if path.startswith(ONE_BY_ONE) else path


def turn(path: str, *, slow: bool, together: int) -> tuple[int, int]:
    """Return what tests are sorted by: when one is begun that has so many in its group.

    Those that take minutes, then other slow ones; then large groups before small ones, and last
    what is quick and goes by itself, so that all workers end at about the same time.
    """
    for place, first in enumerate(FIRST):
        if path.startswith(first):
            return place, 0
    if group_of(path) is None:
        return len(FIRST) + (0 if slow else 2), 0
    return len(FIRST) + 1, -together
