"""A real browser on a whole stack, started once for all tests beside this file."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.acceptance.conftest import FAST
from tests.servers import Server, missing
from tests.simulator import SimulatorClient
from tests.stack import Stack, until
from vomind_queue.queue import keys

#: The key that the page signs in with; "paused by" shows its name.
SECRET = "a-long-secret"
SETTINGS = FAST | {
    "API_KEYS": f"ops:{SECRET}",
    "CALL_WORKER_CONCURRENCY": "8",
    "TWILIO_PHONE_NUMBERS": "+15005550006,+4930123456",
    "TWIML_HOSTS": "agents.example.com",
}
#: How long the page may take to show something, ms: two busy cores included.
PATIENCE_MS = 60_000
#: The page looks for news when it is seen again: here every 250 ms, so that tests need not wait.
OFTEN = "setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 250)"
#: Parts of the stack that are there before and after each test.
_KEPT = (
    keys.WORKERS,
    keys.SCHEDULER,
    keys.SCHEDULER_LOCK,
    keys.OUTBOX_LEADER,
    keys.OUTBOX_LAST,
    keys.OUTBOX_SHIPPED,
    # Without it the shipper would bring campaigns of other tests back.
    keys.OUTBOX_COMPARED,
)


@dataclass(kw_only=True)
class Office:
    """The stack, its API as an app uses it, and its telephone."""

    stack: Stack
    server: Server
    phone: SimulatorClient
    client: redis.Redis
    session: requests.Session = field(default_factory=requests.Session)

    def __call__(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send one request to the queue that must succeed."""
        headers = {"X-API-Key": SECRET}
        answer = self.session.request(
            method, self.stack.queue_url + path, json=body, headers=headers, timeout=30
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def call(self, to: str, **fields: Any) -> str:
        """Schedule a call; its id."""
        path = "/schedule-delayed-call" if "delayMs" in fields else "/schedule-call"
        return str(self("POST", path, {"to": to, **fields})["jobId"])

    def bulk(self, count: int, **fields: Any) -> list[str]:
        """Schedule that many calls; their ids."""
        calls = [{"to": f"+1415{number:07d}", **fields} for number in range(count)]
        jobs = self("POST", "/schedule-bulk-calls", {"calls": calls})["jobs"]
        return [job["jobId"] for job in jobs]

    def until_state(self, job_id: str, state: str) -> dict[str, Any]:
        """Wait for a job to be in that state."""

        def arrived() -> dict[str, Any]:
            job = self("GET", f"/job/{job_id}")
            return job if job["state"] == state else {}

        return until(arrived, within_s=30, what=f"job {job_id} is {state}")

    def logged(self, job_id: str) -> dict[str, Any]:
        """Wait for a call to be in the call log."""
        url = f"{self.stack.web_url}/api/calls/{job_id}"

        def there() -> dict[str, Any]:
            answer = self.session.get(url, headers={"X-API-Key": SECRET}, timeout=30)
            return answer.json() if answer.status_code == 200 else {}

        return until(there, within_s=30, what=f"call {job_id} is in the log")

    def empty(self) -> None:
        """Take every call away; the processes go on, but ring nobody meanwhile."""
        self.phone.mend()
        self.phone.as_usual()
        self("POST", "/pause")
        until(self._holds_none, within_s=30, what="the worker holds no call")
        # At once: the worker would take the calls that are still there when the pause is gone.
        names = set(self.client.scan_iter("{calls}:*", count=1000))
        with self.client.pipeline() as pipe:
            pipe.delete(*names.difference(_KEPT))
            # Without it the shipper would bring the numbers back that other tests listed.
            pipe.zadd(keys.DO_NOT_CALL, {"restored": 0})
            pipe.execute()

    def _holds_none(self) -> bool:
        return self.client.zcard(keys.LEASES) == 0


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Web, worker, shipper and simulator; no scheduler, which only its own tests would want."""
    directory = tmp_path_factory.mktemp("browser")
    server = Server(kind="valkey", directory=directory / "server")
    server.start()
    stack = Stack(directory=directory, redis_url=server.url, settings=dict(SETTINGS))
    stack.settings["PUBLIC_URL"] = stack.web_url
    try:
        stack.start_all()
        stack.start("shipper")
        yield Office(
            stack=stack,
            server=server,
            phone=SimulatorClient(stack.simulator_url),
            client=server.client(),
        )
    finally:
        stack.close()
        server.kill()


@pytest.fixture
def office(everything: Office) -> Office:
    """The stack without a call."""
    everything.empty()
    return everything


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without its windows where that is installed: it is half the work.

    One for each file: while it is open, an event loop runs in this thread, and other files'
    tests make their own.
    """
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if program is None:
        missing("chromium")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield made
        made.close()


class Visitor:
    """A person at the page. Whatever goes wrong in it is remembered."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.troubles: list[str] = []
        self.hosts: set[str] = set()
        #: Requests that may change something and have no answer yet.
        self._sending: set[Request] = set()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._heard)
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def _asked(self, request: Request) -> None:
        self.hosts.add(re.sub(r"^(\w+://[^/]*).*", r"\1", request.url))
        if request.method != "GET":
            self._sending.add(request)

    def _answered(self, request: Request) -> None:
        self._sending.discard(request)

    def _heard(self, message: Any) -> None:
        # The console also shows refused requests; tests check the page for those.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(message.text)

    def finish(self) -> None:
        """Wait for the answers to what was sent: the next test would find those calls."""
        until_s = time.monotonic() + PATIENCE_MS / 1000
        while self._sending and not self.page.is_closed() and time.monotonic() < until_s:
            self.page.wait_for_timeout(20)

    def go(self, address: str = "/") -> Page:
        """Open one of the page's places."""
        self.page.goto(f"{self.url}/#{address}")
        self.page.locator("h1").wait_for(state="attached")
        return self.page


@pytest.fixture
def visit(office: Office, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Opens the page, signed in by default; ``visit(width=390, key=None)``."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []
    expect.set_options(timeout=PATIENCE_MS)

    def come(*, key: str | None = SECRET, width: int = 1280, scheme: Any = "light") -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            timezone_id="Europe/Berlin",
        )
        contexts.append(context)
        context.add_init_script(OFTEN)
        if key is not None:
            context.add_init_script(f"sessionStorage.setItem('vomind-key', '{key}')")
        visitors.append(Visitor(context.new_page(), office.stack.web_url))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.finish()
    for context in contexts:
        context.close()
    for visitor in visitors:
        assert visitor.troubles == []
        # Nothing is fetched from anywhere else.
        assert visitor.hosts <= {visitor.url, "blob:"}


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Page:
    """The page at its first place, signed in."""
    return visit().go()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of the checker of accessibility."""
    path = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        missing("npm's axe-core")
    return path.read_text()
