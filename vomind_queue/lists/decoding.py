"""From bytes to text: which encoding it is, and what to ask where that cannot be known."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass

from charset_normalizer import from_bytes

from vomind_queue.lists.cells import shown
from vomind_queue.lists.models import Choice, Question

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Encodings of spreadsheets before UTF-8, the commonest first.
_OLDER = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "mac_roman", "cp850", "cp866", "koi8_r"),
    *("shift_jis", "gb18030", "big5", "euc_kr"),
)
#: The id of the question.
ENCODING = "encoding"
#: Choices of an encoding that are shown.
_MOST_CHOICES = 6
#: How much is read to guess an encoding, bytes.
_SAMPLE = 100_000
#: Zeros among the first bytes that only UTF-16 has.
_ZEROS = 0.2
_HEAD = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """A text; bytes that did not fit are lone surrogates or U+FFFD in it."""

    text: str
    encoding: str
    question: Question | None = None


def decode(raw: bytes, given: Mapping[str, str]) -> Decoded:
    """Return the text of a file, by the encoding that was chosen or is certain."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return Decoded(text=_text(raw, encoding), encoding=encoding)
    if sixteen := _sixteen(raw):
        return Decoded(text=_text(raw, sixteen), encoding=sixteen)
    chosen = given.get(ENCODING)
    if chosen and (known := _known(chosen)):
        return Decoded(text=_text(raw, known), encoding=known, question=_ask(raw, chosen))
    return _undeclared(raw)


def _undeclared(raw: bytes) -> Decoded:
    text = _text(raw, "utf-8")
    if not re.search("[\udc80-\udcff]", text):
        return Decoded(text=text, encoding="utf-8")
    if any(_is_utf8(line) for line in _telling_lines(raw)):
        # Some lines are UTF-8 beyond chance, so the others are damaged.
        return Decoded(text=text, encoding="utf-8", question=_ask(raw, "utf-8"))
    best = _guess(raw)
    return Decoded(text=_text(raw, best), encoding=best, question=_ask(raw, None))


def _text(raw: bytes, encoding: str) -> str:
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    try:
        return raw.decode(encoding, errors)
    except UnicodeDecodeError:
        # Encodings of several bytes refuse some places all the same.
        return raw.decode(encoding, "replace")


def _sixteen(raw: bytes) -> str | None:
    """Return which UTF-16 it is, by its zeros; a table's separators are ASCII in all languages."""
    head = raw[:_HEAD]
    if 0 not in head:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) * _ZEROS or min(even, odd) > max(even, odd) / 4:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _telling_lines(raw: bytes) -> list[bytes]:
    found = (match[0] for match in re.finditer(rb"[^\r\n]+", raw))
    return [line for line in found if not line.isascii()]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _guess(raw: bytes) -> str:
    best = from_bytes(b"\n".join(_telling_lines(raw))[:_SAMPLE]).best()
    return _known(best.encoding if best else "") or "cp1252"


def _known(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name.replace("-", "_")
    except (LookupError, ValueError):
        # No name at all, such as one with a NUL in it.
        return None
    if found == "utf_8":
        return "utf-8"
    return next(
        (each for each in _OLDER if codecs.lookup(each).name == codecs.lookup(name).name), None
    )


def _ask(raw: bytes, chosen: str | None) -> Question:
    """Return which encoding it may be, each with a line as it would be read."""
    telling = _telling_lines(raw)
    line = next((each for each in telling if not _is_utf8(each)), telling[0] if telling else b"")
    guess = chosen or _guess(raw)
    names = dict.fromkeys([_known(guess) or guess, *_OLDER, "utf-8"])
    readable = [name for name in names if name == chosen or _fits(line, name)]
    choices = [
        Choice(value=name, text=f"{name}: {shown(_text(line, name).strip())}")
        for name in readable[:_MOST_CHOICES]
    ]
    text = "The file does not say in which encoding it is. Which of these lines is right?"
    if chosen:
        text = f"The file is read as {chosen}. Another encoding can be chosen by its line."
    return Question(id=ENCODING, text=text, choices=choices, default=chosen)


def _fits(line: bytes, encoding: str) -> bool:
    try:
        return line.decode(encoding).isprintable() or b"\t" in line
    except UnicodeDecodeError:
        return False
