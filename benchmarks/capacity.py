"""The tables of docs/capacity.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.lines import Line, median, shown

#: The cases whose figures stand there.
CASES = ("scripts", "idle-workers", "paces", "two-queues")
HOUR_S = 3600


def tables(lines: Sequence[Line]) -> Mapping[str, str]:
    """By the name of the place that each has in the document."""
    return {
        "paces": _paces(lines),
        "scripts": _scripts(lines),
        "idle": _idle(lines),
        "queues": _queues(lines),
    }


def _measured(lines: Sequence[Line], case: str) -> Iterator[tuple[str, list[Line]]]:
    mine = [line for line in lines if line.case == case]
    for what in dict.fromkeys(line.what for line in mine):
        yield what, [line for line in mine if line.what == what]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n" if rows else ""


def _paces(lines: Sequence[Line]) -> str:
    head = ["pace asked for", "placed a second", "calls an hour", "Redis µs a call"]
    head += ["Redis commands a call", "Redis, % of a core", "all else, CPU µs a call"]
    head += ["one core of Redis, calls an hour"]
    rows = []
    for what, found in _measured(lines, "paces"):
        rate, us = median(found, "per_s") or 0.0, median(found, "redis_us") or 0.0
        row = [what.split(" ")[0] + "/s", shown(rate), f"{rate * HOUR_S:,.0f}", shown(us)]
        row += [shown(median(found, n)) for n in ("commands_per_call", "redis_percent", "cpu_us")]
        rows.append([*row, f"{round(1e6 / us * HOUR_S, -4):,.0f}" if us else ""])
    return _table(head, rows)


def _scripts(lines: Sequence[Line]) -> str:
    head = ["", "longest, ms", "runs over 5 ms"]
    rows = [
        [what, shown(median(found, "ms")), shown(median(found, "over_5_ms"))]
        for what, found in _measured(lines, "scripts")
    ]
    return _table(head, rows)


def _idle(lines: Sequence[Line]) -> str:
    names = ("scripts_per_s", "commands_per_s", "redis_percent", "workers_percent")
    head = ["", "scripts/s at Redis", "commands/s, those in scripts included"]
    head += ["Redis, % of a core", "all workers, % of a core"]
    rows = [
        [what, *(shown(median(found, name)) for name in names)]
        for what, found in _measured(lines, "idle-workers")
    ]
    return _table(head, rows)


def _queues(lines: Sequence[Line]) -> str:
    head = ["", "calls/s", "Redis µs a call", "first Redis, % of a core", "second"]
    names = ("per_s", "redis_us", "redis1_percent", "redis2_percent")
    rows = [
        [what, *(shown(median(found, name)) for name in names)]
        for what, found in _measured(lines, "two-queues")
    ]
    return _table(head, sorted(rows))
