"""Decide whether a person may be called at an instant: go, wait, never, or it cannot be told.

One pure function. Acceptance, previews and explanations show its words; the script that writes the
dial marker judges by the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from zoneinfo import ZoneInfo

from vomind_queue.rules.closed_days import closed_by_operator, is_eve, name_of
from vomind_queue.rules.hours import WeeklyHours, local_time, open_instants
from vomind_queue.rules.intervals import Interval, Intervals, intersection, next_in, union
from vomind_queue.rules.law import Cap, ClosedDay, Holidays, Mode, Purpose, Rule, courtesy, rows
from vomind_queue.rules.places import Place, Places

#: How far ahead open hours are computed, ms: 14 days.
HORIZON_MS = 14 * 86_400_000


class Kind(StrEnum):
    """The four verdicts."""

    GO = "go"
    WAIT = "wait"
    NEVER = "never"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """What keeps a call from being placed now."""

    HOURS = "hours"
    CLOSED_DAY = "closed-day"
    CAP = "cap"
    DO_NOT_CALL = "do-not-call"
    UNKNOWN_ZONE = "unknown-zone"
    NONE = ""


class UnknownZone(StrEnum):
    """What becomes of a number whose place cannot be told."""

    #: It waits until somebody names its time zone.
    HOLD = "hold"
    #: It rings when every zone of its country code is open.
    STRICTEST = "strictest"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rulebook:
    """The rules that hold in an installation."""

    mode: Mode
    law: tuple[Rule, ...] = ()
    courtesy: Rule | None = None
    #: What the operator allows at most; it narrows only.
    own_hours: WeeklyHours | None = None
    own_caps: tuple[Cap, ...] = ()
    closed: tuple[ClosedDay, ...] = ()
    unknown_zone: UnknownZone = UnknownZone.HOLD

    def rules_for(self, place: Place, purpose: Purpose, *, recorded: bool) -> tuple[Rule, ...]:
        """Return the rules of a place; the courtesy hours where no law has any."""
        found = tuple(
            rule for rule in self.law if rule.holds(place.region, purpose, recorded=recorded)
        )
        if self.courtesy and not any(rule.hours for rule in found):
            courteous = self.courtesy.holds(place.region, purpose, recorded=recorded)
            found += (self.courtesy,) if courteous else ()
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is known of a call when it is judged."""

    places: Places
    purpose: Purpose = Purpose.MARKETING
    #: Whether a machine speaks, as `message` is spoken.
    recorded: bool = True
    #: Starts of calls to that person in the last 30 days, ms since 1970, in order.
    starts: tuple[int, ...] = ()
    do_not_call: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The decision, and what it rests on."""

    kind: Kind
    why: Why = Why.NONE
    #: From when the call may start, ms since 1970; None: not known.
    until: int | None = None
    #: The ids of the rules that hold for the call.
    rules: tuple[str, ...] = ()


def rulebook(mode: Mode, **own: object) -> Rulebook:
    """Return the rulebook of a mode, with an operator's own rules."""
    law = rows() if mode is Mode.LAW else ()
    polite = None if mode is Mode.OFF else courtesy()
    return Rulebook(**{"mode": mode, "law": law, "courtesy": polite, **own})  # type: ignore[arg-type]


def judge(subject: Subject, now: int, book: Rulebook) -> Verdict:
    """Return whether a call may start at an instant, ms since 1970."""
    if subject.do_not_call:
        return Verdict(kind=Kind.NEVER, why=Why.DO_NOT_CALL)
    if book.mode is Mode.OFF or subject.purpose is Purpose.EMERGENCY:
        return Verdict(kind=Kind.GO)
    rules = tuple(sorted({rule.id for _, rule in _applied(subject, book)}))
    if not _is_placed(subject.places, book):
        return Verdict(kind=Kind.UNKNOWN, why=Why.UNKNOWN_ZONE, rules=rules)
    free = max((cap.free_at(subject.starts, now) for cap in caps(subject, book)), default=now)
    opens = next_in(calendar(subject, (now, free + HORIZON_MS), book), free)
    if opens is None:
        return Verdict(kind=Kind.UNKNOWN, why=Why.UNKNOWN_ZONE, rules=rules)
    if opens == now:
        return Verdict(kind=Kind.GO, rules=rules)
    why = Why.CAP if free > now else _why_closed(subject, now, book)
    return Verdict(kind=Kind.WAIT, why=why, until=opens, rules=rules)


def calendar(subject: Subject, within: Interval, book: Rulebook) -> Intervals:
    """Return the instants at which every candidate place is open."""
    found: Intervals = (within,)
    for place in subject.places.places:
        found = intersection(found, _of_place(subject, place, within, book))
    return found


def calendar_key(subject: Subject) -> str:
    """Return what two calls have in common if they share a calendar."""
    places = "|".join(f"{each.region}:{each.zone}" for each in subject.places.places)
    voice = "recorded" if subject.recorded else "live"
    return f"{subject.purpose}|{voice}|{places}"


def caps(subject: Subject, book: Rulebook) -> frozenset[Cap]:
    """Return the caps of every candidate place, and the operator's own."""
    law = (cap for _, rule in _applied(subject, book) for cap in rule.caps)
    return frozenset(law) | frozenset(book.own_caps)


def _is_placed(places: Places, book: Rulebook) -> bool:
    if not places.places:
        return False
    return places.known or book.unknown_zone is UnknownZone.STRICTEST


def _of_place(subject: Subject, place: Place, within: Interval, book: Rulebook) -> Intervals:
    zone = ZoneInfo(place.zone)
    found = open_instants(partial(_day, place, book), zone, within)
    for rule in book.rules_for(place, subject.purpose, recorded=subject.recorded):
        found = intersection(found, open_instants(partial(_rule_day, place, rule), zone, within))
    return found


_WHOLE_DAY: Intervals = ((0, 24 * 60),)


def _day(place: Place, book: Rulebook, day: date) -> Intervals:
    """Return the minutes of a day that the operator leaves open."""
    if closed_by_operator(day, place.region, book.closed):
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


def _applied(subject: Subject, book: Rulebook) -> Iterator[tuple[Place, Rule]]:
    for place in subject.places.places:
        for rule in book.rules_for(place, subject.purpose, recorded=subject.recorded):
            yield place, rule


def _why_closed(subject: Subject, now: int, book: Rulebook) -> Why:
    """Return whether a whole day is closed where the call may not start."""
    days = (
        _is_closed_day(place, rule, now, book.closed) for place, rule in _applied(subject, book)
    )
    return Why.CLOSED_DAY if any(days) else Why.HOURS


def _is_closed_day(place: Place, rule: Rule, now: int, closed: Iterable[ClosedDay]) -> bool:
    day = local_time(now, place.zone).date()
    named = rule.holidays and name_of(day, rule.holidays, place.region)
    return bool(named or closed_by_operator(day, place.region, closed))
