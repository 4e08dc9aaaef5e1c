"""All commands, in the order in which ``--help`` shows them: a new one has its line here."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.cli.lazy import Lazy

_HERE = "vomind_queue.cli"

COMMANDS: Mapping[str, Lazy] = {
    "up": Lazy(place=f"{_HERE}.up:up", help="Run the whole stack on this machine until Ctrl-C."),
    "run": Lazy(place=f"{_HERE}.up:up", help="The same as up.", hidden=True),
    "forget": Lazy(
        place=f"{_HERE}.forget:forget",
        help="Take a phone NUMBER out of queue, history and call log.",
    ),
    "dead-letters": Lazy(
        place=f"{_HERE}.dead_letters:dead_letters",
        help="Show the lines that the call log refused, with its reasons; never a number.",
    ),
    "import-bullmq": Lazy(
        place=f"{_HERE}.import_bullmq:import_bullmq",
        help="Take over the calls of a BullMQ queue; says what it would do unless told to.",
    ),
    "settings": Lazy(
        place=f"{_HERE}.settings:settings",
        help="Write .env.example and the README's table anew, in the working directory.",
    ),
}
