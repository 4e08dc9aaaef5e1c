"""Many calls from a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Office, Visitor

HEAD = "Phone;Text;Customer ID;Priority;City"


@pytest.fixture
def choose(office: Office, visit: Callable[..., Visitor], tmp_path: Path) -> Callable[..., Page]:
    """Opens a file of that text at the page; the queue is paused."""
    office("POST", "/pause")

    def open_it(text: str | bytes) -> Page:
        path = tmp_path / "people.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        page = visit().go("/place/file")
        page.get_by_label("CSV file").set_input_files(path)
        return page

    return open_it


def check(page: Page) -> None:
    """Let every row be held against the rules."""
    page.get_by_role("button", name="Check").click()


def test_columns_are_found_by_their_headers(office: Office, choose: Callable[..., Page]) -> None:
    """The first rows are shown as calls; choices change them."""
    page = choose(f"{HEAD}\n+1 (415) 555-0100;Hello;L-1;HIGH;Boston\n415 555 0101;;;;Paris\n")
    assert page.get_by_label("Number", exact=True).input_value() == "0"
    rows = page.locator("table.calls tbody tr")
    expect(rows.first).to_contain_text("+1 ••••• 0100")
    expect(rows.first).to_contain_text("Hello")
    expect(rows.first).to_contain_text("L-1")
    expect(rows.first).to_contain_text("high")
    page.get_by_label("Country code for local numbers").fill("+1")
    page.get_by_label("Message where none is given").fill("Good day")
    page.get_by_label("Keep the other columns").check()
    expect(rows.nth(1)).to_contain_text("+1 ••••• 0101")
    check(page)
    expect(page.get_by_text("All 2 rows are right.")).to_be_visible()
    assert office("GET", "/stats")["stats"]["total"] == 0
    page.get_by_role("button", name="Send 2 calls").click()
    expect(page.get_by_text("2 calls accepted.")).to_be_visible()
    first, second = office("GET", "/waiting")["jobs"]
    assert first["data"] == {
        "to": "+14155550100",
        "message": "Hello",
        "lead_id": "L-1",
        "priority": "high",
        "metadata": {"City": "Boston"},
    }
    assert (second["data"]["to"], second["data"]["message"]) == ("+14155550101", "Good day")


def test_errors_are_told_by_line_before_anything_is_sent(
    office: Office, choose: Callable[..., Page]
) -> None:
    """Lines of the file, also where a cell has several; the rest can be sent without them."""
    page = choose(
        'to,message,scheduleAt,priority\n+14155550100,"two\nlines",,\n555,x,,\n\n'
        "+14155550101,x,2020-01-01T00:00:00Z,\n+14155550102,x,,urgent\n+14155550100,x,,\n"
    )
    check(page)
    faults = page.locator(".faults li")
    expect(faults).to_have_count(3)
    expect(faults.nth(0)).to_contain_text(
        "Line 4 to: Must be a phone number in E.164 form, such as +1234567890"
    )
    expect(faults.nth(1)).to_contain_text("Line 6 scheduleAt: Must be at most")
    expect(faults.nth(2)).to_contain_text("Line 7 priority: Must be high, normal or low")
    expect(page.get_by_text("1 row has a number that stands above already")).to_be_visible()
    assert office("GET", "/stats")["stats"]["total"] == 0
    page.get_by_role("button", name="Send 2 calls").click()
    expect(page.get_by_text("2 calls accepted.")).to_be_visible()
    assert office("GET", "/stats")["stats"]["waiting"] == 2


def test_whom_the_calls_come_from_is_shown(choose: Callable[..., Page]) -> None:
    """Once the file was checked, where it is not one number for all."""
    page = choose(
        "to,from\n+14155550100,+4930123456\n+14155550101,\n+14155550102,\n+14155550103,+19\n"
    )
    check(page)
    expect(page.get_by_text("2 calls from +15005550006, 1 call from +4930123456.")).to_be_visible()


def many(count: int) -> str:
    """Return a file with as many good rows."""
    return "to\n" + "".join(f"+1415{number:07d}\n" for number in range(count))


def test_a_broken_connection_does_no_harm(office: Office, choose: Callable[..., Page]) -> None:
    """Answers are lost on the way, the file is sent again from the start: each rings once."""
    page = choose(many(1_200))
    check(page)
    expect(page.get_by_text("All 1,200 rows are right.")).to_be_visible()
    lost: list[str] = []

    def lose(route: Route) -> None:
        # Carried out, and nobody heard of it.
        if len(lost) < 2:
            lost.append(route.request.headers["idempotency-key"])
            route.fetch()
            route.abort()
        else:
            route.fallback()

    page.route("**/schedule-bulk-calls", lose)
    page.get_by_role("button", name="Send 1,200 calls").click()
    expect(page.get_by_text("1,200 calls accepted.")).to_be_visible()
    assert len(set(lost)) == 1
    assert office("GET", "/stats")["stats"]["waiting"] == 1_200
    again = choose(many(1_200))
    check(again)
    again.get_by_role("button", name="Send 1,200 calls").click()
    expect(again.get_by_text("1,200 calls accepted.")).to_be_visible()
    assert office("GET", "/stats")["stats"]["waiting"] == 1_200


def test_sending_that_was_interrupted_goes_on(office: Office, choose: Callable[..., Page]) -> None:
    """What was refused for good is told; what was sent is kept."""
    page = choose(many(700))
    check(page)

    def refuse(route: Route) -> None:
        route.fulfill(status=413, json={"detail": "Too much for the proxy."})

    seen: list[Route] = []

    def second(route: Route) -> None:
        seen.append(route)
        if len(seen) == 2:
            refuse(route)
        else:
            route.fallback()

    page.route("**/schedule-bulk-calls", second)
    page.get_by_role("button", name="Send 700 calls").click()
    expect(page.get_by_role("alert")).to_have_text("Too much for the proxy.")
    expect(page.get_by_text("Sent: 500 of 700")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("700 calls accepted.")).to_be_visible()
    assert office("GET", "/stats")["stats"]["waiting"] == 700


def test_the_report_has_each_line(choose: Callable[..., Page], office: Office) -> None:
    """With its job id or what was wrong, and no formula for a spreadsheet."""
    page = choose('to,lead_id\n+14155550100,"=HYPERLINK(""http://evil"")"\n=1,@cmd\n')
    check(page)
    page.get_by_role("button", name="Send 1 call").click()
    expect(page.get_by_text("1 call accepted.")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the report").click()
    assert saved.value.suggested_filename == "people-report.csv"
    text = Path(saved.value.path()).read_text("utf-8-sig")
    good, bad = csv.DictReader(io.StringIO(text))
    (job,) = office("GET", "/waiting")["jobs"]
    assert good == {
        "line": "2",
        "to": "+14155550100",
        "lead_id": '\'=HYPERLINK("http://evil")',
        "result": "accepted",
        "jobId": job["jobId"],
        "reason": "",
    }
    assert (bad["result"], bad["to"], bad["lead_id"]) == ("wrong", "'=1", "'@cmd")
    assert bad["reason"].startswith("to: Must be a phone number")


def test_a_file_of_another_time(office: Office, choose: Callable[..., Page]) -> None:
    """Tabs and Windows' own letters are read, too."""
    page = choose("phone\ttext\r\n+14155550100\tGrüße\r\n".encode("cp1252"))
    expect(page.locator("table.calls tbody tr")).to_contain_text("Grüße")


