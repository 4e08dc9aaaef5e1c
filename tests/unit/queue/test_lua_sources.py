"""What stands above a Lua script is what the script names."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from vomind_queue.queue import codes, keys, lua_sources
from vomind_queue.queue.lua_sources import IncludeError, source, whole

LUA = Path(str(files("vomind_queue.queue") / "lua"))
FILES = sorted(LUA.rglob("*.lua"))
INCLUDES = {path.stem: path for path in FILES if path.parent.name == "includes"}
#: Stands above everything and is named by nothing.
UNNAMED = "replication"

_DEFINED = re.compile(r"^local (?:function )?(\w+(?:, \w+)*)", re.MULTILINE)
_NAMED = re.compile(r'^--- @include "(\w+)"$', re.MULTILINE)
_NOT_CODE = re.compile(r"--.*|'[^'\n]*'")


def code(path: Path) -> str:
    """A file without its comments and the texts in it."""
    return _NOT_CODE.sub("", path.read_text("utf-8"))


def defined(path: Path) -> set[str]:
    """What a file defines for those that include it."""
    return {name for names in _DEFINED.findall(code(path)) for name in names.split(", ")}


def used(path: Path) -> set[str]:
    """Names that a file uses and does not define itself; fields of tables are none."""
    text = code(path)
    own = set(re.findall(r"local (?:function )?(\w+)", text))
    return set(re.findall(r"(?<![\w.])(\w+)(?! = )\b", text)) - own - defined(path)


OWNER = {name: stem for stem, path in INCLUDES.items() for name in defined(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(LUA).as_posix())
def test_a_file_names_what_it_uses_and_nothing_else(path: Path) -> None:
    """One missing would be found only when that line runs; one too many costs each run."""
    needed = {OWNER[name] for name in used(path) if name in OWNER}
    assert sorted(_NAMED.findall(path.read_text("utf-8"))) == sorted(needed)


def test_every_include_is_used() -> None:
    """A function that nobody calls any more goes."""
    everywhere = set().union(*(used(path) for path in FILES))
    within = [name for name, stem in OWNER.items() if name not in everywhere]
    # Of one file alone, or of the loader.
    alone = [name for name in within if code(INCLUDES[OWNER[name]]).count(name) < 2]
    assert alone == ["flush_log"]
    named = {name for path in FILES for name in _NAMED.findall(path.read_text("utf-8"))}
    assert named | {UNNAMED} == set(INCLUDES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(LUA).as_posix())
def test_keys_and_codes_that_a_file_names_exist(path: Path) -> None:
    """One that does not would be nil."""
    # By a name alone: the loader puts the value in its place.
    assert not re.search(r"\b[KC]\b(?!\.\w)", code(path))
    assert set(re.findall(r"\bK\.(\w+)", code(path))) <= set(keys.LUA_NAMES)
    assert set(re.findall(r"\bC\.(\w+)", code(path))) <= set(codes.LUA_NAMES)


@pytest.mark.parametrize("name", lua_sources.names())
def test_each_include_stands_once_above_what_needs_it(name: str) -> None:
    """Lua knows a local function only below its definition."""
    places = {stem: source(name).count(_first_line(path)) for stem, path in INCLUDES.items()}
    assert set(places.values()) <= {0, 1}
    assert places[UNNAMED] == 1


def _first_line(path: Path) -> str:
    lines = path.read_text("utf-8").splitlines()
    return next(line for line in lines if line and not line.startswith("--"))


def test_what_was_noted_for_the_log_is_written_after_the_script() -> None:
    """Where the script includes the log, if only by something else."""
    assert "flush_log()\nreturn answer" in whole('--- @include "held"\nreturn 1')
    assert "flush_log" not in whole('--- @include "job"\nreturn 1')


def test_a_script_holds_keys_and_codes_themselves() -> None:
    """A table of them would be built at each run."""
    text = whole('--- @include "clock"\nreturn { C.ok, K.job .. 1 }')
    assert f"return {{ {codes.Code.OK.value}, '{keys.JOB}' .. 1 }}" in text


def test_a_circle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no order in which its files could stand."""
    texts = {"includes/a.lua": '--- @include "b"\n', "includes/b.lua": '--- @include "a"\n'}
    _read_from(monkeypatch, texts)
    with pytest.raises(IncludeError, match=r"circle.*a.*b.*a"):
        whole('--- @include "a"\nreturn 1')


@pytest.mark.parametrize(
    "line", ['--- @include "nothing"', '--- @script "nothing"', "--- @include nothing"]
)
def test_an_unknown_name_is_refused(line: str) -> None:
    """By the line that names it."""
    with pytest.raises(IncludeError, match="nothing"):
        whole(f"{line}\nreturn 1")


def _read_from(monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]) -> None:
    texts["includes/replication.lua"] = ""
    monkeypatch.setattr(lua_sources, "_read", texts.__getitem__)
