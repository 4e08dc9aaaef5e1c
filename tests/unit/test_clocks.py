"""Clocks."""

from __future__ import annotations

import importlib
import time

import pytest

from vomind_queue import clocks
from vomind_queue.clocks import boottime


def test_it_goes_on() -> None:
    """In seconds, and never back."""
    before = boottime()
    time.sleep(0.01)
    assert 0.009 <= boottime() - before < 5


def test_without_a_clock_that_counts_sleep_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than on Linux the system's monotonic clock counts it, and Python's may not."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: {time.CLOCK_MONOTONIC: 42.0}[clock])
    assert importlib.reload(clocks).boottime() == 42
    monkeypatch.undo()
    importlib.reload(clocks)
