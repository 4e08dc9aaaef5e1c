"""Where a table's header is, and what its columns are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vomind_queue.lists.cells import readable, shown, without_unseen
from vomind_queue.lists.models import Choice, Opened, Question, Record
from vomind_queue.lists.names import field_of

#: The id of the question, and the answer that there is none.
HEADER, NO_HEADER = "header", "none"
#: A header is looked for in so many rows; above it there may be titles.
_SEARCHED = 20
#: So many fields by name make a row a header that has no column for the number.
_FIELDS = 2
_CALLABLE = re.compile(r"[^\w+]*\+?(?:[\d][^\w+]*){7,15}")
_ORDINALS = {2: "2nd", 3: "3rd"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows below a header."""

    #: ``None`` where there is none.
    header_line: int | None
    #: One a column, told apart.
    headers: Sequence[str]
    #: Columns up to the last one that is named.
    width: int
    records: Sequence[Record]
    questions: Sequence[Question] = ()


def below_header(opened: Opened, given: Mapping[str, str]) -> Table:
    """Return the table, as the file shows it or as was chosen."""
    if opened.keys is not None:
        keys = list(map(readable, opened.keys))
        return Table(header_line=None, headers=keys, width=len(keys), records=opened.records)
    index, question = _find(opened.records, given)
    questions = [question] if question else []
    if index is None:
        width = max((len(record.cells) for record in opened.records), default=0)
        names = [f"Column {place}" for place in range(1, width + 1)]
        return Table(
            header_line=None, headers=names, width=width, records=opened.records,
            questions=questions,
        )  # fmt: skip
    header = opened.records[index]
    cells = [readable(without_unseen(cell)).replace("\n", " ") for cell in header.cells]
    width = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
    return Table(
        header_line=header.line,
        headers=_told_apart(cells[:width]),
        width=width,
        records=opened.records[index + 1 :],
        questions=questions,
    )


def _find(
    records: Sequence[Record], given: Mapping[str, str]
) -> tuple[int | None, Question | None]:
    """Return the index of the header, and what to ask about it."""
    chosen = given.get(HEADER)
    lines = {str(record.line): index for index, record in enumerate(records)}
    found = next((i for i, each in enumerate(records[:_SEARCHED]) if _is_header(each)), None)
    if chosen == NO_HEADER or chosen in lines:
        index = None if chosen == NO_HEADER else lines[chosen]
        return index, _ask(records, found, default=chosen)
    if found is not None:
        return found, _ask(records, found, default=str(records[found].line)) if found else None
    if records and any(map(is_callable, records[0].cells)):
        return None, _ask(records, 0, default=None)
    return (0 if records else None), None


def _is_header(record: Record) -> bool:
    if any(map(is_callable, record.cells)):
        return False
    fields = [field_of(without_unseen(cell)) for cell in record.cells if cell.strip()]
    return "to" in fields or sum(field is not None for field in fields) >= _FIELDS


def is_callable(cell: object) -> bool:
    """Return whether a cell looks like a number to ring."""
    return isinstance(cell, str) and bool(_CALLABLE.fullmatch(without_unseen(cell)))


def _ask(records: Sequence[Record], index: int | None, *, default: str | None) -> Question:
    record = records[index or 0]
    first = ", ".join(shown(cell, 30) for cell in record.cells if cell.strip())
    text = f"Line {record.line} is the header: {first}."
    if default is None:
        text = f"The first line looks like a call: {first}. Is it one, or the names of the columns?"
    choices = [
        Choice(value=NO_HEADER, text="It is a call; the file has no header."),
        Choice(value=str(record.line), text=f"Line {record.line} names the columns."),
    ]
    return Question(id=HEADER, text=text, choices=choices, default=default)


def _told_apart(cells: Sequence[str]) -> list[str]:
    """Return a name for each column; equal ones get their order."""
    found: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = cell or f"Column {place}"
        times = sum(other == cell for other in cells[:place])
        found.append(
            f"{name} ({_ORDINALS.get(times, f'{times}th')})" if cell and times > 1 else name
        )
    return found
