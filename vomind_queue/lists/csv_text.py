"""Rows of a text whose cells are separated by signs."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from vomind_queue.lists.models import MOST_CELL, Record, check_rows

_SEPARATORS = ",;\t|"
#: A first line of Excel's that names the separator and is no row.
_NAMED = re.compile(r"\ufeff?\"?sep=(.)\"?(?:\r\n|\r|\n)", re.IGNORECASE)
#: Rows that are read beyond those of a list: titles and a header.
_ABOVE = 100
#: Rows by which a separator is known.
_JUDGED = 50


def rows(text: str) -> list[Record]:
    """Return the rows that are not empty, with the lines on which they begin."""
    csv.field_size_limit(MOST_CELL)
    named = _NAMED.match(text)
    separator = named[1] if named else _separator(text)
    skipped = 1 if named else 0
    body = text[named.end() :] if named else text
    rows = []
    for found in _records(body, separator):
        if found.fault or any(cell.strip() for cell in found.cells):
            rows.append(Record(line=found.line + skipped, cells=found.cells, fault=found.fault))
            check_rows(len(rows) - _ABOVE)
    return rows


def _records(text: str, separator: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # An unclosed quotation mark would put all lines below into the message.
            fault = f"a quotation mark is never closed, or is not alone in its cell: {error}"
            yield Record(line=line, fault=fault)
        else:
            yield Record(line=line, cells=cells)


def _separator(text: str) -> str:
    """Return the sign that cuts most rows into equally many cells, two or more."""
    return max(_SEPARATORS, key=lambda sign: _evenness(text, sign))


def _evenness(text: str, separator: str) -> tuple[int, int]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lengths = Counter(map(len, islice(_whole(reader), _JUDGED)))
    several = [(count, length) for length, count in lengths.items() if length > 1]
    return max(several, default=(0, 0))


def _whole(reader: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield rows up to the first that is none."""
    try:
        yield from (cells for cells in reader if cells)
    except csv.Error:
        return
