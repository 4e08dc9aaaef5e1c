"""The page hears of news by the live stream, and asks for them where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, SECRET, SETTINGS, Office
from tests.stack import Process, Stack

#: The rare looks of a page that hears of news never come. `calm`: the next one would be such.
NO_CALM_LOOKS = """(() => {
    const wait = window.setTimeout;
    window.setTimeout = (work, ms, ...rest) => {
        if (work.name === 'refresh') window.calm = ms > 5000;
        return work.name === 'refresh' && window.calm ? 0 : wait(work, ms, ...rest);
    };
})()"""
#: A person in another tab, as a page sees that.
LOOK_AWAY = """() => {
    Object.defineProperty(document, 'hidden', { get: () => window.away, configurable: true });
    window.away = true;
    document.dispatchEvent(new Event('visibilitychange'));
}"""
COME_BACK = "() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }"
#: As behind a proxy that ends each answer; waits are told, and those for the stream are short.
ENDED_AT_ONCE = """() => {
    const [ask, wait] = [window.fetch, window.setTimeout];
    window.waits = [];
    window.fetch = (place, ...rest) =>
        place.endsWith('/api/events') ? Promise.resolve(new Response('')) : ask(place, ...rest);
    window.setTimeout = (work, ms, ...rest) => {
        window.waits.push(ms);
        return wait(work, work.name === 'refresh' ? ms : ms / 50, ...rest);
    };
}"""
EVENTS = "**/api/events"


@pytest.fixture(scope="module")
def streamed(everything: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web that names a notifier, beside the other one."""
    made = Stack(
        directory=tmp_path_factory.mktemp("streamed"),
        redis_url=everything.stack.redis_url,
        settings=dict(SETTINGS),
    )
    made.settings["NOTIFIER_URL"] = f"http://127.0.0.1:{made.notifier_port}"
    made.start_web()
    yield made
    made.close()


@pytest.fixture
def notifier(streamed: Stack) -> Iterator[Process]:
    """One that runs."""
    made = streamed.start("notifier")
    made.wait_for("notifier started")
    yield made
    made.kill()


@pytest.fixture
def open_page(streamed: Stack, office: Office, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page in its own browser, where a stream opens: ``open_page(script)``."""
    assert office
    expect.set_options(timeout=PATIENCE_MS)
    context = browser.new_context(timezone_id="Europe/Berlin")
    context.add_init_script(f"sessionStorage.setItem('vomind-key', '{SECRET}')")

    def opened(script: str = "") -> Page:
        context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        with page.expect_response(EVENTS) as answer:
            page.goto(streamed.web_url)
        assert answer.value.status == 200
        return page

    yield opened
    context.close()


def test_news_are_shown_without_a_look_and_with_looks_once_the_stream_broke(
    office: Office, notifier: Process, open_page: Callable[..., Page]
) -> None:
    """The page goes over to rare looks, which never come here, and comes back from them."""
    page = open_page(NO_CALM_LOOKS)
    verdict = page.locator("#verdict")
    expect(verdict).to_have_text("Ready: no call is waiting")
    page.wait_for_function("() => window.calm")
    office("POST", "/pause")
    expect(verdict).to_contain_text("Paused")
    page.wait_for_function("() => window.calm")
    notifier.kill()
    office("POST", "/resume")
    expect(verdict).to_have_text("Ready: no call is waiting")


@pytest.mark.usefixtures("notifier")
def test_a_page_that_nobody_sees_holds_no_stream(open_page: Callable[..., Page]) -> None:
    """Unless it is to tell of a stop; and one that is seen again opens one."""
    page = open_page()
    with page.expect_event("requestfailed", lambda each: each.url.endswith("/api/events")):
        page.evaluate(LOOK_AWAY)
    with page.expect_response(EVENTS) as answer:
        page.evaluate(COME_BACK)
    assert answer.value.ok
    page.get_by_role("button", name="Tell me when it stops").click()
    with page.expect_response(EVENTS) as answer:
        page.evaluate(LOOK_AWAY)
    assert answer.value.ok


def test_a_stream_that_ends_at_once_is_opened_ever_more_rarely(
    notifier: Process, open_page: Callable[..., Page]
) -> None:
    """Or each open page would ask the servers every second."""
    page = open_page()
    page.evaluate(ENDED_AT_ONCE)
    notifier.kill()
    page.wait_for_function("() => window.waits.includes(60000)")
