"""The page never says what is not so."""

from __future__ import annotations

import re
from collections.abc import Callable

import phonenumbers
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Office, Visitor
from vomind_queue.queue import keys

NUMBER = "+14155550123"
BUSY = "+15005550011"
#: The simulator's worker asks for calls often; these are gone from the queue at once.
DROP = {"fault": "drop", "on": None}


def verdict(page: Page, said: str) -> None:
    """Wait for the headline."""
    expect(page.locator("#verdict")).to_have_text(said)


def test_a_twilio_that_does_not_answer(office: Office, page: Page) -> None:
    """Amber, with since when, until when each call is checked, those calls, and what to do."""
    office.phone.faults(DROP)
    calls = office.bulk(5)
    verdict(page, "Twilio is not answering")
    hero = page.locator(".hero.amber")
    expect(hero).to_contain_text("No clear answer since")
    expect(hero).to_contain_text("may or may not have rung")
    expect(hero).to_contain_text("Look at Twilio's status page")
    expect(page.locator(".parts")).to_contain_text("no clear answer since")
    expect(page).to_have_title("● No answer – Overview · VoMind Queue")
    expect(page.locator('link[rel="icon"]')).to_have_attribute("href", "dashboard/icon-amber.svg")
    hero.get_by_role("link", name="See these calls").click()
    expect(page.locator("table.calls tbody tr")).to_have_count(len(calls))
    expect(page.locator("table.calls")).to_contain_text("No clear answer")
    page.goto(f"{page.url.split('#')[0]}#/call/{calls[0]}")
    expect(page.locator("h1 .badge")).to_have_text("No clear answer")
    expect(page.locator(".why h2")).to_have_text("Whether it rang is not known")
    expect(page.locator(".facts")).to_contain_text("0 ended, number 1 under way")
    expect(page.locator("main")).not_to_contain_text("The last attempt failed")


def test_a_pause_is_shown_at_once_and_stays(office: Office, page: Page) -> None:
    """Whatever an overview says that is older than the click; with its reason."""
    for turn in range(3):
        verdict(page, "Ready: no call is waiting")
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_label("Reason").fill(f"Lunch {turn}")
        page.get_by_role("dialog").get_by_role("button", name="Pause").click()
        expect(page.locator(".toast")).to_contain_text("The queue is paused.")
        # No waiting here: what the toast says, the headline says.
        assert page.locator("#verdict").inner_text() == "Paused by ops"
        expect(page.locator(".hero")).to_contain_text(f"Lunch {turn}")
        # The word on the pause goes with the pause, and its undo with it.
        page.get_by_role("button", name="Resume", exact=True).first.click()
        page.get_by_role("dialog").get_by_role("button", name="Resume").click()
        expect(page.locator(".toast")).to_have_text(re.compile("Calls go out again"))
        assert page.locator("#verdict").inner_text() == "Ready: no call is waiting"
    office("POST", "/pause")
    expect(page.locator(".toast")).to_have_count(0)


def test_the_time_of_a_retry_is_its_own(office: Office, visit: Callable[..., Visitor]) -> None:
    """Not that of its acceptance, which is past."""
    office.phone.faults({"fault": "error", "status": 429, "retry_after": 3000, "on": "create"})
    job_id = office.call(NUMBER)
    job = office.until_state(job_id, "delayed")
    assert job["scheduledFor"] is None
    assert job["nextAttemptAt"] > job["createdAt"]
    page = visit().go("/calls/delayed")
    expect(page.locator("table.calls")).to_contain_text(re.compile(r"in \d"))
    page.goto(f"{page.url.split('#')[0]}#/call/{job_id}")
    expect(page.locator(".facts")).to_contain_text("Next attempt")
    expect(page.locator("main .notice")).to_contain_text("It is dialed again at")


def test_the_outcome_comes_first(office: Office, visit: Callable[..., Visitor]) -> None:
    """Busy is not completed; and who talks now is counted."""
    office.phone.outcomes({"outcome": "busy", "times": 1, "pace": 0.05})
    job_id = office.call(NUMBER)
    page = visit().go(f"/call/{job_id}")
    expect(page.locator("h1 .badge")).to_have_text("Busy")
    office.phone.outcomes({"outcome": "human", "times": 1, "pace": 20})
    office.call("+14155550199")
    page.goto(f"{page.url.split('#')[0]}#/")
    expect(page.locator(".tile", has_text="On the line").locator(".value")).to_have_text("1")


