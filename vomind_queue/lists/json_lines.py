"""Rows of a text with one JSON object a line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Self

from vomind_queue.encoding import Unreadable, finite, parsed
from vomind_queue.lists.models import Record, check_columns, check_rows

#: Characters of a line: a call has metadata of 8 KiB, and texts.
_LONGEST_LINE = 1 << 18


def rows(text: str) -> tuple[list[Record], list[str]]:
    """Return a record for each line, and the keys in the order in which they first come."""
    objects = []
    places: dict[str, int] = {}
    for number, line in enumerate(_lines(text), 1):
        if line.strip():
            found, fault = _object(line)
            objects.append((number, line, found, fault))
            for key in found:
                places.setdefault(key, len(places))
            check_rows(len(objects))
            check_columns(len(places))
    keys = list(places)
    records = [
        Record(line=number, cells=[], fault=fault, raw=line)
        if fault
        else Record(line=number, cells=[found.get(key) for key in keys])
        for number, line, found, fault in objects
    ]
    return records, keys


def _lines(text: str) -> Iterator[str]:
    # Not splitlines: it would cut at signs that JSON allows within a text.
    return (line.rstrip("\r\n") for line in io.StringIO(text, newline="\n"))


def _object(line: str) -> tuple[dict[str, Any], str]:
    if len(line) > _LONGEST_LINE:
        return {}, f"it has more than {_LONGEST_LINE:,} characters"
    try:
        found = parsed(line, numbers=_Written)
    except Unreadable as error:
        return {}, f"it is not valid JSON: {error}"
    return (found, "") if isinstance(found, dict) else ({}, "it is not a JSON object")


class _Written(float):
    """A number with a point or an exponent that keeps its text from the file."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Raise Unreadable."""
        number = super().__new__(cls, finite(text))
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text
