"""Campaigns: all of them, and one that is steered."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Office


def test_a_campaign_is_found_started_paused_and_cancelled(office: Office, page: Page) -> None:
    """Each after a question; its numbers and why it stands still are shown."""
    office("POST", "/pause")
    campaign_id = office("POST", "/campaigns", {"name": "Reminders", "pace": "10/m"})["campaignId"]
    calls = [{"to": f"+1415555012{digit}"} for digit in range(3)]
    office("POST", f"/campaigns/{campaign_id}/calls", {"calls": calls})
    page.get_by_role("link", name="Campaigns").click()
    row = page.get_by_role("row").filter(has_text="Reminders")
    expect(row).to_contain_text("Waiting 3")
    expect(row).to_contain_text("10/m")
    row.get_by_role("link").click()
    expect(page.get_by_text("It has not been started.")).to_be_visible()
    page.get_by_label("Hours").fill("mon-sun all day")
    page.get_by_role("button", name="Keep the hours").click()
    expect(page.get_by_label("Hours")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Hours").fill("mon-sun 00:00-24:00")
    page.get_by_role("button", name="Keep the hours").click()
    expect(page.get_by_text("The next call keeps to these hours.")).to_be_visible()
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("3 of 3 calls would ring.")).to_be_visible()
    for deed, after in (
        ("Start", "Running"),
        ("Pause", "Paused"),
        ("Resume", "Running"),
        ("Cancel", "Cancelled"),
    ):
        page.get_by_role("button", name=deed, exact=True).click()
        page.get_by_role("button", name=f"{deed} the campaign").click()
        expect(page.locator("h1 .badge")).to_have_text(after)
    expect(page.locator("header.page .acts button")).to_have_count(0)
    assert office("GET", f"/campaigns/{campaign_id}")["state"] == "cancelled"
    page.evaluate("location.hash = '#/activity'")
    done = ("Cancelled", "Resumed", "Paused", "Started", "Changed", "Created")
    expect(page.locator("td.deed").filter(has_text="campaign")).to_have_text(
        [f"{verb} campaign {campaign_id}" for verb in done], use_inner_text=True
    )
