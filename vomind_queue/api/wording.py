"""Parts of error messages: what was expected and what came."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

#: Characters of a refused value that a message shows.
MAX_SHOWN = 40


def received(value: Any) -> str:
    """Return a JSON value as an error message shows it: on one line, and short."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value):,} item{'' if len(value) == 1 else 's'}"
    text = json.dumps(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def either(words: Iterable[str]) -> str:
    """Return the words as a choice: ``high, normal or low``."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
