"""What the simulator finds wrong in how words are spoken."""

from __future__ import annotations

import pytest

from simulator.twiml import read
from vomind_queue.calls.voices import Voice, languages, resolve
from vomind_queue.twilio.twiml import say

#: Attributes, words, and what is said of them.
SAID = [
    ("", "Hi", []),
    ('language="de-DE"', "Hi", []),
    ('language="cmn-CN" voice="Polly.Zhiyu"', "Hi", []),
    ('voice="man" language="fr-FR"', "Hi", []),
    ("", " ", ["13520"]),
    ('language="zh-CN"', "Hi", ["12200"]),
    ('language="de"', "Hi", ["12200"]),
    ('language="en-UK"', "Hi", ["12200"]),
    ('voice="Polly.Nobody"', "Hi", ["12200"]),
    ('language="de-DE" voice="Polly.Joanna"', "Hi", ["<Say> fails"]),
    ('language="xx" voice="nobody"', "", ["13520", "12200", "12200"]),
]


@pytest.mark.parametrize(("attributes", "words", "codes"), SAID)
@pytest.mark.parametrize("around", ["{}", "<Gather>{}</Gather>"])
def test_words_are_checked_as_twilio_does(
    attributes: str, words: str, codes: list[str], around: str
) -> None:
    """Language and voice are in its list, in its spelling, and fit together."""
    twiml = f"<Response>{around.format(f'<Say {attributes}>{words}</Say>')}</Response>"
    found = read(twiml, began_s=0, pace=1).problems
    assert [problem.split(":")[0] for problem in found] == codes


@pytest.mark.parametrize("language", languages())
def test_what_the_service_says_is_right_in_every_language(language: str) -> None:
    """The voice that is chosen for a language speaks it."""
    document = read(say("Hi", resolve(language, None, Voice())), began_s=0, pace=1)
    assert document.problems == []
