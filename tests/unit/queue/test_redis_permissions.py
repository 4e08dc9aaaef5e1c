"""What is tried of a Redis user's rights is what the scripts and the store use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from redis.commands.core import CoreCommands

from vomind_queue.queue import redis_permissions

PACKAGE = Path(str(files("vomind_queue")))
#: Names of redis-py's that are not those of their commands.
OTHERWISE = {"delete": "DEL", "hscan_iter": "HSCAN", "zscan_iter": "ZSCAN"}
#: Denied to some users, and done without; and what is tried in another way.
OTHERS = {"CONFIG_GET", "PUBLISH"}


def scripts() -> Iterator[str]:
    """Commands that the Lua scripts name, be it in a variable."""
    for path in sorted(PACKAGE.rglob("*.lua")):
        text = re.sub(r"--.*", "", path.read_text("utf-8"))
        yield from re.findall(r"(?:call|change_breaker)\('([A-Z]+)'", text)
        for name in re.findall(r"redis\.call\((\w+),", text):
            line = re.search(rf"local {name} = (.*)", text)
            assert line, f"{path.name}: where does {name} come from?"
            yield from re.findall(r"'([A-Z]+)'", line[1])


def modules() -> Iterator[str]:
    """Commands that the modules send without a script."""
    rooms = [*(PACKAGE / "queue").rglob("*.py"), *(PACKAGE / "broker").rglob("*.py")]
    for text in (path.read_text("utf-8") for path in rooms):
        yield from re.findall(r"store\.ask\(\s*\"([A-Z]+)\"", text)
        for name in re.findall(r"\b_?(?:client|pipe)\.(\w+)\(", text):
            known = hasattr(CoreCommands, name) and name != "execute_command"
            if known or name in OTHERWISE:
                yield OTHERWISE.get(name, name.upper())


def test_every_command_of_the_scripts_is_tried() -> None:
    """One that is not would be denied while a call is placed, and not at the start."""
    tried = {command[0] for command in redis_permissions._COMMANDS}
    assert sorted(set(scripts()) - tried) == []


def test_every_command_of_the_modules_is_tried() -> None:
    """The scripts are not all."""
    tried = {command[0] for command in redis_permissions._COMMANDS} | OTHERS
    assert sorted(set(modules()) - tried) == []
    assert {"BRPOP", "HSCAN", "XREAD", "DEL"} <= set(modules())
