"""The rows of a file that are sent, and the requests that they are sent in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Well below what the API takes in one body, bytes.
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One call, and its line in the file."""

    #: Line in the file, from 1; the first one if a row spans several.
    number: int
    call: Mapping[str, Any]
    #: By which the row is known once it was accepted.
    row: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """An error in a line."""

    line: int
    #: The field as the API names it, or empty.
    field: str
    message: str

    def __str__(self) -> str:
        """For people."""
        return f"line {self.line}: {f'{self.field}: ' if self.field else ''}{self.message}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some lines that are accepted together or not at all."""

    index: int
    lines: Sequence[Line]

    @property
    def digest(self) -> str:
        """Hash of the calls: an idempotency key must always come with the same calls."""
        text = json.dumps(self.calls, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def calls(self) -> list[Any]:
        """As they are sent."""
        return [line.call for line in self.lines]


def parts(lines: Iterable[Line], size: int, first: int = 0) -> list[Part]:
    """Return the lines in order, at most ``size`` in one part, numbered from ``first``."""
    return [Part(index=index, lines=some) for index, some in enumerate(_cut(lines, size), first)]


def _cut(lines: Iterable[Line], size: int) -> Iterator[Sequence[Line]]:
    some: list[Line] = []
    length = 0
    for line in lines:
        own = len(json.dumps(line.call).encode())
        if some and (len(some) == size or length + own > MOST_BYTES):
            yield some
            some, length = [], 0
        some.append(line)
        length += own
    if some:
        yield some
