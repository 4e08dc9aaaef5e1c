"""A verdict in words: the local time there, the rule by name, until when, what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from vomind_queue.rules.caps import Cap, Event
from vomind_queue.rules.closed_days import name_of
from vomind_queue.rules.hours import local_time
from vomind_queue.rules.judge import HORIZON_MS, Judgment, Kind, Subject, closing, is_open
from vomind_queue.rules.law import Mode, Rule, Why
from vomind_queue.rules.places import Place
from vomind_queue.rules.rulebook import Rulebook

_DAYS = HORIZON_MS // 86_400_000
#: Zones that a sentence names at most.
_NAMED = 4
#: Why a call is held, where nobody asks for more.
IN_SHORT: Mapping[Why, str] = {
    Why.HOURS: "It is outside the hours where this person is, or may be.",
    Why.CLOSED_DAY: "The day is closed where this person is, or may be.",
    Why.CAMPAIGN_HOURS: "It is outside the hours of its campaign.",
    Why.NO_HOURS: "The places where this person may be have no open hour in common.",
    Why.UNKNOWN_ZONE: "The number does not tell where it is.",
    Why.CAP: "This person was called as often as is allowed for now, or is left alone for a while.",
    Why.RULES_BEHIND: "The calling rules could not be applied.",
}
NO_RULES = "No calling rules are set (CALLING_RULES)."
#: Where the rules could not be applied.
BEHIND = (
    "The calling rules could not be applied, so it does not ring. It is judged again every minute; "
    "the worker's log says what is wrong."
)


def explained(verdict: Judgment, subject: Subject, now: int, book: Rulebook) -> str:
    """Return why a call may start now, or why not and until when; ``now`` in ms since 1970."""
    if book.is_empty and subject.campaign_hours is None:
        return NO_RULES
    if verdict.kind is Kind.GO:
        return " ".join(_lifted(subject) if subject.lifted else _open(verdict, now))
    if verdict.why is Why.CAP:
        return " ".join(_capped(verdict, subject, book))
    if not verdict.places:
        return " ".join(_unplaced())
    return " ".join(_closed(verdict, subject, now, book))


def _lifted(subject: Subject) -> Iterator[str]:
    yield "It may ring now."
    yield f"Rules of these kinds do not hold for it: {', '.join(sorted(subject.lifted))}."


def _open(verdict: Judgment, now: int) -> Iterator[str]:
    yield "It may ring now."
    if verdict.places:
        yield f"{_clocks(verdict.places, now)}, within {_names(verdict.rules)}."


def _capped(verdict: Judgment, subject: Subject, book: Rulebook) -> Iterator[str]:
    until = verdict.until or 0
    if not verdict.places or (book.mode is Mode.OFF and subject.campaign_hours is None):
        yield f"Held until {utc(until)}."
    else:
        last = _last_to_open(verdict.places, subject, until, book)
        yield f"Held until {utc(until)}, {_clock(until, last.zone)} in {last.zone}."
    pauses = [cap for cap in verdict.full if cap.event is not Event.START]
    if len(pauses) < len(verdict.full):
        starts = [cap for cap in verdict.full if cap.event is Event.START]
        yield f"The person was called as often as is allowed: {_sources(starts, verdict, book)}."
        yield "Calls of every kind to the number count."
    if pauses:
        yield f"The person is left alone: {_sources(pauses, verdict, book)}."


def _sources(caps: Sequence[Cap], verdict: Judgment, book: Rulebook) -> str:
    """Return some caps with whose they are."""
    sources = [("ATTEMPT_CAPS", book.own_caps), *((each.name, each.caps) for each in verdict.rules)]
    found = ((name, [str(cap) for cap in caps if cap in own]) for name, own in sources)
    return "; ".join(f"{', '.join(those)} ({name})" for name, those in found if those)


def _unplaced() -> Iterator[str]:
    yield "The number does not tell where it is, so its hours are not known."
    yield "It waits until the call has a timezone, or until UNKNOWN_ZONE names one."


def _closed(verdict: Judgment, subject: Subject, now: int, book: Rulebook) -> Iterator[str]:
    until = verdict.until
    if until is None:
        yield f"No hour of the next {_DAYS} days is open wherever the number may be."
    else:
        last = _last_to_open(verdict.places, subject, until, book)
        yield f"Held until {utc(until)}, {_clock(until, last.zone)} in {last.zone}."
    shut = [place for place in verdict.places if not is_open(place, subject, now, book)]
    if shut:
        yield _why_shut(shut[0], subject, now, book)
    zones = _zones(verdict.places)
    if len(zones) > 1:
        yield f"The number may be in {len(zones)} time zones ({_listed(zones)}), all of which must"
        yield "be open. Give timezone to make it exact."


def _why_shut(place: Place, subject: Subject, now: int, book: Rulebook) -> str:
    moment = local_time(now, place.zone)
    there = f"It is {moment:%a %H:%M} in {place.zone}"
    rule = closing(place, subject.purpose, now, book)
    if rule is None and is_open(place, replace(subject, campaign_hours=None), now, book):
        return f"{there}, outside the hours of its campaign: {subject.campaign_hours}."
    if rule is None:
        day = next((each for each in book.closed if each.holds(moment.date(), place.region)), None)
        if day is None:
            return f"{there}, outside CALLING_HOURS."
        return f"{there}, and the day is closed here: {day.reason or day.id}."
    holiday = name_of(moment.date(), rule.holidays, place.region) if rule.holidays else ""
    if holiday:
        return f"{there}, and the day is closed: {holiday} ({rule.name})."
    return f"{there}, outside {_name(rule)}: {rule.hours}."


def _last_to_open(places: Sequence[Place], subject: Subject, until: int, book: Rulebook) -> Place:
    """Return a place that is closed just before a call may start."""
    late = (each for each in places if not is_open(each, subject, until - 1, book))
    return next(late, places[0])


def _clocks(places: Sequence[Place], now: int) -> str:
    zones = _zones(places)
    named = [f"{_clock(now, zone)} in {zone}" for zone in zones[:_NAMED]]
    more = f" (and {len(zones) - _NAMED} more zones)" if len(zones) > _NAMED else ""
    return f"It is {', '.join(named)}{more}"


def _zones(places: Sequence[Place]) -> list[str]:
    return sorted({place.zone for place in places})


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _names(rules: Sequence[Rule]) -> str:
    return ", ".join(f"{_name(rule)} ({rule.hours})" for rule in rules if rule.hours)


def _name(rule: Rule) -> str:
    return f"the hours of {rule.name}" if rule.sure else "the courtesy hours"


def _clock(instant: int, zone: str) -> str:
    return f"{local_time(instant, zone):%H:%M}"


def listed(since: int) -> str:
    """Return why no call ever starts to a number that is on the do-not-call list."""
    return f"The number is on the do-not-call list since {utc(since)}; no call to it starts."


def utc(instant: int) -> str:
    """Return an instant for people, such as ``Mon 30 Nov 14:00 UTC``."""
    return f"{datetime.fromtimestamp(instant / 1000, UTC):%a %-d %b %H:%M} UTC"
