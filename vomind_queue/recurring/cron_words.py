"""Patterns in English, by cronsim's words but where those would be misread."""

from __future__ import annotations

import re
from datetime import datetime

from cronsim import CronSim

_ANY_TIME = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock's
_MINUTES, _HOURS, _WEEKDAYS = 60, 24, 7


def in_words(fields: str) -> str:
    """Return what five fields mean: ``At 09:00 every day``."""
    if (step := _step_of(fields)) and _MINUTES % step == 0 and step > 1:
        return f"Every {step} minutes"
    minute, hour, day, month, weekday = fields.split()
    named = [_named(minute, _MINUTES), _named(hour, _HOURS), day, month]
    # Beside a day of the month, a star means that both days must match.
    named.append(_named(weekday, _WEEKDAYS, always=True) if day == "*" else weekday)
    words = CronSim(" ".join(named), _ANY_TIME).explain()
    return re.sub(r"([0-9]+)th\b", lambda found: _ordinal(int(found[1])), words)


def _step_of(fields: str) -> int:
    found = re.fullmatch(r"\*/([0-9]+) \* \* \* \*", fields)
    return int(found[1]) if found else 0


def _named(field: str, size: int, *, always: bool = False) -> str:
    """Return the values of ``*/7``, which is not every seventh: it begins again at 0."""
    found = re.fullmatch(r"\*/([0-9]+)", field)
    step = int(found[1]) if found else 1
    if step == 1 or (size % step == 0 and not always):
        return field
    return ",".join(map(str, range(0, size, step)))


def _ordinal(number: int) -> str:
    """Return ``1st``, ``22nd`` or ``13th``; cronsim knows the last ending only."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    is_teen = number // 10 % 10 == 1
    return f"{number}{'th' if is_teen else endings.get(number % 10, 'th')}"
