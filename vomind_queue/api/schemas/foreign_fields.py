"""Fields that neighbouring APIs have, and this one has under another name or not at all.

A field that says when, how often, what or how to call is never ignored: the phone would ring at
once, with other words, or from another number. Names are compared without case and punctuation.

The names are in `foreign_fields.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from vomind_queue.calls.call import OPTIONS

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAY = r"\d{1,2}(st|nd|rd|th)?"
_CLOCK = r"([01]?\d|2[0-3])(:[0-5]\d){1,2}( ?[ap]m)?"
_HOUR = rf"({_CLOCK}|\d{{1,2}} ?[ap]m)"
#: What the value of a field for a time is like.
_TIMES = (
    # A date with or without a time, in ISO 8601 or as people write it.
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:?\d{2}.{0,40})?",
    rf"\d{{1,2}}(?P<mark>[./-])\d{{1,2}}(?P=mark)(19|20)\d\d([ ,T]+{_CLOCK})?",
    rf"([a-z]{{3,9}},? )?({_DAY} {_MONTH}|{_MONTH} {_DAY},?) \d{{4}}(,? {_CLOCK}.{{0,12}})?",
    # A time of day, or one that is near.
    _CLOCK,
    rf"(today|tonight|tomorrow)( at)?( {_HOUR})?",
    r"in (an?|\d+) (second|minute|hour|day|week)s?",
    # Milliseconds from 2020 to 2033: no phone number is like them.
    r"1[6-9]\d{11}",
    # A duration, or a repetition: ISO 8601, RFC 5545, cron, words.
    r"(?-i:[-+]?P(?=[\dT])(\d+(\.\d+)?[YMWD])*(T(\d+(\.\d+)?[HMS])+)?)",
    r"(?-i:R\d*/[\dP].{1,80})",
    r"(?-i:(RRULE:)?FREQ=[A-Z]+(;.{0,200})?)",
    r"(?-i:([\d*/,?LW#-]+ ){2}([\w*/,?#-]+ ){2,3}[\w*/,?#-]+)",
    r"@(yearly|annually|monthly|weekly|daily|midnight|hourly)",
    rf"every (\d+ )?(minute|hour|day|week|month|weekday)s?( at ({_HOUR}|\d{{1,2}}))?",
)
_TIME = re.compile("|".join(f"(?:{each})" for each in _TIMES), re.IGNORECASE)
#: What a field for a time begins with, whatever follows, and the field that it is here.
TIMING = {"sched": "scheduleAt", "delay": "delayMs", "cron": "cronExpression"}
#: A part of a name: scheduledCallTime, call_at, TTSVoice.
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
#: How deep options within options are searched, and how many values of one field are.
_DEPTH, _MOST = 3, 50

NO_MESSAGE = "No such field; the words to speak go into message."
NO_KEY = "No such field; what makes a repeated request the same one is the header Idempotency-Key."
_RINGS = (
    "Not supported here; the phone would ring all the same. Leave it out, or do not send the call."
)
_NO_MANNER = (
    "Not supported here; nothing that changes how a call is placed is ignored. Leave it out."
)
_LOOKS_LIKE_A_TIME = (
    "No such field, and its value is a time; for a call at a later time, use {}. "
    "Your own data goes into metadata."
)


def target(plain: str) -> str | None:
    """Return the field that another API's name for a time, a wait or a repetition means here."""
    return _targets().get(plain)


def option(plain: str) -> str | None:
    """Return the field of a call that another API's name for how to call means here."""
    return _options().get(plain)


def manner(plain: str, value: Any) -> str | None:
    """Return what is said of a field that would change how a call is placed, or ``None``."""
    if plain in _names("switches"):
        return _RINGS if value is False else None
    if value is False:
        return None
    if plain in _names("unplaced"):
        return _RINGS
    if plain in _names("idempotency"):
        return NO_KEY
    return _NO_MANNER if plain in _names("manners") else None


def forms(name: str) -> Sequence[str]:
    """Return the forms in which a name is looked up: whole, and without what says nothing more."""
    rest = "".join(part for part in _parts(name) if part not in _names("fillers"))
    return tuple(dict.fromkeys(filter(None, (plain(name), rest))))


def is_words(name: str) -> bool:
    """Return whether a name means the words that are spoken."""
    if any(form in _names("words") for form in forms(name)):
        return True
    parts = _parts(name)
    return parts[-1:] == ["message"] or (bool(parts) and _names("words").issuperset(parts))


def is_moment(name: str, value: Any) -> bool:
    """Return whether a name is made like that of a moment to come; yes and no are none."""
    parts = _parts(name)
    if isinstance(value, bool) or not _names("records").isdisjoint(parts):
        return False
    is_at = len(parts) > 1 and parts[-1] in _names("ends")
    return is_at or not _names("clocks").isdisjoint(parts)


def time_within(value: Any, known: frozenset[str]) -> str | None:
    """Return what is said of an unknown field whose value is or holds a time, or ``None``."""
    if not any(_is_time(name, each) for name, each in _leaves(value, _DEPTH)):
        return None
    places = "startAt" if "cronExpression" in known else "scheduleAt or delayMs"
    return _LOOKS_LIKE_A_TIME.format(places)


def plain(name: str) -> str:
    """Return the form in which names are compared; letters of other scripts are kept."""
    return re.sub(r"[\W_]", "", name.lower())


@cache
def _targets() -> Mapping[str, str]:
    return {
        **dict.fromkeys(_names("moments"), "scheduleAt"),
        **dict.fromkeys(_names("waits"), "delayMs"),
        **dict.fromkeys(_names("repeats"), "cronExpression"),
    }


@cache
def _options() -> Mapping[str, str]:
    return {name: field for field in (*OPTIONS, "priority") for name in _kinds().get(field, ())}


def _names(kind: str) -> frozenset[str]:
    return _kinds()[kind]


@cache
def _kinds() -> Mapping[str, frozenset[str]]:
    text = (files("vomind_queue.api.schemas") / "foreign_fields.yaml").read_text("utf-8")
    return {kind: frozenset(names.split()) for kind, names in yaml.safe_load(text).items()}


def _is_time(name: str, value: Any) -> bool:
    if value is None or value is False:
        return False
    if plain(name) in _targets() or plain(name).startswith(tuple(TIMING)):
        return True
    text = str(value).strip() if isinstance(value, str | int) else ""
    return _TIME.fullmatch(text) is not None


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _PART.findall(name)]


def _leaves(value: Any, depth: int, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and depth:
        for key, each in list(value.items())[:_MOST]:
            yield from _leaves(each, depth - 1, key)
    elif isinstance(value, list) and depth:
        for each in value[:_MOST]:
            yield from _leaves(each, depth - 1, name)
    else:
        yield name, value
