"""Loads the Lua scripts that stand in `lua/`, one moment of a call's life each."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from vomind_queue.store import codes, keys
from vomind_queue.store.pruning import needed, table
from vomind_queue.store.trunk import Trunk
from vomind_queue.store.wire import Wire

#: The scripts by name, each a file of the same name.
NAMES = (
    "add",
    "add_one",
    "admit",
    "begin",
    "cancel",
    "clean",
    "commit",
    "defer",
    "disown",
    "doubts",
    "extend",
    "finish",
    "fire",
    "follow",
    "forget",
    "hour",
    "inherit",
    "meters",
    "next",
    "page",
    "outbox_done",
    "outbox_read",
    "outbox_records",
    "pause",
    "reasons",
    "records",
    "report",
    "resume",
    "retry",
    "runs",
    "schedule",
    "schedules",
    "settle",
    "show",
    "stage",
    "standing",
    "stats",
    "strays",
    "take",
    "ticks",
    "unschedule",
)

#: Scripts that do what others do, in one go: those stand above them as functions.
MADE_OF = {"next": ("finish", "take", "begin")}

#: A script that uses one of these has something to write down for the log at its end.
_WRITES_LOG = {"log_event", "log_range", "log_group", "drop_record"}

#: Entries that wait for the call log, at most; see `outbox.lua`.
OUTBOX_MAX = 100_000


@cache
def source(name: str, outbox_max: int = OUTBOX_MAX) -> str:
    """Text of one script with everything that has to stand around it."""
    parts = (f"local function {part}(ARGV)\n{_read(part)}\nend\n" for part in MADE_OF.get(name, ()))
    return whole("".join(parts) + _read(name), outbox_max)


def whole(body: str, outbox_max: int = OUTBOX_MAX) -> str:
    """A script with what stands above it, and with what writes down what it noted for the log.

    The script itself becomes a function, because it returns in many places.
    """
    run = f"local function run()\n{body}\nend\nlocal answer = run()\n"
    if _WRITES_LOG & set(re.findall(r"\w+", needed(_library(), run))):
        run += "flush_log()\n"
    text = needed(_library(), run) + run + "return answer\n"
    tables = table("K", keys.LUA_NAMES, text) + table("C", codes.LUA_NAMES, text)
    return f"{tables}local OUTBOX_MAX = {outbox_max}\n{text}"


@cache
def _library() -> str:
    # First what has no name, so that it is no part of anything.
    return "".join(map(_read, ("replication", "outbox", "prelude", "recurring")))


def _read(name: str) -> str:
    return (files("vomind_queue.store") / "lua" / f"{name}.lua").read_text("utf-8")


class Scripts:
    """All scripts, run by their digests; loaded again when the server forgot them."""

    def __init__(self, wire: Wire | Trunk, outbox_max: int = OUTBOX_MAX) -> None:
        self._wire = wire
        texts = {name: source(name, outbox_max) for name in NAMES}
        self._scripts = {name: (_digest(text), text) for name, text in texts.items()}

    def run(self, name: str, key_names: list[str], *args: Any) -> Any:
        """Runs one script; raises what redis-py raises."""
        digest, text = self._scripts[name]
        try:
            return self._wire.ask("EVALSHA", digest, len(key_names), *key_names, *args)
        except redis.exceptions.NoScriptError:
            # Sent whole, it cannot be forgotten between its loading and its call.
            return self._wire.ask("EVAL", text, len(key_names), *key_names, *args)


def _digest(text: str) -> str:
    # By which Redis knows a script; nothing is kept secret by it.
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