def test_what_is_old_is_greyed_and_dated(office: Office, page: Page) -> None:
    """And no call can be placed into what does not answer."""
    verdict(page, "Ready: no call is waiting")
    office.server.freeze()
    try:
        verdict(page, "The queue cannot be reached")
        expect(page.locator(".as-of")).to_contain_text(re.compile(r"As of \d\d:\d\d:\d\d"))
        expect(page.locator(".stale .tiles")).to_be_visible()
        expect(page.get_by_role("link", name="Place a call")).to_have_count(0)
        expect(page.locator(".hero")).to_contain_text("Redis has not answered since")
        expect(page).to_have_title("● Away – Overview · VoMind Queue")
    finally:
        office.server.thaw()
    verdict(page, "Ready: no call is waiting")
    expect(page.locator(".stale")).to_have_count(0)
    expect(page).to_have_title("Overview · VoMind Queue")


def test_masks_keep_the_country(page: Page) -> None:
    """Each code that phonenumbers knows, and no more than that."""
    codes = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    found = page.evaluate(
        """async (codes) => {
            const { masked } = await import('./dashboard/words.js');
            return codes.map((code) => masked(`+${code}2345671234`));
        }""",
        codes,
    )
    assert found == [f"+{code} ••••• 1234" for code in codes]


def test_waiting_times_count_those_that_wait(office: Office, page: Page) -> None:
    """Who has waited for longest, and when the last one is dialed."""
    office.client.set(keys.RATE, "1:60000")
    office.bulk(3)
    verdict(page, "At the rate limit")
    tile = page.locator(".tile.blue")
    expect(tile).to_contain_text(re.compile(r"oldest waiting \d+ s"))
    expect(tile).to_contain_text(re.compile(r"empty at about \d\d:\d\d:\d\d"))
    expect(page.locator(".waits")).to_contain_text("90% under")


def test_enter_after_the_number_rings_nobody(office: Office, visit: Callable[..., Visitor]) -> None:
    """It goes on to the message, without which no call is placed from this form."""
    page = visit().go("/place/now")
    page.get_by_label("Number to call").fill(NUMBER)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator("#message-wrong")).to_have_text("Say what the person is to hear.")
    assert office("GET", "/stats")["stats"]["total"] == 0
    page.get_by_label("Message", exact=True).fill("Your car is ready.")
    page.get_by_role("button", name="Place the call").click()
    # It is dialed at once: there is nothing to undo.
    expect(page.locator(".toast")).to_contain_text("is queued")
    expect(page.locator(".toast").get_by_role("button", name="Cancel it")).to_have_count(0)


def test_a_hidden_page_tells_of_a_stop_where_that_is_wanted(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """By a note; the switch is kept."""
    visitor = visit()
    visitor.page.context.grant_permissions(["notifications"])
    visitor.page.add_init_script(
        "window.notes = []; window.Notification = class { constructor(title) { notes.push(title); }"
        " static requestPermission() { return Promise.resolve('granted'); }"
        " static get permission() { return 'granted'; } }"
    )
    page = visitor.go()
    verdict(page, "Ready: no call is waiting")
    page.get_by_role("button", name="Tell me when it stops").click()
    expect(page.get_by_role("button", name="Telling me")).to_have_attribute("aria-pressed", "true")
    office("POST", "/pause")
    verdict(page, "Paused by ops")
    page.wait_for_function("window.notes.includes('Paused by ops')")
    assert page.evaluate("localStorage.getItem('vomind-watch')") == "on"


@pytest.mark.parametrize("width", [390, 768, 1360])
def test_an_id_never_covers_a_number(
    office: Office, visit: Callable[..., Visitor], width: int
) -> None:
    """However long it is: that of a run has twenty signs more than others."""
    office("POST", "/pause")
    job_id = office.call(NUMBER)
    page = visit(width=width).go()
    link = page.locator(".few li > a", has_text=job_id).first
    link.evaluate("(each) => { each.textContent = 'recurring:4:1795972500000'; }")
    box, number = link.bounding_box(), page.locator(".few .phone").first.bounding_box()
    assert box is not None
    assert number is not None
    assert box["x"] + box["width"] <= number["x"] + 8
