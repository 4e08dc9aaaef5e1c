"""Calls over time, from the call log."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Office, Visitor
from tests.browser.test_everybody import WIDTHS, drawn, violations
from tests.integration.call_log.lines import row
from tests.stack import Stack
from vomind_queue.call_log.models import Batch, CallRow
from vomind_queue.call_log.sqlite import SqliteLog

MINUTE_MS = 60_000
CALLS = 300
#: What the calls of a cycle end with, and who answered.
ENDS = [("completed", "human"), ("completed", "machine_start"), ("busy", None), ("no-answer", None)]


def made_up(number: int, at_ms: int) -> CallRow:
    """A call that was dialed then."""
    outcome, by = ENDS[number % len(ENDS)]
    return row(
        number,
        key=f"{at_ms:015d}-{number:012d}",
        queued_ms=at_ms - 1000 * (number % 90),
        scheduled_ms=None,
        started_ms=at_ms,
        attempts=1,
        outcome=outcome,
        answered_by=by,
    )


@pytest.fixture(scope="module")
def own_log(everything: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One more web, whose call log no other test's calls come into."""
    shared = everything.stack
    stack = Stack(
        directory=tmp_path_factory.mktemp("trends"),
        redis_url=shared.redis_url,
        settings=dict(shared.settings),
    )
    try:
        stack.start_web()
        yield stack
    finally:
        stack.close()


@pytest.fixture
def office(everything: Office, own_log: Stack) -> Office:
    """The office with that log."""
    return replace(everything, stack=own_log)


@pytest.fixture
def logged(office: Office) -> Iterator[None]:
    """Calls of the last two days in the log, two in the last hour; they are gone afterwards."""
    log = SqliteLog(Path(office.stack.directory) / "data" / "calls.sqlite3")
    now_ms, chance = int(time.time() * 1000), random.Random(7)
    ages = [chance.randint(70, 2 * 24 * 60) for _ in range(CALLS - 2)] + [3, 30]
    rows = [made_up(number, now_ms - age * MINUTE_MS) for number, age in enumerate(ages)]
    log.write(Batch(rows=rows, events=[]))
    yield
    log.erase([each.key for each in rows])


def chart(page: Page, name: str) -> str:
    """What a chart is called by ear."""
    return page.get_by_role("img", name=name).get_attribute("aria-label") or ""


@pytest.mark.usefixtures("logged")
def test_calls_over_time(visit: Callable[..., Visitor]) -> None:
    """An hour, a day, a week; drawn, told by ear, and as a table."""
    page = visit().go("/trends/week")
    expect(page.locator(".plot canvas")).to_have_count(3)
    assert chart(page, "calls in the last 7 days").startswith(f"{CALLS} calls in the last 7 days")
    assert "voicemail 75" in chart(page, "calls in the last 7 days")
    assert "90% within" in chart(page, "Waiting time")
    assert "Best at" in chart(page, "Calls that a person answered")
    page.get_by_role("link", name="Last hour").click()
    expect(page.get_by_role("img", name="2 calls in the last hour")).to_be_visible()
    expect(page.locator(".plot canvas")).to_have_count(2)
    page.get_by_text("As a table").first.click()
    table = page.get_by_role("region", name="How calls ended, by time")
    expect(table.get_by_role("row")).to_have_count(3)


@pytest.mark.usefixtures("logged")
def test_a_chart_says_what_is_under_the_pointer(visit: Callable[..., Visitor]) -> None:
    """And forgets it when the pointer leaves."""
    page = visit().go("/trends/hour")
    plot = page.locator(".plot .u-over").first
    size = plot.bounding_box()
    assert size is not None
    readout = page.locator(".readout").first
    # The call of half an hour ago: the page may be some minutes later than the test's beginning.
    for minute in range(20, 40):
        plot.hover(position={"x": size["width"] * (minute + 0.5) / 60, "y": 20})
        if "1 call at" in readout.inner_text():
            break
    expect(readout).to_contain_text("1 call at")
    page.mouse.move(1, 1)
    expect(page.locator(".readout").first).to_contain_text("2 calls, ")


@pytest.mark.usefixtures("logged")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_charts(
    visit: Callable[..., Visitor], axe: str, scheme: str
) -> None:
    """At any width; and the colours follow the choice of light or dark."""
    page = visit(scheme=scheme).go("/trends/week")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator(".plot canvas")).to_have_count(3)
        assert violations(drawn(page), axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_call_there_is_no_chart(visit: Callable[..., Visitor]) -> None:
    """But what would be there."""
    page = visit().go("/trends/hour")
    expect(page.get_by_text("No call started in this time.")).to_be_visible()


@pytest.mark.usefixtures("logged")
def test_charts_go_by_the_zone_of_the_page(visit: Callable[..., Visitor]) -> None:
    """The hours in which people answer are asked for, and named, in it."""
    visitor = visit()
    page = visitor.go("/trends/week")
    page.evaluate("localStorage.setItem('vomind-zone', 'Asia/Tokyo')")
    with page.expect_request("**/api/trends?*") as asked:
        page.reload()
    assert "timezone=Asia%2FTokyo" in asked.value.url
    expect(page.get_by_text("by the hour of the day, Asia/Tokyo")).to_be_visible()
    expect(page.locator(".plot canvas")).to_have_count(3)
