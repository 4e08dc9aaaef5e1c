"""By which last digits a number that is somewhere in a list is found, however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vomind_queue.lists.cells import without_unseen
from vomind_queue.lists.models import ReadList

#: Digits at the end of a number: all spellings share them.
COUNT = 7
#: What may stand within a number, or between several of them.
#: It begins with a digit: of the many signs that may stand within, few tries come to nothing.
_NUMBERS = re.compile(r"\d[\d\s()./,;:+'-]{5,}\d")
_GROUP = re.compile(r"\d+")


def of_list(found: ReadList) -> set[str]:
    """Return the last digits of all that may be a number: in rows, titles and other sheets."""
    digits = {row.to[-COUNT:] for row in found.rows if row.to}
    for record in (*found.records.values(), *found.aside):
        for cell in (*record.cells, record.raw):
            text = "" if cell is None else str(cell)
            for run in _NUMBERS.finditer(text if text.isascii() else without_unseen(text)):
                digits.update(_ends(run[0]))
    return digits


def _ends(run: str) -> Iterator[str]:
    """Yield the last digits of each number that may end within a run of them."""
    so_far = ""
    for group in _GROUP.findall(run):
        so_far = (so_far + group)[-COUNT - 40 :]
        if len(so_far) >= COUNT:
            yield so_far[-COUNT:]
