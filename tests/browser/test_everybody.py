"""For all: by ear, by keyboard, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SECRET, Office, Visitor

NUMBER = "+14155550123"
PLACES = (
    "/",
    "/calls/waiting",
    "/calls/delayed",
    "/calls/failed",
    "/calls/cancelled",
    "/calls/waiting?q=L-1",
    "/call/1",
    "/recurring",
    "/recurring/1",
    "/campaigns",
    "/campaigns/1",
    "/campaigns/new",
    "/place/now",
    "/place/later",
    "/place/recurring",
    "/place/file",
    "/trends/day",
    "/rules",
    "/do-not-call",
    "/activity",
)
TABLET = 768
#: A desk, a tablet and a phone.
WIDTHS = (1360, TABLET, 390)
#: Between a phone and a desk.
CUT_WIDTHS = (1130, 1024, 768, 360)
Scheme = Literal["light", "dark"]
SCHEMES: Sequence[Scheme] = ("light", "dark")


def fill(office: Office) -> None:
    """Something in each list."""
    failing = office.call("+15005550001", lead_id="L-1")
    office.until_state(failing, "failed")
    office("POST", "/pause")
    office.bulk(3, priority="high", lead_id="L-1", metadata={"a": 1})
    office.bulk(2, delayMs=3_600_000)
    office("POST", "/schedule-recurring-call", {"to": NUMBER, "cronExpression": "0 9 * * *"})
    office("POST", "/campaigns", {"name": "Reminders", "pace": "10/m"})
    office("POST", "/campaigns/1/calls", {"calls": [{"to": NUMBER}]})
    office("POST", "/campaigns/1/start")
    office.session.post(
        f"{office.stack.web_url}/api/do-not-call",
        json={"numbers": ["+14155550190", "+14155550191"], "reason": "asked for it"},
        headers={"X-API-Key": SECRET},
        timeout=30,
    ).raise_for_status()


def drawn(page: Page) -> Page:
    """Return the same, once it is drawn."""
    page.locator(".loading").wait_for(state="detached")
    page.wait_for_timeout(200)
    return page


#: Two pictures later, what was resized is drawn again.
REDRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
#: Media and style sheets are not loaded once more: the rules about them are for films.
BRIEF = {"resultTypes": ["violations"], "preload": False}
#: What depends on colours takes half of the time.
COLOURS = {"runOnly": ["color-contrast"]}
NO_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}


def violations(
    page: Page, axe: str, within: str = "document", options: Mapping[str, Any] = BRIEF
) -> list[str]:
    """Return what axe has to say against the page as it is, or against a part of it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    wanted = {**BRIEF, **options}
    found: dict[str, Any] = page.evaluate(f"(wanted) => axe.run({within}, wanted)", wanted)
    return [
        f"{each['id']}: {each['help']}: {node['html'][:160]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


#: What is wider than the room that it has.
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll('.table-box, .tile')]
    .filter((each) => each.scrollWidth > each.clientWidth + 1)
    .map((each) => `${each.className || 'page'} ${each.scrollWidth} px wide`)"""


def looks(page: Page, axe: str, place: str, *, full: bool) -> Iterator[str]:
    """Yield what is wrong with a page: to axe, and where things are cut off."""
    page.evaluate(f"location.hash = '#{place}'")
    drawn(page)
    for width in sorted({*WIDTHS, *CUT_WIDTHS}, reverse=True):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(REDRAWN)
        if width in CUT_WIDTHS:
            yield from (f"{place} at {width} px: {each}" for each in page.evaluate(TOO_WIDE))
        if width not in WIDTHS:
            continue
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{place} at {width} px: {wide} px wide"
        for scheme, options in checks(width, full=full):
            page.emulate_media(color_scheme=scheme)
            for violation in violations(page, axe, options=options):
                yield f"{place} at {width} px, {scheme}: {violation}"
        page.emulate_media(color_scheme=SCHEMES[0])


def checks(width: int, *, full: bool) -> Iterator[tuple[Scheme, Mapping[str, Any]]]:
    """Yield what axe checks at a width, and in which colours.

    The dark changes colours alone. A tablet has the colours and the cards of a phone.
    """
    if full:
        yield from ((scheme, BRIEF) for scheme in SCHEMES)
        return
    yield "light", NO_COLOURS if width == TABLET else BRIEF
    if width == min(WIDTHS):
        yield "dark", COLOURS


# All pages in one visit, which a machine without the quicker browser takes minutes for.
@pytest.mark.timeout(900)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    office: Office, visit: Callable[..., Visitor], axe: str, full: bool
) -> None:
    """On no page, light or dark, wide or narrow: pages, tables and numbers have room.

    In the dark at the least width alone, but with --full at each.
    """
    fill(office)
    page = visit(width=WIDTHS[0]).go()
    assert [each for place in PLACES for each in looks(page, axe, place, full=full)] == []
    page.evaluate("location.hash = '#/'")
    page.get_by_role("button", name="Resume").click()
    assert violations(page, axe) == []


def test_axe_finds_nothing_in_the_login(visit: Callable[..., Visitor], axe: str) -> None:
    """Nor in its refusal."""
    page = visit(key=None).go()
    assert violations(page, axe) == []
    page.get_by_label("API key").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-wrong")).to_be_visible()
    assert violations(page, axe) == []


def test_a_call_is_placed_by_keyboard_alone(office: Office, page: Page) -> None:
    """From the first key on."""
    office("POST", "/pause")
    expect(page.locator("#verdict")).to_have_text("Paused by ops")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Place a call")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_label("Number to call").focus()
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    page.keyboard.type("Your car is ready.")
    page.get_by_role("button", name="Place the call").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("is queued")
    assert office("GET", "/stats")["stats"]["waiting"] == 1


def test_a_question_keeps_the_keyboard(page: Page) -> None:
    """And gives it back where it was."""
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()


def test_colours_can_be_chosen(page: Page) -> None:
    """And stay so."""
    button = page.get_by_role("button", name="Theme")
    button.click()
    button.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 15, 20)"


def test_the_chart_can_be_read(office: Office, page: Page) -> None:
    """Aloud, and as a table."""
    for job_id in office.bulk(2):
        office.until_state(job_id, "completed")
    chart = page.get_by_role("img", name="2 calls started in the last hour")
    expect(chart).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("region", name="Starts by minute").locator("tbody")).to_contain_text(
        "2"
    )
