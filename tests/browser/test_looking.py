"""What a person sees: the verdict, the numbers, the lists, a call and its story."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Office, Visitor
from vomind_queue.queue import keys

NUMBER = "+14155550123"


def decision(page: Page, text: str) -> None:
    """The large words."""
    expect(page.locator("#verdict")).to_have_text(text)


def test_the_page_follows_the_queue_by_itself(office: Office, page: Page) -> None:
    """Numbers and verdict change without a reload."""
    decision(page, "Ready: no call is waiting")
    office("POST", "/pause")
    office.bulk(3, priority="high")
    office.bulk(4, delayMs=60_000)
    expect(page.locator(".tile.blue .value")).to_have_text("3")
    expect(page.locator(".tile.violet .value")).to_have_text("4")
    expect(page.locator(".tile.blue .shares")).to_contain_text("high3")
    decision(page, "Paused by ops")
    office("POST", "/resume")
    expect(page.locator(".tile.green .value")).to_have_text("3")
    expect(page.locator(".chart .readout")).to_contain_text("3 in the last hour")


def test_outcomes_and_waiting_time_of_the_last_hour(office: Office, page: Page) -> None:
    """As Twilio tells them."""
    office.phone.outcomes({"outcome": "busy", "times": 2, "pace": 0.05})
    for job_id in office.bulk(2):
        office.until_state(job_id, "completed")
    expect(page.locator(".outcomes")).to_contain_text("Busy2 100%")
    expect(page.locator(".waits dd").first).not_to_have_text("–")


def test_held_by_the_limit_with_a_countdown(office: Office, page: Page) -> None:
    """When the next start is, in seconds."""
    office.client.set(keys.RATE, "1:60000")
    office.bulk(3)
    decision(page, "At the rate limit")
    expect(page.locator(".hero")).to_contain_text("1 of 1 calls per minute used. 2 waiting.")
    first = page.locator(".countdown").first.inner_text()
    expect(page.locator(".countdown").first).not_to_have_text(first)
    expect(page.locator(".chart .allowance")).to_be_attached()


def test_stuck_without_a_worker(office: Office, page: Page) -> None:
    """And what to do about it."""
    (worker,) = [each for each in office.stack.processes if each.name == "worker"]
    worker.send(signal.SIGSTOP)
    try:
        office.client.delete(keys.WORKERS)
        decision(page, "No worker is running")
        expect(page.locator(".hero .remedy")).to_contain_text("celery -A celery_app worker")
        expect(page.locator(".chip-state")).to_have_text("Stuck")
    finally:
        worker.send(signal.SIGCONT)
    expect(page.locator(".chip-state")).to_have_text("Idle")


def test_stuck_without_a_scheduler(office: Office, page: Page) -> None:
    """Where there are recurring calls."""
    office("POST", "/schedule-recurring-call", {"to": NUMBER, "cronExpression": "0 9 * * *"})
    decision(page, "Recurring calls do not ring")
    expect(page.locator(".hero .remedy")).to_contain_text("celery -A celery_app beat")


def test_stuck_with_a_refused_account(office: Office, page: Page) -> None:
    """In Twilio's words."""
    office.phone.faults(
        {"fault": "error", "status": 401, "code": 20003, "message": "Authenticate", "times": 1}
    )
    office.call(NUMBER)
    decision(page, "Twilio rejects our account")
    expect(page.locator(".hero")).to_contain_text("Authenticate (error 20003, HTTP 401)")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 waiting call will be dialed")
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator(".tile.green .value")).to_have_text("1")


def test_redis_away_and_back(office: Office, page: Page) -> None:
    """It says so, keeps what it knew, and goes on by itself."""
    decision(page, "Ready: no call is waiting")
    office.server.freeze()
    try:
        decision(page, "The queue cannot be reached")
        expect(page.locator(".hero")).to_contain_text("Retrying.")
    finally:
        office.server.thaw()
    decision(page, "Ready: no call is waiting")


def test_an_unchanged_queue_is_not_sent_again(page: Page) -> None:
    """Open pages cost next to nothing."""
    decision(page, "Ready: no call is waiting")
    with page.expect_response(lambda answer: "overview" in answer.url and answer.status == 304):
        pass


def test_lists_are_shown_in_pages(office: Office, visit: Callable[..., Visitor]) -> None:
    """In the order of dialing, 25 at a time."""
    office("POST", "/pause")
    ids = office.bulk(30)
    page = visit().go("/calls/waiting")
    rows = page.locator("table.calls tbody tr")
    expect(rows).to_have_count(25)
    expect(page.locator(".pager")).to_contain_text("1–25 of 30")
    expect(rows.first).to_contain_text(ids[0])
    page.get_by_role("link", name="Next page").click()
    expect(rows).to_have_count(5)
    expect(rows.last).to_contain_text(ids[-1])
    page.get_by_role("link", name="First page").click()
    expect(page.locator(".pager")).to_contain_text("1–25 of 30")
    page.get_by_role("link", name="Last page").click()
    expect(page.locator(".pager")).to_contain_text("26–30 of 30")
    # What stood there is gone: the last page that there is.
    page.goto(f"{page.url.split('?')[0]}?page=99")
    expect(rows).to_have_count(5)
    page.get_by_role("link", name="Scheduled").click()
    expect(page.get_by_text("No call is scheduled.")).to_be_visible()


