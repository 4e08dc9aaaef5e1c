"""Words with ``{{column}}`` or ``{{column|default}}`` where a cell of the row belongs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from vomind_queue.lists.names import plain

_plain = lru_cache(maxsize=1024)(plain)
#: Characters of headers that are kept at hand: what others upload must fill no memory.
_SHORT = 100
_PLACE = re.compile(r"\{\{([^{}|]*)(?:\|([^{}]*))?\}\}")


def fill(text: str, cells: Mapping[str, str]) -> str:
    """Return the words with each place filled; ``cells`` by plain header. Raise ValueError."""
    if "{{" not in text and "}}" not in text:
        return text
    filled = _PLACE.sub(_filler(cells), text)
    rest = _PLACE.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise ValueError("a place for a column is not closed: write {{column}}")
    return filled


def _filler(cells: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def value(found: re.Match[str]) -> str:
        name, default = found[1].strip(), found[2]
        cell = cells.get(plain(name))
        if cell is None:
            raise ValueError(f"{{{{{name}}}}} names no column of the list")
        if cell.strip():
            return cell.strip()
        if default is None:
            raise ValueError(f"`{name}` is empty; {{{{{name}|…}}}} gives it a default")
        return default.strip()

    return value


def by_name(headers: Sequence[str], cells: Sequence[object]) -> dict[str, str]:
    """Return the cells by their plain headers, the first of equal ones."""
    found: dict[str, str] = {}
    for header, cell in zip(headers, cells, strict=False):
        name = _plain(header) if len(header) <= _SHORT else plain(header)
        found.setdefault(name, "" if cell is None else str(cell))
    return found
