"""The command line: ``vomind-queue``, or ``python -m vomind_queue.cli``."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vomind_queue import log
from vomind_queue.environment import env_example, markdown_table
from vomind_queue.errors import SettingsError, VomindError
from vomind_queue.log_services import build_history, build_shipping
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


@main.command()
@click.argument("number")
def forget(number: str) -> None:
    """Take a phone NUMBER out of queue, history and call log.

    Ends with 1 when something is left to be done.
    """
    if not re.fullmatch(r"\+[0-9]{7,15}", number):
        raise click.BadParameter("write it as + and 7 to 15 digits", param_hint="NUMBER")
    with _told():
        done = build_history(_settings()).forget(number)
    click.echo(f"queue: {done.cancelled} calls and {done.recurring} recurring calls cancelled")
    click.echo(f"history: {done.history} calls removed")
    if done.log is None:
        click.echo("call log: cannot be reached; run this again later")
    else:
        click.echo(f"call log: {done.log.calls} calls and {done.log.events} events erased")
    if done.being_placed:
        ids = ", ".join(done.being_placed)
        click.echo(f"being placed: {ids}; run this again when they have ended")
    if not done.complete:
        raise SystemExit(1)


@main.command("dead-letters")
@click.option("--send", is_flag=True, help="Offer them to the call log once more.")
def dead_letters(*, send: bool) -> None:
    """Show the lines that the call log refused, with its reasons; never a number.

    Ends with 1 when there are any left.
    """
    with _told():
        shipping = build_shipping(_settings())
        if send:
            went, refused = shipping.send_again()
            click.echo(f"sent: {went}, refused again: {refused}")
        letters = sorted(shipping.dead(), key=lambda letter: letter.name)
    for letter in letters:
        click.echo(f"job {letter.line.job_id}\t{letter.table}\t{letter.reason}")
    if letters:
        raise SystemExit(1)
    click.echo("There are no dead letters.")


def _settings() -> Settings:
    settings = load()
    log.configure(settings)
    return settings


@contextmanager
def _told() -> Iterator[None]:
    """A fault that is not the command's own ends it with one line."""
    try:
        yield
    except VomindError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
