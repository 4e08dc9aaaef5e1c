"""What Twilio finds wrong in how words are to be spoken: the attributes of ``<Say>``.

https://www.twilio.com/docs/voice/twiml/say: a language or a voice that Twilio does not have breaks
the schema of TwiML, and a voice that does not speak the language says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vomind_queue.calls.voices import fits, is_language, is_voice, resolve


def problems(attributes: Mapping[str, str], words: str) -> Iterator[str]:
    """Yield what is wrong, with Twilio's code where it has one."""
    language, voice = attributes.get("language"), attributes.get("voice")
    if not words.strip():
        yield "13520: <Say> has no words"
    if language is not None and not _is_written_so(language):
        yield f"12200: language {language!r} is not one of Twilio's"
    if voice is not None and not is_voice(voice):
        yield f"12200: voice {voice!r} is not one of Twilio's"
    if language is not None and voice is not None and not fits(voice, language):
        yield f"<Say> fails: {voice} does not speak {language}"


def _is_written_so(language: str) -> bool:
    """Return whether Twilio has a language by that very tag, such as ``cmn-CN`` for ``zh``."""
    return is_language(language) and resolve(language, None).language == language
