"""Public holidays of a region, from the package of that name."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from vomind_queue.rules.law import Holidays

#: Regions and years whose days are kept.
_KEPT = 512


def name_of(day: date, days: Holidays, region: str) -> str:
    """Return the name of the holiday that a date is; empty if it is none."""
    if f"{day:%m-%d}" in days.also:
        return "a legal holiday"
    return _of_year(days.of or region, day.year).get(day, "")


def is_eve(day: date, days: Holidays, region: str) -> bool:
    """Return whether the day after is a holiday."""
    return bool(name_of(day + timedelta(days=1), days, region))


@lru_cache(maxsize=_KEPT)
def _of_year(region: str, year: int) -> dict[date, str]:
    """Return a year's holidays; none for a region that the package does not know."""
    country, _, part = region.partition("-")
    known = _supported()
    if country not in known:
        return {}
    subdivision = part if part in known[country] else None
    return dict(_package().country_holidays(country, subdiv=subdivision, years=year))


@cache
def _supported() -> dict[str, list[str]]:
    found: dict[str, list[str]] = _package().list_supported_countries()
    return found


def _package() -> Any:
    # Not at the top: it takes a quarter of a second in each process, and without rules none asks.
    return import_module("holidays")
