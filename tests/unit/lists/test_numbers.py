"""The number in a cell: certain, or refused with a reason."""

from __future__ import annotations

import random
import re

import phonenumbers
import pytest

from tests.unit.lists.literal import is_literal
from vomind_queue.lists.numbers import NumberReader

CERTAIN = {
    "US": {
        "(415) 555-0138": "+14155550138",
        "14155550105.0": "+14155550105",
        "4155550106.0": "+14155550106",
        "001 415 555 0117": "+14155550117",
        "Cell: 415-555-0101": "+14155550101",
        "Cell 415-555-0101": "+14155550101",
        "011 44 20 7946 0141": "+442079460141",
        "14,155,550,137": "+14155550137",
        "+1 415 555 0100 (home)": "+14155550100",
        "+1 703 555 0100 (Fairfax)": "+17035550100",
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
        "Tel. 030 / 23125133": "+493023125133",
        "Mobil 0171/3920013": "+491713920013",
        "Mobile: +14155550134": "+14155550134",
        "++14155550143": "+14155550143",
        "(+1) 415 555 0144": "+14155550144",
    },
    "GB": {
        "020 7946 0141": "+442079460141",
        "442079460141": "+442079460141",
        "+44 (0)20 7946 0141": "+442079460141",
    },
    "AU": {"0011 44 20 7946 0141": "+442079460141", "0044 20 7946 0141": "+442079460141"},
    # 005 would be one way to call abroad, and then +7 321 123 45 67; that is nobody's.
    "CO": {"0057 321 1234567": "+573211234567"},
    # Not a date.
    "BE": {"0470-12-34-56": "+32470123456"},
    "JP": {"0120-44-4444": "+81120444444"},
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
        # Saved once more, after it was shortened.
        "447946000000": "shortened",
        "415555.0101": "shortened",
        "(415) 555-0106.0": "shortened",
        "+1 415 555...": "cut",
        "+1 415 555…": "cut",
        "Order: 4155550101": "letters",
        "Order 4155550101": "letters",
        "Tel.-Nr 4155550101": "letters",
        "ext 4155550101": "letters",
        "4155550101 or 12": "unclear",
        "12 ::: 4155550101": "unclear",
        "+1415\u202e5550101": "hidden",
        "+1415\x1f5550101": "hidden",
        # It has no plus, and the list is of another country.
        "442079460141": "foreign",
        "2026-12-11": "date",
        "11.12.2026": "date",
    },
    "DE": {
        # Its zero is gone, or its plus: of Germany or of Texas.
        "17139200113": "ambiguous",
        "030 23125133/134": "unclear",
        "030 23125133 / 34 / 35": "unclear",
        "030 23125133 20": "unclear",
        "0171/3920013/14": "unclear",
        "0171,3920013": "unclear",
        # Of the 030.1234560 that was typed, a spreadsheet leaves this.
        "30.123456": "shortened",
        "030 1234567.0": "shortened",
        "/3920013": "cut",
        "030 2312513-": "cut",
        "Mobil 2 0171 3920013": "letters",
        "Fax: 030 23125133": "fax",
        "Telefax: 030 23125133": "fax",
        "030 23125133 (Bürofax)": "fax",
    },
    # Singapore, behind what is dialed before a country, or a place in North America behind 00.
    "AU": {"0011 65 9234 5678": "prefix"},
    "KR": {"001 65 9234 5678": "prefix"},
    # There is no zero to leave out.
    "PL": {"+48 (0) 512 345 678": "impossible", "0-22 123 45 67": "impossible"},
    "CZ": {"+420 (0) 601 123 456": "impossible"},
    # Digits that may be the code of a carrier are not left out.
    "CN": {"12442079460141": "impossible"},
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
    """By the country of the list, where it has none itself."""
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
    ("country", "cell", "number", "other"),
    [
        ("DE", "0171 3920013 030 23125133", "+491713920013", "+493023125133"),
        ("DE", "030 231251 030 231252", "+4930231251", "+4930231252"),
        ("GB", "07911 123456 07911 123457", "+447911123456", "+447911123457"),
    ],
)
def test_numbers_with_nothing_but_a_blank_between_are_not_joined(
    country: str, cell: str, number: str, other: str
) -> None:
    """Where the second begins with a zero, and both together are longer than numbers are."""
    found = NumberReader(country).read(cell)
    assert (found.to, list(found.others)) == (number, [other])


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
    # Which the number may have once more.
    assert reader.read("4917139200112", code="49").to == "+4917139200112"


def test_several_numbers_wait_for_an_answer_as_one_does() -> None:
    """To which country they belong, or whether they lack a + or a 0."""
    assert NumberReader(None).read("(415) 555-0101 / (415) 555-0102").kind == "no-country"
    assert NumberReader("DE").read("17139200113, 17139200114").kind == "ambiguous"


#: What cells are put together from: numbers as people write them, and what stands around them.
NUMBERS = (
    *("+14155550101", "(415) 555-0101", "4155550101", "+49 171 3920013", "0171/3920013"),
    *("030 23125133", "020 7946 0141", "+44 (0)20 7946 0141", "06 5550 0104", "01 23 45 67 89"),
    *("0049171392001", "442079460141", "171", "12", "0", "4.47946E+11", "14155550105.0"),
    *("30.123456", "(030) 2312513", "3920013", "+43 1 58058", "0676 1234567"),
)
AROUND = (
    *("", " ", "  ", "/", " / ", ",", " , ", ";", "-", " - ", ".", "...", "(", ")", "+", " x", "#"),
    *(" ext. ", " or ", " und ", " ::: ", "\n", ":", "tel:", "Mobile: ", "Ref: ", "Fax ", "(home)"),
    *(
        "0",
        "00",
        "E+11",
        ".0",
        ",5",
        "\u200b",
        "\u202e",
        "\x1f",
        "'",
        "=",
        "*",
        "\u00b2",
        "\t",
        "~",
    ),
)
CODES = {None: "", "US": "1", "DE": "49", "GB": "44", "IT": "39", "HU": "36", "CN": "86"}


@pytest.mark.randomised
def test_what_is_read_of_any_cell_is_what_it_says(full: bool) -> None:
    """Digit for digit, with the code of its country put before it."""
    wrong = []
    for seed in range(200_000 if full else 2_000):
        chance = random.Random(seed)
        picked = [chance.choice(chance.choice([NUMBERS, AROUND])) for _ in range(5)]
        cell, country = "".join(picked[: chance.randint(1, 5)]), chance.choice(list(CODES))
        found = NumberReader(country).read(cell)
        own = str(phonenumbers.parse(found.to).country_code) if found.to else ""
        number = cell[: _begin_of(found.extension, cell)] if found.extension else cell
        if own and not is_literal(number, found.to, CODES[country], own):
            wrong.append(f"{cell!r} in {country} is read as {found.to}")
    assert wrong == []


def _begin_of(extension: str, cell: str) -> int:
    """Where an extension begins, with the sign or the blank before it."""
    found = re.search(rf"(?:ext\.|[x#~,;\s])[\s.=:\u200b]*{extension}\W*(?:\(home\))?\W*$", cell)
    assert found is not None, (extension, cell)
    return found.start()
