"""Each file of `files/`, at both doors of the service, gives what `expected.yaml` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.api.lists.conftest import Command, Page, said
from vomind_queue.lists.preview import SENT

HERE = Path(__file__).parent
FILES = HERE / "files"
EXPECTED: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    (HERE / "expected.yaml").read_text("utf-8")
)

#: Fewer lists are kept at a time than there are files.
PARTS = 3


def test_every_file_has_what_it_must_give() -> None:
    """None is passed over."""
    assert sorted(EXPECTED) == sorted(path.name for path in FILES.iterdir())


@pytest.mark.parametrize("part", range(PARTS))
def test_both_doors_give_what_is_right(page: Page, command: Command, part: int) -> None:
    """And the same, to the letter."""
    wrong = [
        f"{name}: {each}"
        for name in sorted(EXPECTED)[part::PARTS]
        for each in differences(page, command, name, EXPECTED[name])
    ]
    assert wrong == []


def differences(page: Page, command: Command, name: str, right: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it must be with one file."""
    file, country = FILES / name, right.get("country")
    plain, typed = page.check(file, country, {}), command.check(file, country, {})
    if "unreadable" in right:
        for each in (plain, typed):
            if right["unreadable"] not in each["error"]:
                yield f"it says {each['error']}"
        return
    if said(plain) != said(typed):
        yield f"the page says {said(plain)}, the command {said(typed)}"
    yield from before(plain, right)
    if answers := right.get("answers", {}):
        plain, typed = page.check(file, country, answers), command.check(file, country, answers)
        if said(plain) != said(typed):
            yield f"after answers the page says {said(plain)}, the command {said(typed)}"
    yield from afterwards(plain, right)


def before(shown: Any, right: Mapping[str, Any]) -> Iterator[str]:
    """What is not right before anything is answered."""
    for name, value in right.get("found", {}).items():
        if shown["found"][name] != value:
            yield f"{name} is {shown['found'][name]}"
    taken = {column["header"]: column["takenAs"] for column in shown["found"]["columns"]}
    for header, field in right.get("taken", {}).items():
        if taken[header] != field:
            yield f"{header} is taken for {taken[header]}"
    for kind, key in (("asks", "questions"), ("options", "options")):
        texts = {each["id"]: str([each["text"], *_texts(each)]) for each in shown[key]}
        if sorted(texts) != sorted(right.get(kind, {})):
            yield f"its {key} are {sorted(texts)}"
        for question, text in right.get(kind, {}).items():
            if text not in texts.get(question, ""):
                yield f"{question} is asked as {texts.get(question)}"
    if shown["questions"] and any(row["fate"] in SENT for row in shown["rows"]):
        yield "a row rings though a question is open"


def _texts(question: Any) -> list[str]:
    return [choice["text"] for choice in question["choices"]]


def afterwards(shown: Any, right: Mapping[str, Any]) -> Iterator[str]:
    """What is not right once everything is answered."""
    rows = {row["line"]: row for row in shown["rows"]}
    if sorted(rows) != sorted(right["rows"]):
        yield f"its rows are in lines {sorted(rows)}"
    for line, wanted in right["rows"].items():
        if line in rows and not _is_right(rows[line], wanted):
            yield f"line {line} is {rows[line]}"
    others = {line: row["notUsed"] for line, row in rows.items() if "notUsed" in row}
    if others != right.get("not_used", {}):
        yield f"not used are {others}"
    counts = shown["counts"]
    if counts["rows"] != len(rows) or sum(counts.values()) != 2 * len(rows):
        yield f"its counts are {counts}"


def _is_right(row: Mapping[str, object], wanted: str | list[str]) -> bool:
    if isinstance(wanted, list):
        return _is_right(row, wanted[0]) and row["message"] == wanted[1]
    if wanted.startswith("refused: "):
        return row["fate"] == "refused" and wanted.removeprefix("refused: ") in str(row["why"])
    if wanted in ("asked", "double"):
        return row["fate"] == ("doubles" if wanted == "double" else wanted)
    return (row["fate"], row["to"]) == ("willRing", wanted)


@pytest.mark.parametrize("header", ["scheduleAt", "Termin", "scheduelAt"])
def test_times_of_one_form_are_asked_about_once(
    page: Page, command: Command, tmp_path: Path, header: str
) -> None:
    """The zone and the order of day and month; a column that may be something else before."""
    year = datetime.now(UTC).year + 1
    file = tmp_path / "days.csv"
    rows = f"+14155550121,a,11/01/{year} 10:00\n+14155550122,b,10/01/{year} 10:00\n"
    file.write_text(f"to,message,{header}\n{rows}")
    column = {"column-3": "scheduleAt"} if header != "scheduleAt" else {}
    for door in (page, command):
        asked = [each["id"] for each in door.check(file, None, {})["questions"]]
        assert asked == (list(column) or ["timezone", "dateOrder"])
        answers = {**column, "timezone": "Europe/Berlin", "dateOrder": "D"}
        assert [row["at"] for row in door.check(file, None, answers)["rows"]] == [
            f"{year}-01-11T10:00:00+01:00", f"{year}-01-10T10:00:00+01:00",
        ]  # fmt: skip


def test_nothing_of_equal_columns_is_lost(command: Command, page: Page) -> None:
    """Both go into the metadata, told apart by their order."""
    lists = page.campaign(None)
    staged = lists.upload((FILES / "long-and-odd.csv").read_bytes())
    lists.answer(staged["listId"], restToMetadata=True)
    job_id = lists.accept(staged["listId"])["jobs"][0]["jobId"]
    data = lists.api.get(f"/job/{job_id}").get_json()
    assert data["data"]["metadata"] == {"Notes": "first", "Notes (2nd)": "second"}
    shown = command(FILES / "long-and-odd.csv", "--check", "--rest-to-metadata")
    taken = [column["takenAs"] for column in shown["found"]["columns"]]
    assert taken[2:] == ["metadata.Notes", "metadata.Notes (2nd)"]


@pytest.mark.parametrize("door", ["page", "command"])
def test_of_a_mended_file_only_new_rows_go(
    page: Page, command: Command, tmp_path: Path, door: str
) -> None:
    """That is said before anything is sent; of the same file all is asked."""
    file = tmp_path / "people.csv"
    lists = page.campaign("US")

    def check() -> Any:
        if door == "command":
            return command.check(file, "US", {})
        return lists.preview(lists.upload(file.read_bytes())["listId"])

    def send() -> Any:
        if door == "command":
            return command(file, "--country=US", "--yes")
        return lists.accept(lists.upload(file.read_bytes())["listId"])

    file.write_bytes((FILES / "some-wrong.csv").read_bytes())
    assert send()["count"] == 2
    file.write_bytes((FILES / "mended.csv").read_bytes())
    shown = check()
    assert (shown["counts"]["acceptedBefore"], shown["counts"]["willRing"]) == (2, 1)
    send()
    assert page.api.total() == 3
    again = check()
    assert [each["id"] for each in again["questions"]] == ["again"]
    assert "accepted before, at " in again["questions"][0]["text"]
    assert again["counts"]["acceptedBefore"] == 3
