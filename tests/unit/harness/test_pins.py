"""What is installed is what was pinned: each pin has the hashes of its files."""

from __future__ import annotations

import re

import pytest

from tests.pages import ROOT
from tests.pins import hashes, locked, pins

FILES = ("requirements", "requirements-dev", "requirements-otel", "benchmarks/requirements")


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_its_hashes(name: str) -> None:
    """Both files say the same; `make hashes` writes the one from the other."""
    source = (ROOT / f"{name}.in").read_text("utf-8")
    text = (ROOT / f"{name}.txt").read_text("utf-8")
    assert pins(text) == pins(source)
    known = hashes(text)
    assert all(known[each] for each in pins(source))
    assert text.splitlines() == list(locked(source, known))


@pytest.mark.parametrize("name", FILES)
def test_nothing_says_where_they_come_from(name: str) -> None:
    """Each machine has its own index."""
    text = (ROOT / f"{name}.txt").read_text("utf-8")
    assert not re.search(r"://|^-|--(index|find|trusted)", text, re.MULTILINE)


def test_a_package_with_wheels_has_those_of_all_machines() -> None:
    """Of Linux and macOS, Intel and ARM, several versions of Python: more than one alone."""
    known = hashes((ROOT / "requirements.txt").read_text("utf-8"))
    assert all(len(known[name]) > 10 for name in ("hiredis", "orjson", "pydantic-core", "granian"))


def test_comments_and_parts_stay() -> None:
    """A reader finds the reasons in either file."""
    text = "# What runs\na_B==1  # the queue\n\n# Needed by those\nc==2 ; sys_platform == 'linux'\n"
    assert list(locked(text, {"a-b": ["x", "y"], "c": ["z"]}))[1:] == [
        "# What runs",
        "a_B==1 \\",
        "    --hash=x \\",
        "    --hash=y",
        "",
        "# Needed by those",
        "c==2 ; sys_platform == 'linux' \\",
        "    --hash=z",
    ]
