"""Loads the Lua scripts that stand in `lua/`, one moment of a call's life each."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from vomind_queue.store import codes, keys
from vomind_queue.store.wire import Wire

#: The scripts by name, each a file of the same name.
NAMES = (
    "add",
    "begin",
    "cancel",
    "clean",
    "commit",
    "defer",
    "doubts",
    "extend",
    "finish",
    "fire",
    "follow",
    "forget",
    "hour",
    "inherit",
    "page",
    "outbox_done",
    "outbox_read",
    "outbox_records",
    "pause",
    "reasons",
    "report",
    "resume",
    "retry",
    "runs",
    "schedule",
    "schedules",
    "settle",
    "stage",
    "standing",
    "stats",
    "strays",
    "take",
    "ticks",
    "unschedule",
)

#: What stands above some of them beside the prelude.
_RECURRING = ("fire", "runs", "schedule", "schedules", "ticks", "unschedule")
_ABOVE = dict.fromkeys(_RECURRING, "recurring")


#: Entries that wait for the call log, at most; see `outbox.lua`.
OUTBOX_MAX = 100_000


@cache
def source(name: str, outbox_max: int = OUTBOX_MAX) -> str:
    """Text of one script with everything that has to stand around it."""
    above = _read(_ABOVE[name]) if name in _ABOVE else ""
    return whole(above + _read(name), outbox_max)


def whole(body: str, outbox_max: int = OUTBOX_MAX) -> str:
    """A script with what stands above it, and with what writes down what it noted for the log.

    The script itself becomes a function, because it returns in many places.
    """
    above = f"{keys.lua_table()}{codes.lua_table()}local OUTBOX_MAX = {outbox_max}\n"
    run = f"local function run()\n{body}\nend\n"
    end = "local answer = run()\nflush_log()\nreturn answer\n"
    return above + _read("outbox") + _read("prelude") + run + end


def _read(name: str) -> str:
    return (files("vomind_queue.store") / "lua" / f"{name}.lua").read_text("utf-8")


class Scripts:
    """All scripts, run by their digests; loaded again when the server forgot them."""

    def __init__(self, client: redis.Redis, outbox_max: int = OUTBOX_MAX) -> None:
        self._wire = Wire(client)
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
