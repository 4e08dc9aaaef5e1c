"""What all commands that talk to the API have in common: address, key, and ``--json``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from vomind_queue.cli.client import DEFAULT_URL, Api, ApiFault
from vomind_queue.cli.output import Out

F = TypeVar("F", bound=Callable[..., Any])

#: Where they stand before the command's name, they count unless they stand behind it, too.
_SHARED = ("url", "key", "as_json")


def talks(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command its options, and calls it with an ``api`` and an ``out``."""

    @click.option(
        "--url",
        metavar="URL",
        help=f"Address of the API.  [env: VOMIND_URL; default: {DEFAULT_URL}]",
    )
    @click.option(
        "--key",
        metavar="KEY",
        help="API key; in the variable nobody sees it in the list of processes.  [env: VOMIND_KEY]",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, **options: Any) -> Any:
        found = {name: _chosen(context, name, options.pop(name)) for name in _SHARED}
        try:
            api = Api(found["url"] or DEFAULT_URL, found["key"] or None)
            return command(api=api, out=Out(as_json=bool(found["as_json"])), **options)
        except ApiFault as fault:
            fault.as_json = bool(found["as_json"])
            raise

    return wrapped


def _chosen(context: click.Context, name: str, here: Any) -> Any:
    return here or context.find_root().params.get(name)
