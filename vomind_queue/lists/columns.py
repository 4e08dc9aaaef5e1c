"""What each column is taken for, and what is asked where a header does not say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from vomind_queue.lists import names, times
from vomind_queue.lists.headers import Table, is_callable
from vomind_queue.lists.models import Answers, Choice, Column, Question
from vomind_queue.lists.names import CODE, COUNTRY, FIELDS, WITHIN

#: Answers that leave a column out.
NOT_USED = "none"
#: The id of the question for the number's columns; its answer lists their places.
NUMBERS = "numbers"
#: Cells by which a column is judged.
_JUDGED = 50
_SAMPLE = 3
#: Which columns of phones come first, where a person chooses all.
_FIRST = re.compile(r"mob|cell|handy|movil|cel", re.IGNORECASE)
_CALLING_CODE = re.compile(r"(?:\+|00)?[1-9][0-9]{0,3}")
_PLACE = re.compile(r"[1-9][0-9]{0,3}")
_MEANT = re.compile(r"did you mean (\w+)\?")
#: Returns what an API's neighbours would make of headers, by header.
Hints = Callable[[Sequence[str]], Mapping[str, str]]


def no_hints(_headers: Sequence[str]) -> Mapping[str, str]:
    """Return nothing."""
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The columns of a list."""

    columns: Sequence[Column]
    #: Indexes of the columns that have the number, the first to be called first.
    numbers: Sequence[int]
    #: Indexes of the columns of each other field; a row has it in one of them at most.
    fields: Mapping[str, Sequence[int]]
    questions: Sequence[Question]


