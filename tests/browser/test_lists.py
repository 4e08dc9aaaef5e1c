"""One list of all calls: found by filters in the address, and acted on together."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.browser.conftest import Office, Visitor

NUMBER = "+14155550123"
#: The simulator's voicemail.
MACHINE = "+15005550014"


def rows(page: Page, count: int) -> None:
    """Wait for that many calls in the list."""
    expect(page.locator("table.calls tbody tr")).to_have_count(count)


def test_a_number_of_the_overview_leads_to_its_calls(office: Office, page: Page) -> None:
    """By an address that can be passed on; nothing but busy calls is there."""
    office.phone.outcomes({"outcome": "busy", "times": 4, "pace": 0.05})
    busy = office.bulk(4)
    for job_id in busy:
        office.until_state(job_id, "completed")
    office.phone.outcomes({"outcome": "human", "times": 1, "pace": 0.05})
    # Ended before the next one is placed, which could be the one that is answered.
    office.until_state(office.call(NUMBER), "completed")
    machine = office.call(MACHINE, machineDetection="enable")
    page.locator(".outcomes div", has_text="Voicemail").get_by_role("link", name="1").click()
    assert page.url.endswith("#/calls?outcome=machine&since=1h")
    rows(page, 1)
    expect(page.locator("table.calls tbody .badge")).to_have_text("Voicemail")
    expect(page.locator("table.calls tbody a.id")).to_have_text(machine)
    page.get_by_role("link", name="Overview").click()
    page.locator(".outcomes div", has_text="Busy").get_by_role("link", name="4").click()
    assert page.url.endswith("#/calls?outcome=busy&since=1h")
    for job_id in busy:
        expect(page.get_by_role("link", name=job_id, exact=True).first).to_be_visible()
    assert set(page.locator("table.calls tbody .badge").all_inner_texts()) == {"Busy"}


def test_filters_are_chosen_and_taken_off(office: Office, visit: Callable[..., Visitor]) -> None:
    """They stand in the address; what is found can be saved; nothing found says so."""
    office("POST", "/pause")
    number = "+14155550777"
    for lead in ("L-1", "L-1", "L-2"):
        priority = "normal" if lead == "L-2" else "high"
        message = f"{lead}, it is ready."
        last = office.call(number, lead_id=lead, priority=priority, message=message)
    office.logged(last)
    page = visit().go("/calls")
    page.locator("summary", has_text="Number").click()
    page.get_by_label("Number", exact=True).fill("+1 (415) 555-0777")
    page.keyboard.press("Enter")
    rows(page, 3)
    page.locator("summary", has_text="Priority").click()
    page.get_by_label("High").check()
    rows(page, 2)
    assert page.url.endswith("#/calls?priority=high&number=%2B14155550777")
    page.get_by_label("Normal").check()
    rows(page, 3)
    page.locator("summary", has_text="Lead").click()
    page.get_by_label("Lead", exact=True).fill("L-2")
    page.keyboard.press("Enter")
    rows(page, 1)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    with Path(saved.value.path()).open(newline="") as file:
        (found,) = csv.DictReader(file)
    assert (found["to"], found["message"]) == (number, "L-2, it is ready.")
    page.locator("summary", has_text="State").click()
    page.get_by_label("Failed").check()
    expect(page.get_by_text("No call has all of these filters.")).to_be_visible()
    page.get_by_role("button", name="Any state").click()
    rows(page, 1)
    page.get_by_role("button", name="Any lead").click()
    rows(page, 3)
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("h1")).to_have_text("All calls")


def test_news_leaves_what_is_being_typed(office: Office, visit: Callable[..., Visitor]) -> None:
    """In the filters and in the search: the page is drawn again below the hands of who types."""
    office("POST", "/pause")
    page = visit().go("/calls")
    page.locator("summary", has_text="Time").click()
    page.get_by_label("From", exact=True).fill("2026-11-30T09:00")
    page.get_by_role("searchbox").fill("L-")
    page.locator("summary", has_text="Lead").click()
    page.get_by_label("Lead", exact=True).fill("L-2")
    office.call(NUMBER, lead_id="L-2")
    expect(page.get_by_role("link", name="Waiting")).to_contain_text("1")
    expect(page.get_by_label("Lead", exact=True)).to_have_value("L-2")
    expect(page.get_by_role("searchbox")).to_have_value("L-")
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-11-30T09:00")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Any lead")).to_be_visible()
    page.get_by_role("button", name="Any lead").click()
    expect(page.get_by_label("Lead", exact=True)).to_have_value("")


def test_a_filter_that_is_none_is_refused(visit: Callable[..., Visitor]) -> None:
    """In words; other calls are not shown in its place."""
    page = visit().go("/calls?state=ringing")
    expect(page.get_by_role("alert")).to_contain_text("Must be waiting, delayed")


def test_pages_of_the_log_follow_each_other(office: Office, visit: Callable[..., Visitor]) -> None:
    """To the next one, and back."""
    office("POST", "/pause")
    ids = office.bulk(30, lead_id="one-of-thirty")
    office.logged(ids[-1])
    page = visit().go("/calls?lead=one-of-thirty")
    rows(page, 25)
    expect(page.locator(".pager")).to_contain_text("25 calls of 30")
    page.get_by_role("link", name="Next page").click()
    rows(page, 5)
    page.get_by_role("link", name="Page before").click()
    rows(page, 25)


def test_a_row_opens_its_call_by_a_click_and_by_keys(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """Anywhere in it but on a control."""
    office("POST", "/pause")
    first, second = office.bulk(2)
    page = visit().go("/calls/waiting")
    page.get_by_role("cell", name="normal").first.click()
    expect(page.locator("h1")).to_contain_text(f"Call {first}")
    page.go_back()
    # The focus goes to the heading of a page that opens, after which the keys are the rows'.
    expect(page.get_by_role("heading", level=1, name="Waiting calls")).to_be_focused()
    rows(page, 2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(f"Call {second}")


def test_calls_are_selected_and_cancelled_together(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """One by one, a run of them by Shift; the question names how many, and each has its result."""
    office("POST", "/pause")
    ids = office.bulk(6)
    page = visit().go("/calls/waiting")
    page.get_by_label(f"Select call {ids[0]}", exact=True).check()
    page.get_by_label(f"Select call {ids[2]}", exact=True).click(modifiers=["Shift"])
    page.get_by_label(f"Select call {ids[4]}", exact=True).check()
    bar = page.get_by_role("region", name="Selected calls")
    expect(bar).to_contain_text("4 calls selected")
    expect(bar.get_by_role("button", name="Retry")).to_be_disabled()
    bar.get_by_role("button", name="Cancel").click()
    # Somebody else was quicker with one of them.
    office("DELETE", f"/job/{ids[4]}")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Cancel 4 calls?")
    question.get_by_role("button", name="Cancel them").click()
    order = page.get_by_role("region", name="Cancel")
    expect(order).to_contain_text("3 of 4 calls cancelled.")
    expect(order.locator("li", has_text="not in the queue any more")).to_contain_text(ids[4])
    rows(page, 2)
    expect(bar).to_have_count(0)
    assert [job["jobId"] for job in office("GET", "/waiting")["jobs"]] == [ids[3], ids[5]]


def test_all_that_match_are_changed(office: Office, visit: Callable[..., Visitor]) -> None:
    """Also those on other pages, and none that does not match."""
    office("POST", "/pause")
    other = office.call(NUMBER, lead_id="another", priority="low")
    office.logged(office.bulk(30, lead_id="one-to-change")[-1])
    page = visit().go("/calls?state=waiting&lead=one-to-change")
    rows(page, 25)
    page.get_by_label("Select all calls on this page").check()
    page.get_by_role("button", name="Select all 30 calls that match").click()
    bar = page.get_by_role("region", name="Selected calls")
    bar.get_by_role("button", name="Priority").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Change the priority of 30 calls?")
    question.get_by_role("radio", name="High").check()
    question.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("region", name="Priority")).to_contain_text("30 of 30 calls changed.")
    assert {job["priority"] for job in office("GET", "/waiting?end=29")["jobs"]} == {"high"}
    assert office("GET", f"/job/{other}")["priority"] == "low"


def test_an_act_can_be_stopped_and_goes_on(office: Office, visit: Callable[..., Visitor]) -> None:
    """With how far it is; what was done stays done."""
    office("POST", "/pause")
    for _ in range(3):
        office.bulk(1000)
    page = visit().go("/calls/waiting")
    page.get_by_label("Select all calls on this page").check()
    page.get_by_role("button", name="Select all 3,000 calls that match").click()
    page.get_by_role("region", name="Selected calls").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel them").click()
    order = page.get_by_role("region", name="Cancel")
    order.get_by_role("button", name="Stop").click()
    expect(order).to_contain_text("Stopped after")
    assert office("GET", "/stats")["stats"]["waiting"] > 0
    order.get_by_role("button", name="Go on").click()
    expect(order).to_contain_text("3,000 of 3,000 calls cancelled.")
    assert office("GET", "/stats")["stats"]["waiting"] == 0


def test_times_are_shown_in_the_zone_that_is_chosen(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """With their distance from now; and a time is typed in that zone."""
    at = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=40)
    office("POST", "/schedule-delayed-call", {"to": NUMBER, "scheduleAt": at.isoformat()})
    page = visit().go("/calls/delayed")
    there = at.astimezone(ZoneInfo("Europe/Berlin"))
    expect(page.locator("time.when")).to_have_text(re.compile(rf", {there:%H:%M}in \d+ d"))
    page.get_by_label("Times in").select_option("UTC")
    expect(page.locator("time.when")).to_contain_text(", 10:00in")
    page.goto(f"{page.url.split('#')[0]}#/place/later")
    page.get_by_label("When").fill(f"{at:%Y-%m-%d}T12:30")
    expect(page.locator(".preview")).to_contain_text(f"{at:%Y-%m-%d} 12:30 UTC")


def test_a_scheduled_call_is_changed(office: Office, visit: Callable[..., Visitor]) -> None:
    """Its message and priority; what is refused stands beside its field."""
    job_id = office.call(NUMBER, delayMs=3_600_000, language="de-DE")
    page = visit().go(f"/call/{job_id}")
    page.get_by_role("button", name="Change", exact=True).click()
    question = page.get_by_role("dialog")
    question.get_by_label("Number").fill("12")
    question.get_by_label("Message").fill("Ihr Auto ist fertig.")
    question.get_by_role("button", name="Change it").click()
    expect(question.locator("#e-to-wrong")).to_contain_text("Must be a phone number")
    question.get_by_label("Number").fill("+14155550124")
    question.get_by_role("button", name="Change it").click()
    expect(question).to_be_hidden()
    job = office("GET", f"/job/{job_id}")
    assert (job["state"], job["data"]["to"]) == ("delayed", "+14155550124")
    assert (job["data"]["message"], job["data"]["language"]) == ("Ihr Auto ist fertig.", "de-DE")


def test_a_cancelled_call_is_corrected_and_called_again(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """From the call log, and with all of its options."""
    office("POST", "/pause")
    options = {"retryOn": ["busy"], "machineDetection": "enable", "language": "de-DE"}
    job_id = office.call(NUMBER, message="Guten Tag", lead_id="L-1", **options)
    office("DELETE", f"/job/{job_id}")
    page = visit().go(f"/call/{job_id}")
    page.get_by_role("button", name="Call again").click()
    question = page.get_by_role("dialog")
    question.get_by_label("Number").fill("+14155550125")
    question.get_by_role("button", name="Call again").click()
    expect(page.locator(".toast")).to_contain_text("is queued again")
    (job,) = office("GET", "/waiting")["jobs"]
    assert job["data"]["to"] == "+14155550125"
    assert {name: job["data"][name] for name in options} == options


def test_a_recurring_call_is_run_now_and_changed(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """Once, beside its runs; and under the same id."""
    office("POST", "/pause")
    made = office(
        "POST", "/schedule-recurring-call", {"to": NUMBER, "cronExpression": "0 9 * * *"}
    )["jobId"]
    page = visit().go(f"/recurring/{made.split(':')[1]}")
    page.get_by_role("button", name="Run once now").click()
    page.get_by_role("dialog").get_by_role("button", name="Run it now").click()
    expect(page.locator(".toast")).to_contain_text("is queued again")
    assert office("GET", "/waiting")["jobs"][0]["data"]["to"] == NUMBER
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("dialog").get_by_label("Pattern").fill("30 25 * * *")
    ahead = page.get_by_role("dialog").get_by_role("region", name="Next runs")
    expect(ahead).to_contain_text("The hour, 25, cannot be read")
    page.get_by_role("dialog").get_by_label("Pattern").fill("30 10 * * *")
    expect(ahead).to_contain_text("At 10:30 every day")
    expect(ahead.locator("li")).to_have_count(5)
    page.get_by_role("dialog").get_by_role("button", name="Change it").click()
    expect(page.locator("h1")).to_contain_text("At 10:30 every day")
    assert office("GET", f"/job/{made}")["cronExpression"] == "30 10 * * *"


def test_the_keyboard_leads_anywhere(office: Office, page: Page) -> None:
    """By words, by letters, to a call; and the keys can be looked up."""
    office("POST", "/pause")
    job_id = office.call(NUMBER)
    office.logged(job_id)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("resume")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Let calls go out again?")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.locator("h1")).to_have_text("Failed calls")
    page.keyboard.press("/")
    page.keyboard.type(job_id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=job_id, exact=True).first).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next and previous call of a list")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
