"""All commands, in the order in which ``--help`` shows them: a new one has its line here."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.cli.lazy import Lazy

_HERE = "vomind_queue.cli"

COMMANDS: Mapping[str, Lazy] = {
    "up": Lazy(
        place=f"{_HERE}.processes:up", help="Run the whole stack on this machine until Ctrl-C."
    ),
    "doctor": Lazy(
        place=f"{_HERE}.doctor.command:doctor",
        help="Look at Redis, Twilio, callbacks and the call log, and say what to do.",
    ),
    "web": Lazy(
        place=f"{_HERE}.processes:web", help="Serve the API, and nothing else, until Ctrl-C."
    ),
    "worker": Lazy(place=f"{_HERE}.processes:worker", help="Place calls until Ctrl-C."),
    "beat": Lazy(
        place=f"{_HERE}.processes:beat", help="Let recurring calls fall due until Ctrl-C."
    ),
    "shipper": Lazy(
        place=f"{_HERE}.processes:shipper", help="Deliver to the call log until Ctrl-C."
    ),
    "flower": Lazy(
        place=f"{_HERE}.processes:flower",
        help="Serve Flower, Celery's page of workers and tasks, until Ctrl-C.",
    ),
    "run": Lazy(place=f"{_HERE}.processes:up", help="The same as up.", hidden=True),
    "call": Lazy(place=f"{_HERE}.placing:call", help="Call a NUMBER as soon as its turn comes."),
    "schedule": Lazy(
        place=f"{_HERE}.placing:schedule",
        help="Call a NUMBER later: --at a time, or --in a while.",
    ),
    "bulk": Lazy(
        place=f"{_HERE}.bulk.command:bulk",
        help="Schedule the calls in a FILE: CSV with a header, or JSON lines.",
    ),
    "status": Lazy(
        place=f"{_HERE}.status:status",
        help="Show how the queue stands: is it calling, and if not, why and what to do.",
    ),
    "watch": Lazy(
        place=f"{_HERE}.watch:watch", help="Show how the queue stands, live, until Ctrl-C."
    ),
    "list": Lazy(
        place=f"{_HERE}.listing:list_calls",
        help="Show calls: those of one STATE, in the queue's order; or any, the newest first.",
    ),
    "show": Lazy(
        place=f"{_HERE}.show:show",
        help="Show a call: where it is, why it has not rung yet, and its story.",
    ),
    "edit": Lazy(
        place=f"{_HERE}.placing:edit",
        help="Change what is given of a call that has not begun, and nothing else.",
    ),
    "cancel": Lazy(
        place=f"{_HERE}.jobs:cancel",
        help="Take calls out of the queue; once it says so, they are never placed.",
    ),
    "failures": Lazy(place=f"{_HERE}.failures:failures", help="Show why calls failed, by kind."),
    "retry": Lazy(
        place=f"{_HERE}.jobs:retry",
        help="Let failed calls wait again, with a full set of attempts.",
    ),
    "recurring": Lazy(
        place=f"{_HERE}.recurring:recurring",
        help="Create, list, change, pause and delete recurring calls.",
    ),
    "pause": Lazy(
        place=f"{_HERE}.pause:pause", help="Let no call start, on any worker, until resume."
    ),
    "resume": Lazy(place=f"{_HERE}.pause:resume", help="Let calls start again."),
    "clean": Lazy(
        place=f"{_HERE}.clean:clean",
        help="Remove finished calls from history; the call log keeps them.",
    ),
    "export": Lazy(
        place=f"{_HERE}.export:export",
        help="Write the calls of the log, the newest first, as CSV or as JSON lines.",
    ),
    "forget": Lazy(
        place=f"{_HERE}.forget:forget",
        help="Take a phone NUMBER out of queue, history and call log.",
    ),
    "dead-letters": Lazy(
        place=f"{_HERE}.dead_letters:dead_letters",
        help="Show the lines that the call log refused, with its reasons; never a number.",
    ),
    "completion": Lazy(
        place=f"{_HERE}.completion:completion", help="Print the completion for a SHELL."
    ),
    "settings": Lazy(
        place=f"{_HERE}.settings:settings",
        help="Write .env.example and the table in docs/settings.md, below the working directory.",
    ),
}
