"""Asking again while the service is away for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from vomind_queue.cli.client import ApiFault

T = TypeVar("T")
#: Hears of a failure, and of the wait after it in seconds.
Tell = Callable[[ApiFault, float], None]

#: The longest wait between two tries, s.
LONGEST_S = 15.0


def pauses() -> Iterator[float]:
    """How long to wait before each further try, s: a second, then twice as long each time."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_S)


def patiently(ask: Callable[[], T], *, for_s: float, tell: Tell | None = None) -> T:
    """What ``ask`` returns, tried again for so long while the service cannot be reached.

    ``tell`` hears of each failure and of the wait after it. Raises ApiFault.
    """
    deadline = time.monotonic() + for_s
    for pause_s in pauses():
        try:
            return ask()
        except ApiFault as fault:
            wait_s = max(pause_s, fault.retry_after_s or 0)
            if not fault.passing or time.monotonic() + wait_s > deadline:
                raise
            if tell:
                tell(fault, wait_s)
            time.sleep(wait_s)
    raise AssertionError("the pauses never end")
