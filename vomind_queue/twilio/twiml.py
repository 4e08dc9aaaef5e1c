"""TwiML, and the limits of what can be spoken.

TwiML is XML 1.0, and Twilio takes at most 4,000 characters of it in a request
(https://www.twilio.com/docs/api/errors/32018), mark-up and escaping included.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from vomind_queue.calls.voices import Voice

#: Longest TwiML in a request, characters.
MAX_TWIML = 4_000
_END = "</Response>"
#: Twilio's default language and voice.
PLAIN = Voice()
#: Messages up to this length always fit: no character takes more than the five of ``&amp;``, and
#: 200 are room for mark-up.
ALWAYS_FITS = (MAX_TWIML - 200) // 5

#: Characters that XML 1.0 cannot carry, not even escaped (https://www.w3.org/TR/xml/#charsets):
#: control characters other than tab and line ends, lone surrogates, U+FFFE and U+FFFF.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: A text without them, as a regular expression that other languages read, too; lone surrogates
#: aside, which are no text in JSON.
_SPOKEN = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*"
#: Characters that are silent: spaces, formatting and fillers.
_BLANK = (
    r"\s\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)
_HEARD = rf"[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff{_BLANK}]"
SPEAKABLE = f"^{_SPOKEN}{_HEARD}{_SPOKEN}$"
#: Anything in a text that can be heard.
AUDIBLE = re.compile(_HEARD)


#: How long a key may still be pressed after the last word, s.
_KEY_S = 3


def say(message: str, voice: Voice = PLAIN) -> str:
    """Return TwiML that speaks a message; leave out characters that XML cannot carry."""
    return f"<Response>{_said(message, voice)}{_END}"


def open_with(name: str | None, offer: str | None, message: str, voice: Voice, url: str) -> str:
    """Return TwiML that names the caller, offers a key and speaks the message.

    Twilio sends ``url`` a key that is pressed meanwhile or shortly after.
    """
    named = _said(name, voice) if name else ""
    if offer is None:
        return f"<Response>{named}{_said(message, voice)}{_END}"
    gather = f'<Gather input="dtmf" numDigits="1" timeout="{_KEY_S}" method="POST" '
    gather += f"action={quoteattr(url)}>{_said(offer, voice)}{_said(message, voice)}</Gather>"
    return f"<Response>{named}{gather}{_END}"


def say_goodbye(words: str, voice: Voice) -> str:
    """Return TwiML that speaks and ends the call."""
    return f"<Response>{_said(words, voice)}<Hangup/>{_END}"


def _said(words: str, voice: Voice) -> str:
    # A reader of XML makes a bare carriage return a line end.
    spoken = escape(FORBIDDEN.sub("", words), {"\r": "&#13;"})
    how = {"language": voice.language, "voice": voice.name}
    given = "".join(f" {name}={quoteattr(value)}" for name, value in how.items() if value)
    return f"<Say{given}>{spoken}</Say>"


def ask_again(document: str, url: str) -> str:
    """Return TwiML that asks ``url`` what comes next, once it has been carried out."""
    first = document.removesuffix(_END)
    return f'{first}<Redirect method="POST">{escape(url)}</Redirect>{_END}'


def pause(seconds: int) -> str:
    """Return TwiML that holds the line in silence."""
    return f'<Response><Pause length="{seconds}"/>{_END}'


def hang_up() -> str:
    """Return TwiML that ends a call in silence."""
    return f"<Response><Hangup/>{_END}"


def twiml_length(message: str, voice: Voice = PLAIN) -> int:
    """Return how much of :data:`MAX_TWIML` a message takes up.

    Counted in UTF-16 units, so that a character beyond the basic plane counts
    twice: Twilio does not say how it counts, and this is the stricter way.
    """
    return len(say(message, voice).encode("utf-16-le")) // 2
