"""The documentation of the settings, made from their fields."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

from vomind_queue.config.settings import BY_FIELD, Settings
from vomind_queue.config.variable import Variable


def env_example() -> str:
    """Return the text of ``.env.example``: every variable with its default, commented out."""
    lines = ["# Copy to .env and change what you need. Times: 500ms, 30s, 15m, 2h, 7d."]
    for variable, meaning in _documented():
        if variable.section:
            lines += ["", f"# --- {variable.section} ---"]
        lines += ["", f"# {meaning}".replace("`", "")]
        lines += [f"# Allowed: {variable.type.expected}.", f"#{variable.name}={variable.default}"]
    return "\n".join(lines) + "\n"


def markdown_table() -> str:
    """Return the variables as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for variable, meaning in _documented():
        if variable.section:
            lines.append(f"| **{variable.section}** | | |")
        default = f"`{variable.default}`" if variable.default else ""
        lines.append(f"| `{variable.name}` | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _documented() -> Iterator[tuple[Variable, str]]:
    """Yield each variable with the text below its field, as Sphinx and pydantic read it, too."""
    (settings,) = ast.parse(inspect.getsource(Settings)).body
    texts = {}
    for pair in pairwise(settings.body if isinstance(settings, ast.ClassDef) else ()):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=text)):
                texts[name] = " ".join(str(text).split())
    for name, variable in BY_FIELD.items():
        yield variable, texts[name]