def test_an_address_that_is_none_is_told(visit: Callable[..., Visitor]) -> None:
    """Half of an escape, and a call that never was."""
    page = visit().go("/call/%E0%A4%A")
    expect(page.get_by_text("There is no call %E0%A4%A.")).to_be_visible()


@pytest.mark.parametrize("query", [NUMBER, "(+1) 415 555-0123", "lead-77", "by id"])
def test_calls_are_found(office: Office, visit: Callable[..., Visitor], query: str) -> None:
    """By number however it is written, by lead, by id."""
    office("POST", "/pause")
    office.call("+14155559999", lead_id="lead-78")
    wanted = office.call(NUMBER, lead_id="lead-77")
    office.logged(wanted)
    page = visit().go("/calls/waiting")
    # "/" goes to the search.
    page.keyboard.press("/")
    page.keyboard.type(wanted if query == "by id" else query)
    page.keyboard.press("Enter")
    rows = page.locator("table.calls tbody tr")
    expect(rows.filter(has_text="lead-77").first).to_contain_text(wanted)
    expect(rows.filter(has_text="lead-78")).to_have_count(0)
    # No longer the name of the list that the search began in.
    expect(page).to_have_title(re.compile("(Search|All calls) · "))


def test_numbers_are_hidden_until_asked_for(office: Office, visit: Callable[..., Visitor]) -> None:
    """Each by itself."""
    office("POST", "/pause")
    office.bulk(2)
    page = visit().go("/calls/waiting")
    expect(page.locator(".phone").first).to_have_text("+1 ••••• 0000")
    page.locator(".phone").first.click()
    expect(page.locator(".phone").first).to_have_text("+14150000000")
    expect(page.locator(".phone").nth(1)).to_have_text("+1 ••••• 0001")


def test_a_calls_whole_story(office: Office, visit: Callable[..., Visitor]) -> None:
    """From its acceptance to the end on the line and the call log."""
    # Not faster: callbacks could overtake each other, and one that comes late is no event.
    office.phone.outcomes({"outcome": "human", "times": 1})
    job_id = office.call(NUMBER, message="Your car is ready.", lead_id="L-1")
    page = visit().go(f"/call/{job_id}")
    story = page.locator(".timeline")
    for event in ("Accepted", "Taken by a worker", "Dialing", "Accepted by Twilio", "Ringing"):
        expect(story).to_contain_text(event)
    expect(story).to_contain_text("Call ended")
    expect(story).to_contain_text("In the call log")
    expect(page.locator(".facts")).to_contain_text("Answered")
    expect(page.locator("blockquote")).to_have_text("Your car is ready.")


def test_why_a_call_has_not_rung(office: Office, visit: Callable[..., Visitor]) -> None:
    """In words, and until when."""
    office("POST", "/pause")
    first, second = office.bulk(2)
    page = visit().go(f"/call/{second}")
    why = page.locator(".why")
    expect(why).to_contain_text("It is behind 1 call of the same or a higher priority.")
    expect(why).to_contain_text("The queue is paused by ops.")
    office("DELETE", f"/job/{first}")
    expect(why).to_contain_text("It is the next one to be dialed.")
    later = office.call(NUMBER, delayMs=3_600_000)
    page.goto(f"{page.url.split('#')[0]}#/call/{later}")
    expect(page.locator(".why")).to_contain_text("It is scheduled for later. Until")


def test_a_call_that_is_not_there(visit: Callable[..., Visitor]) -> None:
    """Is said to be none."""
    page = visit().go("/call/4711")
    expect(page.get_by_role("alert")).to_have_text("There is no call 4711.")


def test_recurring_calls_with_their_runs(office: Office, visit: Callable[..., Visitor]) -> None:
    """All of them, and one; paused, resumed and stopped with a way back."""
    body = {"to": NUMBER, "cronExpression": "0 9 * * 1-5", "timezone": "America/New_York"}
    office("POST", "/schedule-recurring-call", body)
    page = visit().go("/recurring")
    page.get_by_role("link", name="At 09:00 on Monday through Friday").click()
    expect(page.locator(".runs").first).to_contain_text("09:00")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Pause it").click()
    expect(page.locator("h1 .badge")).to_have_text("Paused")
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.locator("h1 .badge")).to_have_text("Active")
    page.get_by_role("button", name="Stop for good").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_text("There are no recurring calls.")).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("table.calls tbody tr")).to_have_count(1)
