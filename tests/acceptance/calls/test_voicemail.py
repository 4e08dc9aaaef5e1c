"""Words for an answering machine, put into the live call: real web, worker, Valkey, simulator."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.acceptance.calls.test_status_callbacks import until_over
from tests.acceptance.conftest import Api, fresh_phone, number, reached
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

#: At this pace a detection takes half a second, and a word a sixth of one.
PACE = {"pace": 0.5}
MESSAGE = "Hello you, this is a message that a person hears from its first to its last word"
VOICEMAIL = "Please <call> us back at any time"


@pytest.fixture(scope="module")
def stack(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests of this file: each looks at its own calls."""
    directory = tmp_path_factory.mktemp("voicemail")
    with reached(shared_server, directory, RETRY_OUTCOME_DELAY="300ms") as made:
        yield made


@pytest.fixture
def phone(stack: Stack) -> Iterator[SimulatorClient]:
    """Its simulator, without rings and rules."""
    with fresh_phone(stack, PACE) as client:
        yield client


#: Numbers of machines: each test has its own.
_NUMBERS = count(70_001)


@pytest.fixture
def machine(phone: SimulatorClient) -> str:
    """A number at which a machine answers."""
    to = number(next(_NUMBERS))
    phone.as_usual()
    phone.outcomes({**PACE, "to": to, "outcome": "machine"}, PACE)
    return to


@pytest.fixture
def api(stack: Stack) -> Api:
    """Its API."""
    return Api(stack.queue_url)


def heard(phone: SimulatorClient, to: str) -> list[list[dict[str, Any]]]:
    """What was heard in each call to a number."""
    return [ring["heard"] for ring in phone.rings(to)]


def leave(api: Api, to: str, **fields: Any) -> str:
    """A call with words for a machine; its job id."""
    return api.schedule(to, **{"message": MESSAGE, "voicemailMessage": VOICEMAIL, **fields})


def assert_left_once(call: list[dict[str, Any]]) -> None:
    """All of the words, as the last ones, after the message began."""
    assert call[0]["words"] == MESSAGE
    assert [(each["words"], each["whole"]) for each in call[1:]] == [(VOICEMAIL, True)]


def test_a_machine_hears_its_words_once_the_greeting_is_over(
    api: Api, phone: SimulatorClient, machine: str
) -> None:
    """The message begins at once and gives way; the words are heard to their end."""
    job = until_over(api, leave(api, machine))
    assert job["call"]["answeredBy"] == "machine_end_beep"
    (ring,) = phone.rings(machine)
    assert_left_once(ring["heard"])
    assert not ring["heard"][0]["whole"]
    assert (ring["endedBy"], ring["problems"]) == ("api", [])
    amd = {name: ring["parameters"][name] for name in ("MachineDetection", "AsyncAmd")}
    assert amd == {"MachineDetection": "DetectMessageEnd", "AsyncAmd": "true"}


def test_a_long_greeting_outlasts_a_short_message(
    api: Api, phone: SimulatorClient, machine: str
) -> None:
    """The line is held until it is known who answered."""
    phone.as_usual()
    phone.outcomes({**PACE, "outcome": "machine", "detection_s": 3.5})
    until_over(api, leave(api, machine, message="Hello you"))
    (call,) = heard(phone, machine)
    assert [each["words"] for each in call] == ["Hello you", VOICEMAIL]
    assert all(each["whole"] for each in call)


@pytest.mark.parametrize("who", ["human", "fax"])
def test_a_person_is_never_interrupted(api: Api, phone: SimulatorClient, who: str) -> None:
    """The message begins as soon as somebody answers; nothing replaces it."""
    phone.as_usual()
    phone.outcomes({**PACE, "outcome": who})
    phone.mishaps({"mishap": "repeat", "event": "detected", "ms": 300})
    to = number(next(_NUMBERS))
    job = until_over(api, leave(api, to, message="Hello you, good day"))
    assert job["call"]["answeredBy"] == who
    (ring,) = phone.rings(to)
    assert [(each["words"], each["whole"]) for each in ring["heard"]] == [
        ("Hello you, good day", True)
    ]
    # The call ends with the message, and not with the longest detection.
    assert ring["endedBy"] == "api"


