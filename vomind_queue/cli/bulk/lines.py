"""A file of calls, CSV with a header or JSON lines, and the requests that it is sent in."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vomind_queue.cli.bulk.columns import Columns
from vomind_queue.cli.exit_codes import BadFile

#: Accepted separators of cells.
_SEPARATORS = ",;\t"
#: A cell may hold metadata of 8 KiB and more, bytes.
_LONGEST_CELL = 1 << 20
#: Well below what the API takes in one body, bytes.
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One call, and its line in the file."""

    #: Line in the file, from 1; the first one if a row spans several.
    number: int
    call: Mapping[str, Any]


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


@dataclass(kw_only=True, slots=True)
class Sheet:
    """The contents of a file."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    #: Headers of columns that are not sent.
    left_out: Sequence[str] = ()


def read_csv(path: Path, chosen: Mapping[str, str], *, rest_to_metadata: bool) -> Sheet:
    """Return a table's calls. Raise BadFile if it is no table or has no column for the number."""
    csv.field_size_limit(_LONGEST_CELL)
    text = _text(path)
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header = next(reader, None)
    if not header:
        raise BadFile(f"{path} is empty.")
    columns = Columns(header, chosen, rest_to_metadata=rest_to_metadata)
    sheet = Sheet(left_out=columns.left_out)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
            if any(cell.strip() for cell in cells):
                sheet.lines.append(Line(number=number, call=columns.call(cells)))
        except StopIteration:
            return sheet
        except csv.Error as error:
            # An unclosed quotation mark would put all lines below into the message.
            message = f"a quotation mark is never closed, or is not alone in its cell: {error}."
            sheet.faults.append(Fault(line=number, field="", message=message))
        except ValueError as error:
            sheet.faults.append(Fault(line=number, field="", message=f"{error}."))


def read_jsonl(path: Path) -> Sheet:
    """Return one call for each line. Raise BadFile if the file cannot be read."""
    sheet = Sheet()
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            call = json.loads(line)
        except ValueError as error:
            sheet.faults.append(
                Fault(line=number, field="", message=f"it is not valid JSON: {error}.")
            )
            continue
        if isinstance(call, dict):
            sheet.lines.append(Line(number=number, call=call))
        else:
            sheet.faults.append(Fault(line=number, field="", message="it is not a JSON object."))
    return sheet


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from None
    try:
        # Spreadsheets put a byte-order mark before UTF-8, and misread files without one.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(f"{path} is not in UTF-8 (line {line}): save it as CSV UTF-8.") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some lines that are accepted together or not at all."""

    index: int
    lines: Sequence[Line]
    #: Hash of the calls: an idempotency key must always come with the same calls.
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
    """Return the lines in order, at most ``size`` of them in one part."""
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
