"""The number in a cell, or why it has none that is certain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from vomind_queue.lists.cells import is_broken, is_nothing, kept_text, shown, without_unseen

#: North America, where most lists come from; parsing takes 40 microseconds, this takes one.
_NORTH_AMERICA = re.compile(r"\+1[2-9][0-9]{9}")
#: Digits of the longest number that people dial within a country.
_LONGEST_NATIONAL = 11
#: Digits of the shortest number that is one by itself, behind the code of its country.
_SHORTEST_NATIONAL = 6
#: Fewer digits are no number anywhere.
_SHORTEST = 7

_SHORTENED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"(\+?[0-9]{7,15})[.,]0+")
_FLOAT = re.compile(r"\+?[0-9]{9,}[.,][0-9]{1,2}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4}\b.*")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,}")
#: ``p:``, ``tel:``, ``Mobile:``; a word in brackets behind.
_LABEL = re.compile(r"^[^\W\d_]{1,12}\.?\s*:\s*(?=[+(\d])")
_FAX = re.compile(r"\bfax\b", re.IGNORECASE)
_REMARK = re.compile(r"\s*\(\s*[^\W\d_][^\d()]*\)\s*$")
_EXTENSION = re.compile(
    r"(?<=[\d\s);])[;,\s]*(?:extension|extn?|xt?|durchwahl|dw|app|poste|anexo|доб|int|#|~)"
    r"\.?\s*[:=]?\s*([0-9]{1,7})\s*#?\s*$",
    re.IGNORECASE,
)
#: A few digits behind a blank or pauses, after a number that is complete.
_TRAILING = re.compile(r"^(.*\d)(?:\s+|,+)([0-9]{1,6})$")
#: Between two numbers in one cell.
_SEVERAL = re.compile(
    r"\s*(?::::|[;|,\n]|\s(?:or|oder|and|und|ou|o|y|e|&)\s|(?<=\d)\s+(?=\+\s*\d))\s*"
)
_PUNCTUATION = re.compile(r"[\s().\-/]")


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
    "shortened": "the spreadsheet shortened the number to {}; format the column as text",
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
}


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
        text = _text(cell)
        if _NORTH_AMERICA.fullmatch(text):
            return Number(to=text)
        if kind := _fault(text):
            return _no(kind, text)
        if found := _WHOLE_FLOAT.fullmatch(text):
            text = found[1]
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        return _CellReader(country or self._country, self._bare, _digits(code)).read(text)


def has_number(cell: str) -> bool:
    """Return whether a cell is read as a number, or refused as one."""
    return _fault(_text(cell)) != "no-number"


def _text(cell: str) -> str:
    return without_unseen(kept_text(without_unseen(cell)))


def _fault(text: str) -> str:
    """Return why no number is in a cell at all, or nothing."""
    if is_broken(text):
        return "spreadsheet-error"
    if is_nothing(text) or not any(sign.isdigit() for sign in text):
        return "no-number"
    if _SHORTENED.fullmatch(text) or (_FLOAT.fullmatch(text) and not _WHOLE_FLOAT.fullmatch(text)):
        return "shortened"
    if _DATE.fullmatch(text):
        return "date"
    if text.startswith("-"):
        return "negative"
    return "fax" if _FAX.search(text) else ""


class _CellReader:
    """Reads one cell that holds digits."""

    def __init__(self, country: str | None, bare: str | None, code: str) -> None:
        self._country = country
        self._bare = bare
        self._code = code

    def read(self, text: str) -> Number:
        """Return the first number, or why there is none."""
        number, extension = self._without_extension(_REMARK.sub("", text))
        if extension:
            found = self._one(number)
            return Number(to=found.to, extension=extension) if found.to else found
        pieces = self._pieces(text)
        if pieces is None:
            return _no("unclear", text)
        found_all = [self._one(_REMARK.sub("", piece)) for piece in pieces]
        called = [each for each in found_all if each.to]
        if not called:
            return found_all[0] if len(pieces) == 1 else _no(found_all[0].kind or "unclear", text)
        others = tuple(dict.fromkeys(each.to for each in called[1:] if each.to != called[0].to))
        return Number(to=called[0].to, others=others)

    def _without_extension(self, text: str) -> tuple[str, str]:
        """Return the number and its extension; an empty one where there is none."""
        if found := _EXTENSION.search(text):
            return text[: found.start()].rstrip(" ;,"), found[1]
        found = _TRAILING.match(text)
        if found and not self._one(text).to and self._one(found[1]).to:
            return found[1], found[2]
        return text, ""

    def _pieces(self, text: str) -> list[str] | None:
        """Return the texts of several numbers; ``None`` where a / may be more than a blank."""
        pieces = [piece for piece in _SEVERAL.split(text) if piece.strip()] or [text]
        found: list[str] = []
        for piece in pieces:
            before, slash, behind = piece.partition("/")
            if not slash or not self._is_whole(before):
                found.append(piece)
            elif self._is_whole(behind):
                found += [before, behind]
            else:
                return None
        return found

    def _is_whole(self, text: str) -> bool:
        """Return whether a text is a number and not only the beginning of one."""
        to = self._one(text).to
        if not to:
            return False
        parsed = phonenumbers.parse(to)
        return len(str(parsed.national_number)) >= _SHORTEST_NATIONAL

    def _one(self, text: str) -> Number:
        plain = _LABEL.sub("", text.strip())
        digits = _PUNCTUATION.sub("", plain)
        digits = re.sub(r"^\++", "+", digits)
        if not re.fullmatch(r"\+?[0-9]+", digits):
            return _no("letters", text)
        if digits.startswith("+"):
            return _result(_parse(digits), text)
        if self._code:
            return _result(_parse(f"+{self._code}{digits}"), text)
        if digits.startswith("00") and (found := _result(_parse(f"+{digits[2:]}"), text)).to:
            return found
        if self._country is None:
            return _no("no-country" if len(digits) >= _SHORTEST else "impossible", text)
        return self._national(digits, text, self._country)

    def _national(self, digits: str, text: str, country: str) -> Number:
        """Return the number that the digits are within the list's country."""
        trunk, code = _habits(country)
        if digits.startswith(trunk or "0"):
            return _result(_parse(digits, country), text)
        national = _possible(_parse(f"+{code}{digits}"))
        is_own = digits.startswith(code)
        if national and not trunk and not is_own:
            return Number(to=national)
        abroad = _valid(_parse(f"+{digits}"))
        national = national if _is_ordinary(national) else ""
        if national and abroad not in ("", national):
            return self._chosen(national, abroad, text)
        if national or (abroad and is_own):
            return Number(to=national or abroad)
        if abroad and self._bare == "international":
            return Number(to=abroad)
        return _no("foreign", text, abroad) if abroad else _result(_parse(digits, country), text)

    def _chosen(self, national: str, abroad: str, text: str) -> Number:
        if self._bare is None:
            return _no("ambiguous", text, national, abroad)
        return Number(to=national if self._bare == "national" else abroad)


