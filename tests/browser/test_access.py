"""Who may come in, and what cannot."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from playwright.sync_api import Browser, Response, expect

from tests.browser.conftest import SECRET, Office, Visitor

NUMBER = "+14155550123"
#: Bytes of the page before its fonts.
MOST_WEIGHT = 150 * 1024
#: Runs where the page takes a text for its own.
EVIL = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


def test_a_key_is_asked_for(visit: Callable[..., Visitor]) -> None:
    """Nothing is shown without it; signing out forgets it."""
    page = visit(key=None).go()
    expect(page).to_have_title("Sign in · VoMind Queue")
    page.get_by_label("API key").fill("not-this")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#key-wrong")).to_have_text("That key is not valid.")
    page.get_by_label("API key").fill(SECRET)
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_have_text("Ready: no call is waiting")
    assert page.context.cookies() == []
    page.reload()
    expect(page.locator("#verdict")).to_have_text("Ready: no call is waiting")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in · VoMind Queue")
    assert page.evaluate("sessionStorage.length") == 0


def test_what_cannot_be_a_key_is_none(visit: Callable[..., Visitor]) -> None:
    """Signs that no header carries: told as any wrong key, in words for people."""
    page = visit(key=None).go()
    page.get_by_label("API key").fill("ключ")
    page.keyboard.press("Enter")
    expect(page.locator("#key-wrong")).to_have_text("That key is not valid.")


def test_a_key_that_is_taken_back_closes_the_page(visit: Callable[..., Visitor]) -> None:
    """As soon as the API says so."""
    page = visit(key="no-longer").go()
    expect(page.get_by_label("API key")).to_be_visible()


def test_texts_of_callers_stay_texts(office: Office, visit: Callable[..., Visitor]) -> None:
    """Whatever an app sends is shown as it is and never run."""
    office("POST", "/pause")
    job_id = office.call(
        NUMBER, message=EVIL, lead_id=EVIL[:100], metadata={EVIL: EVIL, "turned": "\u202egnp.exe"}
    )
    page = visit().go(f"/call/{job_id}")
    expect(page.locator("blockquote")).to_have_text(EVIL)
    expect(page.locator("pre")).to_contain_text("\\u202egnp.exe")
    page.goto(f"{page.url.split('#')[0]}#/calls/waiting?q={EVIL}")
    expect(page.locator("h1")).to_have_text("Search")
    expect(page).not_to_have_title("taken")
    assert page.locator("main img, main script").count() == 0


def test_a_strangers_script_does_not_run(visit: Callable[..., Visitor]) -> None:
    """Even one that found its way into the page."""
    visitor = visit()
    inside = visitor.go()
    inside.evaluate(
        """() => {
            const script = document.createElement('script');
            try { script.textContent = "document.title = 'taken'"; } catch { /* trusted types */ }
            document.head.append(script);
            const image = document.createElement('div');
            try { image.innerHTML = '<img src=x onerror="document.title=1">'; } catch { /* too */ }
            document.body.append(image);
        }"""
    )
    expect(inside).to_have_title("Overview · VoMind Queue")
    assert len(visitor.troubles) == 2, visitor.troubles
    assert all("requires 'Trusted" in each for each in visitor.troubles), visitor.troubles
    visitor.troubles.clear()


def test_a_strangers_page_changes_nothing(office: Office, browser: Browser) -> None:
    """A form on another origin cannot pause the queue, and cannot put the page into a frame."""
    office("POST", "/resume")
    context = browser.new_context()
    page = context.new_page()
    # Another origin: the simulator's.
    page.goto(f"{office.stack.simulator_url}/simulator/rings")
    with page.expect_response("**/pause") as answer:
        page.evaluate(
            f"""() => {{
                const form = document.createElement('form');
                form.method = 'POST';
                form.action = '{office.stack.queue_url}/pause';
                document.body.append(form);
                form.submit();
            }}"""
        )
    assert answer.value.status == 403
    context.close()
    assert not office("GET", "/stats")["paused"]


def test_the_page_is_light(visit: Callable[..., Visitor]) -> None:
    """All that it loads at once but its fonts, compressed file by file."""
    visitor = visit()
    loaded: list[Response] = []

    def note(response: Response) -> None:
        loaded.append(response)

    visitor.page.on("response", note)
    expect(visitor.go().locator("#verdict")).to_have_text("Ready: no call is waiting")
    own = [each for each in loaded if "/api/" not in each.url and "/inter/" not in each.url]
    weight = sum(len(gzip.compress(each.body(), 6)) for each in own)
    assert any(each.url.endswith("/app.js") for each in own)
    assert weight <= MOST_WEIGHT, f"{weight / 1024:.1f} KiB"
