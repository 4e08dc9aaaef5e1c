"""The entry point: what stands before every command."""

from __future__ import annotations

import click

from vomind_queue.cli.commands import COMMANDS
from vomind_queue.cli.lazy import LazyGroup


@click.group(cls=LazyGroup, table=COMMANDS)
def entry() -> None:
    """VoMind Queue: REST in, a ringing phone out."""


def main() -> None:
    """Runs the command that the arguments of the process name."""
    entry.main(prog_name="vomind-queue")
