"""Clocks of this machine, for time spans that must not be misjudged."""

from __future__ import annotations

import time


def boottime() -> float:
    """Seconds that go on while the machine or the process sleeps, from an unknown start.

    ``CLOCK_BOOTTIME`` where the system has it: a monotonic clock stands still
    while a laptop or a virtual machine is suspended.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
