"""Takes the pictures for the documentation: ``make pictures``.

A real stack on separate ports is filled as on a working day, and each page is photographed.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import filled
from tests.servers import Server
from tests.stack import ROOT, Stack, until
from vomind_queue.queue import keys

FOLDER = ROOT / "docs" / "pictures"
ALLOWED = 30
CSV = """\
Phone,Message,Customer ID,Priority,City
+1 (202) 555-0143,"Your order is ready, until six.",C-1041,high,Washington
617 555 0119,Your order is ready.,C-1042,,Boston
+13125550177,,C-1043,low,Chicago
12,Your order is ready.,C-1044,normal,Austin
+14155550102,Your order is ready.,C-1045,soon,San Francisco
+17185550150,Your order is ready.,C-1046,normal,New York
"""


@contextmanager
def working_day() -> Iterator[Stack]:
    """A stack with calls in every state, held by its limit."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(kind="valkey", directory=Path(folder) / "server")
        server.start()
        stack = Stack(directory=Path(folder), redis_url=server.url)
        stack.settings |= {"PUBLIC_URL": stack.web_url, "CALL_RATE_LIMIT": f"{ALLOWED}/m"}
        try:
            stack.start_all()
            stack.start("shipper")
            stack.start("beat")
            fill(stack, server)
            yield stack
        finally:
            stack.close()
            server.kill()


def fill(stack: Stack, server: Server) -> None:
    """Calls in every state; the minutes before now, which nobody waits for, by hand."""
    rng = random.Random(4)
    queue = stack.queue_url
    with server.client() as client:
        filled.the_hour_before(client, rng, ALLOWED)
        filled.recurring(queue, rng)
        later = filled.calls(rng, 46)
        for at, call in enumerate(later):
            call["delayMs"] = 1_300_000 * (at + 1)
        first = filled.special(rng, 9) + filled.calls(rng, 21, priority="high")
        # At first without a limit, so that there is a past.
        client.set(keys.RATE, "off")
        _bulk(queue, first)
        _bulk(queue, later)
        until(lambda: _numbers(queue)["waiting"] == 0, within_s=60, what="the first calls ring")
        client.delete(keys.RATE)
        _bulk(queue, filled.calls(rng, 112))
        time.sleep(6)


def _bulk(queue: str, calls: list[dict[str, object]]) -> None:
    requests.post(f"{queue}/schedule-bulk-calls", json={"calls": calls}, timeout=30)


def _numbers(queue: str) -> dict[str, int]:
    numbers: dict[str, int] = requests.get(f"{queue}/stats", timeout=30).json()["stats"]
    return numbers


def shoot(page: Page, name: str, *, height: int | None = None) -> None:
    """One picture."""
    page.locator(".loading").wait_for(state="detached")
    page.wait_for_timeout(700)
    size = page.viewport_size
    if height and size:
        page.set_viewport_size({"width": size["width"], "height": height})
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(300)
    page.screenshot(path=FOLDER / f"{name}.png")
    if height and size:
        page.set_viewport_size(size)


def go(page: Page, stack: Stack, place: str) -> Page:
    """To one of the page's places."""
    page.goto(f"{stack.web_url}/#{place}")
    page.locator("h1").wait_for(state="attached")
    return page


def wide(browser: Browser, stack: Stack) -> None:
    """All pages, light."""
    context = browser.new_context(
        viewport={"width": 1360, "height": 860}, timezone_id="America/New_York"
    )
    page = context.new_page()
    shoot(go(page, stack, "/"), "overview", height=830)
    shoot(go(page, stack, "/calls/waiting"), "calls")
    shoot(go(page, stack, "/calls/failed"), "failed")
    shoot(go(page, stack, f"/call/{_one(stack, 'completed', 8)}"), "call")
    shoot(go(page, stack, f"/call/{_one(stack, 'waiting', 40)}"), "why")
    shoot(go(page, stack, "/recurring"), "recurring", height=560)
    go(page, stack, "/place/recurring")
    page.get_by_label("Number to call").fill("+12025550143")
    page.get_by_label("Message", exact=False).first.fill(filled.MESSAGES[0])
    shoot(page, "place", height=1040)
    a_file(page, stack)
    context.close()


def a_file(page: Page, stack: Stack) -> None:
    """A list that was read."""
    go(page, stack, "/place/file")
    payload = {"name": "customers.csv", "mimeType": "text/csv", "buffer": CSV.encode()}
    page.get_by_label("File of calls").set_input_files(payload)  # type: ignore[arg-type]
    page.get_by_label("Country of numbers").fill("US")
    page.get_by_label("Message where the file has none").fill("Your order is ready.")
    page.get_by_role("button", name="Upload and look at it").click()
    page.locator(".faults").wait_for()
    shoot(page, "file", height=1360)


def _one(stack: Stack, state: str, at: int) -> str:
    """Return id of a call in that state."""
    url = f"{stack.queue_url}/{state}?start={at}&end={at}"
    return str(requests.get(url, timeout=30).json()["jobs"][0]["jobId"])


def others(browser: Browser, stack: Stack) -> None:
    """In the dark, and on a phone."""
    context = browser.new_context(viewport={"width": 1360, "height": 860}, color_scheme="dark")
    shoot(go(context.new_page(), stack, "/"), "overview-dark", height=830)
    context.close()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    shoot(go(page, stack, "/"), "phone")
    shoot(go(page, stack, "/calls/waiting"), "phone-calls")
    context.close()


def main() -> None:
    """Take all of them."""
    program = shutil.which("chromium")
    if program is None:
        sys.exit("chromium is missing. On Debian and Ubuntu: apt install chromium")
    FOLDER.mkdir(exist_ok=True)
    with working_day() as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        wide(browser, stack)
        others(browser, stack)
        browser.close()


if __name__ == "__main__":
    main()
