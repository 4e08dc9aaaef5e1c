"""The threads of a worker that look again and again for what is due."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from vomind_queue.worker import Watcher


def test_workers_share_the_looks() -> None:
    """A hundred idle workers must not ask Redis as much as a hundred would alone."""
    company = SimpleNamespace(size=1)
    waits: list[float] = []

    def wait(pause_s: float) -> bool:
        waits.append(pause_s)
        company.size += 1
        return len(waits) == 3

    watcher = Watcher("looks", 0.5, lambda: 0, lambda: company.size)
    watcher._stopped = cast(Any, SimpleNamespace(wait=wait, is_set=lambda: False))
    watcher._run()
    assert waits == [0.5, 1.0, 1.5]
