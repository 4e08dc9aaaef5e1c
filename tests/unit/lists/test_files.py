"""Files as programs write them: encodings, separators, workbooks, JSON lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lists.reading import asked, numbers, read, seen, workbook
from vomind_queue.lists.models import UnreadableList

ONE = "Phone,Message\n+14155550101,Grüße\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (ONE.encode(), "utf-8"),
        (ONE.encode("utf-8-sig"), "utf-8-sig"),
        (ONE.encode("utf-16"), "utf-16"),
        (ONE.encode("utf-16-le"), "utf-16-le"),
        (ONE.encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_an_encoding_is_seen(raw: bytes, encoding: str) -> None:
    """By a mark at the beginning, or by what fits nothing else."""
    found = read(raw)
    assert (found.encoding, asked(found)) == (encoding, [])
    assert found.rows[0].call == {"to": "+14155550101", "message": "Grüße"}


def test_an_older_encoding_is_asked_for() -> None:
    """With the line as each would read it."""
    raw = "to;message\n+14155550134;Добрый день\n".encode("cp1251")
    found = read(raw)
    assert asked(found) == ["encoding"]
    assert any("Добрый день" in choice.text for choice in found.questions[0].choices)
    assert seen(raw).counts["willRing"] == 0
    chosen = read(raw, given={"encoding": "cp1251"})
    assert asked(chosen) == []
    assert (chosen.rows[0].call or {})["message"] == "Добрый день"


def test_a_damaged_line_harms_no_other() -> None:
    """Bytes that fit the encoding of the others nowhere are refused with their line."""
    raw = "to;message\n+14155550137;Grüße\n".encode() + "+14155550138;Straße\n".encode("cp1252")
    found = seen(raw)
    assert [row.fate for row in found.rows] == ["willRing", "refused"]
    assert (found.rows[0].row.call or {})["message"] == "Grüße"
    assert [option.id for option in found.options] == ["encoding"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_ends_of_lines(separator: str, end: str) -> None:
    """Errors carry the line of the file, also below a cell of several lines."""
    rows = [
        "to,message",
        '+14155550101,"two',
        'lines ""all"" of it"',
        "555,x",
        "",
        "+14155550102,x",
    ]
    found = seen(end.join(row.replace(",", separator, 1) for row in rows))
    assert [(row.row.line, row.fate.value) for row in found.rows] == [
        (2, "willRing"), (4, "refused"), (6, "willRing"),
    ]  # fmt: skip
    assert (found.rows[0].row.call or {})["message"] == f'two{end}lines "all" of it'


def test_a_line_that_names_the_separator_is_obeyed() -> None:
    """It is Excel's, and no row."""
    found = read("sep=;\r\nPhone;Message\r\n+14155550112;Hello, you\r\n")
    assert (found.header_line, found.rows[0].line, numbers(found)) == (2, 3, ["+14155550112"])


def test_titles_empty_rows_and_empty_columns_do_not_count() -> None:
    """The header is found below the title."""
    found = read("List of November,,,\n,,,\nPhone,Message,,\n+14155550125,Hello,,\n,,,\n")
    assert (found.header_line, len(found.columns), len(found.rows)) == (3, 2, 1)


def test_a_text_that_lacks_its_quotes_is_refused() -> None:
    """Half of it would be spoken."""
    found = seen("to,message\n+14155550116,Hello, you\n+14155550166,Hello\n")
    assert [row.fate for row in found.rows] == ["refused", "willRing"]
    assert "more cells than the header" in found.rows[0].why


def test_a_quotation_mark_that_is_never_closed_is_told() -> None:
    """It would make one message of all lines below."""
    found = seen('to,message\n+14155550116,"Hello\n+14155550166,Hello\n')
    assert [(row.row.line, row.fate.value) for row in found.rows] == [(2, "refused")]


@pytest.mark.parametrize("name", ["people.xlsx", "people.csv"])
def test_a_workbook_is_known_by_its_bytes(name: str) -> None:
    """Whatever it is called; numbers keep all of their digits."""
    raw = workbook(People=[["Phone", "Message"], [4155550101.0, "Hello"], ["+14155550102", "Hi"]])
    found = read(raw, name, country="US")
    assert (found.format, found.sheet) == ("xlsx", "People")
    assert numbers(found) == ["+14155550101", "+14155550102"]


def test_an_old_workbook_is_read() -> None:
    """XLS, as programs of the last century write it."""
    raw = (Path(__file__).parent / "people.xls").read_bytes()
    found = read(raw, country="US")
    assert (found.format, numbers(found)) == ("xls", ["+14155550101", "+14155550102"])


def test_one_of_several_sheets_is_asked_for() -> None:
    """Empty ones do not count."""
    rows = [["Phone", "Message"], ["+14155550101", "Hello"]]
    raw = workbook(Empty=[], North=rows, South=[rows[0], ["+14155550102", "Hello"]])
    assert asked(read(raw)) == ["sheet"]
    assert numbers(read(raw, given={"sheet": "South"})) == ["+14155550102"]
    assert asked(read(workbook(Empty=[], North=rows))) == []


def test_json_lines_are_read_as_tables_are() -> None:
    """Their keys are known by the same names; what JSON does not have is refused."""
    found = seen(
        '{"to": "+14155550143", "text": "Hello", "retryOn": ["busy"], "metadata": {"a": 1}}\n'
        '{"phone": "+14155550144", "body": "Hello"}\n'
        '{"to": "+14155550145", "lead_id": NaN}\n[1]\n{"to": "+14155550146"',
        "people.jsonl",
    )
    assert [row.fate.value for row in found.rows] == ["willRing", "willRing", *["refused"] * 3]
    assert found.rows[0].row.call == {
        "to": "+14155550143", "message": "Hello", "retryOn": ["busy"], "metadata": {"a": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"to,message\n", "has no calls"),
        (b"PK\x03\x04 no archive", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 no workbook", "workbook"),
    ],
)
def test_a_file_without_calls_is_told_in_a_sentence(raw: bytes, said: str) -> None:
    """And nothing else comes of it."""
    with pytest.raises(UnreadableList, match=said):
        read(raw)
