"""Puts together the Lua scripts in `lua/`, one for each moment of a call's life.

A script names what has to stand above it, a line for each: ``--- @include "name"`` brings the
functions of `lua/includes/name.lua`, which may include others in the same way. Each file stands
there once. A name without a file, and files that include each other in a circle, are refused
when the script is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from vomind_queue.queue import codes, keys

#: Entries that wait for the call log, at most; see `includes/outbox.lua`.
OUTBOX_MAX = 100_000

_INCLUDE = '--- @include "'
_LOG = _INCLUDE + 'log"'


class IncludeError(Exception):
    """A script names something that cannot stand above it."""


@cache
def names() -> Sequence[str]:
    """Return the scripts by name, each a file of the same name."""
    found = (file.name for file in (files("vomind_queue.queue") / "lua").iterdir())
    return sorted(name.removesuffix(".lua") for name in found if name.endswith(".lua"))


@cache
def source(name: str, outbox_max: int = OUTBOX_MAX) -> str:
    """Return text of one script with everything that has to stand above it."""
    return whole(_read(f"{name}.lua"), outbox_max)


def whole(body: str, outbox_max: int = OUTBOX_MAX) -> str:
    """Return the same for a script that has no file.

    The script becomes a function, because it returns in many places: what it noted for the
    call log is written after that.
    """
    named = _named(body, ())
    parts = [
        f"local OUTBOX_MAX = {outbox_max}\n",
        _read("includes/replication.lua"),
        *named.values(),
        f"local function run()\n{body}\nend\nlocal answer = run()\n",
        "flush_log()\n" if _LOG in named else "",
        "return answer\n",
    ]
    text = _without_comments("".join(parts))
    return _with_values("K", keys.LUA_NAMES, _with_values("C", codes.LUA_NAMES, text))


def _named(text: str, within: tuple[str, ...]) -> dict[str, str]:
    """Return what the lines of a text name, with what that names before it."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("--- @"):
            if line in within:
                raise IncludeError(f"A circle of includes: {' < '.join((*within, line))}")
            part = _part(line)
            # What was found before stays in its place.
            found |= {**_named(part, (*within, line)), line: part}
    return found


def _part(line: str) -> str:
    if line.startswith(_INCLUDE) and line.endswith('"'):
        try:
            return _read(f"includes/{line[len(_INCLUDE) : -1]}.lua")
        except FileNotFoundError:
            pass
    raise IncludeError(f"Nothing of this name: {line}")


@cache
def _read(path: str) -> str:
    # Each process reads all of them at its start, and most are included many times.
    return (files("vomind_queue.queue") / "lua" / path).read_text("utf-8")


def _with_values(table: str, values: Mapping[str, str | int], text: str) -> str:
    """Put the values themselves in the place of ``table.name``: each run would build the table."""
    # A whole number and a plain text are written in Lua as in Python.
    return re.sub(rf"\b{table}\.(\w+)", lambda found: repr(values[found[1]]), text)


def _without_comments(text: str) -> str:
    # The server keeps each script's text: a third of it would be comments.
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("--"))
