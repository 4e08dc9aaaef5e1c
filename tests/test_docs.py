"""The documentation says what the product does."""

from __future__ import annotations

import re
from pathlib import Path

from vomind_queue.environment import SECTIONS, env_example, markdown_table

ROOT = Path(__file__).parent.parent
NAMES = [variable.name for variables in SECTIONS.values() for variable in variables]


def test_each_setting_stands_in_the_example_file() -> None:
    """.env.example names each setting with its default, commented out."""
    text = (ROOT / ".env.example").read_text()
    assert text == env_example(), "run `make settings`"
    assert re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE) == NAMES


def test_each_setting_stands_in_the_readme() -> None:
    """README.md's table names each setting with its default."""
    text = (ROOT / "README.md").read_text()
    assert markdown_table() in text, "run `make settings`"
    assert re.findall(r"^\| `([A-Z_]+)`", markdown_table(), re.MULTILINE) == NAMES


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    """Whoever follows the README does not set a variable in vain."""
    text = (ROOT / "README.md").read_text()
    prefixes = {name.split("_")[0] + "_" for name in NAMES if "_" in name}
    named = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", text))
    assert {name for name in named if name.startswith(tuple(prefixes))} <= set(NAMES)
