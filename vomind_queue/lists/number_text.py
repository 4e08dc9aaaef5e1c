"""The text of a cell with a number: what is wrong with it, and what stands around the digits."""

from __future__ import annotations

import re

from vomind_queue.lists.cells import has_hidden, is_broken, is_nothing, kept_text, without_unseen
from vomind_queue.lists.names import is_label

WHOLE_FLOAT = re.compile(r"(\+?[0-9]{7,15})[.,]0+")
_SHORTENED = r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+"
#: A spreadsheet takes zeros from both ends of ``030.1234560``; ``555-0106.0`` was half taken so.
_FLOAT = r"[1-9][0-9]*[.,][0-9]+|[^.,]*[0-9]{2}[.,][0-9]{1,2}"
#: What became of 4.47946E+11, saved once more: six digits, and zeros for those that are lost.
_LOST = r"[1-9][0-9]{5}0{6,9}(?:[.,]0+)?"
#: No year begins with a zero, as the 0470-12-34-56 of a Belgian and Japan's 0120-44-4444 do.
_DATE = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4}\b.*"
#: Texts with digits that are no number, by why; the first counts.
_FAULTS = {
    "shortened": re.compile(rf"(?:{_LOST}|{_SHORTENED}|(?!{WHOLE_FLOAT.pattern}\Z)(?:{_FLOAT}))\Z"),
    # Three dots, as programs put them where they cut; or a sign with nothing on its other side.
    "cut": re.compile(r".*\.\.|[/.)]|.*[/(-]\Z", re.DOTALL),
    "date": re.compile(rf"(?:{_DATE})\Z"),
    "negative": re.compile("-"),
    # Halifax and Fairfax are places.
    "fax": re.compile(r".*(?<!hali|fair)fax", re.IGNORECASE | re.DOTALL),
}
THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,}")
#: ``Mobile: ``, ``Tel. `` or ``Cell ``; of ``Mobile 2 0171…``, the 2 belongs to the word.
_LABEL = re.compile(
    r"([^\W\d_]+(?: [^\W\d_]+)?)(?:\.?\s*:\s*(?=[+(\d])|(?:\.\s*|\s+)(?=[+(]|\d{3}))"
)
#: A word in brackets behind.
REMARK = re.compile(r"\s*\(\s*[^\W\d_][^\d()]*\)\s*$")
EXTENSION = re.compile(
    r"(?<=[\d\s);])[;,\s]*(?:extension|extn?|xt?|durchwahl|dw|app|poste|anexo|доб|int|#|~)"
    r"\.?\s*[:=]?\s*([0-9]{1,7})\s*#?\s*$",
    re.IGNORECASE,
)
#: A few digits behind a blank or pauses, after a number that is complete.
TRAILING = re.compile(r"^(.*\d)(?:\s+|,+)([0-9]{1,6})$")
#: Between two numbers in one cell.
SEVERAL = re.compile(
    r"\s*(?::::|[;|,\n]|\s(?:or|oder|and|und|ou|o|y|e|&)\s|(?<=\d)\s+(?=\+\s*\d))\s*"
)
#: What may part two numbers or stand within one: a slash, and a blank before the next one's zero.
SLASH = re.compile("/")
SLASH_OR_ZERO = re.compile(r"/|(?<=\d)\s+(?=0)")
_DECIMAL = re.compile(_FLOAT)
#: Nothing is missing at its ends.
_WHOLE = re.compile(r"[+\s]*(?:\([+\s]*)?[0-9].*?[0-9]\)?[.\s]*", re.DOTALL)
_PUNCTUATION = re.compile(r"[\s().\-/]")


def text_of(cell: str) -> str:
    """Return a cell's text without what spreadsheets and keyboards leave around it."""
    return without_unseen(kept_text(without_unseen(cell)))


def fault_of(cell: str, text: str) -> str:
    """Return by one word why no number is in a cell at all, or an empty text."""
    if is_broken(text):
        return "spreadsheet-error"
    if is_nothing(text) or not any(sign.isdigit() for sign in text):
        return "no-number"
    if has_hidden(cell):
        return "hidden"
    return next((kind for kind, sign in _FAULTS.items() if sign.match(text)), "")


def digits_of(text: str) -> str:
    """Return digits, a + before them where there is one; an empty text where there is more."""
    plain = text.strip()
    label = _LABEL.match(plain)
    if label and is_label(label[1]):
        plain = plain[label.end() :]
    if _DECIMAL.fullmatch(plain) or not _WHOLE.fullmatch(plain):
        return ""
    digits = re.sub(r"^\++", "+", _PUNCTUATION.sub("", plain))
    return digits if re.fullmatch(r"\+?[0-9]+", digits) else ""
