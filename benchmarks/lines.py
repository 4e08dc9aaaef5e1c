"""Raw lines read back, and their medians."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measurement."""

    case: str
    what: str
    side: str
    #: When it was noted, ISO 8601, and of which commit it is.
    at: str
    commit: str
    noisy: bool
    figures: dict[str, float | None]


def read(path: Path) -> list[Line]:
    """Return the measurements in a file of raw lines."""
    lines = (json.loads(text) for text in path.read_text(encoding="utf-8").splitlines())
    return [_line(each) for each in lines]


def _line(raw: dict[str, Any]) -> Line:
    known = ("case", "what", "side", "at", "commit", "noisy", "figures")
    return Line(**{name: raw[name] for name in known})


def median(lines: Iterable[Line], figure: str) -> float | None:
    """Return median of the quiet ones that have it; of the noisy ones where none was quiet."""
    having = [(line.noisy, line.figures.get(figure)) for line in lines]
    quiet = [value for noisy, value in having if value is not None and not noisy]
    found = quiet or [value for _, value in having if value is not None]
    return statistics.median(found) if found else None


def shown(value: float | None) -> str:
    """Return a figure with three digits that say something."""
    if value is None:
        return ""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}"
