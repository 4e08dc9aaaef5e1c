"""``up``, ``web``, ``worker`` and so on: the programs of the service.

The command replaces itself with the program, so that signals reach it directly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from vomind_queue.cli.commands import COMMANDS as LISTED

#: The arguments that start each program, after the interpreter.
COMMANDS: Mapping[str, Sequence[str]] = {
    "up": ("-m", "devserver"),
    "web": ("-m", "vomind_queue.processes.web"),
    "worker": ("-m", "celery", "--quiet", "-A", "celery_app", "worker"),
    "beat": ("-m", "celery", "--quiet", "-A", "celery_app", "beat"),
    "shipper": ("-m", "vomind_queue.processes.shipper"),
    "notifier": ("-m", "vomind_queue.processes.notifier"),
    "flower": ("-m", "vomind_queue.processes.flower"),
}
#: The directory of ``celery_app.py`` and ``devserver``.
ROOT = Path(__file__).resolve().parent.parent.parent


def _becomes(name: str, *, more: str = "", takes: str = "") -> click.Command:
    """Return a command that a program replaces; ``takes`` names the arguments passed on."""

    def run(arguments: tuple[str, ...] = ()) -> None:
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        command = [sys.executable, *COMMANDS[name], *arguments]
        os.execve(sys.executable, command, environ)  # noqa: S606

    passed_on = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED, metavar=takes)
    return click.Command(
        name,
        callback=run,
        params=[passed_on] if takes else [],
        help=LISTED[name].help + more,
        context_settings={"ignore_unknown_options": bool(takes)},
    )


up, web, beat, shipper, notifier, flower = map(
    _becomes, ("up", "web", "beat", "shipper", "notifier", "flower")
)
worker = _becomes(
    "worker",
    more="\n\nArguments are passed on to Celery: a second worker on one machine needs -n two@%h.",
    takes="[CELERY'S ARGUMENTS]...",
)
