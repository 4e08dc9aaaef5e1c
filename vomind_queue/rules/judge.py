"""Decide whether a person may be called at an instant: go, wait, or it cannot be told.

By the hours where the person is, and by how often the phone rang before. One pure function.
Previews and explanations show its words; the script that writes the dial marker judges by the same
numbers, on the clock of Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from vomind_queue.rules.caps import NO_HISTORY, Cap, History
from vomind_queue.rules.closed_days import is_eve, name_of
from vomind_queue.rules.hours import WeeklyHours, local_time, open_instants
from vomind_queue.rules.intervals import Interval, Intervals, intersection, next_in, union
from vomind_queue.rules.law import (
    Holidays,
    Mode,
    Purpose,
    Rule,
    Why,
)
from vomind_queue.rules.places import Place, Places
from vomind_queue.rules.rulebook import HOLD, STRICTEST, Rulebook

_DAY_MS = 86_400_000
#: How far ahead open hours are looked for, ms: 14 days.
HORIZON_MS = 14 * _DAY_MS
#: Where no hours are set.
_ANY_HOUR: Intervals = ((0, 2**52),)
#: Calendars that are kept; a few hundred are in use.
_KEPT = 2_048
_WHOLE_DAY: Intervals = ((0, 24 * 60),)
#: No kinds of rules.
_NOTHING: frozenset[Why] = frozenset()
#: No places.
_NOWHERE = Places(places=(), known=False)


class Kind(StrEnum):
    """The verdicts."""

    GO = "go"
    WAIT = "wait"
    #: The number is on the do-not-call list; no rule says so.
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is known of a call when it is judged."""

    places: Places
    purpose: Purpose
    #: What does not hold for it.
    lifted: frozenset[Why] = frozenset()
    #: When its campaign calls; it narrows only.
    campaign_hours: WeeklyHours | None = None


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
    #: How often the person may be called, and which of these caps leave no room now.
    caps: tuple[Cap, ...] = ()
    full: tuple[Cap, ...] = ()


def judge(subject: Subject, now: int, book: Rulebook, past: History = NO_HISTORY) -> Judgment:
    """Return whether a call may start at an instant, unix ms; ``past`` of the person before it."""
    if book.is_empty and subject.campaign_hours is None:
        return Judgment(kind=Kind.GO)
    found = _judged(subject, now, book, past)
    has_no_place = found.why is Why.UNKNOWN_ZONE and not found.places
    if subject.campaign_hours is None or has_no_place or found.why in (Why.NONE, Why.CAP):
        return found
    without = judge(replace(subject, campaign_hours=None), now, book, past)
    is_alike = (found.kind, found.until) == (without.kind, without.until)
    # What only the hours of the campaign delay is judged again when those are changed.
    return replace(found, why=without.why if is_alike else Why.CAMPAIGN_HOURS)


def _judged(subject: Subject, now: int, book: Rulebook, past: History) -> Judgment:
    places = located(subject.places, book)
    rules = rules_of(places, subject.purpose, book)
    caps = () if Why.CAP in subject.lifted else _caps(rules, book)
    said = partial(Judgment, rules=rules, places=places, caps=caps)
    any_place = _any_hour(book, subject) or Why.UNKNOWN_ZONE in subject.lifted
    if not (places or any_place):
        return said(kind=Kind.UNKNOWN, why=Why.UNKNOWN_ZONE)
    frees = {cap: cap.free_at(past.of(cap.event)) or 0 for cap in caps}
    free = max([now, *frees.values()])
    hours = _open_hours(places, subject, (now, free), book)
    opens = next_in(hours, now)
    if opens is None:
        why = Why.NO_HOURS if subject.places.known else Why.UNKNOWN_ZONE
        return said(kind=Kind.UNKNOWN, why=why)
    if free > now:
        full = tuple(cap for cap, at in frees.items() if at > now)
        until = next_in(hours, free) or free
        return said(kind=Kind.WAIT, why=Why.CAP, until=until, hours=hours, full=full)
    if opens == now:
        return said(kind=Kind.GO, hours=hours)
    shut = any(_is_closed_day(place, subject, now, book) for place in places)
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


def _any_hour(book: Rulebook, subject: Subject) -> bool:
    """Return whether nothing says at which hours a call may start."""
    return book.mode is Mode.OFF and subject.campaign_hours is None


