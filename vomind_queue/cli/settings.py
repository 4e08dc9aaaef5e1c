"""``settings``: writes the documentation of the settings."""

from __future__ import annotations

import re
from pathlib import Path

import click

from vomind_queue.config.documents import env_example, markdown_table


@click.command()
def settings() -> None:
    """Write .env.example and the table in docs/settings.md, below the working directory."""
    Path(".env.example").write_text(env_example(), encoding="utf-8")
    page = Path("docs/settings.md")
    text = re.sub(
        r"(<!-- settings: begin.*?-->\n).*?(<!-- settings: end -->)",
        lambda found: found[1] + markdown_table() + found[2],
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    page.write_text(text, encoding="utf-8")
