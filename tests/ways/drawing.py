"""The ways as text, and their place in the documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tests.stack import ROOT
from tests.ways.tree import Seen, grow

PAGE = ROOT / "docs/how-it-works.md"
TITLES = {
    "post": "From a POST to its answer",
    "placing": "From the fetch to the written outcome",
    "callback": "Twilio's status callback",
}
_PLACE = re.compile(r"(<!-- ways: begin[^\n]*-->\n).*?(<!-- ways: end -->)", re.DOTALL)


def drawn(ways: Mapping[str, Sequence[Seen]]) -> str:
    """Return all of them in Markdown."""
    parts = []
    for way, title in TITLES.items():
        tree = grow(ways[way])
        parts.append(f"{title}, {len(tree.modules())} modules:\n\n```text\n{tree.drawn()}\n```\n")
    return "\n".join(parts)


def write(ways: Mapping[str, Sequence[Seen]]) -> None:
    """Put them into the page, between two marks."""
    text = PAGE.read_text("utf-8")
    new = "\n" + drawn(ways) + "\n"
    PAGE.write_text(_PLACE.sub(lambda found: found[1] + new + found[2], text), "utf-8")


def written() -> Mapping[str, set[str]]:
    """Return the modules of each way as the page shows them."""
    place = _PLACE.search(PAGE.read_text("utf-8"))
    assert place is not None
    blocks = re.findall(r"```text\n(.*?)```", place[0], re.DOTALL)
    return {
        way: set(re.findall(r"^ *([a-z_.]+)\.", block, re.MULTILINE))
        for way, block in zip(TITLES, blocks, strict=True)
    }
