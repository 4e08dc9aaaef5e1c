"""What reading a list comes to: plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vomind_queue.lists.cells import readable

#: Rows of a list, columns of it, and characters of a cell: a spreadsheet's longest has half of it.
MOST_ROWS = 200_000
MOST_COLUMNS = 1_000
MOST_CELL = 1 << 16
#: Characters of all that is said of a list: several times the headers of its columns.
MOST_SAID = 1 << 18


class UnreadableList(Exception):
    """Nothing can be read at all; the text says why, and what to do."""


class TooManyRows(UnreadableList):
    """A list has more rows than may be read here."""


def check_rows(count: int, most: int = MOST_ROWS) -> None:
    """Refuse a list of too many rows, before all of them are read. Raise TooManyRows."""
    if count > most:
        raise too_many_rows(most)


def too_many_rows(most: int) -> TooManyRows:
    """Return the refusal of a list of more rows."""
    return TooManyRows(f"The file has more than {most:,} rows. Split it.")


def check_columns(count: int) -> None:
    """Refuse a list of too many columns. Raise UnreadableList."""
    if count > MOST_COLUMNS:
        text = f"The file has {count:,} columns; at most {MOST_COLUMNS:,} are taken"
        raise UnreadableList(f"{text}. Delete those that are not used.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One answer to a question."""

    value: str
    text: str

    def as_data(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return {"value": self.value, "text": self.text}


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a person is asked."""

    #: By which it is answered.
    id: str
    text: str
    #: Empty where any text answers it, as the text says.
    choices: Sequence[Choice] = ()
    #: What holds unless somebody says otherwise; ``None``: nothing is sent before an answer.
    default: str | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        data = {
            "id": self.id,
            "text": self.text,
            "choices": [choice.as_data() for choice in self.choices],
        }
        return data if self.default is None else {**data, "chosen": self.default}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a person has said about a list."""

    #: ISO 3166 code of the country of numbers that are written without one.
    country: str | None = None
    #: What columns are taken for, by place (from 1) or header; an empty text: not used.
    columns: Mapping[str, str] = field(default_factory=dict)
    #: Words for rows that have none, with ``{{column}}`` where a cell belongs.
    message: str | None = None
    #: Whether columns that are not used become metadata.
    rest_to_metadata: bool = False
    #: Values by the ids of questions.
    given: Mapping[str, str] = field(default_factory=dict)

    def with_said(self, said: Mapping[str, Any]) -> Answers:
        """Return them with what a person said now; the rest stays as it is.

        Raise UnreadableList where that is more than any list asks for.
        """
        made = Answers(
            country=said.get("country", self.country),
            columns={**self.columns, **said.get("columns", {})},
            message=said.get("message", self.message),
            rest_to_metadata=said.get("rest_to_metadata", self.rest_to_metadata),
            given={**self.given, **said.get("given", {})},
        )
        if len(json.dumps(made.as_data())) > MOST_SAID:
            text = f"answers and columns must be at most {MOST_SAID >> 10} KiB in all"
            raise UnreadableList(f"{text}, with what was said before.")
        return made

    def as_data(self) -> dict[str, Any]:
        """Return them as they are kept."""
        return {
            "country": self.country,
            "columns": dict(self.columns),
            "message": self.message,
            "rest_to_metadata": self.rest_to_metadata,
            "given": dict(self.given),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """Rows that are about to become calls, noted before: nobody may know whether they have."""

    #: Name of the idempotency key with which their calls are stored.
    key: str
    #: Their digests.
    rows: Sequence[str]
    #: What tells apart rows that were accepted before; empty for rows that were not.
    again: str
    #: The rows of later tries, each fewer than those before: the others were refused by then.
    narrower: Sequence[Sequence[str]] = ()

    @property
    def tries(self) -> Sequence[Sequence[str]]:
        """The rows of each try. One of them was stored, and their numbers tell which."""
        return [self.rows, *self.narrower]


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedList:
    """A file that was uploaded, and what was said of it so far."""

    campaign_id: str
    filename: str
    raw: bytes
    answers: Answers
    #: Ids of the calls that were made of its rows, by the rows' digests.
    jobs: Mapping[str, str] = field(default_factory=dict)
    #: Rows whose calls were being stored when accepting was broken off.
    sending: Sending | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One row as the file has it."""

    #: Line of its beginning in the file, from 1; in a workbook the number of its row.
    line: int
    #: Texts; JSON lines have any value of JSON, and ``None`` where a key is absent.
    cells: Sequence[Any] = ()
    #: Why it cannot be read; empty where it can.
    fault: str = ""
    #: The line itself, where it cannot be read.
    raw: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A file's rows, before anybody knows what they mean."""

    format: str
    encoding: str | None
    records: Sequence[Record]
    #: Keys of JSON lines; ``None`` where the first row may be a header.
    keys: Sequence[str] | None = None
    #: Sheets of a workbook that have rows.
    sheets: Sequence[str] = ()
    sheet: str | None = None
    #: Rows of its other sheets.
    aside: Sequence[Record] = ()
    questions: Sequence[Question] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column, and what it is taken for."""

    #: From 1.
    place: int
    #: Equal ones are told apart by their order: ``Phone (2nd)``.
    header: str
    #: A field of a call, ``metadata.NAME``, ``to.code``, ``to.country``; ``None``: not used.
    taken_as: str | None
    #: The first cells that are not empty.
    sample: Sequence[str]

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "header": readable(self.header),
            "place": self.place,
            "takenAs": self.taken_as,
            "sample": [readable(cell) for cell in self.sample],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row, and the call that it asks for."""

    line: int
    #: What the file has as its number.
    cell: str | None
    #: As it will ring; ``None`` where that is refused or waits for an answer.
    to: str | None
    #: The call as the API takes it; ``None`` where it is refused.
    call: Mapping[str, Any] | None
    #: Why it is refused, by one word; empty where it is not.
    kind: str = ""
    why: str = ""
    #: The field that is wrong; empty where it is the row.
    field: str = ""
    #: Whether an open question concerns it.
    is_asked: bool = False
    #: Other numbers in the row that are not called.
    others: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadList:
    """A list as it was understood."""

    format: str
    encoding: str | None
    #: Line of the header; ``None`` where there is none.
    header_line: int | None
    columns: Sequence[Column]
    sheet: str | None
    #: Those that nobody has answered: nothing is sent before.
    questions: Sequence[Question]
    #: Those that have an answer which can be changed.
    options: Sequence[Question]
    rows: Sequence[Row]
    #: The rows as they stand in the file, by line.
    records: Mapping[int, Record]
    #: Those above the header, and of other sheets.
    aside: Sequence[Record] = ()

    def found(self) -> dict[str, Any]:
        """Return what was found, as JSON has it."""
        return {
            "format": self.format,
            "encoding": self.encoding,
            "sheet": self.sheet,
            "headerLine": self.header_line,
            "columns": [column.as_data() for column in self.columns],
        }
