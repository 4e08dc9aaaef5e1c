"""Public holidays of a region, from the package of that name, and days that an operator closed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

import holidays

from vomind_queue.rules.law import ClosedDay, Holidays

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


def closed_by_operator(day: date, region: str, closed: Iterable[ClosedDay]) -> str:
    """Return the name of the closed day that a date is for a region; empty if it is none."""
    for each in closed:
        everywhere = not each.region
        if each.day == day and (
            everywhere or region == each.region or region.startswith(f"{each.region}-")
        ):
            return each.name
    return ""


@lru_cache(maxsize=_KEPT)
def _of_year(region: str, year: int) -> dict[date, str]:
    """Return a year's holidays; none for a region that the package does not know."""
    country, _, part = region.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        return {}
    subdivision = part if part in known[country] else None
    return dict(holidays.country_holidays(country, subdiv=subdivision, years=year))
