"""``up``, ``web``, ``worker``, ``beat``, ``shipper``, ``flower``: programs to be run.

The command becomes the program: signals reach it directly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

#: What each is started with, after the name of the interpreter.
COMMANDS: Mapping[str, Sequence[str]] = {
    "up": ("-m", "devserver"),
    "web": ("-m", "vomind_queue.web"),
    "worker": ("-m", "celery", "--quiet", "-A", "celery_app", "worker"),
    "beat": ("-m", "celery", "--quiet", "-A", "celery_app", "beat"),
    "shipper": ("-m", "vomind_queue.shipper"),
    "flower": ("-m", "vomind_queue.flower"),
}
#: Where ``celery_app.py`` and ``devserver`` lie.
ROOT = Path(__file__).resolve().parent.parent.parent


def _becomes(name: str, text: str, *, takes: str = "") -> click.Command:
    """A command that is replaced by a program; ``takes`` names the arguments handed on to it."""

    def run(arguments: tuple[str, ...] = ()) -> None:
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        command = [sys.executable, *COMMANDS[name], *arguments]
        os.execve(sys.executable, command, environ)  # noqa: S606

    run.__doc__ = text
    named: Callable[..., None] = run
    settings = {}
    if takes:
        settings = {"ignore_unknown_options": True}
        named = click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar=takes)(named)
    return click.command(name, context_settings=settings)(named)


up = _becomes("up", "Run the whole stack on this machine until Ctrl-C.")
web = _becomes("web", "Serve the API, and nothing else, until Ctrl-C.")
worker = _becomes(
    "worker",
    """Place calls until Ctrl-C.

    Arguments are handed on to Celery: a second worker on one machine is -n two@%h.
    """,
    takes="[CELERY'S ARGUMENTS]...",
)
beat = _becomes("beat", "Let recurring calls fall due until Ctrl-C.")
shipper = _becomes("shipper", "Deliver to the call log until Ctrl-C.")
flower = _becomes("flower", "Serve Flower, Celery's page of workers and tasks, until Ctrl-C.")
