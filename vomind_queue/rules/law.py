"""The rules that hold: rows of law, the courtesy hours, and an operator's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import yaml

from vomind_queue.rules import caps
from vomind_queue.rules.caps import Cap
from vomind_queue.rules.hours import WeeklyHours, parse, parse_range
from vomind_queue.rules.intervals import Interval
from vomind_queue.rules.places import is_region

#: Where no row has hours for a call, these hold: a courtesy, and no law.
COURTESY = "courtesy"
COURTESY_HOURS = "mon-sat 09:00-20:00, sun closed"


class Mode(StrEnum):
    """Which rules hold."""

    #: None.
    OFF = "off"
    #: The courtesy hours everywhere.
    COURTESY = "courtesy"
    #: The rows of law, and the courtesy hours where no row has any.
    LAW = "law"


class Purpose(StrEnum):
    """Why a person is called."""

    #: Sells something; the strictest, and so the default.
    MARKETING = "marketing"
    #: An appointment, a delivery, a notice.
    INFORMATIONAL = "informational"
    #: Collects a debt.
    DEBT = "debt"
    #: Warns of a danger; only keys that may override rules call for that.
    EMERGENCY = "emergency"


class Why(StrEnum):
    """What keeps a call from being placed now."""

    NONE = ""
    #: Somewhere where the person may be, it is outside the hours.
    HOURS = "hours"
    #: Somewhere where the person may be, the whole day is closed.
    CLOSED_DAY = "closed-day"
    #: The places where the person may be have no open hour in common.
    NO_HOURS = "no-hours"
    #: Its campaign is not to call at this hour.
    CAMPAIGN_HOURS = "campaign-hours"
    #: The number does not tell where it is.
    UNKNOWN_ZONE = "unknown-zone"
    #: The person was called as often as is allowed.
    CAP = "cap"
    #: The rules could not be applied: nothing rings until they can.
    RULES_BEHIND = "rules-behind"


#: What an API key of OVERRIDE_KEYS may lift for a call.
LIFTABLE = (Why.HOURS, Why.CLOSED_DAY, Why.CAP, Why.UNKNOWN_ZONE)
#: What may hold a call.
HOLDING = tuple(why for why in Why if why)
#: What may hold a call until a time that is known.
TIMED = (Why.HOURS, Why.CLOSED_DAY, Why.CAMPAIGN_HOURS, Why.CAP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Holidays:
    """Closed days of a year."""

    #: ISO 3166, with the state or province where its days differ; empty: those of the place.
    of: str = ""
    #: ``MM-DD`` of further days each year.
    also: tuple[str, ...] = ()
    #: What narrows the hours of the day before, minutes of that day.
    eves: Interval | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When people of a region may be called, for some purposes."""

    id: str
    name: str
    #: ISO 3166; empty: everywhere.
    region: str
    applies: frozenset[Purpose]
    hours: WeeklyHours | None = None
    holidays: Holidays | None = None
    #: How often a person may be called.
    caps: tuple[Cap, ...] = ()
    source: str
    #: Year and month.
    as_of: str
    #: A: read in the law. B: two sources agree. Empty: no law.
    sure: str = ""

    def holds(self, region: str, purpose: Purpose) -> bool:
        """Return whether the rule says anything of a call to a region."""
        within = not self.region or region == self.region or region.startswith(f"{self.region}-")
        return within and purpose in self.applies


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedDay:
    """A day that the operator closed, or several in a row, such as a governor proclaims."""

    day: date
    #: ISO 3166; empty: everywhere.
    region: str = ""
    #: The last of several days.
    last: date | None = None
    #: Why, in the operator's words.
    reason: str | None = None
    #: Name of the API key that closed it, and when, unix ms on Redis's clock; ``None`` for a
    #: day of the settings.
    by: str | None = None
    at_ms: int | None = None

    @property
    def id(self) -> str:
        """The day as `closed_day` reads it."""
        days = f"{self.day}..{self.last}" if self.last else f"{self.day}"
        return f"{self.region}:{days}" if self.region else days

    def holds(self, day: date, region: str) -> bool:
        """Return whether a date is closed for a region."""
        within = not self.region or region == self.region or region.startswith(f"{self.region}-")
        return within and self.day <= day <= (self.last or self.day)


def closed_day(text: str) -> ClosedDay:
    """Return the day that ``2026-12-24``, ``US-LA:2027-02-09..2027-02-11`` names.

    Raise ValueError.
    """
    region, _, days = text.rpartition(":")
    first, _, last = days.partition("..")
    if region and not is_region(region):
        raise ValueError(text)
    day, end = date.fromisoformat(first), date.fromisoformat(last) if last else None
    if end is not None and end <= day:
        raise ValueError(text)
    return ClosedDay(day=day, region=region, last=end)


@cache
def text_of_law() -> str:
    """Return the table that ships with the service, as it is written."""
    return resources.files(__package__).joinpath("data/law.yaml").read_text("utf-8")


@cache
def rows() -> tuple[Rule, ...]:
    """Return its rows."""
    return tuple(_rules(yaml.safe_load(text_of_law())))


def courtesy(hours: str = COURTESY_HOURS) -> Rule:
    """Return the rule for wherever no row has hours. Raise InvalidHours."""
    return Rule(
        id=COURTESY,
        name="Courtesy",
        region="",
        applies=frozenset(Purpose),
        hours=parse(hours),
        holidays=Holidays(),
        source="no law; a custom of this service",
        as_of="2026-11",
    )


def _rules(found: list[Mapping[str, Any]]) -> Iterator[Rule]:
    for row in found:
        yield Rule(
            id=row["id"],
            name=row["name"],
            region=row["region"],
            applies=frozenset(map(Purpose, row["applies"])),
            hours=parse(row["hours"]) if "hours" in row else None,
            holidays=_holidays(row["holidays"]) if "holidays" in row else None,
            caps=caps.parse(row.get("caps", "")),
            source=row["source"],
            as_of=str(row["asOf"]),
            sure=row["sure"],
        )


def _holidays(row: Mapping[str, Any]) -> Holidays:
    eves = parse_range(row["eves"]) if "eves" in row else None
    return Holidays(of=row["of"], also=tuple(row.get("also", ())), eves=eves)
