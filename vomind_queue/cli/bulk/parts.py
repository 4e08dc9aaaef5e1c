"""The requests that a file is sent in; the same file always makes the same ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vomind_queue.cli.bulk.lines import Line

#: Well below what the API takes in one body, bytes.
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some lines, all or none of which are accepted."""

    index: int
    lines: Sequence[Line]
    #: Of the calls in them: a key that is sent again must come with the same ones.
    digest: str

    @property
    def calls(self) -> list[Any]:
        """As they are sent."""
        return [line.call for line in self.lines]

    @property
    def span(self) -> str:
        """Where it is in the file, for people."""
        first, last = self.lines[0].number, self.lines[-1].number
        return f"line {first}" if first == last else f"lines {first:,} to {last:,}"


def parts(lines: Sequence[Line], size: int) -> list[Part]:
    """The lines in order, at most ``size`` of them in one part."""
    return [
        Part(index=index, lines=some, digest=_digest(some))
        for index, some in enumerate(_cut(lines, size))
    ]


def _cut(lines: Sequence[Line], size: int) -> Iterator[Sequence[Line]]:
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


def _digest(lines: Sequence[Line]) -> str:
    text = json.dumps([line.call for line in lines], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
