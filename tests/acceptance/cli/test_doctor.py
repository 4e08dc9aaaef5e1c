"""What the doctor finds, and what it advises: on real servers, with nobody rung."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
import requests

from tests.acceptance.cli.typist import Done, Typist
from tests.ports import free_port
from tests.servers import Server
from tests.simulator import SimulatorProcess, own_simulator
from tests.stack import Stack, until

__all__ = ["own_simulator"]

ACCOUNT = "AC" + "5" * 32
TOKEN = "a-secret-token"
KEY = ("SK" + "7" * 32, "a-secret-of-a-key")
SECRETS = (TOKEN, KEY[1], "a-redis-password", "a-service-key")


def grades(done: Done) -> dict[str, str]:
    """Each thing that was looked at, and how it was found."""
    return {each["what"]: each["grade"] for each in done.document["checks"]}


@pytest.fixture
def ask(stack: Stack, typed: Typist) -> Callable[..., Done]:
    """Asks the doctor with a stack's settings; no secret is ever in what it says."""

    def asked(**settings: str) -> Done:
        environ = {**stack.environment(), **settings}
        done = typed("doctor", "--json", **environ)
        assert not [secret for secret in SECRETS if secret in done.out + done.err]
        return done

    return asked


def test_all_is_well(
    stack: Stack, ask: Callable[..., Done], start_server: Callable[..., Server], typed: Typist
) -> None:
    """A durable Redis, processes at work, an account with its number, callbacks that arrive."""
    stack.redis_url = start_server(durable=True).url
    stack.settings["PUBLIC_URL"] = stack.web_url
    stack.start_all()
    stack.start("shipper").wait_for("shipper started")
    done = ask()
    assert set(grades(done).values()) == {"fine"}, done.out
    assert (done.status, done.document["worst"]) == (0, "fine")
    assert {"version", "persistence", "latency", "clock", "Twilio", "number", "PUBLIC_URL"} <= set(
        grades(done)
    )
    assert stack.rings() == []
    assert typed("doctor", **stack.environment()).out.endswith("All is well.\n")


def test_what_is_wrong_with_redis_has_a_remedy(
    ask: Callable[..., Done], start_server: Callable[..., Server]
) -> None:
    """Away, without persistence, dropping data, a wrong password, few connections."""
    away = ask(REDIS_URL=f"redis://:a-redis-password@127.0.0.1:{free_port()}")
    assert (away.status, grades(away)["Redis"]) == (11, "wrong")
    server = start_server("--maxmemory", "100mb")
    with server.client() as client:
        client.config_set("requirepass", "a-redis-password")
    refused = ask(REDIS_URL=server.url.replace("//", "//:another@"))
    assert (refused.status, grades(refused)["Redis"]) == (11, "wrong")
    good = server.url.replace("//", "//:a-redis-password@")
    with redis.Redis.from_url(good) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    found = grades(ask(REDIS_URL=good))
    assert (found["persistence"], found["eviction"]) == ("wrong", "wrong")
    assert grades(ask(REDIS_URL=good, ALLOW_EVICTION="1"))["eviction"] == "advice"
    with redis.Redis.from_url(good) as client:
        client.config_set("save", "3600 1")
        client.config_set("maxclients", 20)
    found = grades(ask(REDIS_URL=good))
    assert (found["persistence"], found["workers"]) == ("advice", "advice")
    assert found["connections"] == "advice"


def test_what_is_wrong_with_twilio_has_a_remedy(
    ask: Callable[..., Done], own_simulator: Callable[..., SimulatorProcess]
) -> None:
    """Credentials of another account, a number of somebody else's, an account that is away."""
    process = own_simulator(
        "--account", f"{ACCOUNT}:{TOKEN}", "--key", f"{KEY[0]}:{KEY[1]}:{ACCOUNT}"
    )
    settings = {
        "TWILIO_API_BASE": process.client.url,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_PHONE_NUMBER": "+15005550006",
    }
    found = grades(ask(**settings))
    assert (found["Twilio"], found["number"], found["PUBLIC_URL"]) == ("fine", "fine", "advice")
    by_key = {"TWILIO_API_KEY": KEY[0], "TWILIO_API_SECRET": KEY[1]}
    assert grades(ask(**settings, **by_key))["number"] == "fine"
    wrong = ask(**{**settings, "TWILIO_AUTH_TOKEN": "wrong"})
    assert (wrong.status, grades(wrong)["Twilio"]) == (11, "wrong")
    others = grades(ask(**{**settings, "TWILIO_PHONE_NUMBER": "+15005550001"}))
    assert others["number"] == "wrong"
    numbers = {"TWILIO_PHONE_NUMBER": "", "TWILIO_PHONE_NUMBERS": "+15005550006,+15005550001"}
    both = ask(**{**settings, **numbers})
    each = [check["grade"] for check in both.document["checks"] if check["what"] == "number"]
    assert each == ["fine", "wrong"]
    process.stop()
    assert grades(ask(**settings))["Twilio"] == "wrong"
    new = grades(ask(**settings, SAY_VOICE="Polly.Nova-Neural", SAY_LANGUAGE="de-DE"))
    assert (new["SAY_VOICE"], "SAY_LANGUAGE" in new) == ("advice", False)
    nothing = dict.fromkeys(settings, "")
    assert grades(ask(**nothing))["account"] == "advice"


def test_callbacks_are_asked_for_as_twilio_would(stack: Stack, ask: Callable[..., Done]) -> None:
    """Another token at web, somebody else at the address, nobody there."""
    stack.start_simulator()
    stack.start_web(PUBLIC_URL=stack.web_url)
    assert grades(ask(PUBLIC_URL=stack.web_url))["PUBLIC_URL"] == "fine"
    other = ask(PUBLIC_URL=stack.web_url, TWILIO_AUTH_TOKEN=TOKEN)
    assert (other.status, grades(other)["PUBLIC_URL"]) == (11, "wrong")
    assert grades(ask(PUBLIC_URL=stack.simulator_url))["PUBLIC_URL"] == "wrong"
    assert grades(ask(PUBLIC_URL=f"http://127.0.0.1:{free_port()}"))["PUBLIC_URL"] == "wrong"


def test_webhooks_that_nobody_delivers_are_told(stack: Stack, ask: Callable[..., Done]) -> None:
    """Only where there are webhooks: a notifier is not needed otherwise."""
    stack.start_web()
    assert "webhooks" not in grades(ask())
    added = requests.post(
        f"{stack.web_url}/api/webhooks", json={"url": "https://hooks.example.com/"}, timeout=20
    )
    assert added.ok, added.text
    assert grades(ask())["webhooks"] == "advice"
    stack.start("notifier").wait_for("notifier started")
    until(lambda: grades(ask())["webhooks"] == "fine", within_s=60, what="it is at work")


def test_a_call_log_that_cannot_be_reached_is_told(ask: Callable[..., Done]) -> None:
    """Supabase by its address; the key is not shown."""
    done = ask(SUPABASE_URL=f"http://127.0.0.1:{free_port()}", SUPABASE_SERVICE_KEY="a-service-key")
    assert (done.status, grades(done)["Supabase"]) == (11, "wrong")


def test_a_bad_setting_is_a_usage_error(ask: Callable[..., Done], typed: Typist) -> None:
    """In the words with which each process refuses it."""
    done = typed("doctor", CALL_RATE_LIMIT="fast")
    assert (done.status, "Invalid CALL_RATE_LIMIT ('fast'): expected" in done.err) == (2, True)
