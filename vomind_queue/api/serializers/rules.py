"""Build the answers about calling rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.rules.hours import WeeklyHours, as_mapping, local_time
from vomind_queue.rules.law import ClosedDay, Rule
from vomind_queue.rules.places import Place
from vomind_queue.rules.rulebook import Rulebook
from vomind_queue.usecases.calling_rules import Judged


def rulebook(book: Rulebook) -> dict[str, Any]:
    """Return all rules: the rows of law, the courtesy hours, and the operator's own."""
    rules = [*book.law, *([book.courtesy] if book.courtesy else [])]
    return {
        "mode": book.mode.value,
        "count": len(rules),
        "rules": [_rule(rule) for rule in rules],
        "callingHours": _hours(book.own_hours),
        "attemptCaps": list(map(str, book.own_caps)),
        "closedDays": [closed_day(each) for each in book.closed],
        "unknownZone": book.unknown_zone,
        "defaultPurpose": book.purpose.value,
    }


def closed_day(day: ClosedDay) -> dict[str, Any]:
    """Return a day with who closed it; the setting CLOSED_DAYS did if nobody is named."""
    return {
        "id": day.id,
        "day": day.day.isoformat(),
        "last": (day.last or day.day).isoformat(),
        "region": day.region or None,
        "reason": day.reason,
        "by": day.by,
        "closedAt": iso_or_none(day.at_ms),
    }


def judged(found: Judged, now_ms: int) -> dict[str, Any]:
    """Return a verdict with what it rests on."""
    verdict = found.verdict
    return {
        "verdict": verdict.kind.value,
        "until": iso_or_none(verdict.until),
        "why": found.words,
        "rules": [rule.id for rule in verdict.rules],
        "places": [place(each, now_ms) for each in verdict.places],
    }


def place(shown: Place, at_ms: int) -> dict[str, Any]:
    """Return a place with what its clock shows at an instant."""
    return {
        "zone": shown.zone,
        "region": shown.region or None,
        "localTime": local_time(at_ms, shown.zone).isoformat(timespec="seconds"),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    days = rule.holidays
    return {
        "id": rule.id,
        "name": rule.name,
        "region": rule.region or None,
        "purposes": sorted(rule.applies),
        "hours": _hours(rule.hours),
        "holidays": None if days is None else days.of or rule.region or "everywhere",
        "caps": list(map(str, rule.caps)),
        "source": rule.source,
        "asOf": rule.as_of,
        "sure": rule.sure or None,
    }


def _hours(hours: WeeklyHours | None) -> Mapping[str, list[str]] | None:
    return as_mapping(hours) if hours else None
