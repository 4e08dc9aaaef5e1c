"""Fields that neighbouring APIs have, and this one has under another name or not at all.

A field that says when, how often, what or how to call is never ignored: the phone would ring at
once, with other words, or from another number. Names are compared without case and punctuation.

The names are in `foreign_fields.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from vomind_queue.calls.call import OPTIONS

#: A date with or without a time, a duration, or five or six fields of a cron expression.
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:?\d{2}.{0,40})?"
    r"|[-+]?P(?=[\dT])(\d+(\.\d+)?[YMWD])*(T(\d+(\.\d+)?[HMS])+)?"
    r"|([\d*/,?LW#-]+ ){2}([\w*/,?#-]+ ){2,3}[\w*/,?#-]+"
    r"|@(yearly|annually|monthly|weekly|daily|midnight|hourly)"
)
#: What a field for a time begins with, whatever follows: delaySeconds, scheduled_time, cron.
TIMING = ("sched", "delay", "cron")
#: How deep options within options are searched, and how many values of one field are.
_DEPTH, _MOST = 3, 50

NO_MESSAGE = "No such field; the words to speak go into message."
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


def manner(plain: str) -> str | None:
    """Return what is said of a field that would change how a call is placed, or ``None``."""
    return _NO_MANNER if plain in _names("manners") else None


def is_words(plain: str) -> bool:
    """Return whether a name means the words that are spoken."""
    return plain in _names("words")


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
    return {name: field for field in OPTIONS for name in _kinds().get(field, ())}


def _names(kind: str) -> frozenset[str]:
    return _kinds()[kind]


@cache
def _kinds() -> Mapping[str, frozenset[str]]:
    text = (files("vomind_queue.api.schemas") / "foreign_fields.yaml").read_text("utf-8")
    return {kind: frozenset(names.split()) for kind, names in yaml.safe_load(text).items()}


def _is_time(name: str, value: Any) -> bool:
    if value is None or value is False:
        return False
    is_named = plain(name) in _targets() or plain(name).startswith(TIMING)
    return is_named or (isinstance(value, str) and _TIME.fullmatch(value.strip()) is not None)


def _leaves(value: Any, depth: int, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and depth:
        for key, each in list(value.items())[:_MOST]:
            yield from _leaves(each, depth - 1, key)
    elif isinstance(value, list) and depth:
        for each in value[:_MOST]:
            yield from _leaves(each, depth - 1, name)
    else:
        yield name, value
