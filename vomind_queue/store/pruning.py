"""Leaves away what a script does not use of what stands above all of them.

Redis runs the whole text at each call, and Lua makes every function and table in it
anew: what a script never calls was a tenth of its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

#: Where a part begins: at the left edge, with what it defines.
_PART = re.compile(r"^local (?:function (\w+)|([\w, ]+?) *=)", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)
_WORD = re.compile(r"\w+")


def needed(library: str, text: str) -> str:
    """The parts of ``library`` that ``text`` uses, or that those use, in their order.

    A part is a definition at the left edge and all up to the next one; what stands before the
    first of them always stays.
    """
    library = _COMMENT.sub("", library)
    starts = [*_PART.finditer(library)]
    ends = [*(start.start() for start in starts[1:]), len(library)]
    wanted, kept = set(_WORD.findall(text)), []
    # From the last one up: a part can only use what stands above it.
    for start, end in zip(reversed(starts), reversed(ends), strict=True):
        part = library[start.start() : end]
        if wanted & set(_WORD.findall(start[1] or start[2])):
            wanted |= set(_WORD.findall(part))
            kept.append(part)
    head = library[: starts[0].start()] if starts else library
    return head + "".join(reversed(kept))


def table(name: str, entries: Mapping[str, str | int], text: str) -> str:
    """A Lua table of the entries that ``text`` names; of all where it picks by a variable."""
    used: Iterable[str] = re.findall(rf"\b{name}\.(\w+)", text)
    if f"{name}[" in text:
        used = entries
    fields = (f"{field} = {_lua(entries[field])}" for field in dict.fromkeys(used))
    return f"local {name} = {{ {', '.join(fields)} }}\n"


def _lua(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"
