"""What ``bulk`` prints of a file before and after it is sent."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from vomind_queue.cli.bulk.lines import Fault, Part
from vomind_queue.cli.exit_codes import BadFile
from vomind_queue.cli.output import count
from vomind_queue.encoding import no_formula
from vomind_queue.lists.models import Question, ReadList
from vomind_queue.lists.preview import Fate, Preview, PreviewedRow
from vomind_queue.lists.refused import own_cells

#: Rows of which cell and number are shown.
_SHOWN = 20
#: What is said of rows that are not sent, by fate.
_LEFT_OUT = {
    Fate.DOUBLE: "{} not sent: the same person is called by an earlier row",
    Fate.ACCEPTED_BEFORE: "{} not sent: accepted before",
    Fate.BLOCKED: "{} not sent: on the do-not-call list",
    Fate.HELD: "{} held by a calling rule until later",
}


def number(parts: Sequence[Part]) -> int:
    """Return how many calls they have."""
    return sum(len(part.lines) for part in parts)


def bar(out: Any, label: str, parts: Sequence[Part]) -> Any:
    """Return a progress bar on standard error, where that is a terminal."""
    hidden = out.as_json or not sys.stderr.isatty() or not parts
    return click.progressbar(
        length=number(parts), label=label, show_pos=True, hidden=hidden, file=sys.stderr
    )


def document(found: ReadList, preview: Preview) -> dict[str, Any]:
    """Return the whole preview as JSON has it."""
    rows = [row.as_data() for row in preview.rows]
    return {"found": found.found(), **preview.as_data(), "rows": rows}


def faults(preview: Preview) -> list[Fault]:
    """Return all that is wrong, line by line."""
    return [fault for row in preview.rows if row.fate is Fate.REFUSED for fault in _faults(row)]


def _faults(row: PreviewedRow) -> Iterator[Fault]:
    for name, text in row.errors:
        message = text if text.endswith((".", "?")) else f"{text}."
        yield Fault(line=row.row.line, field=name, message=message)


def changed(preview: Preview) -> list[str]:
    """Return the rows whose cell and number differ by more than spaces."""
    rows = [
        f"line {row.row.line}: {row.row.cell!r} rings {row.row.to}"
        for row in preview.rows
        if row.row.to and re.sub(r"\s", "", row.row.cell or "") != row.row.to
    ]
    more = [f"… and {len(rows) - _SHOWN:,} more."] if len(rows) > _SHOWN else []
    return [*rows[:_SHOWN], *more]


def left_out(preview: Preview) -> list[str]:
    """Return a line for each reason for which rows are not sent, or wait."""
    counts = preview.counts
    said = [
        f"{text.format(count(counts[fate.value], 'row'))}."
        for fate, text in _LEFT_OUT.items()
        if counts[fate.value]
    ]
    others = sum(len(row.row.others) for row in preview.rows)
    return [*said, *([f"{count(others, 'further number')} not called."] if others else [])]


def asked(question: Question) -> list[str]:
    """Return a question with its choices, and how it is answered."""
    choices = [
        f"  --answer '{question.id}={choice.value}': {choice.text}" for choice in question.choices
    ]
    if question.id == "country":
        return [f"{question.text} Use --country, such as --country DE."]
    open_one = "" if choices else f" Use --answer {question.id}=…"
    return [f"{question.text}{open_one}", *choices]


def write_report(path: Path, pairs: Sequence[tuple[int, str]]) -> None:
    """Write line and job id of each call that was accepted. Raise BadFile."""
    _write(path, [("line", "jobId"), *pairs])


def write_refused(path: Path, found: ReadList, preview: Preview) -> None:
    """Write the refused rows with all of their columns, to be mended. Raise BadFile."""
    headers = [column.header for column in found.columns]
    rows = [_safe(*headers, "why")]
    for row in preview.rows:
        if row.fate is Fate.REFUSED:
            cells = own_cells(found, row)
            rows.append(_safe(*cells, *[""] * (len(headers) - len(cells)), row.why))
    _write(path, rows)


def _safe(*cells: Any) -> Sequence[Any]:
    """Return a row of which no cell is a formula; the reader of lists passes over the sign."""
    return [no_formula(cell) if isinstance(cell, str) else cell for cell in cells]


def _write(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    except OSError as error:
        raise BadFile(f"{path} cannot be written: {error.strerror}.") from None
