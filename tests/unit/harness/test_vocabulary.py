"""The checker of words finds those that the project has given up, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    modules={"intake": "fetcher"},
    identifiers={"Gate": "RedisStore", "take": "claim"},
    words={"doubt": "unknown outcome"},
    phrases={"puts? off": "delays"},
)


def faults(name: str, text: str) -> list[str]:
    """Return what is found in a file of this name."""
    return list(VOCABULARY.faults(Path(name), text))


def test_a_module_with_an_old_name_is_found() -> None:
    """By the name of its file; a page may be called anything."""
    assert faults("broker/intake.py", "") == ["broker/intake.py: module intake: fetcher"]
    assert faults("docs/intake.md", "") == []


def test_a_whole_name_is_found_in_a_program() -> None:
    """In Python and Lua, but neither in a longer name nor in a text or comment."""
    assert faults("a.py", "x = 1\nclass Gate: ...") == ["a.py:2: Gate: RedisStore"]
    assert faults("a.lua", "local take = 1") == ["a.lua:1: take: claim"]
    assert faults("a.py", "Gateway = 'Gate'  # Gate") == []
    assert faults("a.lua", "call('take') -- take") == []
    assert faults("a.md", "Take the Gate.") == []


def test_a_word_is_found_anywhere() -> None:
    """In prose and as a part of a name, however that is written."""
    for text in ("In doubt.", "in_doubt = 1", "inDoubt", "IN_DOUBT_HORIZON", "vomind_in_doubt"):
        assert faults("a.py", f"# {text}") == ["a.py:1: doubt: unknown outcome"]
    assert faults("a.py", "# undoubtedly") == []


def test_a_phrase_is_found_in_prose() -> None:
    """In any of its forms."""
    assert faults("a.md", "It puts off\nor put off.") == [
        "a.md:1: puts off: delays",
        "a.md:2: put off: delays",
    ]
