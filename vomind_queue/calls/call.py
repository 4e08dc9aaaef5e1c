"""A call as an app asked for it: plain values, no I/O.

All times are unix milliseconds on the clock of the Redis server, all durations are milliseconds
unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from vomind_queue.calls.instants import unix_ms
from vomind_queue.calls.phone_number import PhoneNumber
from vomind_queue.calls.voices import Voice, resolve

#: As numbers begin, such as ``+1``; none begins another one.
_COUNTRY_CODES = frozenset(f"+{code}" for code in COUNTRY_CODE_TO_REGION_CODE)
#: What is spoken when an app gives no message.
DEFAULT_MESSAGE = "Hello from VoMindAI"


class Priority(StrEnum):
    """How urgent a call is; no call starts while one of a higher priority waits."""

    #: Dialed first.
    HIGH = "high"
    #: The default.
    NORMAL = "normal"
    #: Dialed when nothing else waits.
    LOW = "low"

    @property
    def rank(self) -> int:
        """1 for high, 2 for normal, 3 for low: lower is dialed first."""
        return list(Priority).index(self) + 1


class State(StrEnum):
    """Where a job is; every job is in exactly one state."""

    #: In the queue, to be dialed as soon as its turn comes.
    WAITING = "waiting"
    #: Held by a worker: about to be dialed, being dialed, or with an unknown outcome.
    ACTIVE = "active"
    #: Accepted by Twilio.
    COMPLETED = "completed"
    #: Given up, with a reason.
    FAILED = "failed"
    #: To be dialed at a later time: scheduled, or between two attempts.
    DELAYED = "delayed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One outbound call as an app asked for it, defaults filled in."""

    #: Number to ring: ``+`` and 7 to 15 ASCII digits, in its one spelling (`phone_number.py`).
    to: str
    #: Words to speak, 1 to 3,000 characters.
    message: str = DEFAULT_MESSAGE
    #: The app's own name for the person, returned as sent.
    lead_id: str | int | None = None
    #: Order of dialing.
    priority: Priority = Priority.NORMAL
    #: The app's own JSON object, returned as sent.
    metadata: Mapping[str, Any] | None = None
    #: Outcomes on the line after which the call is made again: ``busy``, ``no-answer``,
    #: ``failed``, ``machine``; ``None``: as the settings say.
    retry_on: Sequence[str] | None = None
    #: Whether answering machines are detected, a ``call_status.Detection``; ``None``: as the
    #: settings say.
    machine_detection: str | None = None
    #: Words to speak to a machine instead of the message.
    voicemail_message: str | None = None
    #: Language of the words, a BCP 47 tag; ``None``: that of the voice, or as the settings say.
    language: str | None = None
    #: Twilio's name of a voice; ``None``: one for the language, or as the settings say.
    voice: str | None = None
    #: The call's own application, which Twilio asks what to do, to the letter; the message is not
    #: spoken then.
    twiml_url: str | None = None
    #: How long the phone may ring, ms; ``None``: as the settings say.
    ring_timeout_ms: int | None = None
    #: No attempt starts after this, as `instants.iso` writes it; ``None``: as the settings say.
    not_after: str | None = None
    #: Keys that are pressed once somebody has answered, such as ``ww123#``.
    send_digits: str | None = None
    #: Whether Twilio records the call; ``None``: it does not.
    record: bool | None = None
    #: Number that the call comes from; ``None``: as the settings say.
    from_number: str | None = None
    #: IANA name of the time zone in which the person is; ``None``: as the number tells.
    timezone: str | None = None
    #: ISO 3166 code of the country or state in which the person is, besides what the number tells.
    region: str | None = None
    #: Why the person is called, a ``rules.law.Purpose``; ``None``: as the settings say.
    purpose: str | None = None
    #: ``basis``, ``at`` and ``evidence`` of the person's consent; recorded, and judged by nobody.
    consent: Mapping[str, str] | None = None
    #: ``rules`` that do not hold for the call, the ``reason``, and the name of the API key that
    #: said so (``by``), without which it is void.
    override: Mapping[str, Any] | None = None
    #: The number as it came, where that is not how it is spelt; ``None``: it is.
    to_given: str | None = None
    #: The client's id of the request that asked for the call; logged, never shown. ``None``: the
    #: client gave none.
    request_id: str | None = None
    #: The number as it was read when the call came in, for the rules on it; not stored.
    number: PhoneNumber | None = field(default=None, compare=False, repr=False)

    @property
    def not_after_ms(self) -> int | None:
        """The latest start, unix ms."""
        return None if self.not_after is None else unix_ms(self.not_after)

    def spoken(self, default: Voice) -> Voice:
        """Return how its words are spoken; ``default``: where it does not say."""
        if self.language is None and self.voice is None:
            return default
        return resolve(self.language, self.voice, default)

    def as_data(self) -> dict[str, Any]:
        """Return the call as the REST API shows it under ``data``."""
        data: dict[str, Any] = {"to": self.to, "message": self.message}
        if self.lead_id is not None:
            data["lead_id"] = self.lead_id
        data["priority"] = str(self.priority)
        data["metadata"] = dict(self.metadata or {})
        data |= self.options
        if self.to_given is not None:
            data["toGiven"] = self.to_given
        return data

    @property
    def options(self) -> dict[str, Any]:
        """What the call says of how it is placed, by the names in `OPTIONS`."""
        given = {name: getattr(self, attribute) for name, attribute in OPTIONS.items()}
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Call:
        """Return the inverse of :meth:`as_data`."""
        return cls(
            to=data["to"],
            message=data["message"],
            lead_id=data.get("lead_id"),
            priority=Priority(data["priority"]),
            metadata=data.get("metadata") or {},
            to_given=data.get("toGiven"),
            request_id=data.get("requestId"),
            **{own: data[name] for name, own in OPTIONS.items() if name in data},
        )


#: What a call may say of how it is placed, by its names in JSON. What it does not say takes up no
#: room in its record. See CONTRIBUTING.md for all that knows such a field.
OPTIONS: Mapping[str, str] = {
    "retryOn": "retry_on",
    "machineDetection": "machine_detection",
    "voicemailMessage": "voicemail_message",
    "language": "language",
    "voice": "voice",
    "twimlUrl": "twiml_url",
    "ringTimeoutMs": "ring_timeout_ms",
    "notAfter": "not_after",
    "sendDigits": "send_digits",
    "record": "record",
    "from": "from_number",
    "timezone": "timezone",
    "region": "region",
    "purpose": "purpose",
    "consent": "consent",
    "override": "override",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCall:
    """A call to be stored, with the time at which it is wanted.

    At most one of the two times is given; neither means at once.
    """

    call: Call
    #: Absolute time, unix ms.
    due_ms: int | None = None
    #: Time from acceptance, ms; counted on the clock of the Redis server.
    delay_ms: int | None = None


def mask_number(number: str) -> str:
    """``+491234567890`` as ``+49******7890``: what a log line may show of a number.

    The number of stars is fixed, so that the length is hidden, too. The code is looked up and not
    parsed: that takes a microsecond or two of each log line, parsing a hundred.
    """
    codes = (number[:end] for end in range(2, 5))
    code = next((each for each in codes if each in _COUNTRY_CODES), "")
    shown = code, number[-4:]
    return "******".join(shown) if len(number) > len("".join(shown)) else "******"
