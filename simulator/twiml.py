"""TwiML as the simulator carries it out: which verbs, how long each takes, and what is wrong in it.

https://www.twilio.com/docs/voice/twiml. Only what a call hears is carried out; what a person could
answer is treated as silence, but for a key that a test presses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

from simulator import spoken

#: How long a word takes to be spoken, s.
WORD_S = 0.3
#: Characters that count as one word in text without spaces.
_LONG_WORD = 12
#: How long a recording plays that nobody fetches, s.
_PLAY_S = 2.0
#: How long a conversation takes that the callee does not end, s.
_LONGEST_S = 600.0
#: How long the line is held for the answer to a question, s.
_WAITED_FOR_S = 5.0
#: Verbs that Twilio has.
_VERBS = frozenset({
    "Connect", "Dial", "Enqueue", "Gather", "Hangup", "Leave", "Pause", "Pay", "Play", "Prompt",
    "Queue", "Record", "Redirect", "Refer", "Reject", "Say", "Sms", "Start", "Stop",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Verb:
    """One thing that a call does."""

    name: str
    #: Words, or the address that is asked, played or connected to.
    text: str = ""
    #: How long it takes, s.
    lasts_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """While which a key is waited for, and where it is sent."""

    url: str
    #: Unix seconds.
    from_s: float
    until_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """TwiML in one call, from the moment at which it was begun."""

    #: Unix seconds.
    began_s: float
    verbs: Sequence[Verb]
    #: What Twilio would complain of.
    problems: Sequence[str] = field(default_factory=tuple)
    #: When which keys are waited for.
    keys: Sequence[Keys] = field(default_factory=tuple)

    @property
    def ended_s(self) -> float:
        """When the instructions end, unix s."""
        return self.began_s + sum(verb.lasts_s for verb in self.verbs)

    @property
    def holds_until_s(self) -> float:
        """Until when it holds the line: what comes next is waited for."""
        return self.ended_s + (_WAITED_FOR_S if self.asks else 0.0)

    def takes_key(self, at_s: float) -> str | None:
        """Return where a key is sent that is pressed then; ``None``: nobody waits for one."""
        found = [each.url for each in self.keys if each.from_s <= at_s < each.until_s]
        return found[0] if found else None

    @property
    def asks(self) -> str | None:
        """Where it asks for what comes next, once it has been carried out."""
        last = self.verbs[-1] if self.verbs else None
        return last.text if last and last.name == "Redirect" else None

    def heard(self, until_s: float) -> list[dict[str, Any]]:
        """Return what was heard of it until then, in order."""
        return [
            {
                "verb": verb.name,
                "words": verb.text,
                "at": int(at_s * 1000),
                "until": int(min(at_s + verb.lasts_s, until_s) * 1000),
                "whole": at_s + verb.lasts_s <= until_s,
            }
            for at_s, verb in self._steps()
            if at_s < until_s and verb.name in ("Say", "Play", "Connect")
        ]

    def _steps(self) -> Sequence[tuple[float, Verb]]:
        found, at_s = [], self.began_s
        for verb in self.verbs:
            found.append((at_s, verb))
            at_s += verb.lasts_s
        return found


def read(text: str, *, began_s: float, pace: float, base: str = "") -> Document:
    """Return TwiML as it is carried out from then on; ``base``: where it came from."""
    try:
        # Nothing but loopback is asked for it.
        root = ET.fromstring(text)  # noqa: S314
    except ET.ParseError as error:
        return Document(began_s=began_s, verbs=(), problems=(f"12100: not XML: {error}",))
    if root.tag != "Response":
        problem = f"12100: the root is <{root.tag}>, not <Response>"
        return Document(began_s=began_s, verbs=(), problems=(problem,))
    verbs: list[Verb] = []
    problems: list[str] = []
    keys: list[Keys] = []
    for element in root:
        from_s = began_s + sum(verb.lasts_s for verb in verbs)
        verbs += [_verb(each, pace, base) for each in _carried_out(element)]
        problems += _problems(element)
        for said in element.iter("Say"):
            problems += spoken.problems(said.attrib, said.text or "")
        if element.tag == "Gather":
            until_s = began_s + sum(verb.lasts_s for verb in verbs)
            url = urljoin(base, element.get("action", ""))
            keys.append(Keys(url=url, from_s=from_s, until_s=until_s))
        if element.tag in ("Redirect", "Hangup"):
            break
    return Document(began_s=began_s, verbs=verbs, problems=problems, keys=keys)


def _carried_out(element: ET.Element) -> Sequence[ET.Element]:
    """Return what a verb does, one after the other: a question speaks first, then waits."""
    return [*element, element] if element.tag == "Gather" else [element]


def _verb(element: ET.Element, pace: float, base: str) -> Verb:
    text = (element.text or "").strip()
    match element.tag:
        case "Say":
            return Verb(name="Say", text=element.text or "", lasts_s=_speech_s(text) * pace)
        case "Pause" | "Gather":
            # The latter has spoken by then, and waits for a key.
            return Verb(name=element.tag, lasts_s=_seconds(element.attrib) * pace)
        case "Play":
            return Verb(name="Play", text=text, lasts_s=_PLAY_S * pace)
        case "Connect":
            inner = element[0].get("url", "") if len(element) else ""
            return Verb(name="Connect", text=inner, lasts_s=_LONGEST_S)
        case "Redirect":
            return Verb(name="Redirect", text=urljoin(base, text))
        case _:
            return Verb(name=element.tag)


def _speech_s(text: str) -> float:
    return max(len(text.split()), len(text) / _LONG_WORD) * WORD_S


def _seconds(attributes: Mapping[str, str]) -> float:
    length = attributes.get("timeout") or attributes.get("length", "1")
    return float(length) if length.isdecimal() else 1.0


def _problems(element: ET.Element) -> list[str]:
    """Return what Twilio finds wrong in a verb (https://www.twilio.com/docs/api/errors)."""
    if element.tag not in _VERBS:
        return [f"12200: <{element.tag}> is no verb"]
    if element.tag == "Gather":
        wrong = [each.tag for each in element if each.tag not in ("Say", "Play", "Pause")]
        return [f"12200: <{tag}> does not go into <Gather>" for tag in wrong]
    if element.tag != "Connect":
        return []
    if not len(element):
        return ["12200: <Connect> connects to nothing"]
    streams = [each for each in element if each.tag in ("Stream", "ConversationRelay")]
    addresses = [each.get("url", "") for each in streams]
    return [
        f"31920: {address or 'no address'} is not a wss:// address"
        for address in addresses
        if not _is_stream(address)
    ]


def _is_stream(address: str) -> bool:
    # A development server on loopback has no certificate.
    parts = urlsplit(address)
    return bool(parts.hostname) and (
        parts.scheme == "wss"
        or (parts.scheme == "ws" and parts.hostname in ("127.0.0.1", "localhost", "::1"))
    )
