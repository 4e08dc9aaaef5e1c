"""The pages of the documentation, read as Markdown: their headings, links and code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of code: where it begins, in what language, and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Return its place, as editors jump to it."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One file of Markdown."""

    path: Path

    @property
    def name(self) -> str:
        """Its path from the root of the repository."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        """As it is written."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def _tokens(self) -> list[Token]:
        return _PARSER.parse(self.text)

    @cached_property
    def anchors(self) -> set[str]:
        """What a link may have after ``#``, as GitHub names headings."""
        found: set[str] = set()
        for token, inline in zip(self._tokens, self._tokens[1:], strict=False):
            if token.type == "heading_open":
                found.add(_unused(_anchor(_plain(inline)), found))
        return found

    def links(self) -> Iterator[tuple[int, str]]:
        """Yield the targets of links and pictures, each with its line."""
        for token in self._tokens:
            line = token.map[0] + 1 if token.map else 0
            for child in token.children or ():
                target = child.attrGet("href") or child.attrGet("src")
                if target:
                    yield line, str(target)

    def blocks(self, *languages: str) -> list[Block]:
        """Return the blocks of code in any of these languages."""
        return [block for block in self.all_blocks() if block.language in languages]

    def all_blocks(self) -> list[Block]:
        """Return the blocks of code."""
        return [
            Block(page=self.name, line=token.map[0] + 1, language=token.info, text=token.content)
            for token in self._tokens
            if token.type == "fence" and token.map
        ]


@cache
def pages() -> Sequence[Page]:
    """Return all that people read: the files of Markdown at the root and in docs/."""
    return [Page(path) for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])]


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _unused(anchor: str, used: set[str]) -> str:
    names = [anchor, *(f"{anchor}-{number}" for number in range(1, len(used) + 1))]
    return next(name for name in names if name not in used)
