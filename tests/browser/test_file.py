"""Calls from a file: what is in it is looked at before anything is sent."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import SECRET, Office, Visitor
from tests.browser.test_everybody import violations
from tests.stack import until
from tests.unit.lists.reading import workbook

HEADER = ["Name", "Phone", "City"]
#: Two extensions, three people who are there twice, and one who is not to be called.
ODD = [
    ["Eve", "+1 415 555 0190 ext. 12", "Boston"],
    ["Rob", "+1 415 555 0191 x13", "Boston"],
    ["Ann 0", "+1 (415) 555-0100", "Boston"],
    ["Ann 1", "001 415 555 0101", "Boston"],
    ["Ann 2", "+14155550102", "Boston"],
    ["Max", "+14155550199", "Boston"],
]
#: How long 100,000 rows may take on a busy machine, ms.
LONG_MS = 900_000


def fifty() -> list[list[str]]:
    """People in four countries."""
    american = [[f"Ann {number}", f"+1415555{100 + number:04d}", "Boston"] for number in range(12)]
    british = [
        [f"Bob {number}", f"+44 20 7946 {100 + number:04d}", "London"] for number in range(12)
    ]
    italian = [[f"Ugo {number}", f"+39 06 555 0{100 + number:04d}", "Roma"] for number in range(12)]
    german = [[f"Jan {number}", f"0171/3920{100 + number:04d}", "Köln"] for number in range(8)]
    return [*american, *british, *italian, *german, *ODD]


def choose(page: Page, name: str, raw: bytes) -> None:
    """Choose a file, and upload it."""
    payload: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": raw}
    page.get_by_label("File of calls").set_input_files(payload)
    page.get_by_role("button", name="Upload and look at it").click()


def many(count: int) -> bytes:
    """A list of as many people."""
    rows = "".join(f"+1415{2_000_000 + number},Hello {number}\n" for number in range(count))
    return f"Phone,Message\n{rows}".encode()


def test_a_spreadsheet_becomes_a_campaign(
    office: Office, visit: Callable[..., Visitor], axe: str
) -> None:
    """Fifty people of four countries: previewed, accepted, paused half-way, resumed."""
    answer = office.session.post(
        f"{office.stack.web_url}/api/do-not-call",
        json={"numbers": ["+14155550199"]}, headers={"X-API-Key": SECRET}, timeout=30,
    )  # fmt: skip
    answer.raise_for_status()
    before = len(office.phone.rings())

    def rang() -> int:
        return len(office.phone.rings()) - before

    page = visit().go("/campaigns")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Name of the campaign").fill("Orders")
    page.get_by_label("Country of numbers").fill("de")
    page.get_by_label("Message where the file has none").fill("Hello {{Name}}, it is ready.")
    choose(page, "people.xlsx", workbook(People=[HEADER, *fifty()]))
    counts = page.get_by_role("region", name="Counts")
    for said in ("44 will ring", "3 doubles", "2 refused", "1 on the do-not-call list"):
        expect(counts).to_contain_text(said)
    row = page.get_by_role("row").filter(has_text="0171/39200100")
    expect(row).to_contain_text("+4917139200100")
    expect(row).to_contain_text("Hello Jan 0, it is ready.")
    assert violations(page, axe) == []
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the refused rows").click()
    text = Path(saved.value.path()).read_text("utf-8-sig")
    refused = list(csv.DictReader(io.StringIO(text)))
    assert [each["Name"] for each in refused] == ["Eve", "Rob"]
    assert all("extension" in each["why"] for each in refused)
    assert office("GET", "/stats")["stats"]["total"] == 0
    page.get_by_role("button", name="Accept 44 calls").click()
    expect(page.get_by_text("44 calls accepted.")).to_be_visible()
    # Half of them may start within a minute, so that there is a half-way.
    campaign = office("GET", "/campaigns")["campaigns"][0]["campaignId"]
    office("PATCH", f"/campaigns/{campaign}", {"pace": "22/m"})
    page.get_by_role("button", name="Start the campaign").click()
    page.get_by_role("dialog").get_by_role("button", name="Start the campaign").click()
    until(lambda: rang() >= 22, within_s=120, what="half of them rang")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Pause the campaign").click()
    expect(page.locator("h1 .badge")).to_have_text("Paused")
    assert office("GET", f"/campaigns/{campaign}")["counts"]["waiting"] == 22
    office("PATCH", f"/campaigns/{campaign}", {"pace": None})
    page.get_by_role("button", name="Resume", exact=True).click()
    page.get_by_role("button", name="Resume the campaign").click()
    until(lambda: rang() == 44, within_s=120, what="all of them rang")


def test_what_cannot_be_read_is_said_and_makes_no_second_campaign(
    office: Office, visit: Callable[..., Visitor]
) -> None:
    """Another file is chosen in the same place; open questions are answered there."""
    page = visit().go("/place/file")
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_role("alert")).to_have_text("Choose a file first.")
    choose(page, "empty.csv", b"\n")
    expect(page.get_by_role("alert")).to_have_text("The file is empty.")
    choose(page, "people.csv", b"Mobile,Phone,Message\n+14155550101,+14155550102,Hello\n")
    accept = page.get_by_role("button", name="Accept")
    expect(accept).to_be_disabled()
    page.get_by_label("What Phone is taken for").select_option("to")
    expect(page.get_by_role("button", name="Accept 1 call")).to_be_enabled()
    expect(page.get_by_role("row").filter(has_text="+14155550102").last).to_contain_text(
        "will ring"
    )
    assert len(office("GET", "/campaigns")["campaigns"]) == 1


def test_a_large_list_is_watched_while_it_is_read(
    office: Office, visit: Callable[..., Visitor], full: bool
) -> None:
    """And while its calls are stored; with --full it has 100,000 rows."""
    count, patience = (100_000, LONG_MS) if full else (2_100, LONG_MS / 5)
    office("POST", "/pause")
    page = visit().go("/campaigns/new")
    # A question that gets no good answer is asked again.
    page.route(
        re.compile(r"/campaigns/\d+/list/\d+$"),
        lambda route: route.fulfill(status=503, json={"detail": "Redis is away."}),
        times=1,
    )
    choose(page, "people.csv", many(count))
    accept = page.get_by_role("button", name=f"Accept {count:,} calls")
    expect(accept).to_be_enabled(timeout=patience)
    page.get_by_role("link", name="Last page").click()
    expect(page.locator("table").last).to_contain_text(f"+1415{2_000_000 + count - 1}")
    accept.click()
    expect(page.get_by_text(f"{count:,} calls accepted.")).to_be_visible(timeout=patience)
    assert office("GET", "/stats")["stats"]["total"] == count
