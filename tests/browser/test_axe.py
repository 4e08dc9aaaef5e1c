"""What opens over a page, by ear and by eye: dialogs, menus, the palette."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Office, Visitor
from tests.browser.test_everybody import NUMBER, SCHEMES, WIDTHS, fill, violations

#: The page, and the button on it that asks.
DIALOGS = (
    ("/", "Resume"),
    ("/calls/failed", "Delete finished calls"),
    ("/call/1", "Retry"),
    ("/call/1", "Correct and call again"),
    ("/call/2", "Cancel"),
    ("/call/2", "Change"),
    ("/recurring/1", "Change"),
    ("/recurring/1", "Stop for good"),
    ("/campaigns/1", "Pause"),
)
MENUS = ("State", "Time", "Priority", "Lead")
OPEN_DIALOG = "document.querySelector('dialog[open]')"
OPEN_MENU = "document.querySelector('details.menu[open]')"


#: Says what axe finds in a part of a page, where one is open.
Look = Callable[[Page, str, str], list[str]]


@pytest.fixture
def look(axe: str, full: bool) -> Look:
    """On a light desk and on a dark phone; with --full at each width, light and dark."""

    def at(page: Page, what: str, within: str) -> list[str]:
        return looked_at(page, axe, what, within, full=full)

    return at


def looked_at(page: Page, axe: str, what: str, within: str, *, full: bool) -> list[str]:
    """Return what axe has to say of what is open."""
    found = []
    every = list(product(WIDTHS, SCHEMES))
    for width, scheme in every if full else (every[0], every[-1]):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        where = f"{what} at {width} px, {scheme}"
        found += [f"{where}: {each}" for each in violations(page, axe, within)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{where}: {wide} px wide"] if wide > width else []
    page.emulate_media(color_scheme=SCHEMES[0])
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return found


@pytest.mark.timeout(900)
def test_axe_finds_nothing_in_what_opens(
    office: Office, visit: Callable[..., Visitor], look: Look
) -> None:
    """Over any page; the keyboard comes out of each by Escape."""
    fill(office)
    page = visit(width=WIDTHS[0]).go()
    dialog = page.locator("dialog[open]")
    found: list[str] = []
    for place, name in DIALOGS:
        page.evaluate(f"location.hash = '#{place}'")
        page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()
        expect(dialog).to_be_visible()
        found += look(page, f"{name} on {place}", OPEN_DIALOG)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    page.evaluate("location.hash = '#/calls'")
    for key in ("/", "?"):
        expect(page.get_by_role("heading", level=1, name="All calls")).to_be_focused()
        page.keyboard.press(key)
        expect(dialog).to_be_visible()
        found += look(page, key, OPEN_DIALOG)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    for name in MENUS:
        page.locator("summary", has_text=name).click()
        found += look(page, name, OPEN_MENU)
    assert found == []


def test_axe_finds_nothing_in_acts_on_many(
    office: Office, visit: Callable[..., Visitor], look: Look
) -> None:
    """In what is selected, what is asked, and what became of each."""
    office("POST", "/pause")
    office.bulk(3)
    page = visit(width=WIDTHS[0]).go("/calls/waiting")
    page.get_by_label("Select all calls on this page").check()
    bar = page.get_by_role("region", name="Selected calls")
    found = look(page, "selected", "document")
    for name in ("Priority", "Time", "Cancel"):
        bar.get_by_role("button", name=name).click()
        expect(page.locator("dialog[open]")).to_be_visible()
        found += look(page, name, OPEN_DIALOG)
        if name != "Cancel":
            page.keyboard.press("Escape")
    page.get_by_role("dialog").get_by_role("button", name="Cancel them").click()
    expect(page.get_by_role("region", name="Cancel")).to_contain_text("3 of 3 calls cancelled.")
    office.call(NUMBER)
    page.get_by_text("What became of each").click()
    found += look(page, "results", "document")
    assert found == []
