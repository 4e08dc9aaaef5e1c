"""Files that are damaged, or made to do harm, are refused in words."""

from __future__ import annotations

import io
import random
import zipfile
from contextlib import suppress
from functools import reduce
from pathlib import Path

import pytest

from tests.unit.lists.damage import mutated
from tests.unit.lists.reading import read, seen, workbook
from vomind_queue.encoding import compact
from vomind_queue.lists import last_digits
from vomind_queue.lists.models import Answers, TooManyRows, UnreadableList
from vomind_queue.lists.reading import read_list
from vomind_queue.lists.work import AT_ONCE_ROWS

#: Mutations of each file.
MUTATIONS = 100
#: Rows that are right, and rows that are refused because they are not certain.
ROWS = [
    ("+14155550101", "Hello Ann"),
    ("+442079460141", "Grüße, Ben"),
    ("415", "Hello"),
    ("4.47946E+11", "Hello"),
    ("1-800-555-CALL", "Hello"),
    ("+49 171 3920013", "Hello"),
]
CSV = "to,message\r\n" + "".join(f'{to},"{text}"\r\n' for to, text in ROWS)
JSON = "".join(f'{{"to": "{to}", "message": "{text}"}}\n' for to, text in ROWS)


@pytest.mark.parametrize("country", [None, "US"])
@pytest.mark.parametrize("name", ["people.csv", "people.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_damaged_file_rings_no_stranger(name: str, encoding: str, country: str | None) -> None:
    """What rings is a number whose digits are in the file; nothing else is ever raised."""
    chance = random.Random(f"{name} {encoding} {country}")
    raw = (CSV if name.endswith("csv") else JSON).encode(encoding)
    for _ in range(MUTATIONS):
        broken = mutated(raw, chance)
        try:
            found = seen(broken, name, country=country)
        except UnreadableList:
            continue
        assert sum(found.counts.values()) == 2 * found.counts["rows"]
        for row in found.rows:
            if row.row.to:
                digits = [sign for sign in row.row.cell or "" if sign.isdigit()]
                # The whole of it, or all but its country's code.
                assert row.row.to[1:].endswith("".join(digits).lstrip("0")[-7:]), broken
                assert "E" not in (row.row.cell or "")


@pytest.mark.parametrize("name", ["people.xlsx", "people.xls"])
def test_a_damaged_workbook_is_refused_in_a_sentence(name: str) -> None:
    """Or read, where the damage is in what nobody reads."""
    chance = random.Random(name)
    raw = workbook(People=[["Phone", "Message"], *map(list, ROWS)])
    if name.endswith("xls"):
        raw = (Path(__file__).parent / "people.xls").read_bytes()
    for _ in range(12):
        # The beginning tells what it is.
        broken = raw[:8] + mutated(raw[8:], chance)
        with suppress(UnreadableList):
            read(broken, name, country="US")


@pytest.mark.parametrize("kind", ["rows", "packed", "repeated"])
def test_a_workbook_that_takes_a_while_is_not_read_while_somebody_waits(kind: str) -> None:
    """A few packed bytes can be a great many cells; the web process gets none of them."""
    small, sheet = workbook(People=[["Phone"]]), "xl/worksheets/s1.xml"
    raw = {
        "rows": lambda: workbook(People=[["+14155550101"]] * 2_200),
        "packed": lambda: _with(small, sheet, "</sheetData>", "</sheetData>", size=17 << 20),
        "repeated": lambda: _repeated(small, sheet, "x" * 40_000, 1_000),
    }[kind]()
    with pytest.raises(TooManyRows):
        read_list(raw, "people.xlsx", Answers(), most_rows=AT_ONCE_ROWS)


def _repeated(raw: bytes, sheet: str, text: str, rows: int) -> bytes:
    """A workbook that has a text once, and names it in each row."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    related = f'<Relationship Id="s" Type="{kind}" Target="sharedStrings.xml"/></Relationships>'
    raw = _with(raw, "xl/_rels/workbook.xml.rels", "</Relationships>", related)
    cells = '<row><c t="s"><v>0</v></c></row>' * rows + "</sheetData>"
    file = io.BytesIO(_with(raw, sheet, "</sheetData>", cells))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with zipfile.ZipFile(file, "a") as archive:
        shared = f'<sst xmlns="{main}"><si><t>{text}</t></si></sst>'
        archive.writestr("xl/sharedStrings.xml", shared)
    return file.getvalue()


def test_a_workbook_that_asks_for_all_memory_is_refused() -> None:
    """Two cells at the ends of a sheet, and an archive that holds far more than it shows."""
    wide = workbook(People=[["Phone"]])
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    with pytest.raises(UnreadableList, match="too large"):
        read(_with(wide, "xl/worksheets/s1.xml", "</sheetData>", far))
    with pytest.raises(UnreadableList, match="too large once unpacked"):
        read(_with(wide, "xl/worksheets/s1.xml", "</sheetData>", "</sheetData>", size=500 << 20))


def _with(raw: bytes, name: str, old: str, new: str, size: int | None = None) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for entry in before.namelist():
            text = before.read(entry).decode()
            after.writestr(entry, text.replace(old, new) if entry == name else text)
        after.getinfo(name).file_size = size or after.getinfo(name).file_size
    return file.getvalue()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a," * 100_000 + "\n+14155550101,x\n", "people.csv"),
        ("to,message\n+14155550101" + ",x" * 100_000 + "\n", "people.csv"),
        ("".join(f'{{"k{at}": 1}}\n' for at in range(2_000)), "people.jsonl"),
    ],
)
def test_a_list_of_too_many_columns_is_refused(text: str, name: str) -> None:
    """Before anything is made of them."""
    with pytest.raises(UnreadableList, match="columns; at most 1,000"):
        read(text, name)


def test_a_list_of_too_many_rows_is_refused() -> None:
    """While it is read, not after."""
    with pytest.raises(UnreadableList, match="more than 200,000 rows"):
        read("to,message\n" + "+14155550101,x\n" * 200_200)


def test_cells_that_are_too_long_or_too_deep_are_refused() -> None:
    """Each with its row alone."""
    deep = "[" * 5_000
    found = seen(f'to,message,metadata\n+14155550101,x,"{deep}"\n+14155550102,{"x" * 70_000},\n'
                 "+14155550103,a\0b,\n")  # fmt: skip
    assert [row.fate.value for row in found.rows][:2] == ["refused", "refused"]
    lines = seen(f'{{"to": {deep}}}\n{{"to": "{"9" * 300_000}"}}\n', "people.jsonl")
    assert [row.fate.value for row in lines.rows] == ["refused", "refused"]


@pytest.mark.parametrize(
    "line",
    [
        '{"to": "+14155550101", "to": "+14155550199"}',
        '{"to": "+14155550101", "metadata": {"plan": "a", "plan": "b"}}',
        '{"to": "+14155550101", "metadata": {"sum": 1e999}}',
        r'{"to": "+14155550101", "message": "x\ud800"}',
        r'{"to": "+14155550101", "metadata": {"\udfff": 1}}',
    ],
)
def test_a_line_that_two_programs_would_read_differently_is_refused(line: str) -> None:
    """Which of two numbers was meant, nobody knows; the other lines are read."""
    found = seen(f'{line}\n{{"to": "+14155550102", "message": "y"}}\n', "people.jsonl")
    assert [row.fate.value for row in found.rows] == ["refused", "willRing"]
    assert found.rows[0].row.to is None


@pytest.mark.parametrize("cell", ['{"a": 1, "a": 2}', '{"a": 1e999}', r'{"a": "\ud800"}'])
def test_the_same_holds_for_a_cell_of_json(cell: str) -> None:
    """Metadata in a table."""
    quoted = cell.replace('"', '""')
    found = seen(f'to,message,metadata\n+14155550101,x,"{quoted}"\n+14155550102,y,\n')
    assert [row.fate.value for row in found.rows] == ["refused", "willRing"]


@pytest.mark.parametrize("encoding", ["a\0b", "\ud800", "zlib", "../x", "9" * 5_000])
def test_an_encoding_that_is_none_is_passed_over(encoding: str) -> None:
    """Whatever a person answers."""
    found = read("to,message\n+14155550101,x\n", given={"encoding": encoding})
    assert (found.encoding, len(found.rows)) == ("utf-8", 1)


@pytest.mark.parametrize("kind", ["given", "columns"])
def test_what_is_said_of_a_list_has_a_bound(kind: str) -> None:
    """It is kept beside the file, and each request adds to it."""
    parts = [{kind: {f"{times} {at}": "to" for at in range(1_000)}} for times in range(20)]
    with pytest.raises(UnreadableList, match="at most 256 KiB in all"):
        reduce(Answers.with_said, parts, Answers())
    assert len(getattr(reduce(Answers.with_said, parts[:5], Answers()), kind)) == 5_000


@pytest.mark.parametrize(
    "cell",
    [
        "+1 415–555‑0102",
        "+1415\u200b5550102",
        "+14155550139 / +14155550102 / +14155550177",
        "(415) 555-0102 x12",
        "14155550102.0",
        "14,155,550,102",
    ],
)
def test_a_number_is_found_however_it_is_written(cell: str) -> None:
    """In any cell: who is forgotten must be in no list either."""
    assert "5550102" in last_digits.of_list(read(f'a,message\n"{cell}",x\n'))


def test_a_number_is_found_above_the_header_and_on_other_sheets() -> None:
    """They are in the file that is kept."""
    rows = [["Phone", "Message"], ["+14155550101", "x"]]
    raw = workbook(North=[["Ask +1 415 555 0103"], *rows], South=[["Phone"], ["+14155550102"]])
    assert {"5550101", "5550102", "5550103"} <= last_digits.of_list(read(raw))


@pytest.mark.parametrize("sign", " (-.,;/+9x0'")
def test_a_number_of_nothing_but_signs_is_refused_at_once(sign: str) -> None:
    """As many as a line may have, with a digit before and behind."""
    cell = f"4{sign * 200_000}4"
    found = read(f'{{"to": "{cell}", "message": "x"}}\n', "people.jsonl", country="US")
    assert (found.rows[0].to, found.rows[0].kind) == (None, "letters")


def test_cells_of_nothing_but_signs_are_searched_at_once() -> None:
    """Signs that may stand within a number, as many as a cell may have."""
    cells = ",".join(sign * 65_000 for sign in "((-. /")
    found = read(f"to,message,a,b,c,d,e,f\n+14155550101,x,{cells}\n")
    assert last_digits.of_list(found) == {"5550101"}


def test_a_number_of_json_is_what_stands_in_the_file() -> None:
    """Not what it comes to: the last digits may have been lost before."""
    found = read(
        '{"to": 1.41555501e10, "message": "x"}\n'
        '{"to": 14155550101, "message": "x", "metadata": {"share": 1.5}}\n',
        "people.jsonl",
    )
    assert [row.kind for row in found.rows] == ["shortened", "no-country"]
    second = read('{"to": "+14155550101", "metadata": {"share": 1.5}}\n', "people.jsonl").rows[0]
    assert compact(second.call) == b'{"to":"+14155550101","metadata":{"share":1.5}}'
