"""What SECURITY.md says of the API is so."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import redis

from tests.integration.api.conftest import Api
from vomind_queue.api import auth
from vomind_queue.config import api_keys
from vomind_queue.config.wrong_keys import ALLOWED_A_MINUTE

#: One of each kind: success, refusals, an open one, an error of the address.
ANSWERS = ("/api/queue/stats", "/api/queue/job/1", "/healthz", "/nowhere", "/metrics", "/docs")
KEYS = "ops:first-secret,app:second-secret"


@pytest.mark.parametrize("path", ANSWERS)
def test_no_answer_is_run_framed_guessed_or_kept(api: Api, path: str) -> None:
    """Whatever it says; pages have their own policy."""
    headers = api.web.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] in {"no-store", "no-cache"}


def test_every_route_wants_a_key_but_the_open_ones(make_api: Callable[..., Api]) -> None:
    """A route that is new and forgotten here is closed, not open."""
    api = make_api(API_KEYS=KEYS)
    opened = set()
    for rule in api.web.application.url_map.iter_rules():
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<{name}>", "1").replace(f"<path:{name}>", "1")
            path = path.replace(f"<schedule_number:{name}>", "1")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if api.web.open(path, method=method).status_code != 401:
                opened.add(rule.endpoint)
    rooms = {endpoint.partition(".")[0] for endpoint in opened - auth.OPEN}
    assert rooms <= auth.SIGNED | auth.PAGES


def test_a_key_that_is_wrong_by_a_letter_is_wrong(make_api: Callable[..., Api]) -> None:
    """In either header, and whatever is around it."""
    api = make_api(API_KEYS=KEYS)
    for shown in ("first-secre", "first-secrett", "First-secret", "ops:first-secret", "", "*"):
        assert api.get("/stats", headers={"X-API-Key": shown}).status_code == 401
        headers = {"Authorization": f"Bearer {shown}"}
        assert api.get("/stats", headers=headers).status_code == 401


def test_keys_are_compared_in_constant_time(
    make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with each, as digests of one length, however early one differs or is found."""
    compared: list[tuple[int, int]] = []
    real = api_keys.hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(api_keys.hmac, "compare_digest", watched)
    api = make_api(API_KEYS=KEYS)
    for shown in ("first-secret", "second-secret", "x", "first-secreX"):
        compared.clear()
        api.get("/stats", headers={"X-API-Key": shown})
        assert compared == [(32, 32), (32, 32)]


