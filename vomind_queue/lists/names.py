"""What headers mean, in several languages; the words are in `names.yaml`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import yaml

from vomind_queue.calls.call import OPTIONS

#: The fields of a call in a list.
FIELDS = (
    "to", "message", "lead_id", "priority", "metadata", "scheduleAt", "delayMs", *OPTIONS,
)  # fmt: skip
#: A column with the code of the numbers' country, and one with the country's two letters.
CODE, COUNTRY = "to.code", "to.country"
#: Prefix of a column that holds one key of metadata.
WITHIN = "metadata."
#: Fields that change nothing of how a call is placed: a slip in them does no harm.
HARMLESS = frozenset({"lead_id", "metadata"})
#: How alike two names must be to count as the same, by difflib's measure.
_ALIKE = 0.8
#: Shorter names are like too many others.
_SHORTEST = 5
#: Exports number their columns of phones in the order in which they are used.
_NUMBERED = re.compile(r"phone ([0-9]+) - value", re.IGNORECASE)


def plain(header: str) -> str:
    """Return a header in small letters, without accents and punctuation."""
    bare = unicodedata.normalize("NFKD", header.casefold())
    return "".join(sign for sign in bare if sign.isalnum())


@cache
def _words() -> Mapping[str, frozenset[str]]:
    text = (files("vomind_queue.lists") / "names.yaml").read_text("utf-8")
    return {
        name: frozenset(map(plain, words.split())) for name, words in yaml.safe_load(text).items()
    }


@cache
def _known() -> Mapping[str, str]:
    found = {plain(field): field for field in FIELDS}
    for field in ("to", "message", "lead_id", "priority", CODE):
        found |= dict.fromkeys(_words()[field], field)
    return found


def field_of(header: str) -> str | None:
    """Return the field that a header names, if it does."""
    if header.lower().startswith(WITHIN):
        return WITHIN + header[len(WITHIN) :]
    if _is_phone(header):
        return "to"
    return _known().get(plain(header))


def is_label(words: str) -> bool:
    """Return whether words before a number, in its own cell, say that it is one."""
    return field_of(words) == "to" or plain(words) in _words()["labels"]


def _is_phone(header: str) -> bool:
    if _NUMBERED.fullmatch(header.strip()):
        return True
    parts = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header))
    words = set(map(plain, parts))
    return bool(words & _words()["phones"]) and not words & _words()["not_phones"]


def place_among_phones(header: str) -> int | None:
    """Return the number that an export gives to a column of phones, if it does."""
    found = _NUMBERED.fullmatch(header.strip())
    return int(found[1]) if found else None


def slip_of(header: str) -> str | None:
    """Return the field that was probably meant by a header which names none."""
    word = plain(header)
    names = {plain(field): field for field in FIELDS if field not in HARMLESS}
    close = get_close_matches(word, names, n=1, cutoff=_ALIKE) if len(word) >= _SHORTEST else []
    return names[close[0]] if close else None


def is_time(header: str) -> bool:
    """Return whether a header names a time that may be that of the call."""
    return plain(header) in _words()["times"]


def is_delay(header: str) -> bool:
    """Return whether a header names a delay, in units that it does not name."""
    return plain(header) in _words()["delays"]


def is_other_time(header: str) -> bool:
    """Return whether a header names a time that is none to call at, such as a birthday."""
    return plain(header).startswith(tuple(_words()["other_times"]))
