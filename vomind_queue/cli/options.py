"""Options that several commands share: address, key, ``--json``, the fields of a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click

from vomind_queue.cli.client import DEFAULT_URL, Api, ApiFault
from vomind_queue.cli.output import Out
from vomind_queue.encoding import Unreadable, parsed
from vomind_queue.rules.law import Purpose

#: May also be given before the command's name; after it, they take precedence.
_SHARED = ("url", "key", "as_json")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"([0-9]{1,12})(ms|[smhdw])")


def talks(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its options, and call it with an ``api`` and an ``out``."""

    @click.option(
        "--url",
        metavar="URL",
        help=f"Address of the API.  [env: VOMIND_URL; default: {DEFAULT_URL}]",
    )
    @click.option(
        "--key",
        metavar="KEY",
        help="API key; the variable keeps it out of the process list.  [env: VOMIND_KEY]",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the response as JSON.")
    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, **options: Any) -> Any:
        root = context.find_root().params
        url, key, as_json = (options.pop(name) or root.get(name) for name in _SHARED)
        try:
            api = Api(url or DEFAULT_URL, key or None)
            return command(api=api, out=Out(as_json=bool(as_json)), **options)
        except ApiFault as fault:
            fault.as_json = bool(as_json)
            raise

    return wrapped


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return several options as one decorator."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def outcomes(text: str) -> list[str]:
    """Return the words of a list; ``none`` is an empty one."""
    words = text.replace(",", " ").split()
    return [] if words == ["none"] else words


def _json(text: str) -> Any:
    try:
        return parsed(text)
    except Unreadable as error:
        raise click.BadParameter(f"it is not valid JSON: {error}") from None


def _parse_ms(text: str) -> int:
    """Return the milliseconds of ``90s``, ``15m`` or ``1h30m``. Raise ValueError."""
    plain = text.strip().lower()
    if not re.fullmatch(rf"(?:{_PART.pattern})+", plain):
        raise ValueError(text)
    return sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(plain))


def duration(text: str) -> int:
    """Parse a duration as an option's value; return milliseconds."""
    try:
        return _parse_ms(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a duration: write 90s, 15m, 2h, 1h30m or 7d."
        ) from None


class Words(click.Choice[str]):
    """One of a few words, or several between commas."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return them as the API takes them."""
        return ",".join(super(Words, self).convert(each, param, ctx) for each in value.split(","))


#: Where the person is; a recurring call has the zone of its pattern by that name.
zone_option = click.option(
    "--timezone", metavar="ZONE", help="Time zone of the person called: America/Chicago."
)
#: The same, and why they are called, for the calling rules.
rule_options = together(
    click.option(
        "--region", metavar="CODE", help="Country or state of the person called: DE, US-FL."
    ),
    click.option("--purpose", type=click.Choice([word.value for word in Purpose])),
)
#: The fields of a call, by the API's names.
call_options = together(
    click.option("-m", "--message", help="Text that is spoken when the call is answered."),
    click.option("--lead-id", metavar="ID", help="Your own id for the person called."),
    click.option("-p", "--priority", type=click.Choice(["high", "normal", "low"])),
    click.option(
        "--metadata",
        metavar="JSON",
        type=_json,
        help="A JSON object that is returned unchanged.",
    ),
    click.option(
        "--retry-on",
        "retryOn",
        metavar="OUTCOMES",
        type=outcomes,
        help="Outcomes after which to call again: busy,no-answer,failed,machine; or none.",
    ),
    click.option(
        "--machine-detection",
        "machineDetection",
        type=click.Choice(["off", "enable", "detect-message-end"]),
        help="Whether to distinguish answering machines from people.",
    ),
    click.option(
        "--voicemail-message",
        "voicemailMessage",
        metavar="TEXT",
        help="Text that is spoken to an answering machine instead.",
    ),
    click.option("--language", metavar="TAG", help="Language of the words: de-DE, for example."),
    click.option("--voice", metavar="NAME", help="Twilio's voice: Polly.Vicki, for example."),
    click.option(
        "--twiml-url",
        "twimlUrl",
        metavar="URL",
        help="Application that Twilio asks what to do on the call, on a host of TWIML_HOSTS.",
    ),
    click.option(
        "--ring-timeout",
        "ringTimeoutMs",
        metavar="DURATION",
        type=duration,
        help="How long the phone may ring, from 5s to 10m.",
    ),
    click.option(
        "--send-digits",
        "sendDigits",
        metavar="KEYS",
        help="Keys to press once the call is answered; w waits half a second: ww123#.",
    ),
    click.option(
        "--record/--no-record",
        "record",
        default=None,
        help="Whether Twilio records the call; consent to it is your duty.",
    ),
    click.option(
        "--from",
        "from",
        metavar="NUMBER",
        help="Number that the call comes from, one of TWILIO_PHONE_NUMBERS.",
    ),
    rule_options,
    click.option(
        "--consent",
        metavar="JSON",
        type=_json,
        help='The person\'s consent, for the log: {"basis": …, "at": …, "evidence": …}.',
    ),
    click.option(
        "--override",
        metavar="JSON",
        type=_json,
        help='Rules that do not apply to the call, and why: {"rules": ["hours"], "reason": …}.',
    ),
)


def past(text: str) -> str:
    """Turn a duration into a time that long ago; return any other text for the API to check."""
    try:
        before = timedelta(milliseconds=_parse_ms(text))
    except ValueError:
        return text
    return (datetime.now(UTC) - before).isoformat(timespec="milliseconds")
