"""The interface of the do-not-call list's second home, beside the call log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vomind_queue.calls.do_not_call import Change


class Listings(Protocol):
    """Changes of the list; writes may be repeated. Every method may raise LogUnavailable."""

    def note(self, changes: Sequence[Change]) -> None:
        """Store changes, in order."""
        ...

    def after(self, name: str, limit: int) -> Sequence[Change]:
        """Return up to ``limit`` changes in order, those after the one with that id."""
        ...


def sortable(name: str) -> str:
    """Return the id of a change so that ids sort as texts: Redis writes ``ms-number``."""
    ms, _, number = name.partition("-")
    return f"{int(ms):015d}-{int(number):09d}"
