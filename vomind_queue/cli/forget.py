"""``forget``: a person leaves queue, history and call log."""

from __future__ import annotations

import re

import click

from vomind_queue.cli.faults import configured, told
from vomind_queue.log_services import build_history


@click.command()
@click.argument("number")
def forget(number: str) -> None:
    """Take a phone NUMBER out of queue, history and call log.

    Ends with 1 when something is left to be done.
    """
    if not re.fullmatch(r"\+[0-9]{7,15}", number):
        raise click.BadParameter("write it as + and 7 to 15 digits", param_hint="NUMBER")
    with told():
        done = build_history(configured()).forget(number)
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
