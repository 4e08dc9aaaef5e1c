"""Languages and voices: Twilio's list, and what follows from a call's choice."""

from __future__ import annotations

from hashlib import sha256
from xml.etree import ElementTree as ET

import pytest

from vomind_queue.calls import voices
from vomind_queue.calls.call import Call
from vomind_queue.calls.voices import Voice
from vomind_queue.config.settings import Settings
from vomind_queue.errors import SettingsError
from vomind_queue.twilio.twiml import PLAIN, say

TO = "+1234567890"
#: What Twilio's own voices are called by SayVoice of its library for Node 6.3.1.
VOICES = 1113
LANGUAGES = 126
#: Of all names in alphabetical order, by lines.
FINGERPRINT = "27aa53fc92ac743a"


def test_the_list_is_twilios() -> None:
    """A name more or less is a decision: look it up in Twilio's documentation."""
    names = voices.names()
    assert (len(names), len(voices.languages())) == (VOICES, LANGUAGES)
    assert sha256("\n".join(names).encode()).hexdigest()[:16] == FINGERPRINT


#: Language and voice of a call, and what Twilio is told; the settings say nothing.
CHOICES = [
    (None, None, PLAIN),
    ("de-DE", None, Voice(language="de-DE", name="Polly.Vicki")),
    ("de", None, Voice(language="de-DE", name="Polly.Vicki")),
    ("ar", None, Voice(language="arb", name="Polly.Zeina")),
    ("ar-AE", None, Voice(language="ar-AE", name="Polly.Hala-Neural")),
    ("zh-CN", None, Voice(language="cmn-CN", name="Polly.Zhiyu")),
    ("zh-HK", None, Voice(language="yue-HK", name="Google.yue-HK-Standard-A")),
    ("en-CA", None, Voice(language="en-CA")),
    (None, "Polly.Hans", Voice(language="de-DE", name="Polly.Hans")),
    (None, "woman", Voice(name="woman")),
    ("fr-FR", "woman", Voice(language="fr-FR", name="woman")),
]


@pytest.mark.parametrize(("language", "voice", "wanted"), CHOICES)
def test_a_call_is_spoken_in_its_language(
    language: str | None, voice: str | None, wanted: Voice
) -> None:
    """Each half follows from the other, by Twilio's own names."""
    call = Call(to=TO, language=language, voice=voice)
    assert call.spoken(PLAIN) == wanted


def test_the_settings_speak_where_a_call_does_not_say() -> None:
    """Their voice is kept where it speaks the call's language."""
    settings = Settings.from_env({"SAY_VOICE": "Polly.Vicki-Neural"})
    assert settings.voice == Voice(language="de-DE", name="Polly.Vicki-Neural")
    assert Call(to=TO).spoken(settings.voice) == settings.voice
    assert Call(to=TO, language="de").spoken(settings.voice) == settings.voice
    french = Call(to=TO, language="fr").spoken(settings.voice)
    assert french == Voice(language="fr-FR", name="Polly.Lea")


def test_settings_must_fit_together() -> None:
    """A voice that Twilio added lately is the operator's to know."""
    with pytest.raises(SettingsError, match=r"SAY_VOICE.*de-DE.*Polly\.Vicki"):
        Settings.from_env({"SAY_LANGUAGE": "de-DE", "SAY_VOICE": "Polly.Joanna"})
    new = Settings.from_env({"SAY_LANGUAGE": "de-DE", "SAY_VOICE": "Polly.Nova-Neural"})
    assert new.voice == Voice(language="de-DE", name="Polly.Nova-Neural")


@pytest.mark.parametrize(
    ("language", "message", "wanted"),
    [
        ("de-DE", "Guten Tag, Ihr Termin ist um neun Uhr.", {"language": "de-DE"}),
        ("ar", "مرحبا، موعدك غدا في التاسعة.", {"language": "arb", "voice": "Polly.Zeina"}),
        ("zh-CN", "您好，您的预约是明天九点。", {"language": "cmn-CN", "voice": "Polly.Zhiyu"}),
    ],
)
def test_a_person_hears_their_language(language: str, message: str, wanted: dict[str, str]) -> None:
    """The TwiML names the language and a voice that speaks it."""
    said = ET.fromstring(say(message, Call(to=TO, language=language).spoken(PLAIN)))
    spoken = said.find("Say")
    assert spoken is not None
    assert (spoken.text, spoken.attrib) == (message, {**spoken.attrib, **wanted})
    assert spoken.attrib["voice"] in voices.first_voices(language)