@pytest.mark.parametrize(
    "mishap",
    [
        {"mishap": "repeat", "ms": 500},
        {"mishap": "late", "ms": 400},
    ],
    ids=lambda mishap: mishap["mishap"],
)
def test_a_repeated_or_late_detection_leaves_the_words_once(
    api: Api, phone: SimulatorClient, machine: str, mishap: dict[str, Any]
) -> None:
    """Whatever happens to the callback on its way."""
    phone.mishaps({**mishap, "event": "detected"})
    until_over(api, leave(api, machine))
    (call,) = heard(phone, machine)
    assert_left_once(call)


def test_a_forged_detection_changes_nothing(api: Api, phone: SimulatorClient, machine: str) -> None:
    """403; the machine heard the message alone."""
    phone.mishaps({"mishap": "forge", "event": "detected"})
    leave(api, machine)

    def answers() -> list[int]:
        # One of a call before may arrive only now.
        return [each["answer"] for each in phone.callbacks("detected") if each["to"] == machine]

    until(answers, within_s=30, what="it was sent")
    assert answers() == [403]
    # The line is held in vain: Twilio's own record of the call says the rest.
    assert [each["words"] for each in heard(phone, machine)[0]] == [MESSAGE]


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "error", "status": 429, "times": 1},
        {"fault": "drop", "times": 1},
        {"fault": "drop", "times": 1, "when": "after"},
        {"fault": "error", "status": 503, "times": 1, "when": "after"},
    ],
    ids=["refused", "lost before", "lost after", "failed after"],
)
def test_an_update_that_fails_leaves_the_words_once(
    api: Api, phone: SimulatorClient, machine: str, rule: dict[str, Any]
) -> None:
    """Sent again where Twilio certainly did not take it; else its own question decides."""
    phone.faults({**rule, "on": "update"})
    job_id = leave(api, machine, message="Hello you")
    until_over(api, job_id, within_s=60)
    assert phone.faults()[0]["struck"] == 1
    (call,) = heard(phone, machine)
    assert [each["words"] for each in call] == ["Hello you", VOICEMAIL]
    assert call[-1]["whole"]


def test_a_call_for_a_person_is_made_again_and_the_words_are_left_once(
    api: Api, phone: SimulatorClient, machine: str
) -> None:
    """A machine counts as not reached; in the end the outcome says so."""
    job_id = leave(api, machine, message="Hello you", retryOn=["machine"])
    job = until(
        lambda: (job := until_over(api, job_id)) and len(job["attempts"]) == 3 and job,
        within_s=60,
        what="three attempts are over",
    )
    assert {attempt["answeredBy"] for attempt in job["attempts"]} == {"machine_end_beep"}
    assert (job["state"], job["call"]["answeredBy"]) == ("completed", "machine_end_beep")
    assert len(phone.rings(machine)) == 3
    words = [each["words"] for call in heard(phone, machine) for each in call]
    assert words.count(VOICEMAIL) == 1
    assert words.count("Hello you") == 3


def test_a_machine_is_looked_for_where_it_is_to_be_called_again(
    api: Api, phone: SimulatorClient
) -> None:
    """Without a setting, and only for such a call."""
    phone.as_usual()
    phone.outcomes({**PACE, "outcome": "machine", "times": 1}, PACE)
    to = number(next(_NUMBERS))
    job_id = api.schedule(to, retryOn=["machine"])
    until(lambda: len(phone.rings(to)) == 2, within_s=30, what="it rings again")
    job = until(
        lambda: (job := until_over(api, job_id))["call"]["answeredBy"] == "human" and job,
        within_s=30,
        what="a person answered",
    )
    assert [each["answeredBy"] for each in job["attempts"]] == ["machine_start", "human"]
    assert job["failedReason"] is None
