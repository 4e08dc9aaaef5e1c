"""What commands that talk to the API have in common: address, key, ``--json``, kinds of options."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click

from vomind_queue.cli.client import DEFAULT_URL, Api, ApiFault
from vomind_queue.cli.output import Out

#: Given before the command's name, they count unless given after it as well.
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
    """Return those that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def outcomes(text: str) -> list[str]:
    """Return a list as people write it; ``none`` is an empty one."""
    words = text.replace(",", " ").split()
    return [] if words == ["none"] else words


def _metadata(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"it is no JSON: {error}", param_hint="--metadata") from None


#: What is called and what is said, by the names of the API's fields.
call_options = together(
    click.option("-m", "--message", help="What is spoken when the call is answered."),
    click.option("--lead-id", metavar="ID", help="Your own id of the person called."),
    click.option("-p", "--priority", type=click.Choice(["high", "normal", "low"])),
    click.option(
        "--metadata", metavar="JSON", type=_metadata, help="An object that is returned unchanged."
    ),
    click.option(
        "--retry-on",
        "retryOn",
        metavar="OUTCOMES",
        type=outcomes,
        help="Outcomes after which to call again: busy,no-answer,failed; or none.",
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
        help="What is spoken to a machine instead.",
    ),
)


def _parse_ms(text: str) -> int:
    """Return the milliseconds of ``90s``, ``15m`` or ``1h30m``. Raise ValueError."""
    plain = text.strip().lower()
    if not re.fullmatch(rf"(?:{_PART.pattern})+", plain):
        raise ValueError(text)
    return sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(plain))


def duration(text: str) -> int:
    """Return the type of a duration: milliseconds."""
    try:
        return _parse_ms(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no duration: write 90s, 15m, 2h, 1h30m or 7d."
        ) from None


def past(text: str) -> str:
    """Return the type of a time, or of how long ago; the API says best what a time looks like."""
    try:
        before = timedelta(milliseconds=_parse_ms(text))
    except ValueError:
        return text
    return (datetime.now(UTC) - before).isoformat(timespec="milliseconds")
