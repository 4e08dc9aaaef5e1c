"""How tests are spread over the workers of ``pytest --dist loadgroup``."""

from __future__ import annotations

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


def group_of(path: str) -> str | None:
    """Return the group of a test file, relative to the root; None: its tests have none."""
    for together in TOGETHER:
        if path.startswith(together):
            return together
    return None if path.startswith(ONE_BY_ONE) else path
