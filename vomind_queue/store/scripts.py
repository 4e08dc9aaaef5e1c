"""Loads the Lua scripts that stand in `lua/`, one moment of a call's life each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import redis
from redis.commands.core import Script

from vomind_queue.store import codes, keys
from vomind_queue.store.trunk import Trunk

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
    """All scripts, registered with one client; loaded again when the server forgot them."""

    def __init__(
        self, client: redis.Redis, outbox_max: int = OUTBOX_MAX, trunk: Trunk | None = None
    ) -> None:
        self._client = client
        self._trunk = trunk
        self._scripts: dict[str, Script] = {
            name: client.register_script(source(name, outbox_max)) for name in NAMES
        }

    def run(self, name: str, key_names: list[str], *args: Any) -> Any:
        """Runs one script; raises what redis-py raises."""
        script = self._scripts[name]
        if self._trunk is not None:
            try:
                return self._trunk.ask("EVALSHA", script.sha, len(key_names), *key_names, *args)
            except redis.exceptions.NoScriptError:
                # Not carried out: loaded below.
                pass
        try:
            return script(keys=key_names, args=args)
        except redis.exceptions.NoScriptError:
            # Forgotten once more, between its loading and its call: sent whole, it cannot be.
            return self._client.eval(str(script.script), len(key_names), *key_names, *args)
