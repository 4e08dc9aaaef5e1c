"""New calls, as the scripts that store them are given them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from vomind_queue.calls.call import Call, NewCall
from vomind_queue.queue import call_record


class NewCalls:
    """What the scripts are told of new calls."""

    def __init__(self, expiry_ms: int | None) -> None:
        """``expiry_ms``: how long after it is due a call may start that does not say so itself."""
        #: The latest start of such calls, as in `includes/expiry.lua`.
        self.latest = "" if expiry_ms is None else f"+{expiry_ms}"

    def latest_of(self, call: Call) -> int | str:
        """Return the latest start of a call."""
        latest_ms = call.not_after_ms
        return self.latest if latest_ms is None else latest_ms

    def whole(self, news: Sequence[NewCall]) -> list[int | str]:
        """Return all that is stored of calls, one call after the other."""
        return [
            value
            for new in news
            for value in (
                call_record.encode(new.call),
                new.call.priority.rank,
                *times(new),
                self.latest_of(new.call),
            )
        ]


def moves(old: Call, new: NewCall) -> bool:
    """Return whether a change is about when the call is placed."""
    has_time = new.due_ms is not None or new.delay_ms is not None
    return has_time or new.call.not_after != old.not_after


def runs(news: Sequence[NewCall]) -> list[int]:
    """Return calls in a row that are alike: how many, rank, due ms and delay ms; -1 for none."""
    kinds = ((new.call.priority.rank, _or_none(new.due_ms), _or_none(new.delay_ms)) for new in news)
    return [
        value for kind, run in itertools.groupby(kinds) for value in (sum(1 for _ in run), *kind)
    ]


def _or_none(time_ms: int | None) -> int:
    return -1 if time_ms is None else time_ms


def times(new: NewCall) -> tuple[int | str, int | str]:
    """Return when a call is wanted and how long it is delayed, ms; '' for none."""
    due = "" if new.due_ms is None else new.due_ms
    delay = "" if new.delay_ms is None else new.delay_ms
    return due, delay
