"""Files of every kind that was seen in the field, damaged at random."""

from __future__ import annotations

import random
import resource
import sys
import time

import phonenumbers
import pytest

from tests.unit.lists.reading import seen
from tests.unit.lists.test_hostile_files import mutated
from vomind_queue.lists.cells import without_unseen
from vomind_queue.lists.models import UnreadableList
from vomind_queue.lists.preview import SENT, Preview

#: One file of each kind, as programs write them.
KINDS = {
    "scientific": "Phone,Message\n4.47946E+11,Hello\n+14155550101,Hello\n",
    "excel": "sep=;\r\nTelefon;Nachricht\r\n0171/3920013;Ihr Paket\r\n+49 30 1234567;Grüße\r\n",
    "float": "phone,message\n14155550105.0,Hello\n,Hello\n14155550106,Hello\n",
    "extension": "phone,message\n+1 415-555-0106 ext. 22,Hello\n(415) 555-0107 x9,Hello\n",
    "contacts": "Name,Phone 1 - Value,Phone 2 - Value\nAnn,+1 415 555 0107 ::: +1 415 555 0108,\n",
    "meta": "id\tfull_name\tphone_number\nl:1\tAnn\tp:+14155550109\nl:2\tBen\tp:+14155550110\n",
    "old-mac": "to,message\r+14155550113,Hello\r415,Hello\r+14155550114,Hello\r",
    "quoted": 'to,message\n+14155550136,"two\nlines, ""all"" of it"\n+14155550137,Hello\n',
    "no-header": "+14155550120,Hello\n+14155550121,Hello\n+14155550122,Hello\n",
    "dates": "to,scheduleAt,message\n+14155550121,46368.4167,Hi\n+14155550122,11/12/2026,Hi\n",
    "doubles": "Phone,Phone,Message\n+442079460141,02079460141,Hello\n+442079460142,,Hello\n",
    "dialer": "phone_code,phone_number,message\n1,4155550129,Hello\n44,2079460129,Hello\n",
    "formula": 'to,message\n"=""+14155550126""",Hello\n\'+14155550127,Hello\n#NAME?,Hello\n',
    "merge": "Phone,name,Message\n+14155550123,Ann,Hello {{name}}\n+14155550124,,Hi {{x}}\n",
    "objects": '{"to": "+14155550127", "text": "Hello"}\n{"to": NaN}\n{"to": "415", "a": [1]}\n',
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")
#: What a damaged file of a few rows may take: seconds of a core, and MiB beyond what was used.
MOST_S, MOST_MIB = 5, 512
#: Digits at the end of a number that no code of a country has.
OWN = 7


def memory_mib() -> float:
    """The most memory that this process has used."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform == "linux" else most / 1024**2


@pytest.mark.randomised
def test_a_damaged_file_of_any_kind_rings_no_stranger(full: bool) -> None:
    """Nothing is raised, no number is made up, and no file takes long or much."""
    before = memory_mib()
    for number in range(10_000 if full else 150):
        chance = random.Random(number)
        kind = chance.choice(list(KINDS))
        raw = mutated(KINDS[kind].encode(chance.choice(ENCODINGS)), chance)
        name = "people.jsonl" if kind == "objects" else "people.csv"
        started = time.process_time()
        try:
            found = seen(raw, name, country=chance.choice([None, "US", "DE", "GB"]))
        except UnreadableList:
            continue
        finally:
            assert time.process_time() - started < MOST_S, (number, kind)
        check(found, f"{number} {kind} {raw!r}")
    assert memory_mib() - before < MOST_MIB


def check(found: Preview, what: str) -> None:
    """Each row has one fate, and one that rings has a number that is in its cells."""
    assert sum(found.counts.values()) == 2 * found.counts["rows"], what
    for row in found.rows:
        assert not (row.fate in SENT and found.questions and row.row.is_asked), what
        if row.row.to is None:
            continue
        number = phonenumbers.parse(row.row.to)
        assert phonenumbers.is_possible_number(number), what
        digits = "".join(filter(str.isdigit, without_unseen(row.row.cell or "")))
        assert str(number.national_number)[-OWN:] in digits, what
