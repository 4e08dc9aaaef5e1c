"""The header of a Lua script names the keys that it touches, and no others."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.unit.queue.test_lua_sources import INCLUDES, LUA, code
from vomind_queue.queue import keys
from vomind_queue.queue.lua_sources import names

#: By which word a header names a key, where it is not the key itself without its root.
WORDS = {
    "job": "job:<id>",
    "waiting": "waiting:<rank>",
    "request": "request:<key>",
    "gone": "gone:<id>",
    "schedule": "redbeat:recurring:<id>",
    "schedules": "schedules",
    "scheduler_lock": "redbeat::lock",
    "old_schedule": "schedule:<id>",
    "old_schedules": "old schedules",
    "old_reconciling": "old reconciling",
    "old_status_polls": "old status_polls",
    "old_orphans": "old orphans",
    "old_notify": "old notify",
    "old_outbox_leader": "outbox",
    "runs": "runs:<id>",
    "inherited": "inherited:<name>",
    "minute": "minute:<n>",
    "held": "held:<kind>",
    "worker_report": "worker_report:<name>",
    "starts": "starts:<kind><period>:<digits>",
    "campaign": "campaign:<id>",
    "campaign_calls": "campaign_calls:<id>",
    "turns": "turns:<rank>",
    "campaign_starts": "campaign_starts:<id>",
    "webhook": "webhook:<id>",
    "staged_list": "list:<id>",
    "list_jobs": "list_jobs:<id>",
    "list_file": "list_file:<id>",
    "list_pages": "list_pages:<id>",
    "list_rows": "list_rows:<campaign>",
}
#: All but one of the keys of outbox and events have one word; the other is written for one person.
OUTBOX, APART = "outbox", "outbox_forgotten"
#: Words for keys that are given to a script as KEYS, and that it does not know by name.
GIVEN = {"the list", "the record", "the set", "the sorted sets"}
#: It keeps what `drop_record` put aside, and does nothing in scripts that drop no record.
KEEPS = "keep_dropped"

_FUNCTION = re.compile(r"^local function (\w+)(.*?)^end$", re.MULTILINE | re.DOTALL)
#: But what is only measured or compared.
_KEY = re.compile(r"(?<!#)(?<!== )\bK\.(\w+)")


def word(name: str) -> str:
    """The word for a key that the scripts know by that name."""
    if name.startswith(("outbox_", "events")) and name != APART:
        return OUTBOX
    return WORDS.get(name) or keys.LUA_NAMES[name].removeprefix("{calls}:")


@cache
def functions() -> dict[str, str]:
    """What the includes define, by name."""
    found = [_FUNCTION.findall(code(path)) for path in INCLUDES.values()]
    return {name: body for each in found for name, body in each}


def reached(text: str) -> dict[str, str]:
    """The functions of includes that a text calls, and those that these call."""
    found: dict[str, str] = {}
    texts = [text]
    while texts:
        called = set(re.findall(r"\b(\w+)\(", texts.pop())) & set(functions()) - set(found)
        for name in called:
            found[name] = functions()[name]
            texts.append(found[name])
    return found


def known(*texts: str) -> set[str]:
    """The keys that texts know by name."""
    return {name for text in texts for name in _KEY.findall(text)}


def touched(script: str) -> set[str]:
    """The words for all keys that a script can touch."""
    text = code(LUA / f"{script}.lua")
    found = reached(text)
    names = known(text, *found.values())
    if found.keys() & {"log_event", "log_range", "drop_record"}:
        # The loader calls it at the script's end; it notes in the record what the script did there.
        written = reached("flush_log()")
        if "drop_record" not in found:
            written.pop(KEEPS)
        names |= known(*written.values()) - {"job"}
    return {word(name) for name in names - {"nothing"}}


def header(script: str) -> str:
    """What stands at the top of a script."""
    return (LUA / f"{script}.lua").read_text("utf-8").split("\n\n", 1)[0]


def named(script: str) -> set[str]:
    """The words of a header, but those for the keys that the script is given and uses as such."""
    found = re.search(r"^-- Touches  (.*(?:\n--          .*)*)", header(script), re.MULTILINE)
    assert found, f"{script}.lua does not say what it touches"
    given = re.findall(r"^-- KEYS\[.\]  (.*)", header(script), re.MULTILINE)
    used = "KEYS" in code(LUA / f"{script}.lua")
    words = set(re.split(r",\s+", found[1].replace("\n--", "")))
    return words - (GIVEN | set(given) if used else set())


@pytest.mark.parametrize("script", names())
def test_a_header_names_what_its_script_touches(script: str) -> None:
    """A search for all that writes a key looks at the headers."""
    assert sorted(named(script)) == sorted(touched(script))
