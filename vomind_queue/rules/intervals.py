"""Sets of instants: sorted, disjoint, half-open intervals in ms since 1970.

Places are compared by instants and never by times of day: two zones may be three hours apart on
the clock and a day apart in date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: ``(start, end)``, the end excluded.
Interval = tuple[int, int]
Intervals = tuple[Interval, ...]


def union(intervals: Iterable[Interval]) -> Intervals:
    """Return the instants that are in any of them; intervals that touch become one."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def intersection(first: Intervals, second: Intervals) -> Intervals:
    """Return the instants that are in both."""
    found: list[Interval] = []
    i = j = 0
    while i < len(first) and j < len(second):
        start = max(first[i][0], second[j][0])
        end = min(first[i][1], second[j][1])
        if start < end:
            found.append((start, end))
        if first[i][1] <= second[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def next_in(intervals: Sequence[Interval], instant: int) -> int | None:
    """Return the first instant of the set that is not before the given one; None: there is none."""
    for start, end in intervals:
        if instant < end:
            return max(start, instant)
    return None
