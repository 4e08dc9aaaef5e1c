"""``up``: the whole stack on this machine, as ``make run`` starts it."""

from __future__ import annotations

import asyncio
import os

import click

from vomind_queue.config.loading import load
from vomind_queue.config.settings import Settings
from vomind_queue.errors import SettingsError
from vomind_queue.stack import embedded, probes
from vomind_queue.stack.parts import announcement, parts, places, server
from vomind_queue.stack.supervisor import Supervisor

#: How long what was just ended may still hold its ports and files, seconds.
PREVIOUS_S = 2.0


@click.command()
def up() -> None:
    """Run the whole stack on this machine until Ctrl-C."""
    try:
        if not asyncio.run(_run(load())):
            raise SystemExit(1)
    except SettingsError as error:
        raise SystemExit(str(error)) from None


async def _run(settings: Settings) -> bool:
    first = []
    if settings.embedded:
        first = [server(settings, await embedded.lock(settings, within_s=PREVIOUS_S))]
    await probes.check_free(places(settings), within_s=PREVIOUS_S)
    everything = [*first, *parts(settings, os.environ)]
    supervisor = Supervisor(everything, first=len(first))
    return await supervisor.run(lambda: click.echo("\n".join(announcement(settings))))
