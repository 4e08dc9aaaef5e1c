"""The number in a cell, or why it has none that is certain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vomind_queue.lists.cells import shown
from vomind_queue.lists.number_text import (
    EXTENSION,
    REMARK,
    SEVERAL,
    SLASH,
    SLASH_OR_ZERO,
    THOUSANDS,
    TRAILING,
    WHOLE_FLOAT,
    digits_of,
    fault_of,
    text_of,
)
from vomind_queue.lists.parsing import (
    habits,
    is_local,
    is_ordinary,
    is_whole,
    parse,
    possible,
    valid,
)

#: North America, where most lists come from; parsing takes 40 microseconds, this takes one.
_NORTH_AMERICA = re.compile(r"\+1[2-9][0-9]{9}")
#: Characters of the longest cell that is looked into: a few numbers with words beside them.
_LONGEST_CELL = 200
#: Fewer digits are no number anywhere.
_SHORTEST = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """What a cell holds; exactly one of ``to`` and ``kind`` has a value."""

    #: As it will ring, in E.164.
    to: str = ""
    #: Other numbers in the cell, not called.
    others: Sequence[str] = ()
    #: Digits that are to be pressed once somebody has answered.
    extension: str = ""
    #: Why there is no number, by one word; empty where there is one.
    kind: str = ""
    #: The same as a sentence.
    why: str = ""


#: What the kinds mean, with the cell as ``{}``.
_WHY = {
    "no-number": "no number: {}",
    "spreadsheet-error": "no number: {} is a spreadsheet's word for an error",
    "hidden": "{} has hidden signs, and may be another number than it looks; type it again",
    "shortened": "the spreadsheet shortened the number to {}; format the column as text",
    "cut": "{} was cut; write the whole number",
    "negative": "{} begins with a minus: a spreadsheet took it for a sum",
    "letters": "{} has letters or other signs that are no part of a number",
    "date": "{} is a date",
    "fax": "{} is a fax number",
    "impossible": "Must be a phone number with as many digits as its country has; got {}",
    "local": "{} has no area code",
    "no-country": "{} has no country: write it with +, or choose the country of the list",
    "unclear": "{} may be two numbers, or a number and an extension; leave one",
    "ambiguous": "{} has neither a + nor the 0 before its area code: it could be {} or {}",
    "foreign": "{} has no +; if it is {}, write it so",
    "prefix": "{} could be {} or {}; write it with +",
}
#: Kinds that the answer to a question may change.
_ASKED = frozenset({"no-country", "ambiguous", "foreign"})


def _no(kind: str, cell: str, *readings: str) -> Number:
    return Number(
        kind=kind, why=_WHY[kind].format(shown(cell) if cell else "the cell is empty", *readings)
    )


class NumberReader:
    """Reads the cells of one list."""

    def __init__(self, country: str | None, bare: str | None = None) -> None:
        """``country`` (ISO 3166) is that of numbers written without one.

        ``bare`` says what digits without + and 0 are where both could be: ``national`` or
        ``international``; by default they are refused.
        """
        self._country = country
        self._bare = bare

    def read(self, cell: str, code: str = "", country: str = "") -> Number:
        """Return the number; ``code`` of its country, or the country, from another column."""
        if _NORTH_AMERICA.fullmatch(cell):
            return Number(to=cell)
        if len(cell) > _LONGEST_CELL:
            return _no("letters", cell)
        text = text_of(cell)
        if kind := fault_of(cell, text):
            return _no(kind, text)
        if found := WHOLE_FLOAT.fullmatch(text):
            text = found[1]
        if THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        return _CellReader(country or self._country, self._bare, _digits(code)).read(text)


def has_number(cell: str) -> bool:
    """Return whether a cell is read as a number, or refused as one."""
    return len(cell) > _LONGEST_CELL or fault_of(cell, text_of(cell)) != "no-number"


class _CellReader:
    """Reads one cell that holds digits."""

    def __init__(self, country: str | None, bare: str | None, code: str) -> None:
        self._country = country
        self._bare = bare
        self._code = code

    def read(self, text: str) -> Number:
        """Return the first number, or why there is none."""
        texts = self._texts(text)
        found = [self._one(REMARK.sub("", each)) for each in texts]
        if len(found) < 2 or any(each.kind for each in found):  # noqa: PLR2004
            number, extension = self._without_extension(REMARK.sub("", text))
            if extension:
                return self._with_extension(number, extension, text)
        return self._first(found, text) if found else _no("unclear", text)

    def _with_extension(self, number: str, extension: str, text: str) -> Number:
        one = self._one(number)
        if not one.to:
            return one
        if not EXTENSION.search(text) and not _NORTH_AMERICA.fullmatch(one.to):
            # Where numbers have no one length, the last digits may be the number's own.
            return _no("unclear", text)
        return Number(to=one.to, extension=extension)

    def _texts(self, text: str) -> list[str]:
        """Return the texts of all numbers; none where that is not clear."""
        texts: list[str] = []
        for piece in SEVERAL.split(text):
            parts = self._parts(piece)
            if not parts and any(sign.isdigit() for sign in piece):
                return []
            texts += parts
        return texts

    @staticmethod
    def _first(found: Sequence[Number], text: str) -> Number:
        wrong = [each for each in found if each.kind]
        if wrong and (len(found) == 1 or all(each.kind in _ASKED for each in wrong)):
            return wrong[0]
        if wrong:
            return _no("unclear", text)
        others = dict.fromkeys(each.to for each in found if each.to != found[0].to)
        return Number(to=found[0].to, others=tuple(others))

    def _without_extension(self, text: str) -> tuple[str, str]:
        """Return the number and its extension; an empty one where there is none."""
        if found := EXTENSION.search(text):
            return text[: found.start()].rstrip(" ;,"), found[1]
        found = TRAILING.match(text)
        if found and not is_ordinary(self._one(text).to) and is_ordinary(self._one(found[1]).to):
            return found[1], found[2]
        return text, ""

    def _parts(self, piece: str) -> list[str]:
        """Return the texts of the numbers that a / or a blank parts.

        None, where only the first of them is a number.
        """
        if not SLASH_OR_ZERO.search(piece):
            return [piece] if any(sign.isdigit() for sign in piece) else []
        found: list[str] = []
        begun = 0
        cuts = SLASH if is_ordinary(self._one(piece).to) else SLASH_OR_ZERO
        for cut in cuts.finditer(piece):
            if is_whole(self._one(piece[begun : cut.start()]).to):
                found.append(piece[begun : cut.start()])
                begun = cut.end()
        rest = piece[begun:]
        if not found:
            return [rest]
        return [*found, rest] if is_whole(self._one(rest).to) else []

    def _one(self, text: str) -> Number:
        digits = digits_of(text)
        if not digits:
            return _no("letters", text)
        if digits.startswith("+"):
            return _result(digits, text)
        if self._code:
            return self._behind_code(digits, text)
        if digits.startswith("00") and (found := self._abroad(digits, text)):
            return found
        if self._country is None:
            return _no("no-country" if len(digits) >= _SHORTEST else "impossible", text)
        return self._national(digits, text, self._country)

    def _abroad(self, digits: str, text: str) -> Number | None:
        """Return the number behind 00, or behind the list's country's own way to call abroad.

        Those are 0011 in Australia and 001 in Korea: 0011 65 is Singapore there, and not the 658
        of Jamaica.
        """
        usual, own = parse(f"+{digits[2:]}"), parse(digits, self._country)
        found = {to for each in (usual, own) if (to := possible(each))}
        if len(found) > 1:
            found &= {valid(usual), valid(own)}
        if len(found) == 1:
            return Number(to=found.pop())
        return _no("prefix", text, possible(own), possible(usual)) if possible(own) else None

    def _behind_code(self, digits: str, text: str) -> Number:
        """Return the number behind a code that another column has, and it may have once more."""
        joined = f"+{self._code}{digits}"
        twice = valid(parse(f"+{digits}")) if digits.startswith(self._code) else ""
        once = possible(parse(joined))
        if not twice or once == twice:
            return _result(joined, text)
        return self._chosen(once, twice, text) if is_ordinary(once) else Number(to=twice)

    def _national(self, digits: str, text: str, country: str) -> Number:
        """Return the number that the digits are within the list's country."""
        trunk, code = habits(country)
        if digits.startswith(trunk or "0"):
            return _result(digits, text, country)
        national = possible(parse(f"+{code}{digits}"))
        is_own = digits.startswith(code)
        if national and not trunk and not is_own:
            return Number(to=national)
        abroad = valid(parse(f"+{digits}"))
        national = national if is_ordinary(national) else ""
        if national and abroad not in ("", national):
            return self._chosen(national, abroad, text)
        if national or (abroad and is_own):
            return Number(to=national or abroad)
        if abroad and self._bare == "international":
            return Number(to=abroad)
        return _no("foreign", text, abroad) if abroad else _result(digits, text, country)

    def _chosen(self, national: str, abroad: str, text: str) -> Number:
        if self._bare is None:
            return _no("ambiguous", text, national, abroad)
        return Number(to=national if self._bare == "national" else abroad)


def _result(digits: str, text: str, country: str | None = None) -> Number:
    """Return the number, or why it cannot be."""
    parsed = parse(digits, country)
    if to := possible(parsed):
        return Number(to=to)
    return _no("local" if is_local(parsed) else "impossible", text)


def _digits(code: str) -> str:
    return re.sub(r"[^0-9]", "", code).lstrip("0") if code else ""
