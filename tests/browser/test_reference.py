"""The reference of the API, as a person reads it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def test_the_reference_shows_endpoints_with_examples(visit: Callable[..., Visitor]) -> None:
    """Without a key, and without a word to another host or against its own policy."""
    visitor = visit(key=None)
    page = visitor.page
    page.goto(f"{visitor.url}/docs#tag/calls/POST/api/queue/schedule-call")
    expect(page.get_by_role("heading", name="Place a call now")).to_be_visible()
    expect(page.get_by_text('"Q4 Outreach"').first).to_be_visible()
    expect(page.get_by_text("/api/queue/schedule-call").first).to_be_visible()
    expect(page.get_by_text(f"curl {visitor.url}/api/queue/schedule-call").first).to_be_visible()
