"""Loads the Lua scripts that stand in `lua/`, one moment of a call's life each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import redis
from redis.commands.core import Script

from vomind_queue.store import codes, keys

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
    "page",
    "pause",
    "report",
    "resume",
    "retry",
    "runs",
    "schedule",
    "schedules",
    "settle",
    "stage",
    "stats",
    "strays",
    "take",
    "ticks",
    "unschedule",
)

#: What stands above some of them beside the prelude.
_RECURRING = ("fire", "runs", "schedule", "schedules", "ticks", "unschedule")
_ABOVE = dict.fromkeys(_RECURRING, "recurring")


@cache
def source(name: str) -> str:
    """Text of one script with everything that has to stand above it."""
    folder = files("vomind_queue.store") / "lua"
    prelude = (folder / "prelude.lua").read_text("utf-8")
    above = (folder / f"{_ABOVE[name]}.lua").read_text("utf-8") if name in _ABOVE else ""
    body = (folder / f"{name}.lua").read_text("utf-8")
    return keys.lua_table() + codes.lua_table() + prelude + above + body


class Scripts:
    """All scripts, registered with one client; loaded again when the server forgot them."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._scripts: dict[str, Script] = {
            name: client.register_script(source(name)) for name in NAMES
        }

    def run(self, name: str, key_names: list[str], *args: Any) -> Any:
        """Runs one script; raises what redis-py raises."""
        script = self._scripts[name]
        try:
            return script(keys=key_names, args=args)
        except redis.exceptions.NoScriptError:
            # Forgotten once more, between its loading and its call: sent whole, it cannot be.
            return self._client.eval(str(script.script), len(key_names), *key_names, *args)
