"""What a Lua script is given of what stands above all of them."""

from __future__ import annotations

import re

import pytest

from vomind_queue.store import keys, scripts
from vomind_queue.store.pruning import needed, table

LIBRARY = """
replicate()

-- Doubles.
local function double(n)
    return add(n, n)
end
local LIMIT = 3
local function unused()
    -- double
    return LIMIT
end

local low, high = 1, 2
"""


def test_a_part_stays_where_it_is_used() -> None:
    """With what it is made of, in its place; a comment is no use."""
    text = needed("local function add(a, b)\nend\n" + LIBRARY, "return double(2)")
    assert re.findall(r"function (\w+)", text) == ["add", "double"]
    assert "LIMIT" not in text


def test_what_is_used_by_what_is_used_stays() -> None:
    """However long the chain is."""
    assert "local LIMIT = 3" in needed(LIBRARY, "return unused()")


def test_one_of_two_names_keeps_both() -> None:
    """They are defined in one line."""
    assert "local low, high" in needed(LIBRARY, "return high")


def test_what_defines_nothing_always_stays() -> None:
    """It is there for what it does."""
    assert needed(LIBRARY, "return 1").strip() == "replicate()"


def test_a_table_has_what_is_named_and_everything_where_a_variable_picks() -> None:
    """Key names are few in most scripts."""
    entries = {"one": "{x}:1", "two": "{x}:2", "code": 7}
    assert (
        table("K", entries, "f(K.two, K.code, K.two)") == "local K = { two = '{x}:2', code = 7 }\n"
    )
    assert table("K", entries, "f(K[name])").count("=") == len(entries) + 1


@pytest.mark.parametrize("name", scripts.NAMES)
def test_every_script_has_the_keys_that_it_names(name: str) -> None:
    """One that is left out would be nil, and found out only when it is used."""
    text = scripts.source(name)
    head = text.splitlines()[0]
    for key in set(re.findall(r"\bK\.(\w+)", text)):
        assert key in keys.LUA_NAMES
        assert f" {key} = '" in head
