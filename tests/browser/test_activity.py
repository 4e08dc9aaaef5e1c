"""Who did what."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Office, Visitor

NUMBER = "+14155550123"


def rows(page: Page) -> list[str]:
    """What the list says, newest first."""
    return [" ".join(each.split()) for each in page.locator("td.deed").all_inner_texts()]


def test_who_did_what(office: Office, visit: Callable[..., Visitor]) -> None:
    """By name, with the reason of a pause and a link to the call."""
    office("POST", "/pause", {"reason": "Lunch."})
    job_id = office.call(NUMBER)
    office("DELETE", f"/job/{job_id}")
    page = visit().go("/activity")
    expect(page.get_by_role("row")).to_have_count(3)
    assert rows(page) == [f"Cancelled call {job_id}", "Paused the queue “Lunch.”"]
    expect(page.get_by_role("cell", name="ops")).to_have_count(2)
    office("POST", "/resume")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name=job_id, exact=True).click()
    expect(page.locator("h1")).to_contain_text(f"Call {job_id}")


def test_older_deeds_are_on_further_pages(office: Office, visit: Callable[..., Visitor]) -> None:
    """Each page has its address, also that of one key's deeds."""
    for _ in range(26):
        office("POST", "/pause")
        office("POST", "/resume")
    page = visit().go("/activity")
    page.get_by_role("link", name="ops").first.click()
    expect(page.locator(".lead")).to_contain_text("with the key ops")
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.reload()
    assert rows(page) == ["Resumed the queue", "Paused the queue"]
    page.get_by_role("link", name="Newest").click()
    expect(page.get_by_role("row")).to_have_count(51)


def test_nothing_was_done(visit: Callable[..., Visitor]) -> None:
    """And the page says what would be here."""
    page = visit().go("/activity")
    expect(page.get_by_text("Nothing was done yet.")).to_be_visible()
