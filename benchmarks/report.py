"""What was measured, as one table: ours, the peer's, the ratio of the medians."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The figure that stands for a measurement, the first of these that it has, and its unit.
HEADLINES = (("per_s", "/s"), ("p50_ms", "ms"), ("bytes", "bytes"), ("seconds", "s"))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measurement."""

    case: str
    what: str
    side: str
    noisy: bool
    figures: dict[str, float]


def read(path: Path) -> list[Line]:
    """The measurements in a file of raw lines."""
    lines = (json.loads(text) for text in path.read_text(encoding="utf-8").splitlines())
    return [_line(each) for each in lines]


def _line(raw: dict[str, Any]) -> Line:
    known = {name: raw[name] for name in ("case", "what", "side", "noisy", "figures")}
    return Line(**known)


def median(lines: Iterable[Line], figure: str) -> float | None:
    """Median of the quiet ones that have it; of the noisy ones where none was quiet."""
    having = [line for line in lines if line.figures.get(figure) is not None]
    quiet = [line for line in having if not line.noisy] or having
    return statistics.median(line.figures[figure] for line in quiet) if quiet else None


def table(lines: Sequence[Line]) -> str:
    """Medians in Markdown, in the order of measuring."""
    rows = [
        "| what | ours | peer | ratio | CPU µs ours | peer | Redis µs ours | peer | rounds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for what in dict.fromkeys(line.what for line in lines):
        own = [line for line in lines if line.what == what and line.side == "ours"]
        others = [line for line in lines if line.what == what and line.side == "peer"]
        rows.append(_row(what, own, others))
    return "\n".join(rows) + "\n"


def _row(what: str, own: Sequence[Line], others: Sequence[Line]) -> str:
    figures = (own or others)[0].figures
    figure, unit = next(each for each in HEADLINES if each[0] in figures)
    ours, theirs = median(own, figure), median(others, figure)
    ratio = f"{ours / theirs:.2f}" if ours and theirs else ""
    cells = [f"{what}, {unit}", shown(ours), shown(theirs), ratio]
    for cost in ("cpu_us", "redis_us"):
        cells += [shown(median(own, cost)), shown(median(others, cost))]
    return f"| {' | '.join([*cells, _rounds(own, others)])} |"


def _rounds(own: Sequence[Line], others: Sequence[Line]) -> str:
    return "/".join(str(sum(not line.noisy for line in side)) for side in (own, others))


def shown(value: float | None) -> str:
    """A figure with three digits that say something."""
    if value is None:
        return ""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}"
