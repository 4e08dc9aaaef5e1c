"""What a person does to the queue: each asks first, and says what it touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Office, Visitor

NUMBER = "+14155550123"
#: Numbers that the simulator refuses, for two reasons.
INVALID, UNREACHABLE = "+15005550001", "+15005550002"


def agree(page: Page, name: str) -> str:
    """Confirm the question; return its text."""
    question = page.get_by_role("dialog")
    question.get_by_role("button", name=name, exact=True).wait_for()
    said = question.inner_text()
    question.get_by_role("button", name=name, exact=True).click()
    return said


def undo(page: Page, name: str = "Undo") -> None:
    """Take the last thing back."""
    page.locator(".toast").last.get_by_role("button", name=name).click()


def failed(office: Office) -> list[str]:
    """Return two calls that failed for one reason, and one for another; their ids."""
    ids = [office.call(number) for number in (INVALID, INVALID, UNREACHABLE)]
    for job_id in ids:
        office.until_state(job_id, "failed")
    return ids


def test_pause_and_resume(office: Office, page: Page) -> None:
    """With a name, and a way back from each."""
    page.get_by_role("button", name="Pause").click()
    assert "No call starts from now on" in agree(page, "Pause")
    expect(page.locator("#verdict")).to_have_text("Paused by ops")
    assert office("GET", "/stats")["pausedBy"] == "ops"
    undo(page, "Resume")
    expect(page.locator("#verdict")).to_have_text("Ready: no call is waiting")
    assert not office("GET", "/stats")["paused"]
    undo(page, "Pause again")
    expect(page.locator("#verdict")).to_have_text("Paused by ops")


def test_a_question_can_be_left(office: Office, page: Page) -> None:
    """By its button or by Escape; nothing is done."""
    for leave in (
        lambda: page.get_by_role("button", name="Keep calling").click(),
        lambda: page.keyboard.press("Escape"),
    ):
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        leave()
        expect(page.get_by_role("dialog")).to_be_hidden()
    assert not office("GET", "/stats")["paused"]


def test_cancel_and_put_back(office: Office, visit: Callable[..., Visitor]) -> None:
    """The same call, its message and all, under a new id."""
    office("POST", "/pause")
    job_id = office.call(NUMBER, message="Hi", lead_id="L-1", priority="high", metadata={"a": 1})
    page = visit().go("/calls/waiting")
    page.get_by_role("button", name=f"Cancel call {job_id}").click()
    assert "+1 ••••• 0123" in agree(page, "Cancel the call")
    expect(page.get_by_text("No call is waiting.")).to_be_visible()
    undo(page)
    expect(page.locator("table.calls tbody tr")).to_have_count(1)
    (job,) = office("GET", "/waiting")["jobs"]
    assert job["jobId"] != job_id
    assert job["data"] == {
        "to": NUMBER,
        "message": "Hi",
        "lead_id": "L-1",
        "priority": "high",
        "metadata": {"a": 1},
    }


def test_a_scheduled_call_is_put_back_at_its_time(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """Not at once."""
    job_id = office.call(NUMBER, delayMs=3_600_000)
    due = office("GET", f"/job/{job_id}")["scheduledFor"]
    page = visit().go(f"/call/{job_id}")
    page.get_by_role("button", name="Cancel").click()
    agree(page, "Cancel the call")
    expect(page.locator(".page")).to_contain_text("Not in the queue any more")
    undo(page)
    page.get_by_role("link", name="Look").click()
    expect(page.locator("h1")).to_contain_text("Scheduled")
    (job,) = office("GET", "/delayed")["jobs"]
    assert job["scheduledFor"] == due


def test_retry_one(office: Office, visit: Callable[..., Visitor]) -> None:
    """From its page, or where a search finds it: it waits again, and says why it had failed."""
    job_id, found, _ = failed(office)
    office("POST", "/pause")
    visitor = visit()
    page = visitor.go(f"/call/{job_id}")
    expect(page.locator(".notice.error")).to_contain_text("error 21217")
    page.get_by_role("button", name="Retry").click()
    assert "It failed: Twilio will not place this call" in agree(page, "Try again")
    expect(page.locator("h1 .badge")).to_have_text("Waiting")
    assert office("GET", f"/job/{job_id}")["state"] == "waiting"
    office.logged(found)
    visitor.go(f"/calls?q={found}")
    # The log of the shared stack may have one of the same id from before it was emptied.
    page.get_by_role("button", name=f"Retry call {found}").first.click()
    agree(page, "Try again")
    office.until_state(found, "waiting")


def test_retry_all_of_a_reason(office: Office, visit: Callable[..., Visitor]) -> None:
    """And no others."""
    first, second, other = failed(office)
    office("POST", "/pause")
    page = visit().go("/calls/failed")
    page.get_by_role("button", name="Retry all 2 of twilio-21217").click()
    assert "Try 2 failed calls again?" in agree(page, "Try 2 again")
    expect(page.locator("table.calls tbody tr")).to_have_count(1)
    assert {job["jobId"] for job in office("GET", "/waiting")["jobs"]} == {first, second}
    assert office("GET", f"/job/{other}")["state"] == "failed"


def test_clean_history(office: Office, visit: Callable[..., Visitor]) -> None:
    """How many it is going to be is said before."""
    failed(office)
    page = visit().go("/calls/failed")
    page.get_by_role("button", name="Delete finished calls").click()
    question = page.get_by_role("dialog")
    # They are younger than an hour.
    expect(question).to_contain_text("0 completed calls and 0 failed ones will be removed")
    expect(question.get_by_role("button", name="Delete them")).to_be_disabled()
    question.get_by_role("radio", name="any age").check()
    expect(question).to_contain_text("0 completed calls and 3 failed ones will be removed")
    agree(page, "Delete them")
    expect(page.get_by_text("No call is failed.")).to_be_visible()
    assert office("GET", "/stats")["stats"]["total"] == 0


@pytest.mark.parametrize("place", ["its page", "the list"])
def test_hang_up(office: Office, visit: Callable[..., Visitor], place: str) -> None:
    """While it is on the line, and only then; what that does is said before."""
    office.phone.outcomes({"outcome": "human", "pace": 30})
    job_id = office.call(NUMBER)
    sid = office.until_state(job_id, "completed")["call"]["sid"]
    page = visit().go(f"/call/{job_id}" if place == "its page" else "/calls/completed")
    name = "Hang up" if place == "its page" else f"Hang up call {job_id}"
    page.get_by_role("button", name=name).click()
    said = agree(page, "Hang up")
    assert "+1 ••••• 0123 is on the line" in said
    assert "Twilio ends it: the phone stops ringing" in said
    expect(page.locator("main")).to_contain_text("Hung up by us")
    expect(page.get_by_role("button", name=name)).to_have_count(0)
    assert office.phone.get(f"/{sid}").json()["status"] == "canceled"


def test_remove_one_from_history(office: Office, visit: Callable[..., Visitor]) -> None:
    """The call log keeps what it knows."""
    job_id = office.call(NUMBER)
    office.until_state(job_id, "completed")
    office.logged(job_id)
    page = visit().go(f"/call/{job_id}")
    page.get_by_role("button", name="Remove").click()
    agree(page, "Remove")
    expect(page.locator("h1")).to_have_text("Placed calls")
    assert office("GET", "/stats")["stats"]["total"] == 0
    assert office.logged(job_id)["jobId"] == job_id


def test_what_is_refused_is_told(office: Office, visit: Callable[..., Visitor]) -> None:
    """Here somebody else was quicker."""
    office("POST", "/pause")
    job_id = office.call(NUMBER)
    page = visit().go(f"/call/{job_id}")
    page.get_by_role("button", name="Cancel").click()
    office("DELETE", f"/job/{job_id}")
    agree(page, "Cancel the call")
    expect(page.locator(".toast.bad")).to_contain_text(f"No such job: {job_id}.")


def test_a_recurring_call_comes_back_as_it_was(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """Paused, and with the runs that were left."""
    wanted = {"to": NUMBER, "cronExpression": "0 9 * * *", "maxRuns": 3, "message": "Good day"}
    made = office("POST", "/schedule-recurring-call", wanted)["jobId"]
    office("POST", f"/job/{made}/pause")
    page = visit().go(f"/recurring/{made.split(':')[1]}")
    page.get_by_role("button", name="Stop for good").click()
    agree(page, "Stop it")
    undo(page)
    expect(page.locator(".toast").last).to_contain_text("Made again as")
    (job,) = office("GET", "/recurring")["jobs"]
    assert (job["status"], job["maxRuns"], job["data"]["message"]) == ("paused", 3, "Good day")


def test_a_call_that_left_is_not_shown_as_waiting(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """Also while the call log does not know of it yet."""
    job_id = office.call(NUMBER, delayMs=3_600_000)
    page = visit().go(f"/call/{job_id}")
    expect(page.locator("h1 .badge")).to_have_text("Scheduled")
    page.route("**/api/calls/*", lambda route: route.fulfill(status=404, json={}))
    office("DELETE", f"/job/{job_id}")
    expect(page.get_by_text("It has left the queue.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    page.unroute("**/api/calls/*")
    expect(page.locator("h1 .badge")).to_have_text("Cancelled")
