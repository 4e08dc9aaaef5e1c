"""What becomes of each row, and how the counts add up."""

from __future__ import annotations

from tests.unit.lists.reading import asked, read, seen
from vomind_queue.lists.models import Answers
from vomind_queue.lists.preview import Judged, Wait, preview

FOUR = "Phone,Message\n+442079460141,x\n+44 (0)20 7946 0141,x\n+442079460142,x\n+44 20 79,x\n"


def test_each_person_is_called_once_unless_somebody_says_otherwise() -> None:
    """Four spellings are one person; that is told."""
    text = "Phone,Message\n+44 20 7946 0141,x\n+44 (0)20 7946 0141,x\n020 7946 0141,x\n"
    found = seen(text, country="GB")
    assert (found.counts["willRing"], found.counts["doubles"]) == (1, 2)
    assert found.rows[2].why == "the same person as in line 2"
    assert [option.id for option in found.options] == ["doubles"]
    assert seen(text, country="GB", given={"doubles": "each"}).counts["willRing"] == 3


def test_two_different_calls_to_one_person_are_asked_about() -> None:
    """One of them might be lost, or one too many."""
    text = "Phone,Message\n+14155550101,Your order\n+14155550101,Your visit\n+14155550102,x\n"
    found = seen(text)
    assert (asked(found), found.counts["asked"], found.counts["willRing"]) == (["doubles"], 2, 1)
    assert seen(text, given={"doubles": "once"}).counts["willRing"] == 2


def test_rows_that_were_accepted_before_are_not_sent_again() -> None:
    """Of a mended file only the new rows go; of the same file it is asked."""
    first = seen("Phone,Message\n+14155550101,x\n+14155550102,x\n415,x\n")
    accepted = {row.digest: 1_800_000_000_000 for row in first.rows if row.fate == "willRing"}
    mended = read("Phone,Message\n+14155550101,x\n+14155550102,x\n+14155550103,x\n")
    found = preview(mended, Judged(), accepted, Answers())
    assert (found.counts["acceptedBefore"], found.counts["willRing"]) == (2, 1)
    assert asked(found) == []
    same = read("Phone,Message\n+14155550101,x\n+14155550102,x\n")
    assert asked(preview(same, Judged(), accepted, Answers())) == ["again"]
    assert asked(preview(same, Judged(), accepted, Answers(), is_unfinished=True)) == []
    again = preview(same, Judged(), accepted, Answers(given={"again": "yes"}))
    assert again.counts["willRing"] == 2


def test_what_the_service_says_is_part_of_the_counts() -> None:
    """Each row has one fate, and all add up."""
    judged = Judged(
        errors={0: [("message", "Must be shorter.")]},
        blocked={1: "The number is on the do-not-call list."},
        held={2: Wait(until="2027-01-04T08:00:00.000Z", why="Courtesy hours.")},
    )
    text = FOUR.replace("+44 (0)20 7946 0141", "+442079460143")
    found = preview(read(text), judged, {}, Answers())
    counts = found.counts
    assert [row.fate for row in found.rows] == ["refused", "blocked", "held", "refused"]
    assert counts.pop("rows") == sum(counts.values()) == 4
    assert found.rows[0].why == "message: Must be shorter."
    assert found.rows[2].at == "2027-01-04T08:00:00.000Z"
    assert [(kind["kind"], kind["lines"]) for kind in found.refusals] == [
        ("message", [2]), ("local", [5]),
    ]  # fmt: skip
