"""No text becomes a formula in a spreadsheet, whatever that takes for the separator of cells."""

from __future__ import annotations

import csv
import io
import itertools

import pytest

from vomind_queue.encoding import no_formula

#: What may separate cells or rows, is passed over, ends a text, or begins a formula.
_SIGNS = ';|\t\n\r" x,=+'
_BEGIN = ("=", "+", "-", "@")


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_no_cell_begins_with_a_formula(separator: str) -> None:
    """All texts of a few such signs, as a reader of CSV cuts them."""
    for length in range(1, 4):
        for signs in itertools.product(_SIGNS, repeat=length):
            text = "".join(signs)
            written = io.StringIO()
            csv.writer(written).writerow(["1", no_formula(f"{text}=1"), "z"])
            rows = csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=separator)
            cells = [cell.strip() for row in rows for cell in row]
            assert not [cell for cell in cells if cell.startswith(_BEGIN)], repr(text)


def test_a_text_without_a_formula_stays_as_it_is() -> None:
    """As do its signs in between."""
    for text in ("Hello; how are you?", "1+1=2", 'He said "no"; then "yes"', "a\nb", "", None):
        assert no_formula(text) == text
