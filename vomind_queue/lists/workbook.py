"""Rows of a workbook: XLSX, XLS, and their relatives."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vomind_queue.lists import workbook_process
from vomind_queue.lists.models import (
    Choice,
    Opened,
    Question,
    Record,
    UnreadableList,
    too_many_rows,
)

#: Beginnings of files: a ZIP archive, and Microsoft's compound file.
_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: How long a workbook may take on a busy machine, s.
_MOST_S = 60
#: The id of the question.
SHEET = "sheet"


def is_workbook(raw: bytes) -> bool:
    """Return whether the bytes are one, whatever the file's name says."""
    return raw.startswith((_ZIP, _COMPOUND))


def open_workbook(raw: bytes, given: Mapping[str, str], most_rows: int) -> Opened:
    """Return the rows of the only sheet that has any, or of the chosen one.

    Raise UnreadableList, and TooManyRows where there is more than so many rows have.
    """
    sheets = {
        name: [Record(line=line, cells=cells) for line, cells in rows]
        for name, rows in _read(raw, most_rows).items()
    }
    filled = [name for name, rows in sheets.items() if rows]
    chosen = given.get(SHEET)
    sheet = chosen if chosen in filled else next(iter(filled), None)
    form = "xls" if raw.startswith(_COMPOUND) else "xlsx"
    return Opened(
        format=form,
        encoding=None,
        records=sheets[sheet] if sheet else [],
        sheets=filled,
        sheet=sheet,
        aside=[record for name, rows in sheets.items() if name != sheet for record in rows],
        questions=_questions(filled, chosen),
    )


def _read(raw: bytes, most_rows: int) -> dict[str, list[Any]]:
    """Return the rows of each sheet, by line."""
    command = [sys.executable, "-I", str(Path(workbook_process.__file__)), str(most_rows)]
    try:
        done = subprocess.run(command, input=raw, capture_output=True, timeout=_MOST_S, check=True)  # noqa: S603
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        text = "The workbook cannot be read: it is damaged, or too large; save it as CSV."
        raise UnreadableList(text) from None
    if "more" in answer:
        raise too_many_rows(most_rows)
    if "fault" in answer:
        raise UnreadableList(f"The workbook cannot be read: {answer['fault']}.")
    found: dict[str, list[Any]] = answer["sheets"]
    return found


def _questions(filled: Sequence[str], chosen: str | None) -> list[Question]:
    if len(filled) < 2:  # noqa: PLR2004
        return []
    return [
        Question(
            id=SHEET,
            text=f"{len(filled)} sheets have rows. Which one is the list?",
            choices=[Choice(value=name, text=name) for name in filled],
            default=chosen if chosen in filled else None,
        )
    ]
