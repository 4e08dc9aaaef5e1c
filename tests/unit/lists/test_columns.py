"""What columns are taken for, and what is asked where they do not say."""

from __future__ import annotations

import pytest

from tests.unit.lists.reading import asked, numbers, read, seen

CALL = "+14155550101,Hello"


@pytest.mark.parametrize(
    "header",
    ["Phone,Message", "Telefonnummer,Nachricht", "Telefono,Messaggio", "TO,Text", "Handy,Ansage",
     "téléphone,message", "Номер телефона,Сообщение"],
)  # fmt: skip
def test_headers_are_known_in_several_languages(header: str) -> None:
    """In any case, with or without accents."""
    found = read(f"{header}\n{CALL}\n")
    assert (asked(found), found.rows[0].call) == ([], {"to": "+14155550101", "message": "Hello"})


@pytest.mark.parametrize("header", ["Mobile Phone,Business Phone", "Phone,Phone", "Number,Phone"])
def test_two_columns_that_may_be_the_number_are_asked_for(header: str) -> None:
    """A person chooses one, or their order; where the first is empty, the next is called."""
    text = f"{header},Message\n+14155550108,+14155550158,x\n,+14155550109,x\n"
    assert asked(read(text)) == ["numbers"]
    assert seen(text).counts["willRing"] == 0
    both = read(text, given={"numbers": "1,2"})
    assert (asked(both), numbers(both)) == ([], ["+14155550108", "+14155550109"])
    assert numbers(read(text, given={"numbers": "2"})) == ["+14155550158", "+14155550109"]


def test_columns_that_an_export_numbers_need_no_question() -> None:
    """The first wins, the others are named; labels are no numbers."""
    found = read(
        "Name,Phone 1 - Label,Phone 1 - Value,Phone 2 - Value,Message\n"
        "Ann,Mobile,+14155550107,+14155550157,x\n"
    )
    assert asked(found) == []
    assert (numbers(found), found.rows[0].others) == (["+14155550107"], ["+14155550157"])


def test_equal_headers_are_told_apart_and_nothing_is_lost() -> None:
    """By their order."""
    found = read("Phone,Message,Notes,Notes\n+14155550119,x,first,second\n", rest_to_metadata=True)
    assert (found.rows[0].call or {})["metadata"] == {"Notes": "first", "Notes (2nd)": "second"}


def test_a_first_line_that_is_a_call_is_asked_about() -> None:
    """With a yes all lines are calls."""
    text = "+14155550120,Hello Ann\n+14155550121,Hello Ben\n"
    assert asked(read(text)) == ["header"]
    found = seen(text, given={"header": "none"})
    assert (asked(found), found.counts["willRing"]) == ([], 2)
    assert (found.rows[0].row.call or {})["message"] == "Hello Ann"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Callback", "2027-01-04T09:00:00+01:00"),
        ("call_at", "2027-01-04T09:00:00+01:00"),
        ("Termin", "morgen"),
        ("Rückruf", "4.1.2027 9:00"),
        ("Anything", "04.01.2027 09:00"),
        ("scheduelAt", "2027-01-04T09:00:00+01:00"),
        ("delay", "60"),
    ],
)
def test_a_time_that_is_not_mapped_never_rings_now(header: str, value: str) -> None:
    """It is asked whether it is when to call."""
    text = f"Phone,Message,{header}\n{CALL},{value}\n"
    assert asked(read(text)) == ["column-3"]
    assert seen(text).counts["willRing"] == 0
    assert asked(read(text, columns={header: ""})) == []
    assert asked(read(text, given={"column-3": "none"})) == []


def test_times_of_something_else_are_no_question() -> None:
    """Nor is a second time where the call's own is known."""
    text = "Phone,Message,created_at,Birthday\n+14155550101,x,2026-11-01T10:00:00Z,1990-05-05\n"
    assert asked(read(text)) == []
    timed = "Phone,Message,scheduleAt,Date\n+14155550101,x,2099-01-04T09:00:00Z,4.1.2027 9:00\n"
    assert asked(read(timed)) == []


