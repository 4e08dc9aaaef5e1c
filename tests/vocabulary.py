"""Find words that the project has given up, in code and in prose: `make lint` runs it.

`vocabulary.yaml` has the list, `docs/glossary.md` what the words mean. Vale would do for the prose,
but its packages at PyPI and npm download a program when they run, which nothing pins.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from subprocess import run
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
_WORD = re.compile(r"[A-Za-z]+")
#: The boundaries in camelCase.
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LUA_TEXT = re.compile(r"--.*|\"[^\"]*\"|'[^']*'")
_PROGRAMS = {".py", ".lua"}
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words given up, each with the one that replaced it."""

    #: Names of programs' files, without their ending.
    modules: Mapping[str, str] = field(default_factory=dict)
    #: Whole names in Python and Lua.
    identifiers: Mapping[str, str] = field(default_factory=dict)
    #: Words anywhere, also as a part of a name.
    words: Mapping[str, str] = field(default_factory=dict)
    #: Phrases of prose, as regular expressions.
    phrases: Mapping[str, str] = field(default_factory=dict)
    #: What is looked through: globs from the root.
    files: tuple[str, ...] = ()
    #: Pages and modules that have to name an old word, each with the reason.
    exempt: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _phrases(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile(rf"\b(?:{old})\b", re.IGNORECASE), new) for old, new in self.phrases.items()
        ]

    def faults(self, path: Path, text: str) -> Iterator[str]:
        """Yield a line for each word given up in a file: its place, the word, the better one."""
        if path.suffix in _PROGRAMS and path.stem in self.modules:
            yield f"{path}: module {path.stem}: {self.modules[path.stem]}"
        for number, name in _names(path, text):
            if name in self.identifiers:
                yield f"{path}:{number}: {name}: {self.identifiers[name]}"
        for number, line in enumerate(text.splitlines(), 1):
            for word in _words(line):
                if word in self.words:
                    yield f"{path}:{number}: {word}: {self.words[word]}"
            for pattern, new in self._phrases:
                if found := pattern.search(line):
                    yield f"{path}:{number}: {found[0]}: {new}"


def read(path: Path) -> Vocabulary:
    """Return the list in a file. Raise TypeError for a section that does not exist."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Vocabulary(**{**data, "files": tuple(data["files"])})


def _words(line: str) -> Iterator[str]:
    for word in _WORD.findall(line):
        yield from (part.lower() for part in _HUMP.split(word))


def _names(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Yield the names in a program, without its texts and comments."""
    if path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME:
                yield token.start[0], token.string
    elif path.suffix == ".lua":
        for number, line in enumerate(text.splitlines(), 1):
            for name in _NAME.findall(_LUA_TEXT.sub("", line)):
                yield number, name


def _files(vocabulary: Vocabulary) -> Iterator[Path]:
    listed = run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]
        + [f":(glob){pattern}" for pattern in vocabulary.files],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and name not in vocabulary.exempt:
            yield Path(name)


def main() -> int:
    """Print each fault; return 1 if there is any."""
    vocabulary = read(Path(__file__).with_suffix(".yaml"))
    found = [
        fault
        for path in _files(vocabulary)
        for fault in vocabulary.faults(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
