"""The documentation says what the product does."""

from __future__ import annotations

import re

import pytest

from tests.pages import ROOT, Page, pages
from vomind_queue.cli.client import CLIENT_VARIABLES
from vomind_queue.config.documents import env_example, markdown_table
from vomind_queue.config.settings import VARIABLES

NAMES = [variable.name for variable in VARIABLES]


def test_each_setting_stands_in_the_example_file() -> None:
    """.env.example names each setting with its default, commented out."""
    text = (ROOT / ".env.example").read_text()
    assert text == env_example(), "run `make settings`"
    assert re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE) == NAMES


def test_each_setting_stands_in_the_documentation() -> None:
    """The table in docs/settings.md names each setting with its default."""
    text = (ROOT / "docs" / "settings.md").read_text()
    assert markdown_table() in text, "run `make settings`"
    assert re.findall(r"^\| `([A-Z_]+)`", markdown_table(), re.MULTILINE) == NAMES


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_page_names_a_setting_that_does_not_exist(page: Page) -> None:
    """A variable that a page names is read by the product."""
    prefixes = {name.split("_")[0] + "_" for name in NAMES if "_" in name}
    named = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", page.text))
    known = {*NAMES, *CLIENT_VARIABLES}
    assert {name for name in named if name.startswith(tuple(prefixes))} <= known


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Page) -> None:
    """Files and folders that a page links to are there, and so are the headings."""
    dead = [
        f"{page.name}:{line} {target}" for line, target in page.links() if not leads(page, target)
    ]
    assert not dead


def leads(page: Page, target: str) -> bool:
    """Return whether a link of this page has something at its end; other hosts are not asked."""
    if re.match(r"[a-z]+:", target):
        return True
    path, _, anchor = target.partition("#")
    aimed = (page.path.parent / path).resolve() if path else page.path
    if not aimed.is_relative_to(ROOT) or not aimed.exists():
        return False
    return not anchor or anchor in Page(aimed).anchors


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_each_file_that_a_page_names_is_there(page: Page) -> None:
    """By its path from the root, where that begins with one of our folders."""
    named = set(re.findall(r"`(\w[\w.-]*(?:/[\w.-]+)+\.\w+)`", page.text))
    ours = {name for name in named if (ROOT / name.split("/")[0]).is_dir()}
    assert {name for name in ours if not (ROOT / name).exists()} == set()


def test_each_page_can_be_found() -> None:
    """Each page of docs/ is in the table of contents."""
    contents = Page(ROOT / "docs" / "README.md")
    named = {(contents.path.parent / target).resolve() for _, target in contents.links()}
    found = {page.path for page in pages() if page.path.parent == contents.path.parent}
    assert found - named == {contents.path}