def test_no_key_reaches_a_log_line(
    make_api: Callable[..., Api], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a good one nor a wrong one, nor one in an address, nor in a failure."""
    api = make_api(API_KEYS=KEYS, METRICS_KEY="third-secret", TWILIO_AUTH_TOKEN="")
    with caplog.at_level(logging.DEBUG):
        for shown in ("first-secret", "wrong-secret"):
            headers = {"Authorization": f"Bearer {shown}"}
            api.get("/stats", headers=headers)
            api.post("/schedule-call", {"to": "bad"}, headers=headers)
            api.get("/nowhere?key=first-secret", headers=headers)
    logged = "\n".join(str(vars(record)) for record in caplog.records)
    assert "-secret" not in logged


def test_an_error_tells_nothing_of_the_inside(
    make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, no path, no setting: an id under which the log has it."""
    api = make_api()

    def fail() -> None:
        raise RuntimeError("redis://user:hidden@host/0 at /srv/app.py")

    monkeypatch.setattr("vomind_queue.queue.call_queue.CallQueue.stats", lambda _self: fail())
    answer = api.get("/stats")
    assert answer.status_code == 500
    text = answer.get_data(as_text=True)
    assert "hidden" not in text
    assert "/srv" not in text
    assert "Traceback" not in text
    assert answer.get_json()["requestId"] == answer.headers["X-Request-Id"]


class TestWrongKeys:
    """Somebody who tries keys is noticed, and slowed down."""

    def test_they_are_logged_counted_and_slowed(
        self, make_api: Callable[..., Api], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Two lines for hundreds of them, without the key; a right one passes all the while."""
        api = make_api(API_KEYS=KEYS)
        with caplog.at_level(logging.WARNING):
            codes = [
                api.get("/stats", headers={"X-API-Key": f"guess-number-{n}"}).status_code
                for n in range(300)
            ]
        assert codes == [401] * ALLOWED_A_MINUTE + [429] * (300 - ALLOWED_A_MINUTE)
        lines = [record for record in caplog.records if "wrong API key" in record.message]
        assert len(lines) == 2
        assert vars(lines[0])["address"] == "127.0.0.1"
        assert vars(lines[0])["key"] == "gue… (14 characters)"
        right = {"X-API-Key": "first-secret"}
        assert api.get("/stats", headers=right).status_code == 200
        shown = api.web.get("/metrics", headers=right).get_data(as_text=True)
        assert "vomind_wrong_api_keys_total 300.0" in shown

    def test_a_missing_key_is_no_guess(self, make_api: Callable[..., Api]) -> None:
        """A page that was opened without one must not shut its reader out."""
        api = make_api(API_KEYS=KEYS)
        assert {api.get("/stats").status_code for _ in range(50)} == {401}

    @pytest.mark.parametrize("around", ["\u00a0", "\u2003", "\x0b"])
    def test_only_blanks_may_stand_around_a_key(
        self, make_api: Callable[..., Api], around: str
    ) -> None:
        """As HTTP has it: spaces and tabs, nothing that merely looks like them."""
        api = make_api(API_KEYS=KEYS)
        environ = {"HTTP_X_API_KEY": f"first-secret{around}"}
        path = "/api/queue/stats"
        assert api.web.get(path, environ_overrides=environ).status_code == 401
        blank = {"HTTP_X_API_KEY": " first-secret\t"}
        assert api.web.get(path, environ_overrides=blank).status_code == 200


class TestHosts:
    """A page whose own name leads to this machine (DNS rebinding)."""

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    @pytest.mark.parametrize(
        "path", ["/api/queue/stats", "/api/queue/schedule-call", "/", "/metrics", "/api/calls"]
    )
    def test_reads_and_changes_nothing(self, api: Api, method: str, path: str) -> None:
        """It is of one origin with what it asks, so the browser keeps it from nothing."""
        answer = api.web.open(path, method=method, headers={"Host": "evil.example:3000"})
        assert answer.status_code == 403
        assert api.total() == 0

    @pytest.mark.parametrize(
        "host", ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "192.0.2.7", "LOCALHOST."]
    )
    def test_known_names_and_addresses_are_answered(self, api: Api, host: str) -> None:
        """Nobody can point an address somewhere else."""
        assert api.get("/stats", headers={"Host": host}).status_code == 200

    def test_a_name_can_be_allowed(self, make_api: Callable[..., Api]) -> None:
        """For a service without keys behind its own name."""
        api = make_api(ALLOWED_HOSTS="queue.lan, other.lan")
        assert api.get("/stats", headers={"Host": "Queue.lan:3000"}).status_code == 200
        assert api.get("/stats", headers={"Host": "x.queue.lan"}).status_code == 403

    def test_with_keys_any_name_will_do(self, make_api: Callable[..., Api]) -> None:
        """A foreign page has none."""
        api = make_api(API_KEYS=KEYS)
        headers = {"Host": "any.example", "X-API-Key": "first-secret"}
        assert api.get("/stats", headers=headers).status_code == 200


class TestRequestLimit:
    """A client that asks too often waits."""

    def test_the_next_one_is_told_when_to_come_again(self, make_api: Callable[..., Api]) -> None:
        """429, with Retry-After; nothing is stored."""
        api = make_api(REQUEST_RATE_LIMIT="3/m")
        answers = [api.post("/schedule-call", {"to": f"+1555000000{n}"}) for n in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert answers[-1].content_type == "application/problem+json"
        assert make_api().total() == 3

    def test_one_key_does_not_hold_up_another(self, make_api: Callable[..., Api]) -> None:
        """Each has its own allowance, over all applications."""
        apis = [make_api(REQUEST_RATE_LIMIT="2/m", API_KEYS=KEYS) for _ in range(2)]
        first, second = {"X-API-Key": "first-secret"}, {"X-API-Key": "second-secret"}
        codes = [apis[n % 2].get("/stats", headers=first).status_code for n in range(3)]
        assert codes == [200, 200, 429]
        assert apis[0].get("/stats", headers=second).status_code == 200

    def test_the_allowance_comes_back(
        self, make_api: Callable[..., Api], valkey: redis.Redis
    ) -> None:
        """When the window is over."""
        api = make_api(REQUEST_RATE_LIMIT="1/m")
        assert api.get("/stats").status_code == 200
        assert api.get("/stats").status_code == 429
        (key,) = valkey.keys("{calls}:request_limits:*")
        assert 0 < valkey.pttl(key) <= 60_000
        valkey.pexpire(key, 1)
        while valkey.exists(key):
            pass
        assert api.get("/stats").status_code == 200

    def test_health_is_never_refused(self, make_api: Callable[..., Api]) -> None:
        """A load balancer would take the service for dead."""
        api = make_api(REQUEST_RATE_LIMIT="1/m")
        assert {api.web.get("/healthz").status_code for _ in range(5)} == {200}

    def test_without_a_setting_nobody_is_counted(self, api: Api, valkey: redis.Redis) -> None:
        """It costs nothing then."""
        api.get("/stats")
        assert not valkey.keys("{calls}:request_limits:*")


class TestNumberPolicy:
    """Numbers that are not called are refused wherever a call can come in."""

    def test_everywhere(self, make_api: Callable[..., Api]) -> None:
        """At once, later, in bulk and again and again; by PATCH there is no other number."""
        api = make_api(ALLOWED_COUNTRIES="de", ALLOW_PREMIUM="0")
        for number in ("+12015550123", "+499001234567"):
            call = {"to": number}
            bulk = {"calls": [{"to": "+4930123456"}, call]}
            answers = [
                api.post("/schedule-call", call),
                api.post("/schedule-delayed-call", {**call, "delayMs": 1_000}),
                api.post("/schedule-recurring-call", {**call, "cronExpression": "0 9 * * *"}),
                api.post("/schedule-bulk-calls", bulk),
            ]
            assert [answer.status_code for answer in answers] == [422] * 4
            assert answers[3].get_json()["errors"]["calls"]["1"]["to"]
        assert api.total() == 0
        assert api.post("/schedule-call", {"to": "+4930123456"}).status_code == 200

    def test_by_default_all_are_taken(self, api: Api) -> None:
        """Those of the examples included."""
        assert api.post("/schedule-call", {"to": "+0987654321"}).status_code == 200
