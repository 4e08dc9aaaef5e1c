"""The same task for RQ, which wants a function that it can import."""

from __future__ import annotations

from benchmarks.baselines.trace import work


def place_call(number: int, call: dict[str, object], ms: float = 0) -> None:  # noqa: ARG001
    """Take the call that ours takes, and do as much with it."""
    work(number, ms)
