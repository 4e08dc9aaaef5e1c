"""What spreadsheets, forms and keyboards leave in a cell around its text."""

from __future__ import annotations

import re
import unicodedata

#: A text that a spreadsheet was made to keep as it is: ``="+1415…"``.
_KEPT = re.compile(r'="(.*)"', re.DOTALL)
#: What a spreadsheet shows instead of a value: ``#NAME?``, ``#N/A``, ``#WERT!``.
_BROKEN = re.compile(r"#[^\W\d_]+(?:/[^\W\d_]+)?[!?]?(?:0!)?")
#: Cells that say that there is nothing.
_NOTHING = frozenset(
    (
        *("", "-", "--", "?", "x", "n/a", "na", "n.a.", "none", "null", "nil", "nan", "unknown"),
        *("unbekannt", "keine", "k.a.", "leer", "ninguno", "aucun", "nessuno", "нет"),
    )
)
#: Bytes that did not fit the encoding, as `decoding` leaves them in the text, and halves of signs
#: that JSON can name alone.
_UNREADABLE = re.compile("[\ud800-\udfff\ufffd]")
#: Control characters, and marks that turn the order of what is seen around.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e]")


def without_unseen(text: str) -> str:
    """Return the text without invisible marks, each space and dash as the plain one."""
    return "".join(map(_plain, text)).strip()


def _plain(sign: str) -> str:
    if sign < "\x7f":
        return " " if sign.isspace() and sign != "\n" else sign
    kind = unicodedata.category(sign)
    if kind in ("Cf", "Cc"):
        return ""
    if kind.startswith("Z"):
        return " "
    if kind == "Pd" or sign == "\u2212":
        return "-"
    return unicodedata.normalize("NFKC", sign) if kind in ("Nd", "Po", "Sm") else sign


def kept_text(cell: str) -> str:
    """Return a cell without what a spreadsheet puts around a number to keep it as text."""
    found = _KEPT.fullmatch(cell.strip())
    if found:
        return found[1].replace('""', '"')
    stripped = cell.strip()
    return stripped[1:] if stripped[:2] in ("'+", "=+") or stripped[:1] == "'" else cell


def is_broken(cell: str) -> bool:
    """Return whether it is a spreadsheet's word for an error."""
    return bool(_BROKEN.fullmatch(cell.strip()))


def is_nothing(cell: str) -> bool:
    """Return whether it says in words, or in zeros, that there is nothing."""
    return cell.strip().lower() in _NOTHING or not cell.strip("0 -.()+/")


def has_hidden(cell: str) -> bool:
    """Return whether it has signs that nobody sees and that may have taken the place of others."""
    return bool(_HIDDEN.search(cell))


def is_unreadable(cell: object) -> bool:
    """Return whether some of it did not fit the file's encoding."""
    return isinstance(cell, str) and bool(_UNREADABLE.search(cell))


def readable(text: str) -> str:
    """Return a text that can be written, with a sign for each byte that fitted no encoding."""
    return _UNREADABLE.sub("\ufffd", text)


def shown(text: str, most: int = 60) -> str:
    """Return a cell in quotation marks, cut to a length that fits into a sentence."""
    text = readable(text)
    return f"“{text}”" if len(text) <= most else f"“{text[:most]}…”"
