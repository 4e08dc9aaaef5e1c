"""Messages with cells in them, and times as people write them."""

from __future__ import annotations

import pytest

from tests.unit.lists.reading import asked, read, seen

WORDS = "Phone,First Name,visit,Message\n"


def spoken(message: str, name: str = "Ann") -> tuple[str | None, str]:
    """The message of a row, or why there is none."""
    row = seen(f"{WORDS}+14155550124,{name},Friday,{message}\n").rows[0]
    return (row.row.call or {}).get("message"), row.why


@pytest.mark.parametrize(
    ("message", "name", "words"),
    [
        ("Hello {{First Name}}: see you on {{visit}}", "Ann", "Hello Ann: see you on Friday"),
        ("Hello {{ first_name }}", "Ann", "Hello Ann"),
        ("Hello {{first_name|there}}", "", "Hello there"),
        ("Hello {{first_name|there}}", "Ann", "Hello Ann"),
    ],
)
def test_cells_are_put_into_the_words(message: str, name: str, words: str) -> None:
    """By header, with a default where a cell is empty."""
    assert spoken(message, name) == (words, "")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("Hello {{first_name}}", "`first_name` is empty"),
        ("Hello {{name}}", "names no column"),
        ("Hello {{first_name", "not closed"),
    ],
)
def test_words_with_a_gap_are_refused(message: str, why: str) -> None:
    """Nobody hears braces."""
    words, said = spoken(message, "")
    assert (words, why in said) == (None, True)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("11/12/2026 10:00", "which is the day"),
        ("46368.4167", "a spreadsheet's date without its format (2026-12-12 10:00:00)"),
        ("2026-12-11 10:00", "no time zone"),
        ("tomorrow 9am", "is not a time"),
        ("2026-12-11", "no time of day"),
    ],
)
def test_times_of_several_forms_are_refused(cell: str, said: str) -> None:
    """With the forms that are taken."""
    found = seen(f"to,message,scheduleAt\n+14155550121,a,{cell}\n+14155550122,a,1.2.2027 9:00\n"
                 "+14155550123,a,2027-02-01 9:00\n+14155550124,a,2027-02-01 09:00\n")  # fmt: skip
    assert (found.rows[0].fate, said in found.rows[0].why) == ("refused", True)
    assert "2027-01-04T09:00:00+01:00" in found.rows[0].why


@pytest.mark.parametrize(
    ("cells", "given", "first"),
    [
        (["2027-01-04 09:00"], {}, "2027-01-04T09:00:00+01:00"),
        (["4.1.2027 9:00"], {}, "2027-01-04T09:00:00+01:00"),
        (["46391.375"], {}, "2027-01-04T09:00:00+01:00"),
        (["04/01/2027 9:00 PM", "13/01/2027 9:00"], {}, "2027-01-04T21:00:00+01:00"),
        (["04/01/2027 09:00"], {"dateOrder": "D"}, "2027-01-04T09:00:00+01:00"),
        (["04/01/2027 09:00"], {"dateOrder": "M"}, "2027-04-01T09:00:00+02:00"),
    ],
)
def test_times_of_one_form_need_a_zone(cells: list[str], given: dict[str, str], first: str) -> None:
    """And the order of day and month, where no cell shows it."""
    text = "to,message,scheduleAt\n"
    text += "".join(f"+1415555012{place},a,{cell}\n" for place, cell in enumerate(cells))
    assert asked(read(text)) == ["timezone", *(["dateOrder"] if given else [])]
    assert seen(text).counts["willRing"] == 0
    found = read(text, given={"timezone": "Europe/Berlin", **given})
    assert (found.rows[0].call or {})["scheduleAt"] == first


@pytest.mark.parametrize("cell", ["2027-03-28 02:30", "2027-10-31 02:30"])
def test_an_hour_that_comes_never_or_twice_is_refused(cell: str) -> None:
    """As the clocks are changed."""
    text = f"to,message,scheduleAt\n+14155550121,a,{cell}\n"
    assert seen(text, given={"timezone": "Europe/Berlin"}).rows[0].fate == "refused"
