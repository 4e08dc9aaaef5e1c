"""The number in a cell: certain, or refused with a reason."""

from __future__ import annotations

import pytest

from vomind_queue.lists.numbers import NumberReader

CERTAIN = {
    "US": {
        "(415) 555-0138": "+14155550138",
        "14155550105.0": "+14155550105",
        "4155550106.0": "+14155550106",
        "001 415 555 0117": "+14155550117",
        "011 44 20 7946 0141": "+442079460141",
        "14,155,550,137": "+14155550137",
        "+1 415 555 0100 (home)": "+14155550100",
    },
    "DE": {
        # The spreadsheet took the plus, not the zero.
        "4917139200112": "+4917139200112",
        "017139200113": "+4917139200113",
        "0171/39200133": "+4917139200133",
        "030 / 23125 133": "+493023125133",
        "00 49 171 3920 0134": "+4917139200134",
        "0049 (0)30 23125133": "+493023125133",
        "tel:+14155550133": "+14155550133",
        "Mobile: +14155550134": "+14155550134",
        "++14155550143": "+14155550143",
        "(+1) 415 555 0144": "+14155550144",
    },
    "GB": {
        "020 7946 0141": "+442079460141",
        "442079460141": "+442079460141",
        "+44 (0)20 7946 0141": "+442079460141",
    },
    # Italy keeps its zero.
    "IT": {"06 5550 0104": "+390655500104", "333 555 0104": "+393335550104"},
    None: {
        "+49 (0)171 3920013": "+491713920013",
        "p:+14155550109": "+14155550109",
        "\u202a+1 415-555-0110\u202c": "+14155550110",
        "+1\u00a0415\u2011555\u20130112": "+14155550112",
        "+1415\u200b5550115": "+14155550115",
        "+1\u00ad4155550120": "+14155550120",
        "＋１ ４１５ ５５５ ０１２１": "+14155550121",
        '="+14155550126"': "+14155550126",
        "'+14155550127": "+14155550127",
        "+1.415.555.0141": "+14155550141",
    },
}  # fmt: skip
REFUSED = {
    "US": {
        "4.47946E+11": "shortened",
        "4,47946E+11": "shortened",
        "14155550105.25": "shortened",
        "415": "impossible",
        "5550138": "local",
        "1-800-555-CALL": "letters",
        "+1 415 555 O145": "letters",
        # It has no plus, and the list is of another country.
        "442079460141": "foreign",
        "2026-12-11": "date",
        "11.12.2026": "date",
    },
    "DE": {
        # Its zero is gone, or its plus: of Germany or of Texas.
        "17139200113": "ambiguous",
        "030 23125133/134": "unclear",
        "Fax: 030 23125133": "fax",
    },
    None: {
        "": "no-number",
        "n/a": "no-number",
        "0": "no-number",
        "-": "no-number",
        "unknown": "no-number",
        "#NAME?": "spreadsheet-error",
        "#ERROR!": "spreadsheet-error",
        "#N/A": "spreadsheet-error",
        "-441555013": "negative",
        "(415) 555-0138": "no-country",
        "555": "impossible",
    },
}


@pytest.mark.parametrize(
    ("country", "cell", "number"),
    [(country, cell, to) for country, cells in CERTAIN.items() for cell, to in cells.items()],
)
def test_a_number_is_read_as_people_write_it(country: str | None, cell: str, number: str) -> None:
    """By the country of the list, where it has none of its own."""
    assert NumberReader(country).read(cell).to == number


@pytest.mark.parametrize(
    ("country", "cell", "kind"),
    [(country, cell, kind) for country, cells in REFUSED.items() for cell, kind in cells.items()],
)
def test_what_is_not_certain_is_refused(country: str | None, cell: str, kind: str) -> None:
    """A guess would ring a stranger."""
    found = NumberReader(country).read(cell)
    assert (found.to, found.kind) == ("", kind)
    assert found.why


@pytest.mark.parametrize(
    ("cell", "number", "others"),
    [
        ("+1 415 555 0135 / +1 415 555 0136", "+14155550135", ["+14155550136"]),
        ("+14155550137, +14155550138", "+14155550137", ["+14155550138"]),
        ("+14155550139\n+14155550140", "+14155550139", ["+14155550140"]),
        ("+1 415-555-0108 ::: +1 415-555-0158", "+14155550108", ["+14155550158"]),
        ("(415) 555-0106 or (415) 555-0107", "+14155550106", ["+14155550107"]),
    ],
)
def test_the_first_of_several_numbers_is_called(cell: str, number: str, others: list[str]) -> None:
    """They are never joined, and the others are named."""
    found = NumberReader("US").read(cell)
    assert (found.to, list(found.others)) == (number, others)


@pytest.mark.parametrize(
    "cell",
    [
        "(415) 555-0106 x12",
        "+1 415 555 0106 ext. 12",
        "+14155550106;ext=12",
        "415-555-0106 #12",
        "+1 415-555-0106 12",
        "4155550106,,12",
    ],
)
def test_an_extension_is_no_part_of_the_number(cell: str) -> None:
    """It is told apart, in each way of writing it."""
    found = NumberReader("US").read(cell)
    assert (found.to, found.extension) == ("+14155550106", "12")


def test_a_person_can_say_what_bare_digits_are() -> None:
    """National or international; by default they are refused."""
    assert NumberReader("DE", "national").read("17139200113").to == "+4917139200113"
    assert NumberReader("DE", "international").read("17139200113").to == "+17139200113"


def test_another_column_has_the_code() -> None:
    """As exports of dialers have it."""
    reader = NumberReader(None)
    assert reader.read("4155550129", code="1").to == "+14155550129"
    assert reader.read("2079460129", code="+44").to == "+442079460129"
