"""Clocks of this machine, for time spans that must not be misjudged."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

#: Returns seconds since an arbitrary start, counting time in which the machine sleeps.
#: On Linux only ``CLOCK_BOOTTIME`` counts them. On macOS ``CLOCK_MONOTONIC`` does, whereas
#: `time.monotonic` reads another clock that stands still.
boottime: Callable[[], float] = partial(
    time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
)
