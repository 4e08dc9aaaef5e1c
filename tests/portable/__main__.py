"""``python -m tests.portable``: write the list of what is Linux's alone, from mypy's typeshed.

typeshed holds the stubs of the standard library, in which ``if sys.platform == …`` says what
Python's documentation says with "Availability".
"""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

LIST = Path(__file__).with_name("linux_only.json")
#: Where programs find what a system has: in this order, as the later ones import the former.
MODULES = (
    *("errno", "fcntl", "mmap", "os", "resource", "select", "signal", "socket", "termios", "time"),
)
#: The newest version of Python that we know of.
VERSION = (3, 14)


def linux_only() -> dict[str, list[str]]:
    """Return the public names that each module has on Linux and not on macOS."""
    found = {}
    for module in MODULES:
        tree = ast.parse(_stub(module).read_text("utf-8"))
        only = set(_names(tree.body, "linux")) - set(_names(tree.body, "darwin"))
        found[module] = sorted(name for name in only if not name.startswith("_"))
    return found


def _stub(module: str) -> Path:
    spec = importlib.util.find_spec("mypy")
    assert spec is not None
    assert spec.origin is not None
    place = Path(spec.origin).parent / "typeshed" / "stdlib" / module
    return place / "__init__.pyi" if place.is_dir() else place.with_suffix(".pyi")


def _names(body: Sequence[ast.stmt], platform: str) -> Iterator[str]:
    for node in body:
        match node:
            case ast.If():
                yield from _names(
                    node.body if _holds(node.test, platform) else node.orelse, platform
                )
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)


def _holds(test: ast.expr, platform: str) -> bool:
    there = {"sys": SimpleNamespace(platform=platform, version_info=VERSION)}
    return bool(eval(ast.unparse(test), there))


if __name__ == "__main__":
    LIST.write_text(json.dumps(linux_only(), indent=1) + "\n", "utf-8")
    sys.stdout.write(f"{LIST}\n")
