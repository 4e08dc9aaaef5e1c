"""The second home of the do-not-call list and of closed days, beside the call log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vomind_queue.calls.do_not_call import Change
from vomind_queue.rules.law import ClosedDay


class Listings(Protocol):
    """Changes of the list, and closed days; writes may be repeated. May raise LogUnavailable."""

    def note(self, changes: Sequence[Change]) -> None:
        """Store changes, in order."""
        ...

    def after(self, name: str, limit: int) -> Sequence[Change]:
        """Return up to ``limit`` changes in order, those after the one with that id."""
        ...

    def keep_days(self, days: Sequence[ClosedDay]) -> None:
        """Store all days that are closed at run time, in the place of those stored before."""
        ...

    def days(self) -> Sequence[ClosedDay]:
        """Return the stored days."""
        ...


def sortable(name: str) -> str:
    """Return the id of a change so that ids sort as texts: Redis writes ``ms-number``."""
    ms, _, number = name.partition("-")
    return f"{int(ms):015d}-{int(number):09d}"
