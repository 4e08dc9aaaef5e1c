"""``python -m tests.pins FILE``: a file of pins with the hashes of what they name.

Standard input has them, as ``uv pip compile --generate-hashes`` writes them. Order, parts and
comments stay those of the file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_PIN = re.compile(r"^([\w.-]+)==([^\s;]+)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


def plain(name: str) -> str:
    """Return a package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """Return versions by name."""
    found = (_PIN.match(line) for line in text.splitlines())
    return {plain(pin[1]): pin[2] for pin in found if pin}


def hashes(text: str) -> dict[str, list[str]]:
    """Return hashes by name, in their order, of a file that has them."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if pin := _PIN.match(line):
            name = plain(pin[1])
        found.setdefault(name, []).extend(_HASH.findall(line))
    return found


def locked(text: str, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a file of pins with their hashes. Raise KeyError for a pin without."""
    yield "# Written by `make hashes` from the file of the same name that ends with .in."
    for line in text.splitlines():
        pin = _PIN.match(line)
        if pin is None:
            yield line
            continue
        yield f"{line.partition('  #')[0].rstrip()} \\"
        *others, last = [f"    --hash={each}" for each in known[plain(pin[1])]]
        yield from (f"{each} \\" for each in others)
        yield last


if __name__ == "__main__":
    source = Path(sys.argv[1]).read_text("utf-8")
    sys.stdout.writelines(f"{line}\n" for line in locked(source, hashes(sys.stdin.read())))