def _result(parsed: phonenumbers.PhoneNumber | None, text: str) -> Number:
    """Return the number, or why it cannot be."""
    if to := _possible(parsed):
        return Number(to=to)
    reason = None if parsed is None else phonenumbers.is_possible_number_with_reason(parsed)
    is_local = reason == ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    return _no("local" if is_local else "impossible", text)


def _parse(text: str, country: str | None = None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        return None


def _possible(parsed: phonenumbers.PhoneNumber | None) -> str:
    if parsed is None:
        return ""
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    return _spelt(parsed) if reason == ValidationResult.IS_POSSIBLE else ""


def _valid(parsed: phonenumbers.PhoneNumber | None) -> str:
    return _spelt(parsed) if parsed and phonenumbers.is_valid_number(parsed) else ""


def _spelt(parsed: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))


def _is_ordinary(number: str) -> bool:
    """Return whether it exists and is no longer than people's numbers are."""
    parsed = _parse(number) if number else None
    if parsed is None or len(str(parsed.national_number)) > _LONGEST_NATIONAL:
        return False
    return bool(phonenumbers.is_valid_number(parsed))


@cache
def _habits(country: str) -> tuple[str, str]:
    """Return what is dialed before an area code, and the code of the country.

    North America's 1 is both; there it counts as the code.
    """
    code = str(phonenumbers.country_code_for_region(country))
    trunk = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True) or ""
    return ("" if trunk == code else trunk), code


def _digits(code: str) -> str:
    return re.sub(r"[^0-9]", "", code).lstrip("0") if code else ""
