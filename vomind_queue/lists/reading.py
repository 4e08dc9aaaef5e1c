"""Read a list: what is in it, what it asks for, and what must be asked first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from phonenumbers import SUPPORTED_REGIONS

from vomind_queue.calls.call import DEFAULT_MESSAGE
from vomind_queue.lists import csv_text, json_lines, workbook
from vomind_queue.lists.cells import shown
from vomind_queue.lists.columns import Hints, Layout, decide, no_hints
from vomind_queue.lists.decoding import decode
from vomind_queue.lists.headers import Table, below_header
from vomind_queue.lists.models import (
    MOST_ROWS,
    Answers,
    Choice,
    Opened,
    Question,
    ReadList,
    Row,
    UnreadableList,
    check_columns,
    check_rows,
)
from vomind_queue.lists.rows import DEFAULT_WORDS, TIMED, RowReader, lacks_answer
from vomind_queue.lists.times import SERIAL, Manner, manner_of

#: Bytes of a file.
MOST_BYTES = 25 * 1024 * 1024
#: Rows between two reports of how far it is.
_STEP = 1_000
_JSON_LINES = ("jsonl", "ndjson")


def nothing_to_tell(_done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def read_list(
    raw: bytes,
    filename: str,
    answers: Answers,
    *,
    form: str | None = None,
    hints: Hints = no_hints,
    tell: Callable[[int, int], None] = nothing_to_tell,
    most_rows: int = MOST_ROWS,
) -> ReadList:
    """Return what a file has.

    ``form`` (csv, jsonl) is that of a text whose name does not tell. ``tell`` gets the rows read
    and the rows in all. Raise UnreadableList.
    """
    if len(raw) > MOST_BYTES:
        raise UnreadableList(f"The file is larger than {MOST_BYTES >> 20} MiB; split it.")
    form = form or PurePath(filename).suffix.lstrip(".").lower()
    opened = _open(raw, form, answers.given, most_rows)
    check_columns(max((len(record.cells) for record in opened.records), default=0))
    table = below_header(opened, answers.given)
    _check_length(opened, table, most_rows)
    layout = decide(table, answers, hints)
    manners = {field: _manner(table, layout, field) for field in TIMED}
    reader = RowReader(table, layout, answers, manners, opened.encoding)
    rows = _rows(reader, table, tell)
    asked = [*opened.questions, *table.questions, *layout.questions]
    asked += [*_on_times(table, layout, manners, answers), *_on_rows(rows, layout, answers)]
    questions = [question for question in asked if question.default is None]
    return ReadList(
        format=opened.format,
        encoding=opened.encoding,
        header_line=table.header_line,
        columns=layout.columns,
        sheet=opened.sheet,
        questions=questions,
        options=[question for question in asked if question.default is not None],
        rows=_waiting(rows) if any(_concerns_all(each) for each in questions) else rows,
        records={record.line: record for record in table.records},
        aside=[*opened.aside, *opened.records[: len(opened.records) - len(table.records)]],
    )


def _open(raw: bytes, form: str, given: Mapping[str, str], most_rows: int) -> Opened:
    if workbook.is_workbook(raw):
        return workbook.open_workbook(raw, given, most_rows)
    if not raw.strip():
        raise UnreadableList("The file is empty.")
    decoded = decode(raw, given)
    questions = [decoded.question] if decoded.question else []
    is_json = form in _JSON_LINES or (form != "csv" and decoded.text.lstrip()[:1] == "{")
    if is_json:
        records, keys = json_lines.rows(decoded.text)
        return Opened(
            format="jsonl", encoding=decoded.encoding, records=records, keys=keys,
            questions=questions,
        )  # fmt: skip
    return Opened(
        format="csv", encoding=decoded.encoding, records=csv_text.rows(decoded.text),
        questions=questions,
    )  # fmt: skip


def _check_length(opened: Opened, table: Table, most_rows: int) -> None:
    if not opened.records:
        raise UnreadableList("The file is empty.")
    if not table.records:
        raise UnreadableList("The file has no calls: there are no rows below its header.")
    check_rows(len(table.records), most_rows)


def _manner(table: Table, layout: Layout, field: str) -> Manner:
    return manner_of(
        str(record.cells[index])
        for index in layout.fields.get(field, ())
        for record in table.records
        if index < len(record.cells) and record.cells[index] is not None
    )


def _rows(reader: RowReader, table: Table, tell: Callable[[int, int], None]) -> list[Row]:
    rows = []
    for done, record in enumerate(table.records):
        if done % _STEP == 0:
            tell(done, len(table.records))
        rows.append(reader.read(record))
    tell(len(rows), len(rows))
    return rows


def _concerns_all(question: Question) -> bool:
    """Return whether an open question may change every row."""
    return question.id not in ("country", "message", "timezone", "dateOrder")


def _waiting(rows: Sequence[Row]) -> list[Row]:
    return [row if row.kind else _asked(row) for row in rows]


def _asked(row: Row) -> Row:
    return Row(
        line=row.line, cell=row.cell, to=row.to, call=row.call, is_asked=True, others=row.others
    )


def _on_times(
    table: Table, layout: Layout, manners: Mapping[str, Manner], answers: Answers
) -> list[Question]:
    """Ask for the zone and the order of a column whose times are all of one form."""
    lacking = [field for field in TIMED if lacks_answer(manners[field], answers.given)]
    if not lacking:
        return []
    header = table.headers[layout.fields[lacking[0]][0]]
    questions = []
    if "timezone" not in answers.given:
        kind = "a spreadsheet's dates" if manners[lacking[0]].kind == SERIAL else "times"
        text = f"Column “{header}” has {kind} without a zone. In which time zone are they?"
        questions.append(
            Question(id="timezone", text=f"{text} Name it as Europe/Berlin or America/Chicago.")
        )
    if "dateOrder" not in answers.given and any(manners[field].is_day_unclear for field in lacking):
        choices = [
            Choice(value="D", text="11/12/2026 is the 11th of December."),
            Choice(value="M", text="11/12/2026 is November 12th."),
        ]
        text = f"Which comes first in the dates of column “{header}”, the day or the month?"
        questions.append(Question(id="dateOrder", text=text, choices=choices))
    return questions


def _on_rows(rows: Sequence[Row], layout: Layout, answers: Answers) -> list[Question]:
    found = []
    abroad = [row for row in rows if row.kind == "no-country"]
    if abroad:
        text = f"{_many(len(abroad))} no country, such as {shown(abroad[0].cell or '')}."
        choices = [Choice(value=code, text=code) for code in sorted(SUPPORTED_REGIONS)]
        text = f"{text} In which country are the numbers that begin without a +?"
        found.append(Question(id="country", text=text, choices=choices))
    unclear = [row for row in rows if row.kind in ("ambiguous", "foreign")]
    if unclear or "bare" in answers.given:
        found.append(_on_bare(unclear, answers))
    mute = [row for row in rows if row.is_asked and row.call is not None and _is_mute(row, answers)]
    if mute:
        found.append(_on_words(len(mute), layout))
    return found


def _is_mute(row: Row, answers: Answers) -> bool:
    call = row.call or {}
    has_words = "message" in call or "twimlUrl" in call
    return not has_words and answers.given.get("message") != DEFAULT_WORDS


def _on_words(count: int, layout: Layout) -> Question:
    """Ask what is spoken in rows without words."""
    choices = [Choice(value=DEFAULT_WORDS, text=f"They hear “{DEFAULT_MESSAGE}”.")]
    if "message" not in layout.fields:
        choices += [
            Choice(value=f"column:{column.place}", text=f"Column “{column.header}”")
            for column in layout.columns
            if column.taken_as is None and any(" " in cell.strip() for cell in column.sample)
        ]
    text = f"{_many(count)} no message and would hear “{DEFAULT_MESSAGE}”. What are they to hear?"
    text = f"{text} Any other text is spoken as it is; {{{{column}}}} stands for a cell."
    return Question(id="message", text=text, choices=choices)


def _on_bare(unclear: Sequence[Row], answers: Answers) -> Question:
    cells = ", ".join(shown(row.cell or "") for row in unclear[:3])
    text = f"{_many(len(unclear))} neither a + nor the 0 before an area code: {cells}."
    choices = [
        Choice(value="refuse", text="Leave them out."),
        Choice(value="national", text="They lack the 0, and are of the list's country."),
        Choice(value="international", text="They lack the +, and begin with their country's code."),
    ]
    default = answers.given.get("bare", "refuse")
    return Question(id="bare", text=text, choices=choices, default=default)


def _many(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"
