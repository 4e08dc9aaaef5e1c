"""``up``: the whole stack on this machine, as ``make run`` starts it."""

from __future__ import annotations

import os

import click

from vomind_queue.config.loading import load
from vomind_queue.config.settings import Settings
from vomind_queue.errors import SettingsError
from vomind_queue.stack import embedded, parts
from vomind_queue.stack.probes import check_free
from vomind_queue.stack.processes import Stack

#: How long what was just ended may still hold its ports and files, seconds.
PREVIOUS_S = 2.0


@click.command()
def up() -> None:
    """Run the whole stack on this machine until Ctrl-C."""
    try:
        if not _run(load()):
            raise SystemExit(1)
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def _run(settings: Settings) -> bool:
    lock = embedded.lock(settings, within_s=PREVIOUS_S) if settings.embedded else None
    check_free(parts.places(settings), within_s=PREVIOUS_S)
    if settings.embedded:
        settings = embedded.guarded(settings)
    environ = parts.environment(settings, os.environ)
    servers = parts.servers(settings, environ, lock)
    stack = Stack(servers, parts.commands(), environ, parts.grace_s(settings))
    return stack.run(parts.ready(settings), parts.announcement(settings))
