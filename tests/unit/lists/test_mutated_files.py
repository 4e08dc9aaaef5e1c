"""Files of every kind that was seen in the field, damaged at random."""

from __future__ import annotations

import random
import resource
import sys
import time

import phonenumbers
import pytest

from tests.unit.lists.damage import KINDS, damaged
from tests.unit.lists.literal import is_literal
from tests.unit.lists.reading import read
from vomind_queue.lists import last_digits
from vomind_queue.lists.models import Answers, ReadList, UnreadableList
from vomind_queue.lists.names import CODE
from vomind_queue.lists.preview import SENT, Judged, PreviewedRow, preview
from vomind_queue.lists.refused import own_cells

#: What a damaged file of a few rows may take: seconds of a core, and MiB beyond what was used.
MOST_S, MOST_MIB = 5, 512
#: Of so many files one is a workbook, which is read by its own process.
WORKBOOKS = 20
COUNTRIES = {None: "", "US": "1", "DE": "49", "GB": "44", "IT": "39"}


def memory_mib() -> float:
    """The most memory that this process has used."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform == "linux" else most / 1024**2


@pytest.mark.randomised
def test_a_damaged_file_of_any_kind_rings_no_stranger(full: bool) -> None:
    """Nothing is raised, no number is made up, and no file takes long or much."""
    before = memory_mib()
    wrong: list[str] = []
    for number in range(10_000 if full else 200):
        chance = random.Random(number)
        kind = "workbook" if number % WORKBOOKS == 0 else chance.choice(list(KINDS))
        raw = damaged(kind, chance)
        country = chance.choice(list(COUNTRIES))
        started = time.process_time()
        try:
            found = read(
                raw, "people.jsonl" if kind == "objects" else "people.csv", country=country
            )
        except UnreadableList:
            continue
        finally:
            assert time.process_time() - started < MOST_S, (number, kind)
        is_coded = any(column.taken_as == CODE for column in found.columns)
        code = None if is_coded else COUNTRIES[country]
        wrong += [f"{number} {kind} {country}: {each}" for each in strangers(found, code)]
    assert wrong == []
    assert memory_mib() - before < MOST_MIB


def strangers(found: ReadList, code: str | None) -> list[str]:
    """Rows that ring what their cell does not say; ``code``: the list's, ``None``: the row's."""
    seen = preview(found, Judged(), {}, Answers())
    assert sum(seen.counts.values()) == 2 * seen.counts["rows"]
    assert not (seen.questions and any(row.fate in SENT and row.row.is_asked for row in seen.rows))
    tails = last_digits.of_list(found)
    return [each for row in seen.rows for each in _strangers(found, row, code, tails)]


def _strangers(found: ReadList, row: PreviewedRow, code: str | None, tails: set[str]) -> list[str]:
    # All that is shown, saved and written can be.
    str([row.as_data(), found.found(), own_cells(found, row)]).encode()
    if row.row.to is None:
        return []
    parsed = phonenumbers.parse(row.row.to)
    assert phonenumbers.is_possible_number(parsed)
    assert row.row.to[-last_digits.COUNT :] in tails
    own = str(parsed.country_code)
    is_right = is_literal(row.row.cell or "", row.row.to, own if code is None else code, own)
    return [] if is_right else [f"{row.row.cell!r} rings {row.row.to}"]