class _Deciding:
    """One decision on the columns of a table."""

    def __init__(self, table: Table, answers: Answers, hints: Hints) -> None:
        self._table = table
        self._answers = answers
        self._hints = hints
        self._cells = [self._some(index) for index in range(table.width)]
        self._taken: dict[int, str] = {}
        self._questions: list[Question] = []

    def layout(self) -> Layout:
        """Return what the columns are, with the questions that are open."""
        chosen = self._chosen()
        self._take_names(chosen)
        numbers = self._numbers(chosen)
        self._part_doubles()
        self._ask_for_others(chosen)
        if self._answers.rest_to_metadata:
            self._take_rest(chosen)
        columns = [
            Column(place=index + 1, header=name, taken_as=self._taken.get(index),
                   sample=self._cells[index][:_SAMPLE])
            for index, name in enumerate(self._table.headers)
        ]  # fmt: skip
        fields: dict[str, list[int]] = {}
        for index in sorted(self._taken):
            fields.setdefault(self._taken[index], []).append(index)
        fields.pop("to", None)
        return Layout(columns=columns, numbers=numbers, fields=fields, questions=self._questions)

    def _some(self, index: int) -> list[str]:
        """Return the first cells of a column that are not empty."""
        found = (
            str(record.cells[index])
            for record in self._table.records
            if index < len(record.cells) and record.cells[index] not in (None, "")
        )
        return list(islice((cell for cell in found if cell.strip()), _JUDGED))

    def _chosen(self) -> dict[int, str]:
        """Return what was said of columns, by index; an empty text leaves one out."""
        found = {}
        for name, field in self._answers.columns.items():
            for index in self._named(name):
                found[index] = field
        for index in range(self._table.width):
            said = self._answers.given.get(f"column-{index + 1}")
            if said is not None and index not in found:
                found[index] = "" if said == NOT_USED else said
        for question, place in self._answers.given.items():
            if question.startswith("field-"):
                found |= dict.fromkeys(self._named(place), question.removeprefix("field-"))
        said = self._answers.given.get("message", "")
        if said.startswith("column:"):
            found |= dict.fromkeys(self._named(said.removeprefix("column:")), "message")
        return found

    def _named(self, name: str) -> list[int]:
        """Return the columns of a header or, where none is called so, of a place."""
        headers = list(self._table.headers)
        if name in headers:
            return [headers.index(name)]
        place = int(name) if _PLACE.fullmatch(name) else 0
        return [place - 1] if 1 <= place <= self._table.width else []

    def _take_names(self, chosen: Mapping[int, str]) -> None:
        for index, name in enumerate(self._table.headers):
            if index in chosen:
                if chosen[index]:
                    self._taken[index] = chosen[index]
            elif (field := self._by_name(index, name)) and field not in chosen.values():
                self._taken[index] = field

    def _by_name(self, index: int, name: str) -> str | None:
        field = names.field_of(name)
        if field == "to" and not self._cells[index]:
            return None
        if field is None and names.plain(name) == "countrycode":
            is_code = self._cells[index] and all(map(_CALLING_CODE.fullmatch, self._cells[index]))
            return CODE if is_code else None
        return field

    # The number.

    def _numbers(self, chosen: Mapping[int, str]) -> list[int]:
        """Return the columns of the number in their order; ask where that is not certain."""
        said = self._answers.given.get(NUMBERS, "")
        ordered = [index for part in said.split(",") for index in self._named(part.strip())]
        picked = [index for index, field in chosen.items() if field == "to"]
        if ordered or picked:
            return self._set_numbers(ordered or picked)
        found = [index for index, field in self._taken.items() if field == "to"]
        if len(found) == 1 or (found and self._are_numbered(found)):
            return found
        if found and self._table.header_line is None and self._never_meet(found):
            return found
        if found:
            self._questions.append(_which_number(self._table.headers, found))
            return []
        return self._by_content()

    def _set_numbers(self, order: Sequence[int]) -> list[int]:
        for index in [each for each, field in self._taken.items() if field == "to"]:
            del self._taken[index]
        self._taken |= dict.fromkeys(order, "to")
        return list(dict.fromkeys(order))

    def _are_numbered(self, found: list[int]) -> bool:
        """Put an export's numbered columns in order; return whether they are such."""
        places = {
            index: names.place_among_phones(self._table.headers[index]) or 0 for index in found
        }
        found.sort(key=places.__getitem__)
        return all(places.values())

    def _never_meet(self, indexes: Sequence[int]) -> bool:
        """Return whether no row has a value in two of these columns."""
        return all(
            sum(_is_filled(record.cells, index) for index in indexes) <= 1
            for record in self._table.records
        )

    def _by_content(self) -> list[int]:
        """Return the only column with numbers of a table without header; ask for any other."""
        likely = [
            index
            for index, cells in enumerate(self._cells)
            if index not in self._taken and cells and sum(map(is_callable, cells)) * 2 > len(cells)
        ]
        is_bare = self._table.header_line is None and len(likely) == 1
        if is_bare and not self._table.records:
            return []
        if is_bare:
            self._taken[likely[0]] = "to"
            rest = [index for index in range(self._table.width) if index != likely[0]]
            if len(rest) == 1 and rest[0] not in self._taken and self._is_prose(rest[0]):
                self._taken[rest[0]] = "message"
            return likely
        self._questions.append(_no_number(self._table.headers, likely, range(self._table.width)))
        return []

    def _is_prose(self, index: int) -> bool:
        cells = self._cells[index]
        return bool(cells) and all(" " in cell.strip() for cell in cells)

    # The others.

    def _part_doubles(self) -> None:
        """Ask which of several columns has a field."""
        for field in sorted(set(self._taken.values()) - {"to"}):
            places = [index for index, taken in self._taken.items() if taken == field]
            if len(places) > 1 and not self._never_meet(places):
                for index in places[1:]:
                    del self._taken[index]
                self._questions.append(_which_column(field, self._table.headers, places))

    def _ask_for_others(self, chosen: Mapping[int, str]) -> None:
        """Ask about columns that are not used and may mean when, or how, to call."""
        is_timed = {"scheduleAt", "delayMs"} & set(self._taken.values())
        left = [
            index
            for index in range(self._table.width)
            if index not in self._taken and index not in chosen and self._cells[index]
        ]
        hints = self._hints([self._table.headers[index] for index in left])
        for index in left:
            name = self._table.headers[index]
            question = self._on_slip(index, name) or self._on_time(index, name, bool(is_timed))
            if question is None and name in hints:
                question = self._on_hint(index, name, hints[name])
            if question:
                self._questions.append(question)

    def _on_slip(self, index: int, name: str) -> Question | None:
        meant = names.slip_of(name)
        if meant is None or meant in self._taken.values():
            return None
        return _ask(index, f"Column “{name}”: did you mean {meant}?", (meant,))

    def _on_time(self, index: int, name: str, is_timed: bool) -> Question | None:
        if is_timed or names.is_other_time(name):
            return None
        text = f"Column “{name}” has “{self._cells[index][0]}”"
        if names.is_delay(name):
            return _ask(index, f"{text}. Is it how long to wait, in ms?", ("delayMs",))
        if names.is_time(name) or self._holds_times(index):
            return _ask(index, f"{text}. Is it when to call?", ("scheduleAt", "notAfter"))
        return None

    def _on_hint(self, index: int, name: str, hint: str) -> Question | None:
        meant = _MEANT.search(hint)
        if meant and meant[1] in names.HARMLESS:
            return None
        is_free = meant and meant[1] in FIELDS and meant[1] not in self._taken.values()
        return _ask(index, f"Column “{name}”: {hint}", (meant[1],) if meant and is_free else ())

    def _holds_times(self, index: int) -> bool:
        cells = self._cells[index]
        kinds = (times.CERTAIN, times.PLAIN, times.SLASHES, times.DOTS)
        return sum(times.kind_of(cell) in kinds for cell in cells) * 2 > len(cells)

    def _take_rest(self, chosen: Mapping[int, str]) -> None:
        open_ones = {question.id for question in self._questions}
        for index, name in enumerate(self._table.headers):
            is_open = f"column-{index + 1}" in open_ones
            if index not in self._taken and not is_open and chosen.get(index) != "":
                self._taken[index] = f"{WITHIN}{name}"


