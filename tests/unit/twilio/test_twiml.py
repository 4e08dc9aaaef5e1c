"""What can be spoken."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from vomind_queue.twilio.twiml import ALWAYS_FITS, FORBIDDEN, MAX_TWIML, say, twiml_length


@pytest.mark.parametrize(
    "message",
    [
        "Hello from VoMindAI",
        'Q&A <b>"now"</b> ]]> it\'s & ampersand;',
        "zażółć 你好 🙂",
        "</Say></Response><Hangup/>",
        "line one\nline two\ttabbed",
    ],
)
def test_a_message_is_spoken_as_it_is(message: str) -> None:
    """Nothing in a message is taken for mark-up."""
    root = ET.fromstring(say(message))
    assert [element.tag for element in root.iter()] == ["Response", "Say"]
    assert root.findtext("Say") == message


def test_twiml_is_never_malformed() -> None:
    """Characters that XML cannot carry are left out, every other one is carried."""
    for code in [*range(0x2100), *range(0xD7F0, 0x10010), 0x10FFFF]:
        message = f"a{chr(code)}b"
        spoken = ET.fromstring(say(message)).findtext("Say")
        expected = "ab" if FORBIDDEN.search(message) else message
        assert spoken == expected, hex(code)


def test_twiml_must_fit() -> None:
    """Mark-up and escaping count towards Twilio's limit."""
    room = MAX_TWIML - twiml_length("")
    assert twiml_length("x" * room) <= MAX_TWIML
    assert twiml_length("x" * (room + 1)) > MAX_TWIML
    assert twiml_length("&" * (room // 5)) <= MAX_TWIML
    assert twiml_length("&" * (room // 5 + 1)) > MAX_TWIML
    assert twiml_length("🙂" * (room // 2 + 1)) > MAX_TWIML, "counted as the stricter way has it"


@pytest.mark.parametrize("character", ["&", "<", ">", "\r", '"', "🙂", "x"])
def test_what_is_short_always_fits(character: str) -> None:
    """Whatever it is made of, it need not be written for Twilio to know."""
    assert twiml_length(character * ALWAYS_FITS) <= MAX_TWIML
