"""A group of commands whose modules are imported when they are asked for, and not before.

What ``--help`` shows of each stands in the group's table, so that it needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click
from click_didyoumean import DYMGroup


@dataclass(frozen=True, kw_only=True, slots=True)
class Lazy:
    """Where a command is, and what is said of it in the list."""

    #: Module, a colon, and the name of the command in it.
    place: str
    #: One line.
    help: str
    #: Another name for a command that stands in the list already.
    hidden: bool = False

    def load(self) -> click.Command:
        """The command itself."""
        module, _, name = self.place.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.place} is no command")
        return command


class LazyGroup(DYMGroup):
    """A group over a table of `Lazy` commands, by their names."""

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, Lazy] | None = None,
        added_by: str | None = None,
        **kwargs: Any,
    ) -> None:
        """``added_by``: group of entry points by which other distributions add commands."""
        super().__init__(*args, **kwargs)
        self.table = table or {}
        self._added_by = added_by

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of the table, which goes from the frequent to the rare."""
        return [name for name, lazy in self._all().items() if not lazy.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        lazy = self.table.get(cmd_name) or self._all().get(cmd_name)
        return lazy.load() if lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list without importing the commands."""
        known = self._all()
        with formatter.section("Commands"):
            formatter.write_dl([(name, known[name].help) for name in self.list_commands(ctx)])

    def _all(self) -> Mapping[str, Lazy]:
        """The table, and what other distributions add; looked up only where the table ends."""
        if self._added_by is None:
            return self.table
        points = entry_points(group=self._added_by)
        return {**self.table, **{point.name: _added(point) for point in points}}


def _added(point: EntryPoint) -> Lazy:
    summary = point.dist.metadata["Summary"] if point.dist else ""
    return Lazy(place=point.value, help=summary)
