"""The do-not-call list: numbers that are never rung again. Plain values, no I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: Mexico and Argentina, where a mobile phone has a digit behind the country's code that networks
#: do not need: with it and without it the same phone rings.
_WITH_DIGIT = {"+52": "1", "+54": "9"}
_MOBILE = re.compile(r"(\+52)(1?)([0-9]{10})|(\+54)(9?)([0-9]{10})")


def same_phone(number: str) -> Sequence[str]:
    """Return the numbers by which that phone rings, the given one first."""
    found = _MOBILE.fullmatch(number)
    if found is None:
        return [number]
    code, digit, rest = filter(lambda part: part is not None, found.groups())
    return [number, code + ("" if digit else _WITH_DIGIT[code]) + rest]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Who put numbers on the list, and why."""

    #: Name of the API key.
    by: str
    #: Where the wish came from, such as ``import``.
    source: str
    #: In words; ``None`` where nobody gave any.
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A number on the list."""

    #: In its one spelling; ``None`` where its person was forgotten, and only a digest is left.
    number: str | None
    #: When it was listed, unix ms on Redis's clock.
    at_ms: int
    wish: Wish
    #: Grows with each entry: the newest one has the highest.
    place: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryPage:
    """A page of the list, newest first."""

    entries: Sequence[Entry]
    #: Numbers on the whole list.
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What became of a number that was to be listed."""

    number: str
    #: False where it was listed before; it keeps that entry.
    is_new: bool
    #: The call to it whose dial marker was written before; ``None``: there is none.
    being_placed: str | None
    #: Numbers of the recurring calls to it.
    recurring: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A change of the list, for the call log; ``number`` may be a keyed digest."""

    #: Orders all changes; unique.
    id: str
    #: ``listed``, ``removed``, or ``hashed``: the digest takes the number's place.
    action: str
    number: str
    #: Unix ms.
    at_ms: int = 0
    wish: Wish | None = None
    #: Of a person who is forgotten; not stored by itself.
    digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingsState:
    """What of the list, and of closed days, the call log may lack."""

    #: Tells this run of the server from others: it may come back as it was.
    server: str
    #: Whether the list was restored since this Redis was empty.
    is_whole: bool
    #: Version of the closed days.
    days: str
    #: Changes of the list that the log does not have.
    pending: int