def is_open(place: Place, subject: Subject, instant: int, book: Rulebook) -> bool:
    """Return whether a call may start at an instant if the person is at one place."""
    plain = replace(subject, lifted=_NOTHING)
    return all(_holds(place, instant, minutes) for minutes in _limits(place, plain, book))


def _is_closed_day(place: Place, subject: Subject, instant: int, book: Rulebook) -> bool:
    """Return whether the whole day is closed at a place."""
    day = local_time(instant, place.zone).date()
    limits = _limits(place, subject, book)
    return any(not minutes(day) for minutes in limits)


def _caps(rules: tuple[Rule, ...], book: Rulebook) -> tuple[Cap, ...]:
    return tuple(sorted({*book.own_caps, *(cap for rule in rules for cap in rule.caps)}))


def closing(place: Place, purpose: Purpose, instant: int, book: Rulebook) -> Rule | None:
    """Return the rule that closes a place at an instant; None where the operator's own do."""
    rules = book.rules_for(place, purpose)
    shut = (
        each
        for each in rules
        if not _holds(place, instant, partial(_rule_day, place, each, _NOTHING))
    )
    return next(shut, None)


_Minutes = Callable[[date], Intervals]


def _holds(place: Place, instant: int, minutes: _Minutes) -> bool:
    clock = local_time(instant, place.zone)
    minute = clock.hour * 60 + clock.minute
    return any(first <= minute < last for first, last in minutes(clock.date()))


def _limits(place: Place, subject: Subject, book: Rulebook) -> Iterator[_Minutes]:
    """Yield what each rule leaves open of a day at a place, the operator's own first."""
    lifted, hours = subject.lifted, subject.campaign_hours
    yield partial(_own_day, place, book, lifted)
    if hours is not None:
        yield lambda day: _left(hours(day), False, lifted)
    for rule in book.rules_for(place, subject.purpose):
        yield partial(_rule_day, place, rule, lifted)


def _open_hours(
    places: tuple[Place, ...], subject: Subject, between: Interval, book: Rulebook
) -> Intervals:
    """Return when every place is open: from an instant until the horizon of a later one."""
    is_anywhere = Why.UNKNOWN_ZONE in subject.lifted and not subject.places.known
    if _any_hour(book, subject) or is_anywhere:
        return _ANY_HOUR
    now, later = between
    first, last = now // _DAY_MS, later // _DAY_MS
    days = {*range(first, last, HORIZON_MS // _DAY_MS), last}
    what = replace(subject, places=_NOWHERE)
    known = union(each for day in days for each in _calendar(places, what, day, book))
    return intersection(known, ((now, later + HORIZON_MS),))


@lru_cache(maxsize=_KEPT)
def _calendar(places: tuple[Place, ...], what: Subject, day: int, book: Rulebook) -> Intervals:
    """Return the instants at which every place is open, from a day (of UTC) to the horizon."""
    within = (day * _DAY_MS, (day + 1) * _DAY_MS + HORIZON_MS)
    found: Intervals = (within,)
    for place in places:
        for minutes in _limits(place, what, book):
            found = intersection(found, open_instants(minutes, ZoneInfo(place.zone), within))
    return found


def _own_day(place: Place, book: Rulebook, lifted: frozenset[Why], day: date) -> Intervals:
    """Return the minutes of a day that the operator leaves open."""
    is_closed = any(each.holds(day, place.region) for each in book.closed)
    return _left(book.own_hours(day) if book.own_hours else _WHOLE_DAY, is_closed, lifted)


def _rule_day(place: Place, rule: Rule, lifted: frozenset[Why], day: date) -> Intervals:
    """Return the minutes of a day that a rule leaves open."""
    hours = rule.hours(day) if rule.hours else _WHOLE_DAY
    days: Holidays | None = rule.holidays
    if days is None:
        return _left(hours, False, lifted)
    if days.eves and is_eve(day, days, place.region):
        hours = intersection(union(hours), (days.eves,))
    return _left(hours, bool(name_of(day, days, place.region)), lifted)


def _left(hours: Sequence[Interval], is_closed: bool, lifted: frozenset[Why]) -> Intervals:
    """Return what is open of a day with certain hours, some kinds of rules lifted."""
    if not lifted:
        return () if is_closed else tuple(hours)
    if is_closed or not hours:
        if Why.CLOSED_DAY not in lifted:
            return ()
        hours = hours or _WHOLE_DAY
    return _WHOLE_DAY if Why.HOURS in lifted else tuple(hours)
