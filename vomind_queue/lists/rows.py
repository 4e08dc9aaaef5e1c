"""From the cells of one row to the call that it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from vomind_queue.calls.call import Priority
from vomind_queue.encoding import Unreadable, parsed
from vomind_queue.lists.cells import is_unreadable
from vomind_queue.lists.columns import Layout
from vomind_queue.lists.headers import Table
from vomind_queue.lists.models import Answers, Record, Row
from vomind_queue.lists.names import CODE, COUNTRY, WITHIN
from vomind_queue.lists.numbers import Number, NumberReader, has_number
from vomind_queue.lists.templates import by_name, fill
from vomind_queue.lists.times import Manner, kind_of, read_time

#: Fields with a time.
TIMED = ("scheduleAt", "notAfter")
#: The answer that lets the service's default be spoken.
DEFAULT_WORDS = "default"
#: Fields whose words may have places for columns.
_SPOKEN = ("message", "voicemailMessage")
#: Fields that are read in another way than as texts without blanks around them.
_OTHERS = frozenset((*_SPOKEN, *TIMED, "to", CODE, COUNTRY))


class Refused(ValueError):
    """A row makes no call; the text says why."""

    def __init__(self, kind: str, why: str, field: str = "") -> None:
        super().__init__(why)
        self.kind = kind
        self.field = field


class RowReader:
    """Reads the rows of one table."""

    def __init__(
        self,
        table: Table,
        layout: Layout,
        answers: Answers,
        manners: Mapping[str, Manner],
        encoding: str | None,
    ) -> None:
        self._table = table
        self._layout = layout
        self._answers = answers
        self._manners = manners
        self._encoding = encoding
        self._numbers = NumberReader(answers.country, answers.given.get("bare"))
        given = answers.given.get("message")
        #: Whether the default is spoken where a row has no words.
        self._is_default = given == DEFAULT_WORDS
        is_template = given is not None and not given.startswith("column:") and not self._is_default
        self._words = given if is_template and answers.message is None else answers.message

    def read(self, record: Record) -> Row:
        """Return the row."""
        cell = self._number_cell(record)
        try:
            return self._row(record, cell)
        except Refused as refused:
            return Row(
                line=record.line, cell=cell, to=None, call=None, kind=refused.kind,
                why=str(refused), field=refused.field,
            )  # fmt: skip

    def _row(self, record: Record, cell: str | None) -> Row:
        self._check(record)
        if not self._layout.numbers:
            return Row(line=record.line, cell=None, to=None, call=None, is_asked=True)
        number = self._number(record)
        if number.kind == "no-country":
            return Row(
                line=record.line, cell=cell, to=None, call=None, kind=number.kind, is_asked=True
            )
        if number.kind:
            raise Refused(number.kind, number.why, "to")
        call, is_asked = self._call(record, number)
        return Row(
            line=record.line, cell=cell, to=number.to, call=call, is_asked=is_asked,
            others=number.others,
        )  # fmt: skip

    def _check(self, record: Record) -> None:
        if record.fault:
            raise Refused("unreadable", record.fault)
        width = self._table.width
        if any(str(cell or "").strip() for cell in record.cells[width:]):
            text = (
                f"it has {len(record.cells)} cells, more cells than the header, which has {width}"
            )
            raise Refused("cells", f"{text}; put a text with a separator in quotes")
        if any(map(is_unreadable, record.cells)):
            text = f"some of it is not in the encoding of the file ({self._encoding})"
            raise Refused("encoding", text)

    # The number.

    def _value(self, record: Record, field: str) -> Any:
        """Return what a row has of a field; ``None`` where that is nothing."""
        values = (
            record.cells[index]
            for index in self._layout.fields.get(field, ())
            if index < len(record.cells)
        )
        return next((value for value in values if str(value or "").strip()), None)

    def _text(self, record: Record, field: str) -> str:
        value = self._value(record, field)
        return "" if value is None else str(value)

    def _number_cell(self, record: Record) -> str | None:
        if record.fault:
            return None
        cells = [_cell(record, index) for index in self._layout.numbers]
        said = [cell for cell in cells if cell.strip()]
        if len(said) > 1:
            # That of the number that rings, where the first column has none.
            said = [cell for cell in said if has_number(cell)] or said
        return next(iter(said or cells), None)

    def _number(self, record: Record) -> Number:
        """Return the first number of the row's columns; those that have none are passed over."""
        code = self._text(record, CODE)
        country = self._text(record, COUNTRY).strip().upper()
        found: Number | None = None
        others: list[str] = []
        for index in self._layout.numbers:
            number = self._numbers.read(_cell(record, index), code, country)
            if found is None or found.kind == "no-number":
                found = number if found is None or number.kind != "no-number" else found
            elif number.to:
                others.append(number.to)
        assert found is not None  # noqa: S101  (there is a column)
        if found.extension and not self._text(record, "sendDigits"):
            text = f"it has an extension, {found.extension}: extensions are not dialed"
            raise Refused("extension", f"{text} unless sendDigits is mapped", "to")
        rest = [other for other in (*found.others, *others) if other != found.to]
        return Number(to=found.to, others=rest, kind=found.kind, why=found.why)

    # The other fields.

    def _call(self, record: Record, number: Number) -> tuple[dict[str, Any], bool]:
        """Return the call, and whether an open question concerns it."""
        call: dict[str, Any] = {"to": number.to}
        is_asked = self._add_times(call, record)
        for field in self._layout.fields:
            value = None if field in _OTHERS else self._value(record, field)
            if value is not None:
                _add(call, field, value)
        self._add_words(call, record)
        has_words = "message" in call or "twimlUrl" in call or self._is_default
        return call, is_asked or not has_words

    def _add_words(self, call: dict[str, Any], record: Record) -> None:
        cells: dict[str, str] | None = None
        for field in _SPOKEN:
            text = self._text(record, field)
            if not text:
                text = self._words or "" if field == "message" and "twimlUrl" not in call else ""
            if not text.strip():
                continue
            if "{{" in text or "}}" in text:
                cells = cells or by_name(self._table.headers, record.cells)
            try:
                call[field] = fill(text, cells or {})
            except ValueError as error:
                raise Refused("template", str(error), field) from None

    def _add_times(self, call: dict[str, Any], record: Record) -> bool:
        """Add the times; return whether one of them waits for an answer."""
        given = self._answers.given
        zone, order = given.get("timezone"), given.get("dateOrder")
        is_asked = False
        for field in TIMED:
            text = self._text(record, field)
            if not text:
                continue
            manner = self._manners[field]
            if lacks_answer(manner, given) and kind_of(text) == manner.kind:
                is_asked = True
                continue
            try:
                call[field] = read_time(text, manner, zone, order)
            except ValueError as error:
                raise Refused("time", str(error), field) from None
        return is_asked