def test_the_default_is_never_spoken_without_a_yes() -> None:
    """Where no column has the words, or some rows have none."""
    text = "Phone,Message\n+14155550101,Hello\n+14155550102,\n"
    found = seen(text)
    assert (asked(found), found.counts["willRing"], found.counts["asked"]) == (["message"], 1, 1)
    assert "Hello from VoMindAI" in found.questions[0].text
    assert seen(text, given={"message": "default"}).counts["willRing"] == 2
    assert (seen(text, message="Hi").rows[1].row.call or {})["message"] == "Hi"


def test_a_country_is_asked_for_only_where_it_is_needed() -> None:
    """Numbers with a + go; the others wait for the answer."""
    text = "Phone,Message\n(415) 555-0138,x\n+14155550101,x\n"
    found = seen(text)
    assert (asked(found), found.counts["asked"], found.counts["willRing"]) == (["country"], 1, 1)
    assert numbers(seen(text, country="US")) == ["+14155550138", "+14155550101"]


def test_code_and_number_make_one_number() -> None:
    """As dialers export them."""
    text = "phone_code,phone_number,alt_phone,message\n44,2079460129,,x\n1,4155550129,,x\n"
    found = read(text)
    assert (asked(found), numbers(found)) == ([], ["+442079460129", "+14155550129"])


def test_an_extension_goes_with_digits_to_send() -> None:
    """Without them the row is refused, and says so."""
    refused = seen("Phone,Message\n+1 415 555 0107 ext. 4,x\n").rows[0]
    assert (refused.fate, "unless sendDigits is mapped" in refused.why) == ("refused", True)
    text = "Phone,Message,sendDigits\n+1 415 555 0107 ext. 4,x,ww4\n"
    assert seen(text).rows[0].row.call == {
        "to": "+14155550107", "sendDigits": "ww4", "message": "x",
    }  # fmt: skip


def test_all_fields_of_a_call_are_columns() -> None:
    """Lists may be separated by what does not separate cells."""
    text = (
        "to,message,voicemailMessage,retryOn,machineDetection,metadata,metadata.city,priority,record\n"
        '+14155550193,Hello,Call back,busy|no-answer,enable,"{""a"": 1}",Bonn,High,true\n'
    )
    assert read(text).rows[0].call == {
        "to": "+14155550193", "message": "Hello", "voicemailMessage": "Call back",
        "retryOn": ["busy", "no-answer"], "machineDetection": "enable",
        "metadata": {"a": 1, "city": "Bonn"}, "priority": "high", "record": True,
    }  # fmt: skip


@pytest.mark.parametrize("word", ["Medium", "Urgent", "1"])
def test_a_priority_has_three_words(word: str) -> None:
    """Others are refused, and these are named."""
    found = seen(f"to,message,priority\n{CALL},{word}\n").rows[0]
    assert (found.fate, "high, normal or low" in found.why) == ("refused", True)


def test_hints_of_the_api_are_asked_about() -> None:
    """A column that would change how a call is placed is not passed over in silence."""
    from vomind_queue.lists.models import Answers
    from vomind_queue.lists.reading import read_list

    raw = f"to,message,callerId\n{CALL},+14155550999\n".encode()
    found = read_list(raw, "x.csv", Answers(), hints=lambda names: {names[0]: "perhaps from?"})
    assert (asked(found), "perhaps from?" in found.questions[0].text) == (["column-3"], True)


def test_the_cell_that_is_shown_is_that_of_the_number() -> None:
    """Where the first column has none, the person sees from where the number comes."""
    found = read(f"Mobile,Phone,Message\nsee office,{CALL}\n", given={"numbers": "1,2"})
    assert (found.rows[0].cell, found.rows[0].to) == ("+14155550101", "+14155550101")
