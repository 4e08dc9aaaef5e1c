"""``dead-letters``: what the call log refused for good."""

from __future__ import annotations

import click

from vomind_queue.cli.faults import configured, told
from vomind_queue.log_services import build_shipping


@click.command("dead-letters")
@click.option("--send", is_flag=True, help="Offer them to the call log once more.")
def dead_letters(*, send: bool) -> None:
    """Show the lines that the call log refused, with its reasons; never a number.

    Ends with 1 when there are any left.
    """
    with told():
        shipping = build_shipping(configured())
        if send:
            went, refused = shipping.send_again()
            click.echo(f"sent: {went}, refused again: {refused}")
        letters = sorted(shipping.dead(), key=lambda letter: letter.name)
    for letter in letters:
        click.echo(f"job {letter.line.job_id}\t{letter.table}\t{letter.reason}")
    if letters:
        raise SystemExit(1)
    click.echo("There are no dead letters.")
