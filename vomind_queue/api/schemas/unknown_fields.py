"""Fields that an endpoint does not know.

A typing error must never become an immediate call. A field is refused with a hint
where it resembles a known one, means a time where none is accepted, or changes in a
neighbouring API how a call is placed. Other unknown fields are ignored and listed in
the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from vomind_queue.api.schemas import foreign_fields
from vomind_queue.calls.call import OPTIONS

_ELSEWHERE = "Must not be set here. {}"
_LATER = "For a call at a later time, use /api/queue/schedule-delayed-call."
_REPEATED = "Only recurring calls have it."
_RUNS_END = "Recurring calls have endAt, and graceMs for how late a run may start."

#: Fields that mean a time or a list, and where they belong.
PLACES: Mapping[str, str] = {
    "scheduleAt": _LATER,
    "delayMs": _LATER,
    "calls": "For several calls, use /api/queue/schedule-bulk-calls.",
    "notAfter": _RUNS_END,
    "cronExpression": _REPEATED,
    "timezone": _REPEATED,
    "startAt": _REPEATED,
    "endAt": _REPEATED,
    "maxRuns": _REPEATED,
    "graceMs": _REPEATED,
    "overlap": _REPEATED,
}

#: Fields of one call, which say nothing beside a list of calls.
_OF_ONE = frozenset({"to", "message", "lead_id", "priority", "metadata", *OPTIONS})
_ON_EACH = "Set it on each call in the list."
#: So short that common words are like them: invoice is not voice.
_SHORT = frozenset({"from", "record", "voice"})

#: One of these is known wherever calls are asked for.
_OF_CALLS = frozenset({"to", "calls", "cronExpression"})

#: Different unknown names in one request. Comparing names is slow, and remembered by name.
MOST_NAMES = 200
#: Longer names are like no other, and are shown shortened, characters.
_LONGEST_NAME = 64
#: How alike two names must be to count as the same, by difflib's measure.
_ALIKE = 0.75


def slips(sent: Mapping[str, Any], known: frozenset[str]) -> dict[str, list[str]]:
    """Return a hint for each unknown field that is to be refused."""
    found = {}
    for name in sent.keys() - known:
        if name in PLACES:
            # null means absent.
            text = _ELSEWHERE.format(_place(name, known)) if sent[name] is not None else None
        elif "calls" in known and name in _OF_ONE:
            text = _ELSEWHERE.format(_ON_EACH) if sent[name] is not None else None
        else:
            text = _objection(name, sent, known)
        if text:
            found[name] = [text]
    return found


def _objection(name: str, sent: Mapping[str, Any], known: frozenset[str]) -> str | None:
    """Return what is said of a field that is neither known nor another endpoint's, or ``None``."""
    is_of_call = sent[name] is not None and bool(known & _OF_CALLS)
    short = name[:_LONGEST_NAME]
    text = _foreign(short, sent[name], known) if is_of_call else None
    if text is None and len(name) <= _LONGEST_NAME:
        text = hint(name, known)
    if text is None and is_of_call:
        text = _implied(short, sent, sent[name], known)
    return text


def _foreign(name: str, value: Any, known: frozenset[str]) -> str | None:
    """Return what is said of a name that other APIs have for what a call is, or ``None``."""
    for form in foreign_fields.forms(name):
        meant = foreign_fields.target(form)
        if meant is None and value is not False:
            meant = form if form in known else foreign_fields.option(form)
        if meant:
            return _meant(meant, known)
        if text := foreign_fields.manner(form, value):
            return text
    return None


def _implied(name: str, sent: Mapping[str, Any], value: Any, known: frozenset[str]) -> str | None:
    """Return what is said of a name or a value that is made like those of a call, or ``None``."""
    if foreign_fields.is_words(name):
        is_mute = "message" in known and sent.get("message") is None
        return foreign_fields.NO_MESSAGE if is_mute else None
    if foreign_fields.is_moment(name, value):
        return _meant("scheduleAt", known)
    return foreign_fields.time_within(value, known)


def _meant(field: str, known: frozenset[str]) -> str:
    return _did_you_mean(
        "startAt" if field == "scheduleAt" and "startAt" in known else field, known
    )


def ignored(sent: Mapping[str, Any], known: frozenset[str]) -> set[str]:
    """Return the names of fields that are neither ``known`` nor absent."""
    return {name for name in sent.keys() - known if name not in PLACES}


def listed(names: Iterable[str]) -> list[str]:
    """Return names as the answer's ``ignored`` shows them, always in the same order."""
    return sorted(
        name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in names
    )


@lru_cache(maxsize=4096)
def hint(name: str, known: frozenset[str]) -> str | None:
    """Return which field was probably meant; ``None`` when the name resembles none."""
    plain = foreign_fields.plain(name)
    names = {foreign_fields.plain(each): each for each in (*PLACES, *known)}
    long = [each for each in names if each not in _SHORT]
    if plain not in names:
        for begin, field in foreign_fields.TIMING.items():
            if plain.startswith(begin):
                return _did_you_mean(field, known)
    close = [plain] if plain in names else get_close_matches(plain, long, n=1, cutoff=_ALIKE)
    if not close:
        # An abbreviation, such as cron or meta.
        close = [each for each in long if len(plain) > 3 and each.startswith(plain)]  # noqa: PLR2004
    if not close:
        return None
    return _did_you_mean(names[close[0]], known)


def _did_you_mean(meant: str, known: frozenset[str]) -> str:
    if meant in known:
        return f"No such field; did you mean {meant}?"
    return f"No such field; perhaps {meant}? {_place(meant, known)}"


def _place(name: str, known: frozenset[str]) -> str:
    if "calls" in known and name in _OF_ONE | {"scheduleAt", "delayMs"}:
        return _ON_EACH
    return PLACES[name]
