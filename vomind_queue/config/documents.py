"""The documentation of the settings, made from their fields."""

from __future__ import annotations

from vomind_queue.config.settings import VARIABLES


def env_example() -> str:
    """Return the text of ``.env.example``: every variable with its default, commented out."""
    lines = ["# Copy to .env and change what you need. Times: 500ms, 30s, 15m, 2h, 7d."]
    for variable in VARIABLES:
        if variable.section:
            lines += ["", f"# --- {variable.section} ---"]
        lines += ["", f"# {variable.meaning}".replace("`", "")]
        lines += [f"# Allowed: {variable.type.allowed}.", f"#{variable.name}={variable.default}"]
    return "\n".join(lines) + "\n"


def markdown_table() -> str:
    """Return the variables as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for variable in VARIABLES:
        if variable.section:
            lines.append(f"| **{variable.section}** | | |")
        default = f"`{variable.default}`" if variable.default else ""
        lines.append(f"| `{variable.name}` | {default} | {variable.meaning} |")
    return "\n".join(lines) + "\n"
