"""Rows of a workbook: XLSX, XLS, and their relatives."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from vomind_queue.lists.models import Choice, Opened, Question, Record, UnreadableList

#: Beginnings of files: a ZIP archive, and Microsoft's compound file.
_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: What an archive may hold, bytes: far more than any list, and no bomb.
_MOST_UNPACKED = 400 * 1024 * 1024
#: The id of the question.
SHEET = "sheet"


def is_workbook(raw: bytes) -> bool:
    """Return whether the bytes are one, whatever the file's name says."""
    return raw.startswith((_ZIP, _COMPOUND))


def open_workbook(raw: bytes, given: Mapping[str, str]) -> Opened:
    """Return the rows of the only sheet that has any, or of the chosen one.

    Raise UnreadableList.
    """
    _check_size(raw)
    try:
        book = CalamineWorkbook.from_object(io.BytesIO(raw))
        sheets = {name: _rows(book, name) for name in book.sheet_names}
    except PasswordError:
        raise UnreadableList("The workbook has a password; save it without one.") from None
    except (CalamineError, zipfile.BadZipFile, ValueError) as error:
        raise UnreadableList(f"The workbook cannot be read: {error}.") from None
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
        questions=_questions(filled, chosen),
    )


def _check_size(raw: bytes) -> None:
    if not raw.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise UnreadableList("The workbook is damaged; save it again.") from None
    if unpacked > _MOST_UNPACKED:
        raise UnreadableList("The workbook is too large once unpacked; save it as CSV.")


def _rows(book: CalamineWorkbook, name: str) -> list[Record]:
    table = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    records = (
        Record(line=line, cells=[_text(cell) for cell in cells])
        for line, cells in enumerate(table, 1)
    )
    return [record for record in records if any(cell.strip() for cell in record.cells)]


def _text(cell: Any) -> str:
    """Return a cell as people see it, numbers with all their digits."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:  # noqa: PLR2004
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell)


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