@pytest.mark.parametrize("text", ["", "to\n", "\n\n"])
def test_a_file_without_rows(choose: Callable[..., Page], text: str) -> None:
    """Is said to have none."""
    expect(choose(text).get_by_role("alert")).to_have_text("The file has no rows below its header.")


def test_a_quotation_mark_that_is_not_closed_is_told(choose: Callable[..., Page]) -> None:
    """It would make one message of all lines below it."""
    page = choose('to,message\n+14155550100,a\n+14155550101,"b\n+14155550102,c\n')
    expect(page.get_by_role("alert")).to_contain_text("A quotation mark in line 3 is never closed")
    expect(page.get_by_role("button", name="Check")).to_have_count(0)


def test_unicode_text_of_a_spreadsheet(choose: Callable[..., Page]) -> None:
    """Has two bytes for each sign, and tabs."""
    page = choose("to\tmessage\n+14155550100\tGrüße\n".encode("utf-16"))
    expect(page.locator("table.calls tbody tr").first).to_contain_text("Grüße")


def test_rows_that_are_not_sent_are_no_doubles(choose: Callable[..., Page]) -> None:
    """Two without a number do not ring twice."""
    page = choose("to,message\n+14155550100,a\n,b\n,c\n")
    check(page)
    expect(page.get_by_text("2 rows cannot be called")).to_be_visible()
    expect(page.get_by_text("stands above already")).to_have_count(0)


def test_sending_stops_where_nobody_sees_it(office: Office, choose: Callable[..., Page]) -> None:
    """A person who leaves the page is told how far it came; the same file goes on."""
    page = choose(many(1_200))
    check(page)

    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/schedule-bulk-calls", hold)
    with page.expect_request("**/schedule-bulk-calls"):
        page.get_by_role("button", name="Send 1,200 calls").click()
    page.evaluate("location.hash = '#/calls/waiting'")
    page.locator(".empty").wait_for()
    held[0].continue_()
    expect(page.locator(".toast.bad")).to_contain_text("Sending stopped after 500 of 1,200 calls.")
    assert office("GET", "/stats")["stats"]["waiting"] == 500
