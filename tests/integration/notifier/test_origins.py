"""Which pages may read the live stream, as a browser asks for them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests

from tests.integration.notifier.conftest import WITHIN_S, notifier
from tests.stack import until
from vomind_queue.config.settings import Settings
from vomind_queue.config.types import ApiKey

ALLOWED = "Access-Control-Allow-Origin"


def ask(settings: Settings, method: str, origin: str, **headers: str) -> requests.Response:
    """Send what a browser sends for a page of that origin."""
    url = f"http://127.0.0.1:{settings.notifier_port}/api/events"

    def answered() -> list[requests.Response]:
        try:
            sent = {"Origin": origin, **headers}
            return [requests.request(method, url, headers=sent, stream=True, timeout=20)]
        except requests.ConnectionError:
            return []

    with until(answered, within_s=WITHIN_S, what="it listens")[0] as answer:
        return answer


def test_without_keys_the_dashboard_alone_may_read(settings: Settings) -> None:
    """By each name that it has on this machine, and not another app on another port of it."""
    own = replace(settings, public_url="https://Calls.example.com/vomind")
    port = own.port
    with notifier(own):
        for origin in (
            f"http://127.0.0.1:{port}", f"http://localhost:{port}", "https://calls.example.com",
        ):  # fmt: skip
            assert ask(own, "GET", origin).headers[ALLOWED] == origin
            assert ask(own, "OPTIONS", origin).headers[ALLOWED] == origin
        for origin in (f"http://127.0.0.1:{port + 1}", f"http://evil.example:{port}", "null"):
            assert ALLOWED not in ask(own, "GET", origin).headers
            assert ALLOWED not in ask(own, "OPTIONS", origin).headers


@pytest.mark.parametrize(("key", "status"), [("a-long-secret", 200), ("wrong", 401)])
def test_with_keys_a_page_may_read_that_has_one(settings: Settings, key: str, status: int) -> None:
    """The browser asks first, without the key; the refusal may be read as well."""
    keyed = replace(settings, api_keys=(ApiKey(name="ops", secret="a-long-secret"),))
    origin = "https://calls.example.com"
    with notifier(keyed):
        before = ask(keyed, "OPTIONS", origin)
        assert (before.status_code, before.headers[ALLOWED]) == (204, origin)
        assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
        answer = ask(keyed, "GET", origin, Authorization=f"Bearer {key}")
        assert (answer.status_code, answer.headers[ALLOWED]) == (status, origin)
