"""Whether a number is what its cell says, digit for digit; knows nothing of the reader."""

from __future__ import annotations

import re
import unicodedata

#: What may stand between the digits of one number.
_RUN = re.compile(r"[+(]*[0-9](?:[0-9 ().\-/+]*[0-9])?")
_LABELS = r"(?:[^\W\d_]* ?)(?:p|tel|mobile|mob|fon|phone)"
#: Between two numbers, or at the ends of a cell.
_BEFORE = re.compile(
    rf"(?:[^0-9]*(?:[,;|\n]|:::|\b(?:or|und)\b))?\s*(?:{_LABELS}\s*:)?[\s('=\"+]*", re.IGNORECASE
)
_BEHIND = re.compile(r"[\s)\"#.\-/]*(?:$|[,;|\n/(]|:::|(?:or|oder|and|und|ou|o|y|e|&)\s)")
_WHOLE_FLOAT = re.compile(r"([0-9]{7,15})[.,]0+")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,}")


def is_literal(cell: str, to: str, country_code: str, own_code: str) -> bool:
    """Return whether a cell says that number, or says it without the code of its country.

    ``country_code``: that of the list or of another column, empty where there is none;
    ``own_code``: that of ``to``.
    """
    text = _plain(cell).strip().lstrip("='\"")
    if found := _WHOLE_FLOAT.fullmatch(text.rstrip('"').lstrip("+")):
        text = found[1]
    elif _THOUSANDS.fullmatch(text.strip()):
        text = text.replace(",", "")
    run = _RUN.search(text)
    if not run or not _BEFORE.fullmatch(text[: run.start()]):
        return False
    if not _BEHIND.match(text[run.end() :]):
        return False
    return any(_says(digits, to[1:], country_code, own_code) for digits in _readings(run[0]))


def _readings(run: str) -> list[str]:
    """The whole run, and its first part where there may be several."""
    cuts = [run, *(run[: cut.start()] for cut in re.finditer(r"/|\s(?=0)|(?<=\d)\s*(?=\+)", run))]
    return ["".join(filter(str.isdigit, each)) for each in cuts]


def _says(digits: str, to: str, country_code: str, own_code: str) -> bool:
    national = to.removeprefix(own_code)
    prefixes = ["", "00", "011"]
    forms = [
        f"{before}{own_code}{zero}{national}" for before in prefixes for zero in ("", "0", "1")
    ]
    if country_code == own_code:
        forms += [f"{trunk}{national}" for trunk in ("", "0", "1", "06", "8")]
    return digits in forms


def _plain(cell: str) -> str:
    """The text without marks that nobody sees, each digit, dash and blank as the plain one."""
    return "".join(map(_sign, cell))


def _sign(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Cf" and sign not in "\u202d\u202e":
        return ""
    if kind == "Pd" or sign == "\u2212":
        return "-"
    if kind == "Zs" or sign in "\t\r":
        return " "
    return unicodedata.normalize("NFKC", sign) if kind in ("Nd", "Po", "Sm") else sign
