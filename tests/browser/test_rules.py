"""Who may be called: the rules, and the do-not-call list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SETTINGS, Office, Visitor
from tests.browser.test_everybody import WIDTHS, drawn, violations
from tests.stack import Stack

NUMBER, OTHER = "+18125550100", "+18125550101"


@pytest.fixture
def ruled(office: Office, tmp_path: Path) -> Iterator[Stack]:
    """Another web process on the same Redis, with the rules of law."""
    settings = {**SETTINGS, "CALLING_RULES": "law"}
    stack = Stack(directory=tmp_path, redis_url=office.server.url, settings=settings)
    stack.start_web()
    yield stack
    stack.close()


def said(page: Page) -> str:
    """What the page says of the number that was checked."""
    return " ".join(page.locator("form.card [role=status]").inner_text().split())


def test_rules_are_shown_and_a_day_is_closed(
    ruled: Stack, visit: Callable[..., Visitor], axe: str
) -> None:
    """A number is checked in words; a day is closed and opened again; axe finds nothing."""
    visitor = visit()
    visitor.url = ruled.web_url
    page = visitor.go("/rules")
    expect(page.get_by_role("row").filter(has_text="Florida")).to_contain_text("sure: A")
    page.get_by_label("Phone number").fill("+18005550100")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("form.card [role=status]")).to_contain_text("Not known")
    assert "The number does not tell where it is" in said(page)
    page.get_by_label("Phone number").fill(NUMBER)
    page.get_by_label("Time zone").first.fill("Chicago")
    page.keyboard.press("Enter")
    expect(page.locator("#check-zone-wrong")).to_contain_text("Did you mean America/Chicago?")
    page.get_by_label("Last day").fill("2027-02-01")
    page.get_by_label("Day", exact=True).fill("2027-02-09")
    page.get_by_role("button", name="Close the day").click()
    expect(page.locator("#last-wrong")).to_have_text("Must not be before day.")
    page.get_by_label("Last day").fill("")
    page.get_by_label("Where").fill("US-LA")
    page.get_by_label("Why").fill("Proclaimed.")
    page.get_by_role("button", name="Close the day").click()
    closed = page.get_by_role("row").filter(has_text="Proclaimed.")
    expect(closed).to_contain_text("2027-02-09")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(drawn(page), axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Open US-LA:2027-02-09 again").click()
    page.get_by_role("button", name="Open the day").click()
    expect(closed).to_have_count(0)
    page.evaluate("location.hash = '#/activity'")
    expect(page.locator("td.deed")).to_have_text(
        ["Opened the day US-LA:2027-02-09 ", "Closed the day US-LA:2027-02-09 “Proclaimed.”"],
        use_inner_text=True,
    )


def test_a_number_is_listed_found_and_taken_off(
    office: Office, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """With the calls to it; a file is imported, and the list is saved as one.

    Numbers of other tests come back from the call log.
    """
    office("POST", "/pause")
    job_id = office.call(NUMBER)
    page = visit().go("/do-not-call")
    page.get_by_label("Phone number").fill("+1 (812) 555-0100")
    page.get_by_label("Reason").fill("She asked for it.")
    page.get_by_role("button", name="Never call it").click()
    expect(page.locator(".toast")).to_contain_text("1 call ended.")
    assert office("GET", f"/job/{job_id}")["failedKind"] == "do-not-call"
    file = tmp_path / "numbers.csv"
    file.write_text(f"phone,name\n{NUMBER},Ada\n{OTHER},Bob\nnobody,\n")
    page.get_by_label("File of numbers").set_input_files(file)
    expect(page.locator(".card [role=status]")).to_contain_text(
        "1 added, 1 known before, 1 refused."
    )
    expect(page.locator(".card [role=status] li")).to_contain_text("Line 4: Must be a phone number")
    expect(page.get_by_role("row").filter(has_text="numbers.csv")).to_have_count(1)
    asked = page.get_by_role("row").filter(has_text="She asked for it.")
    expect(asked).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    saved = Path(download.value.path()).read_text().splitlines()
    assert [line.split(",")[0] for line in saved][:3] == ["number", OTHER, NUMBER]
    page.get_by_label("Find a number").fill("+1 812 555 0100")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(asked).to_have_count(1)
    page.get_by_role("button", name="from the list").click()
    expect(page.get_by_role("button", name="May be called again")).to_be_disabled()
    page.locator("dialog").get_by_label("Reason").fill("A mistake.")
    page.get_by_role("button", name="May be called again").click()
    expect(page.get_by_text("is not on the list.")).to_be_visible()
    page.get_by_role("link", name="Show the list").click()
    expect(page.get_by_role("row").filter(has_text="numbers.csv")).to_have_count(1)
    expect(asked).to_have_count(0)
