"""Rows of a text with one JSON object a line."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from vomind_queue.lists.models import Record


def rows(text: str) -> tuple[list[Record], list[str]]:
    """Return a record for each line, and the keys in the order in which they first come."""
    objects = [
        (number, line, *_object(line))
        for number, line in enumerate(_lines(text), 1)
        if line.strip()
    ]
    places: dict[str, int] = {}
    for _, _, found, _ in objects:
        for key in found:
            places.setdefault(key, len(places))
    keys = list(places)
    records = [
        Record(line=number, cells=[], fault=fault, raw=line)
        if fault
        else Record(line=number, cells=[found.get(key) for key in keys])
        for number, line, found, fault in objects
    ]
    return records, keys


def _lines(text: str) -> list[str]:
    # Not splitlines: it would cut at signs that JSON allows within a text.
    return text.replace("\r\n", "\n").split("\n")


def _object(line: str) -> tuple[dict[str, Any], str]:
    try:
        found = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return {}, f"it is not valid JSON: {error}"
    return (found, "") if isinstance(found, dict) else ({}, "it is not a JSON object")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no value of JSON")
