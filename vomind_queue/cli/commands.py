"""All commands, each imported when it is run. A new command needs a line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import click
from click_didyoumean import DYMGroup

#: By these entry points other distributions add commands.
ADDED_BY = "vomind_queue.commands"

#: In the order in which ``--help`` shows them: the name, the module of that name's command, and
#: the first line of the command's own help, so that the list imports none of them.
_TABLE = """
up run Run the whole stack on this machine until Ctrl-C.
doctor doctor Check Redis, Twilio, callbacks and the call log, and suggest remedies.
web run Serve the API until Ctrl-C.
worker run Place calls until Ctrl-C.
beat run Schedule the runs of recurring calls until Ctrl-C.
shipper run Deliver events to the call log until Ctrl-C.
notifier run Deliver events to webhooks and the live stream until Ctrl-C.
flower run Serve Flower, a dashboard of workers and tasks, until Ctrl-C.
call place Call a NUMBER as soon as its turn comes.
schedule place Call a NUMBER later: --at a time, or --in a duration.
bulk bulk.command Schedule the calls in a FILE: CSV, a workbook, or JSON lines.
status queue Show whether calls are going out and, if not, why and what to do.
watch status_board Show the status live until Ctrl-C.
trends trends Show how calls ended over an hour, a day or a week, and when they are answered.
list list_calls List calls: those in one STATE, in the queue's order, or all, newest first.
show show Show a call: its state, why it has not rung yet, and its history.
edit place Change a call that has not started; options left out stay as they are.
cancel jobs Cancel calls; once this is confirmed, they are never placed.
hangup jobs Hang up calls that are on the line.
failures queue Count failed calls by the reason for their failure.
act act Cancel, retry, call again or change all calls that match.
retry jobs Put failed calls back in the queue, with a full set of attempts.
recurring recurring Create, list, change, pause and delete recurring calls.
check rules Tell whether a NUMBER may be called now, or why not and until when. Calls nobody.
rules rules Show the calling rules that hold, with their sources.
refusal rules Note that a person does not want to be called for now, or take that back.
pause queue Stop all workers from starting calls until resume.
resume queue Let workers start calls again.
clean queue Remove finished calls from history; the call log keeps them.
campaign campaign Create, show, start, pause, resume and cancel campaigns.
dnc dnc Keep the do-not-call list: numbers that never ring.
webhooks webhooks Send events to an address: add, list, show, test, replay and remove webhooks.
export list_calls Write calls from the call log as CSV or JSON lines, newest first.
forget admin Remove a phone NUMBER from the queue, the history and the call log.
dead-letters admin Show the rows that the call log refused, and why; never a phone number.
completion main Print the completion script for a SHELL.
settings admin Update .env.example and the table in docs/settings.md in the working directory.
"""


class Lazy(NamedTuple):
    """Where a command is, and its line in the list."""

    #: Module, a colon, and the name of the command in it.
    place: str
    help: str
    #: Whether it is another name for a command in the list.
    hidden: bool = False

    def load(self) -> click.Command:
        """Return the command itself."""
        module, _, name = self.place.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.place} is not a click command")
        return command


def _read(line: str) -> tuple[str, Lazy]:
    name, module, said = line.split(" ", 2)
    attribute = {"list": "list_calls"}.get(name, name.replace("-", "_"))
    return name, Lazy(f"{__package__}.{module}:{attribute}", said)


COMMANDS: Mapping[str, Lazy] = dict(map(_read, _TABLE.strip().splitlines()))
COMMANDS = {**COMMANDS, "run": COMMANDS["up"]._replace(help="The same as up.", hidden=True)}


class LazyGroup(DYMGroup):
    """Our commands and those of other distributions; the latter are looked up only when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table: the frequent ones first."""
        return [name for name, lazy in _all().items() if not lazy.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name."""
        lazy = COMMANDS.get(cmd_name) or _all().get(cmd_name)
        return lazy.load() if lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing the commands."""
        known = _all()
        with formatter.section("Commands"):
            formatter.write_dl([(name, known[name].help) for name in self.list_commands(ctx)])


def _all() -> Mapping[str, Lazy]:
    return {**COMMANDS, **{each.name: _added(each) for each in entry_points(group=ADDED_BY)}}


def _added(point: EntryPoint) -> Lazy:
    return Lazy(point.value, point.dist.metadata["Summary"] if point.dist else "")
