"""Decide whether a person may be called at an instant: go, wait, or it cannot be told.

One pure function. Previews and explanations show its words; the script that writes the dial marker
judges by the same numbers, on the clock of Redis.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache, partial
from importlib.metadata import version
from zoneinfo import ZoneInfo

from vomind_queue.rules.closed_days import is_eve, name_of
from vomind_queue.rules.hours import WeeklyHours, local_time, open_instants
from vomind_queue.rules.intervals import Intervals, intersection, next_in, union
from vomind_queue.rules.law import (
    ClosedDay,
    Holidays,
    Mode,
    Purpose,
    Rule,
    Why,
    courtesy,
    rows,
    text_of_law,
)
from vomind_queue.rules.places import Place, Places

_DAY_MS = 86_400_000
#: How far ahead open hours are looked for, ms: 14 days.
HORIZON_MS = 14 * _DAY_MS
#: Calendars that are kept; a few hundred are in use.
_KEPT = 2_048
_WHOLE_DAY: Intervals = ((0, 24 * 60),)
#: Packages whose data the hours depend on.
_SOURCES = ("holidays", "phonenumbers", "tzdata")


class Kind(StrEnum):
    """The verdicts."""

    GO = "go"
    WAIT = "wait"
    UNKNOWN = "unknown"


#: What becomes of a number that does not tell where it is, where no zone is named for it: it waits
#: until somebody names one, or it rings when every zone of its country code is open.
HOLD, STRICTEST = "hold", "strictest"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rulebook:
    """The rules that hold in an installation; compared by identity, so that it is a cheap key."""

    mode: Mode
    law: tuple[Rule, ...] = ()
    courtesy: Rule | None = None
    #: What the operator allows at most; it narrows only.
    own_hours: WeeklyHours | None = None
    closed: tuple[ClosedDay, ...] = ()
    #: ``hold``, ``strictest`` or the IANA name of a zone.
    unknown_zone: str = HOLD
    #: Of calls that do not name one.
    purpose: Purpose = Purpose.MARKETING

    def rules_for(self, place: Place, purpose: Purpose) -> tuple[Rule, ...]:
        """Return the rules of a place; the courtesy hours where no law has any."""
        found = tuple(rule for rule in self.law if rule.holds(place.region, purpose))
        if self.courtesy and not any(rule.hours for rule in found):
            found += (self.courtesy,)
        return found

    @property
    def digest(self) -> str:
        """What tells these rules, with the data that they rest on, from all others."""
        if self.mode is Mode.OFF:
            return Mode.OFF
        closed = sorted(each.id for each in self.closed)
        hours = str(self.own_hours) if self.own_hours else ""
        law = text_of_law() if self.law else ""
        versions = [version(name) for name in _SOURCES]
        whole = [self.mode, law, hours, closed, self.unknown_zone, self.purpose, versions]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is known of a call when it is judged."""

    places: Places
    purpose: Purpose


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgment:
    """The decision, and what it rests on."""

    kind: Kind
    why: Why = Why.NONE
    #: From when the call may start, ms since 1970; None: now, or not known.
    until: int | None = None
    #: The rules that hold for the call.
    rules: tuple[Rule, ...] = ()
    #: Where the person may be.
    places: tuple[Place, ...] = ()
    #: Open hours from now on.
    hours: Intervals = ()


def rulebook(
    mode: Mode,
    *,
    own_hours: WeeklyHours | None = None,
    closed: tuple[ClosedDay, ...] = (),
    unknown_zone: str = HOLD,
    purpose: Purpose = Purpose.MARKETING,
) -> Rulebook:
    """Return the rulebook of a mode, with an operator's own rules."""
    return Rulebook(
        mode=mode,
        law=rows() if mode is Mode.LAW else (),
        courtesy=None if mode is Mode.OFF else courtesy(),
        own_hours=own_hours,
        closed=closed,
        unknown_zone=unknown_zone,
        purpose=purpose,
    )


