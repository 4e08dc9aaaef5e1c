"""The rules that hold: rows of law, the courtesy hours, and an operator's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Self

import yaml

from vomind_queue.rules.hours import WeeklyHours, parse, parse_range
from vomind_queue.rules.intervals import Interval

_CAP = re.compile(r"([0-9]{1,3})/([0-9]{1,4})([hd])")
_UNITS_MS = {"h": 3_600_000, "d": 86_400_000}
#: Starts of a person are kept so long, ms: 30 days.
LONGEST_CAP_MS = 30 * 86_400_000
MOST_STARTS = 40
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
    #: Life or safety; neither hours nor caps hold.
    EMERGENCY = "emergency"


class InvalidCap(ValueError):
    """The text is no cap of attempts."""


@dataclass(frozen=True, order=True, slots=True)
class Cap:
    """At most so many starts to a person within a rolling time."""

    most: int
    #: ms.
    within: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cap of ``3/24h`` or ``4/30d``. Raise InvalidCap."""
        found = _CAP.fullmatch(text.strip().lower())
        if not found:
            raise InvalidCap(f'"{text}": expected a number and a time, such as 3/24h or 4/30d')
        most, within = int(found[1]), int(found[2]) * _UNITS_MS[found[3]]
        if not 1 <= most <= MOST_STARTS or not 1 <= within <= LONGEST_CAP_MS:
            raise InvalidCap(f'"{text}": expected 1 to {MOST_STARTS} starts within at most 30d')
        return cls(most, within)

    def __str__(self) -> str:
        """Return the cap as it is written."""
        unit = "h" if self.within % _UNITS_MS["d"] or self.within == _UNITS_MS["d"] else "d"
        return f"{self.most}/{self.within // _UNITS_MS[unit]}{unit}"

    def free_at(self, starts: tuple[int, ...], now: int) -> int:
        """Return from when one more start is allowed, ms since 1970; starts are in order."""
        counted = [start for start in starts if start > now - self.within]
        return now if len(counted) < self.most else counted[-self.most] + self.within


@dataclass(frozen=True, kw_only=True, slots=True)
class Holidays:
    """Closed days of a year."""

    #: ISO 3166, with the state or province where it has days of its own; empty: the place's own.
    of: str = ""
    #: ``MM-DD`` of further days each year.
    also: tuple[str, ...] = ()
    #: What narrows the hours of the day before, minutes of that day.
    eves: Interval | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When and how often people of a region may be called, for some purposes."""

    id: str
    name: str
    #: ISO 3166; empty: everywhere.
    region: str
    applies: frozenset[Purpose]
    #: Only where a machine speaks.
    recorded_only: bool = False
    hours: WeeklyHours | None = None
    holidays: Holidays | None = None
    caps: tuple[Cap, ...] = ()
    #: Consent to be called at that time lifts the hours.
    consent_lifts_hours: bool = False
    source: str
    #: Year and month.
    as_of: str
    #: A: read in the law. B: two sources agree. Empty: no law.
    sure: str = ""

    def holds(self, region: str, purpose: Purpose, *, recorded: bool) -> bool:
        """Return whether the rule says anything of a call to a region."""
        within = not self.region or region == self.region or region.startswith(f"{self.region}-")
        return within and purpose in self.applies and (recorded or not self.recorded_only)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedDay:
    """A day that the operator closed, such as one that a governor proclaimed."""

    day: date
    #: ISO 3166; empty: everywhere.
    region: str
    name: str


@cache
def rows() -> tuple[Rule, ...]:
    """Return the rows of law that ship with the service."""
    text = resources.files(__package__).joinpath("data/law.yaml").read_text("utf-8")
    return tuple(_rules(yaml.safe_load(text)))


def courtesy(hours: str = COURTESY_HOURS) -> Rule:
    """Return the rule for wherever no row has hours. Raise InvalidHours."""
    return Rule(
        id=COURTESY,
        name="Courtesy",
        region="",
        applies=frozenset(Purpose) - {Purpose.EMERGENCY},
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
            recorded_only=row["voice"] == "recorded",
            hours=parse(row["hours"]) if "hours" in row else None,
            holidays=_holidays(row["holidays"]) if "holidays" in row else None,
            caps=tuple(map(Cap.parse, row.get("caps", ()))),
            consent_lifts_hours=row.get("consentLiftsHours", False),
            source=row["source"],
            as_of=str(row["asOf"]),
            sure=row["sure"],
        )


def _holidays(row: Mapping[str, Any]) -> Holidays:
    eves = parse_range(row["eves"]) if "eves" in row else None
    return Holidays(of=row["of"], also=tuple(row.get("also", ())), eves=eves)
