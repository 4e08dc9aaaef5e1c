"""The command line: ``python -m vomind_queue.cli``."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import click

from vomind_queue.environment import env_example, markdown_table
from vomind_queue.errors import SettingsError
from vomind_queue.settings import Settings, load
from vomind_queue.stack import embedded, probes
from vomind_queue.stack.parts import announcement, parts, places, server
from vomind_queue.stack.supervisor import Supervisor

#: How long what was just ended may still hold its ports and files, seconds.
PREVIOUS_S = 2.0


@click.group()
def main() -> None:
    """VoMind Queue: REST in, a ringing phone out."""


@main.command()
def run() -> None:
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


@main.command()
def settings() -> None:
    """Write .env.example and the README's table anew, in the working directory."""
    Path(".env.example").write_text(env_example(), encoding="utf-8")
    readme = Path("README.md")
    text = re.sub(
        r"(<!-- settings: begin.*?-->\n).*?(<!-- settings: end -->)",
        lambda found: found[1] + markdown_table() + found[2],
        readme.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