def judge(subject: Subject, now: int, book: Rulebook) -> Judgment:
    """Return whether a call may start at an instant, ms since 1970."""
    if book.mode is Mode.OFF:
        return Judgment(kind=Kind.GO)
    places = located(subject.places, book)
    rules = rules_of(places, subject.purpose, book)
    said = partial(Judgment, rules=rules, places=places)
    if not places:
        return said(kind=Kind.UNKNOWN, why=Why.UNKNOWN_ZONE)
    hours = intersection(
        _calendar(places, subject.purpose, now // _DAY_MS, book), ((now, now + HORIZON_MS),)
    )
    opens = next_in(hours, now)
    if opens is None:
        why = Why.NO_HOURS if subject.places.known else Why.UNKNOWN_ZONE
        return said(kind=Kind.UNKNOWN, why=why)
    if opens == now:
        return said(kind=Kind.GO, hours=hours)
    shut = any(is_closed_day(place, subject.purpose, now, book) for place in places)
    why = Why.CLOSED_DAY if shut else Why.HOURS
    return said(kind=Kind.WAIT, why=why, until=opens, hours=hours)


def located(places: Places, book: Rulebook) -> tuple[Place, ...]:
    """Return where a person may be by the rulebook; nothing where it cannot be told."""
    if places.known or book.unknown_zone == STRICTEST:
        return places.places
    if book.unknown_zone == HOLD:
        return ()
    regions = {place.region for place in places.places} or {""}
    return tuple(Place(region, book.unknown_zone) for region in sorted(regions))


def rules_of(places: tuple[Place, ...], purpose: Purpose, book: Rulebook) -> tuple[Rule, ...]:
    """Return the rules of all places, each once, in the order of their ids."""
    found = {rule.id: rule for place in places for rule in book.rules_for(place, purpose)}
    return tuple(found[name] for name in sorted(found))


def is_open(place: Place, purpose: Purpose, instant: int, book: Rulebook) -> bool:
    """Return whether a call may start at an instant if the person is at one place."""
    return all(_holds(place, instant, minutes) for minutes in _limits(place, purpose, book))


def is_closed_day(place: Place, purpose: Purpose, instant: int, book: Rulebook) -> bool:
    """Return whether the whole day is closed at a place."""
    day = local_time(instant, place.zone).date()
    return any(not minutes(day) for minutes in _limits(place, purpose, book))


def closing(place: Place, purpose: Purpose, instant: int, book: Rulebook) -> Rule | None:
    """Return the rule that closes a place at an instant; None where the operator's own do."""
    rules = book.rules_for(place, purpose)
    shut = (each for each in rules if not _holds(place, instant, partial(_rule_day, place, each)))
    return next(shut, None)


_Minutes = Callable[[date], Intervals]


def _holds(place: Place, instant: int, minutes: _Minutes) -> bool:
    clock = local_time(instant, place.zone)
    minute = clock.hour * 60 + clock.minute
    return any(first <= minute < last for first, last in minutes(clock.date()))


def _limits(place: Place, purpose: Purpose, book: Rulebook) -> Iterator[_Minutes]:
    """Yield what each rule leaves open of a day at a place, the operator's own first."""
    yield partial(_own_day, place, book)
    for rule in book.rules_for(place, purpose):
        yield partial(_rule_day, place, rule)


@lru_cache(maxsize=_KEPT)
def _calendar(places: tuple[Place, ...], purpose: Purpose, day: int, book: Rulebook) -> Intervals:
    """Return the instants at which every place is open, from a day (of UTC) to the horizon."""
    within = (day * _DAY_MS, (day + 1) * _DAY_MS + HORIZON_MS)
    found: Intervals = (within,)
    for place in places:
        for minutes in _limits(place, purpose, book):
            found = intersection(found, open_instants(minutes, ZoneInfo(place.zone), within))
    return found


def _own_day(place: Place, book: Rulebook, day: date) -> Intervals:
    """Return the minutes of a day that the operator leaves open."""
    if any(each.holds(day, place.region) for each in book.closed):
        return ()
    return book.own_hours(day) if book.own_hours else _WHOLE_DAY


def _rule_day(place: Place, rule: Rule, day: date) -> Intervals:
    """Return the minutes of a day that a rule leaves open."""
    hours = rule.hours(day) if rule.hours else _WHOLE_DAY
    days: Holidays | None = rule.holidays
    if days is None:
        return hours
    if name_of(day, days, place.region):
        return ()
    if days.eves and is_eve(day, days, place.region):
        return intersection(union(hours), (days.eves,))
    return hours
