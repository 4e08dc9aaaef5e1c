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
    "forget",
    "page",
    "outbox_done",
    "outbox_read",
    "outbox_records",
    "pause",
    "resume",
    "retry",
    "settle",
    "stage",
    "stats",
    "take",
)


#: Entries that wait for the call log, at most; see `outbox.lua`.
OUTBOX_MAX = 100_000


@cache
def source(name: str, outbox_max: int = OUTBOX_MAX) -> str:
    """Text of one script with everything that has to stand around it."""
    return whole(_read(name), outbox_max)


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

    def __init__(self, client: redis.Redis, outbox_max: int = OUTBOX_MAX) -> None:
        self._scripts: dict[str, Script] = {
            name: client.register_script(source(name, outbox_max)) for name in NAMES
        }

    def run(self, name: str, key_names: list[str], *args: Any) -> Any:
        """Runs one script; raises what redis-py raises."""
        return self._scripts[name](keys=key_names, args=args)
