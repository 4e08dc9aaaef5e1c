"""The options that say what is called and what is said; the same for every kind of call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

F = Callable[..., Any]

#: How the options are named in a call; all but these are named alike.
_FIELDS = {
    "retry_on": "retryOn",
    "machine_detection": "machineDetection",
    "voicemail_message": "voicemailMessage",
}
_ALIKE = ("message", "lead_id", "priority", "metadata")


def call_options(command: F) -> F:
    """Adds them to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option("-m", "--message", help="What is said when the phone is picked up."),
    click.option("--lead-id", metavar="ID", help="Whom it is about, in your own system."),
    click.option("-p", "--priority", type=click.Choice(["high", "normal", "low"])),
    click.option("--metadata", metavar="JSON", help="An object that is given back as it is."),
    click.option(
        "--retry-on",
        metavar="OUTCOMES",
        help="After which outcomes it is made again: busy,no-answer,failed; or none.",
    ),
    click.option(
        "--machine-detection",
        type=click.Choice(["off", "enable", "detect-message-end"]),
        help="Whether an answering machine is told from a person.",
    ),
    click.option("--voicemail-message", metavar="TEXT", help="What is said to a machine instead."),
)


def take_call(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a call out of a command's options, without those that were not given.

    Raises BadParameter for metadata that is no JSON.
    """
    found = {name: options.pop(name) for name in _ALIKE}
    found |= {field: options.pop(name) for name, field in _FIELDS.items()}
    if found["metadata"] is not None:
        found["metadata"] = _read(found["metadata"])
    if found["retryOn"] is not None:
        found["retryOn"] = outcomes(found["retryOn"])
    return given(found)


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def outcomes(text: str) -> list[str]:
    """A list as people write it; ``none`` is an empty one."""
    words = text.replace(",", " ").split()
    return [] if words == ["none"] else words


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"it is no JSON: {error}", param_hint="--metadata") from None