def _cell(record: Record, index: int) -> str:
    value = record.cells[index] if index < len(record.cells) else None
    return "" if value is None else str(value)


def lacks_answer(manner: Manner, given: Mapping[str, str]) -> bool:
    """Return whether the column's times need a zone, or an order, that nobody has named."""
    if manner.kind is None:
        return False
    return "timezone" not in given or (manner.is_day_unclear and "dateOrder" not in given)


def _add(call: dict[str, Any], field: str, value: Any) -> None:
    if field.startswith(WITHIN):
        call.setdefault("metadata", {})[field.removeprefix(WITHIN)] = value
        return
    found = _READERS.get(field, str.strip)(value) if isinstance(value, str) else value
    if field == "metadata" and isinstance(found, dict):
        found = {**found, **call.get(field, {})}
    call[field] = found


def _priority(cell: str) -> str:
    word = cell.strip().lower()
    words = [priority.value for priority in Priority]
    if word not in words:
        text = f"Must be {', '.join(words[:-1])} or {words[-1]}; got “{cell.strip()}”"
        raise Refused("priority", text, "priority")
    return word


def _json(name: str, cell: str) -> Any:
    try:
        return parsed(cell)
    except Unreadable as error:
        raise Refused(name, f"it is not valid JSON: {error}", name) from None


def _outcomes(cell: str) -> Sequence[str]:
    words = re.split(r"[\s,;|]+", cell.strip())
    return [] if words == ["none"] else words


def _whole(cell: str) -> int | str:
    # The API refuses anything else in its own words.
    return int(cell) if re.fullmatch(r"\s*[0-9]{1,15}\s*", cell) else cell


def _flag(cell: str) -> bool | str:
    return {"true": True, "false": False}.get(cell.strip().lower(), cell)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "priority": _priority,
    "metadata": partial(_json, "metadata"),
    "consent": partial(_json, "consent"),
    "override": partial(_json, "override"),
    "retryOn": _outcomes,
    "delayMs": _whole,
    "ringTimeoutMs": _whole,
    "record": _flag,
    "purpose": lambda cell: cell.strip().lower(),
}
