"""``settings``: the documentation of the settings, written anew."""

from __future__ import annotations

import re
from pathlib import Path

import click

from vomind_queue.environment import env_example, markdown_table


@click.command()
def settings() -> None:
    """Write .env.example and the README's table anew, in the working directory."""
    Path(".env.example").write_text(env_example(), encoding="utf-8")
    readme = Path("README.md")
    text = re.sub(
        r"(<!-- settings: begin.*?-->\n).*?(<!-- settings: end -->)",
        lambda found: found[1] + markdown_table() + found[2],
        readme.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    readme.write_text(text, encoding="utf-8")
