"""Placing calls: now, later, again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Route, expect

from tests.browser.conftest import Office, Visitor

NUMBER = "+14155550123"


def test_a_call_now(office: Office, visit: Callable[..., Visitor]) -> None:
    """It rings with all that was filled in."""
    page = visit().go("/place/now")
    page.get_by_label("Number to call").fill("+1 (415) 555-0123")
    page.get_by_label("Message", exact=False).first.fill("Your car is ready.")
    page.get_by_role("radio", name="High").check()
    page.get_by_label("Lead").fill("L-7")
    page.get_by_text("Voice, retries, answering machines, metadata").click()
    page.get_by_label("as in the settings").uncheck()
    page.get_by_label("busy").check()
    page.get_by_label("Call from").select_option("+4930123456")
    page.get_by_label("Metadata").fill('{"campaign": "Q4"}')
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator(".toast")).to_contain_text("The call to +1 ••••• 0123 is queued.")
    page.locator(".toast a").click()
    expect(page.locator("h1 .badge")).to_have_text("Answered")
    (job,) = office("GET", "/completed")["jobs"]
    assert job["data"] == {
        "to": NUMBER,
        "message": "Your car is ready.",
        "lead_id": "L-7",
        "priority": "high",
        "metadata": {"campaign": "Q4"},
        "retryOn": ["busy"],
        "from": "+4930123456",
    }
    assert job["call"]["from"] == "+4930123456"
    assert [ring["to"] for ring in office.phone.rings(NUMBER)][-1:] == [NUMBER]


def test_a_call_with_consent_and_against_the_rules(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """What the key may not is said at its field; without it the call goes with the consent."""
    page = visit().go("/place/now")
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_label("Message", exact=True).fill("Your car is ready.")
    page.get_by_text("Consent, and calls against the rules").click()
    page.get_by_label("Consent", exact=False).first.fill("written")
    page.get_by_label("Evidence").fill("Form 17")
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator("#consent-wrong")).to_contain_text("Choose a day and a time.")
    page.get_by_label("Agreed at").fill("2026-11-02T09:30")
    page.get_by_label("closed days").check()
    page.get_by_label("Because").fill("Short")
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator("#override-wrong")).to_contain_text("at least 10 characters")
    page.get_by_label("closed days").uncheck()
    page.get_by_label("Because").fill("")
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator(".toast")).to_contain_text("is queued")
    (job,) = office("GET", "/completed")["jobs"]
    consent = job["data"]["consent"]
    assert (consent["basis"], consent["evidence"]) == ("written", "Form 17")


def test_the_next_number_may_be_typed_while_a_call_is_sent(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """The answer empties only the fields that are as they were sent."""
    office("POST", "/pause")
    page = visit().go("/place/now")
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_label("Message", exact=True).fill("Hello")

    def answer_late(route: Route) -> None:
        page.get_by_label("Number to call").fill("+14155550124")
        route.continue_()

    page.route("**/api/queue/schedule-call", answer_late)
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator(".toast")).to_contain_text("The call to +1 ••••• 0123 is queued.")
    expect(page.get_by_label("Message", exact=True)).to_have_value("")
    expect(page.get_by_label("Number to call")).to_have_value("+14155550124")


def test_a_latest_start_is_read_on_the_clock_of_the_page(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """Of the zone that was chosen there, wherever the browser is; now and for later."""
    office("POST", "/pause")
    page = visit().go("/place/now")
    page.evaluate("localStorage.setItem('vomind-zone', 'Asia/Tokyo')")
    page.reload()
    until = (datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(days=3)).replace(hour=18, minute=5)
    for place, button in (("now", "Place the call"), ("later", "Schedule the call")):
        page.goto(f"{page.url.partition('#')[0]}#/place/{place}")
        page.get_by_label("Latest start").fill(f"{until:%Y-%m-%dT%H:%M}")
        page.get_by_label("Number to call").fill(NUMBER)
        page.get_by_label("Message", exact=True).fill("Hello")
        page.get_by_role("button", name=button).click()
        expect(page.locator(".toast").last).to_contain_text("The call to +1 ••••• 0123 is")
    jobs = [office("GET", f"/{state}")["jobs"] for state in ("waiting", "delayed")]
    ends = {job["data"]["notAfter"] for found in jobs for job in found}
    assert ends == {f"{until.astimezone(UTC):%Y-%m-%dT%H:%M}:00.000Z"}
    assert [len(found) for found in jobs] == [1, 1]


def test_a_latest_start_that_has_passed_stands_at_its_field(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """The call would never ring."""
    page = visit().go("/place/now")
    page.get_by_label("Latest start").fill("2020-01-01T00:00")
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_label("Message", exact=True).fill("Hello")
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator("#latest-wrong")).to_be_visible()
    expect(page.get_by_label("Latest start")).to_be_focused()
    assert office("GET", "/stats")["stats"]["total"] == 0


def test_an_application_speaks_in_place_of_the_message(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """No message is wanted beside it."""
    office("POST", "/pause")
    page = visit().go("/place/now")
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_text("Voice, retries, answering machines, metadata").click()
    page.get_by_label("Application for this call").fill("https://agents.example.com/voice")
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator(".toast")).to_contain_text("is queued")
    (job,) = office("GET", "/waiting")["jobs"]
    assert job["data"]["twimlUrl"] == "https://agents.example.com/voice"


def test_what_is_wrong_stands_at_its_field(office: Office, visit: Callable[..., Visitor]) -> None:
    """In the API's words, and the cursor goes there; nothing is stored."""
    page = visit().go("/place/now")
    page.get_by_label("Number to call").fill("555")
    page.get_by_label("Message", exact=True).fill("Hello")
    page.get_by_role("button", name="Place the call").click()
    field = page.get_by_label("Number to call")
    expect(page.locator("#to-wrong")).to_have_text(
        'Must be a phone number in E.164 form, such as +1234567890; got "555".'
    )
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_text("Voice, retries, answering machines, metadata").click()
    page.get_by_label("Metadata").fill("{")
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator("#metadata-wrong")).to_contain_text("This is not JSON")
    assert office("GET", "/stats")["stats"]["total"] == 0


