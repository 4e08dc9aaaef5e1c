"""Times and durations as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"([0-9]{1,12})(ms|[smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_ms(text: str) -> int:
    """Milliseconds of ``90s``, ``15m`` or ``1h30m``. Raises ValueError."""
    plain = text.strip().lower()
    if not _WHOLE.fullmatch(plain):
        raise ValueError(text)
    return sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(plain))


class Duration(click.ParamType[int]):
    """A duration, as milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds."""
        if isinstance(value, int):
            return value
        try:
            return parse_ms(value)
        except ValueError:
            self.fail(f"{value!r} is no duration: write 90s, 15m, 2h, 1h30m or 7d.", param, ctx)


class Past(click.ParamType[str]):
    """A time, or how long ago; as the API takes it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """The time as it was written, or so long before now."""
        try:
            before = timedelta(milliseconds=parse_ms(value))
        except ValueError:
            # What it should look like the API says best.
            return str(value)
        return (datetime.now(UTC) - before).isoformat(timespec="milliseconds")


DURATION = Duration()
PAST = Past()
