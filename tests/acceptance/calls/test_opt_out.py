"""A person presses the key and is never called again: real web, worker, Valkey, simulator."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
import requests

from tests.acceptance.calls.test_status_callbacks import until_over
from tests.acceptance.conftest import Api, fresh_phone, number, reached
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

PACE = {"pace": 0.5}
MESSAGE = "Hello you, this is a message that a person hears from its first to its last word"
OFFER = "Press 9 and we never call you again."
GOODBYE = "You will not be called again. Goodbye."
_NUMBERS = count(80_001)


@pytest.fixture(scope="module")
def stack(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests of this file: each looks at its own calls."""
    settings = {"CALLER_NAME": "Acme", "OPT_OUT_DIGIT": "9", "OPT_OUT_NUMBER": "+18005550100"}
    with reached(shared_server, tmp_path_factory.mktemp("opt-out"), **settings) as made:
        yield made


@pytest.fixture
def phone(stack: Stack) -> Iterator[SimulatorClient]:
    """Its simulator."""
    with fresh_phone(stack, PACE) as client:
        yield client


@pytest.fixture
def api(stack: Stack) -> Api:
    """Its API."""
    return Api(stack.queue_url)


@pytest.fixture
def to() -> str:
    """A number of the test's own."""
    return number(next(_NUMBERS))


def entry(stack: Stack, to: str) -> dict[str, object]:
    """What the do-not-call list says of a number."""
    found: dict[str, object] = requests.get(
        f"{stack.web_url}/api/people/{to}/do-not-call", timeout=30
    ).json()
    return found


def words(phone: SimulatorClient, to: str) -> list[str]:
    """What was heard in the first call to a number."""
    return [each["words"] for each in phone.rings(to)[0]["heard"]]


def press(phone: SimulatorClient, to: str, digit: str) -> None:
    """Press a key as soon as one is waited for."""
    until(lambda: phone.press(to, digit), within_s=30, what="a call waits for a key")


def test_the_key_lists_the_number_and_ends_all_calls_to_it(
    stack: Stack, api: Api, phone: SimulatorClient, to: str
) -> None:
    """The name and the offer come first; a confirmation and the end follow."""
    later = api("POST", "/schedule-delayed-call", {"to": to, "delayMs": 3_600_000})["jobId"]
    job_id = api.schedule(to, message=MESSAGE)
    press(phone, to, "9")
    job = until_over(api, job_id)
    assert job["call"]["status"] == "completed"
    (ring,) = phone.rings(to)
    assert ring["problems"] == []
    assert words(phone, to)[:2] == ["Acme", OFFER]
    assert words(phone, to)[-1] == GOODBYE
    found = entry(stack, to)
    assert (found["listed"], found["source"], found["reason"]) == (
        True, "key-press", f"Pressed 9 in call {job_id}.",
    )  # fmt: skip
    assert api.job(later)["failedReason"].startswith("Do-not-call")
    assert api.ask("POST", "/schedule-call", {"to": to}).status_code == 422


def test_another_key_begins_the_message_again(
    stack: Stack, api: Api, phone: SimulatorClient, to: str
) -> None:
    """And lists nobody."""
    job_id = api.schedule(to, message=MESSAGE)
    press(phone, to, "5")
    until_over(api, job_id)
    assert words(phone, to).count(OFFER) == 2
    assert entry(stack, to)["listed"] is False


def test_a_machine_is_told_the_number(api: Api, phone: SimulatorClient, to: str) -> None:
    """Digit by digit, after its own words."""
    phone.as_usual()
    phone.outcomes({**PACE, "outcome": "machine"})
    until_over(api, api.schedule(to, message=MESSAGE, voicemailMessage="We called."))
    assert words(phone, to)[-1] == (
        "We called. If you do not want to be called again, call 1 8 0 0 5 5 5 0 1 0 0."
    )


def test_long_words_are_fetched_with_the_offer(api: Api, phone: SimulatorClient, to: str) -> None:
    """Together they do not fit into the request."""
    long = "word " * 590
    job_id = api.schedule(to, message=long + "<&>" * 10)
    until(lambda: phone.rings(to), within_s=30, what="it rings")
    api.until_state(job_id, "completed")
    until(lambda: phone.rings(to)[0]["heard"][1:], within_s=30, what="the offer is heard")
    assert words(phone, to)[:2] == ["Acme", OFFER]