def test_a_lost_answer_and_a_second_click_make_one_call(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """The form keeps its key until it was answered."""
    office("POST", "/pause")
    visitor = visit()
    page = visitor.go("/place/now")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/schedule-call", lose, times=1)
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_label("Message", exact=True).fill("Hello")
    page.get_by_role("button", name="Place the call").click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.get_by_role("button", name="Place the call").click()
    expect(page.locator(".toast")).to_contain_text("is queued")
    assert office("GET", "/stats")["stats"]["waiting"] == 1


def test_a_call_later(office: Office, visit: Callable[..., Visitor]) -> None:
    """At the time that this machine's clock will show, and taken back."""
    page = visit().go("/place/later")
    # The browser is in Berlin.
    there = (datetime.now(ZoneInfo("Europe/Berlin")) + timedelta(days=30)).replace(
        hour=9, minute=30
    )
    utc = there.astimezone(UTC)
    page.get_by_label("When", exact=True).fill(f"{there:%Y-%m-%dT%H:%M}")
    expect(page.locator(".preview")).to_contain_text(
        f"{there:%A}, {there.day} {there:%B %Y} at 09:30"
    )
    expect(page.locator(".preview")).to_contain_text(f"{utc:%Y-%m-%d %H:%M} UTC")
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_label("Message", exact=True).fill("Hello")
    page.get_by_role("button", name="Schedule the call").click()
    expect(page.locator(".toast")).to_contain_text(f"is scheduled for {there:%a}")
    (job,) = office("GET", "/delayed")["jobs"]
    assert job["scheduledFor"] == f"{utc:%Y-%m-%dT%H:%M}:00.000Z"
    page.locator(".toast").get_by_role("button", name="Cancel it").click()
    expect(page.locator(".toast").last).to_contain_text("is cancelled")
    assert office("GET", "/stats")["stats"]["total"] == 0


def test_a_recurring_call_with_its_next_runs(office: Office, visit: Callable[..., Visitor]) -> None:
    """As the server reckons them, while the pattern is typed."""
    page = visit().go("/place/recurring")
    ahead = page.locator(".runs-ahead")
    expect(ahead).to_contain_text("At 09:00 on Monday through Friday")
    expect(ahead.locator("li")).to_have_count(5)
    page.get_by_label("Pattern", exact=True).fill("30 7 * * *")
    page.get_by_label("Time zone").fill("America/New_York")
    expect(ahead).to_contain_text("At 07:30 every day")
    expect(ahead.locator("li").first).to_contain_text("07:30")
    page.get_by_label("Pattern", exact=True).fill("61 * * * *")
    expect(ahead.locator(".fault")).to_be_visible()
    expect(page.get_by_role("button", name="Create recurring call")).to_be_disabled()
    page.get_by_role("button", name="Mondays at 9").click()
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_label("Message", exact=True).fill("Hello")
    page.get_by_role("button", name="Create recurring call").click()
    expect(page.locator(".toast")).to_contain_text("Recurring call scheduled successfully")
    (job,) = office("GET", "/recurring")["jobs"]
    assert (job["cronExpression"], job["timezone"]) == ("0 9 * * 1", "America/New_York")


def test_what_changed_a_recurring_call_is_not_undone_by_stopping_it(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """The page says that it was there already, and offers no way to lose it."""
    wanted = {"to": NUMBER, "cronExpression": "0 9 * * 1-5", "timezone": "Europe/Berlin"}
    office("POST", "/schedule-recurring-call", wanted)
    page = visit().go("/place/recurring")
    page.get_by_label("Number to call").fill(NUMBER)
    page.get_by_label("Message", exact=False).first.fill("Changed")
    page.get_by_role("button", name="Create recurring call").click()
    expect(page.locator(".toast")).to_contain_text("has this number, pattern and zone already")
    expect(page.locator(".toast").get_by_role("button", name="Undo")).to_have_count(0)
    (job,) = office("GET", "/recurring")["jobs"]
    assert job["data"]["message"] == "Changed"