def decide(table: Table, answers: Answers, hints: Hints = no_hints) -> Layout:
    """Return what the columns of a table are taken for."""
    return _Deciding(table, answers, hints).layout()


def _is_filled(cells: Sequence[object], index: int) -> bool:
    return index < len(cells) and bool(str("" if cells[index] is None else cells[index]).strip())


def is_field(name: str) -> bool:
    """Return whether a column can be taken for that."""
    return name in (*FIELDS, CODE, COUNTRY, "") or name.startswith(WITHIN)


def _ask(index: int, text: str, fields: Sequence[str]) -> Question:
    choices = [Choice(value=field, text=f"It is {field}.") for field in fields]
    left_out = Choice(value=NOT_USED, text="It is something else; leave it out.")
    return Question(id=f"column-{index + 1}", text=text, choices=[*choices, left_out])


def _which_number(headers: Sequence[str], found: Sequence[int]) -> Question:
    order = sorted(found, key=lambda index: (not _FIRST.search(headers[index]), index))
    named = [headers[index] for index in order]
    every = Choice(value=",".join(str(index + 1) for index in order), text=", else ".join(named))
    alone = [Choice(value=str(index + 1), text=f"{headers[index]} alone") for index in order]
    text = "Two columns map to 'to'" if len(found) == 2 else "Several columns map to 'to'"  # noqa: PLR2004
    text = f"{text}, the number: {', '.join(headers[index] for index in found)}."
    return Question(
        id=NUMBERS, text=f"{text} Which one is called, and which where it is empty?",
        choices=[every, *alone],
    )  # fmt: skip


def _no_number(headers: Sequence[str], likely: Sequence[int], every: Sequence[int]) -> Question:
    choices = [Choice(value=str(index + 1), text=headers[index]) for index in likely or every]
    return Question(id=NUMBERS, text="No column has the number. Which one is it?", choices=choices)


def _which_column(field: str, headers: Sequence[str], places: Sequence[int]) -> Question:
    named = ", ".join(headers[index] for index in places)
    choices = [Choice(value=str(index + 1), text=headers[index]) for index in places]
    text = f"Two columns map to '{field}': {named}. Which one is it?"
    return Question(id=f"field-{field}", text=text, choices=choices)
