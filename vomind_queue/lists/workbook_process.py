"""Read a workbook in a process that ends with it: a few bytes of one can ask for all memory.

Takes the file as standard input, and how many rows a sheet may have as its argument. Writes
``{"sheets": {name: [[line, cells], …]}}``, ``{"fault": why}`` or, where there is more than that,
``{"more": true}`` in JSON. Ends in any other way where its memory or time is used up. It is run by
its path, and imports nothing of this package.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import zipfile
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

#: The memory of the process, bytes, and its time, s: many times what the longest list takes.
MOST_MEMORY = 1 << 30
MOST_CPU_S = 20
#: What an archive may hold, bytes, and the cells of all sheets, characters.
_MOST_UNPACKED = 400 * 1024 * 1024
_MOST_TEXT = 100 * 1024 * 1024
#: Of both, what goes to one of the rows that may be read, on the average.
_OF_ROW = 8 * 1024
#: Rows that are read beyond those of a list: titles and a header.
_ABOVE = 100
#: What an empty cell counts.
_EMPTY = 3
_TOO_LARGE = "it is too large once unpacked; save it as CSV"
#: Whole numbers up to here have all of their digits in a spreadsheet.
_EXACT = 1e15


class _TooLargeError(Exception):
    """The workbook holds more than any list."""


class _TooManyError(Exception):
    """It holds more than the rows that may be read."""


def read(raw: bytes, most_rows: int) -> dict[str, Any]:
    """Return the rows of all sheets that are not empty, or why there are none."""
    try:
        _check_size(raw, most_rows * _OF_ROW)
        book = CalamineWorkbook.from_object(io.BytesIO(raw))
        return {"sheets": _sheets(book, most_rows)}
    except _TooManyError:
        return {"more": True}
    except PasswordError:
        return {"fault": "it has a password; save it without one"}
    except _TooLargeError:
        return {"fault": _TOO_LARGE}
    except zipfile.BadZipFile:
        return {"fault": "it is damaged; save it again"}
    except (CalamineError, ValueError) as error:
        return {"fault": str(error)}


def _check_size(raw: bytes, most: int) -> None:
    if not raw.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        # The reader refuses an archive that unpacks to more than it says.
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _MOST_UNPACKED:
        raise _TooLargeError
    if unpacked > most:
        raise _TooManyError


def _sheets(book: CalamineWorkbook, most_rows: int) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    most_text = most_rows * _OF_ROW
    room = min(most_text, _MOST_TEXT)
    for name in book.sheet_names:
        rows = found[name] = []
        table = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for line, values in enumerate(table, 1):
            cells = [_text(value) for value in values]
            if any(cell.strip() for cell in cells):
                rows.append([line, cells])
                room -= sum(map(len, cells)) + _EMPTY * len(cells)
            if room < 0:
                raise _TooManyError if most_text < _MOST_TEXT else _TooLargeError
            if len(rows) > most_rows + _ABOVE:
                raise _TooManyError
    return found


def _text(cell: Any) -> str:
    """Return a cell as people see it, numbers with all their digits."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell)


def main() -> None:
    """Bound what the process may take, and read."""
    raw = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    json.dump(read(raw, int(sys.argv[1])), sys.stdout)


if __name__ == "__main__":
    main()
