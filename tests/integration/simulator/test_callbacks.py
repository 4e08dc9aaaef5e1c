"""The simulator's own requests: what Twilio documents, signed as Twilio signs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from twilio.request_validator import RequestValidator

from tests.integration.simulator.callback_receiver import CallbackReceiver, Letter
from tests.simulator import ACCOUNT, CALLER, SimulatorClient
from tests.stack import until
from tests.twilio import sign
from vomind_queue.calls.call_status import LineStatus
from vomind_queue.twilio.callbacks import SignatureValidator, read

#: What is in each request about a call
#: (https://www.twilio.com/docs/voice/twiml#request-parameters).
ALWAYS = {"CallSid", "AccountSid", "From", "To", "CallStatus", "ApiVersion", "Direction"}
SOMETIMES = {
    "Called", "Caller", "ForwardedFrom", "CallerName", "ParentCallSid", "CallToken", "AnsweredBy",
    *(f"{who}{what}"
      for who in ("From", "To", "Caller", "Called")
      for what in ("City", "State", "Zip", "Country")),
}  # fmt: skip
#: What a status callback has beside it
#: (https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent).
PROGRESS = {"Timestamp", "CallbackSource", "SequenceNumber"}
#: What only the end has.
TERMINAL = {"CallDuration", "Duration", "SipResponseCode"}
#: The result of a detection in the background
#: (https://www.twilio.com/docs/voice/answering-machine-detection).
DETECTED = {"CallSid", "AccountSid", "AnsweredBy", "MachineDetectionDuration"}

EVENTS = ["initiated", "ringing", "answered", "completed"]
FAST = {"pace": 0.2}


@pytest.fixture
def box() -> Iterator[CallbackReceiver]:
    """Where the simulator calls back."""
    with CallbackReceiver() as made:
        yield made


def create(
    simulator: SimulatorClient, box: CallbackReceiver, to: str = "+15005550100", **more: Any
) -> str:
    """Asks for a call whose whole course is to be told; its SID."""
    form = {
        "To": to,
        "From": CALLER,
        "Twiml": "<Response/>",
        "StatusCallback": f"{box.url}/status?x=%C3%A4",
        "StatusCallbackEvent": EVENTS,
        **more,
    }
    answer = requests.post(simulator.calls_url, data=form, auth=(ACCOUNT, "token"), timeout=30)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sid"])


def course(letters: list[Letter]) -> list[tuple[int, str]]:
    """The course of a call as it was told, in the order of arrival."""
    found = []
    for letter in letters:
        report = read(letter.form)
        assert report is not None
        if report.sequence is not None:
            found.append((report.sequence, str(report.status)))
    return found


COURSES = {
    "+15005550100": ["initiated", "ringing", "in-progress", "completed"],
    "+15005550011": ["initiated", "ringing", "busy"],
    "+15005550012": ["initiated", "ringing", "no-answer"],
    "+15005550013": ["initiated", "failed"],
}


@pytest.mark.parametrize("to", COURSES)
def test_a_call_is_told_as_it_goes(
    simulator: SimulatorClient, box: CallbackReceiver, to: str
) -> None:
    """By its number; the list of calls moves along; every name is one that Twilio documents."""
    simulator.outcomes(FAST)
    sid = create(simulator, box, to)
    letters = box.until(len(COURSES[to]))
    assert course(letters) == list(enumerate(COURSES[to]))
    for letter in letters:
        assert {*ALWAYS, *PROGRESS} <= letter.form.keys()
        is_last = letter is letters[-1]
        assert letter.form.keys() - ALWAYS - PROGRESS - SOMETIMES == (
            TERMINAL if is_last else set()
        )
        assert (letter.form["CallSid"], letter.form["To"], letter.form["From"]) == (sid, to, CALLER)
        assert letter.form["CallbackSource"] == "call-progress-events"
        assert letter.form["Timestamp"].endswith(" +0000")
        parsedate_to_datetime(letter.form["Timestamp"])
    call = simulator.get(f"/{sid}").json()
    assert call["status"] == COURSES[to][-1]
    assert call["duration"] == letters[-1].form["CallDuration"]


def test_it_is_signed_as_twilio_signs(simulator: SimulatorClient, box: CallbackReceiver) -> None:
    """Twilio's own validator, an independent one and the product's agree; a forged one fails."""
    simulator.outcomes(FAST)
    create(simulator, box, "+15005550013")
    first, _ = box.until(2)
    simulator.mishaps({"mishap": "forge"})
    create(simulator, box, "+15005550013")
    forged = box.until(4)[3]
    url = box.url + first.target
    assert first.form["ToCity"] == "São Paulo"
    assert sign(url, first.form.items(), "token") == first.signature
    path, _, query = first.target.partition("?")
    for letter, good in ((first, True), (forged, False)):
        assert RequestValidator("token").validate(url, letter.form, letter.signature) is good
        form: Any = letter.form
        assert (
            SignatureValidator("token", box.url).genuine(path, query, form, letter.signature)
            is good
        )


def test_only_what_was_asked_for_is_told(simulator: SimulatorClient, box: CallbackReceiver) -> None:
    """Some events, numbered on their own; by default the end alone."""
    simulator.outcomes(FAST)
    create(simulator, box, StatusCallbackEvent=["ringing", "completed"])
    create(simulator, box, StatusCallbackEvent=[])
    letters = box.until(3)
    assert sorted(course(letters)) == [(0, "completed"), (0, "ringing"), (1, "completed")]


@pytest.mark.parametrize(
    ("to", "detection", "found"),
    [
        ("+15005550100", "Enable", "human"),
        ("+15005550014", "Enable", "machine_start"),
        ("+15005550014", "DetectMessageEnd", "machine_end_beep"),
        ("+15005550015", "Enable", "fax"),
    ],
)
def test_who_answered_is_told_in_the_background(
    simulator: SimulatorClient, box: CallbackReceiver, to: str, detection: str, found: str
) -> None:
    """By a separate callback, with the documented names; also in the end and in the list."""
    simulator.outcomes(FAST)
    amd = {
        "MachineDetection": detection,
        "AsyncAmd": "true",
        "AsyncAmdStatusCallback": f"{box.url}/amd",
    }
    sid = create(simulator, box, to, **amd)
    letters = box.until(5)
    (detected,) = [letter for letter in letters if letter.target == "/amd"]
    assert detected.form.keys() == DETECTED
    assert detected.form["AnsweredBy"] == found
    assert letters[-1].form["AnsweredBy"] == found
    assert simulator.get(f"/{sid}").json()["answered_by"] == found


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_twilio_asks_what_to_say_once_it_knows_who_answered(
    simulator: SimulatorClient, method: str
) -> None:
    """Signed, by the method that was chosen, and what it heard is shown."""
    simulator.outcomes(FAST)
    words = "<Response><Say>Call us</Say></Response>"
    with CallbackReceiver(words) as box:
        more = {"Twiml": "", "Url": f"{box.url}/say", "Method": method}
        sid = create(
            simulator, box, "+15005550014", **more, MachineDetection="Enable", StatusCallback=""
        )
        (letter,) = box.until(1)
        ring = until(
            lambda: next(ring for ring in simulator.rings() if ring["sid"] == sid)["instructions"],
            within_s=30,
            what="the instructions are kept",
        )
    assert ring == words
    assert letter.method == method
    if method == "POST":
        assert {*ALWAYS, "AnsweredBy"} <= letter.form.keys()
        assert letter.form["AnsweredBy"] == "machine_start"
    url = box.url + letter.target
    assert RequestValidator("token").validate(url, letter.form, letter.signature)


@pytest.mark.alone
def test_a_call_that_is_ended_says_so(simulator: SimulatorClient, box: CallbackReceiver) -> None:
    """Cancelled while it rings: no answer comes any more, its end does, once."""
    sid = create(simulator, box, StatusCallbackEvent=["ringing", "answered", "completed"])
    box.until(1)
    url = simulator.calls_url.replace(".json", f"/{sid}.json")
    ended = requests.post(url, data={"Status": "canceled"}, auth=(ACCOUNT, "token"), timeout=30)
    assert ended.status_code == 200
    letters = box.until(2)
    assert course(letters) == [(0, "ringing"), (1, "canceled")]
    # Longer than the call would have taken to be answered.
    time.sleep(2)
    assert len(box.letters) == 2


def sent(
    simulator: SimulatorClient, box: CallbackReceiver, *troubles: Mapping[str, Any]
) -> list[Letter]:
    """What arrives of one quick call with these mishaps; all that will arrive."""
    simulator.outcomes(FAST)
    simulator.mishaps(*troubles)
    create(simulator, box)
    # A call takes 1.2 s at that pace, and the latest mishap 2.5 s.
    time.sleep(7)
    return list(box.letters)


WAY = [(0, "initiated"), (1, "ringing"), (2, "in-progress"), (3, "completed")]


def test_callbacks_are_lost(simulator: SimulatorClient, box: CallbackReceiver) -> None:
    """Those that were named, or all."""
    letters = sent(simulator, box, {"mishap": "lose", "event": "ringing", "times": 1})
    assert course(letters) == [WAY[0], *WAY[2:]]
    box.letters.clear()
    assert sent(simulator, box, {"mishap": "lose"}) == []


def test_callbacks_are_repeated_late_and_out_of_order(
    simulator: SimulatorClient, box: CallbackReceiver
) -> None:
    """Each as it was told to, and nothing else is lost or added."""
    assert course(sent(simulator, box, {"mishap": "shuffle"})) == WAY[::-1]
    simulator.reset()
    box.letters.clear()
    repeated = sent(simulator, box, {"mishap": "repeat", "event": "completed"})
    assert course(repeated) == [*WAY, WAY[3]]
    simulator.reset()
    box.letters.clear()
    late = sent(simulator, box, {"mishap": "late", "event": "ringing", "ms": 2_500})
    assert course(late) == [WAY[0], *WAY[2:], WAY[1]]


def test_nobody_beyond_this_machine_is_asked(simulator: SimulatorClient) -> None:
    """An address elsewhere is noted as not reached."""
    simulator.outcomes(FAST)
    sid = simulator.create(
        "+15005550013", StatusCallback="https://queue.example.com/status"
    ).json()["sid"]
    (noted,) = until(simulator.callbacks, within_s=30, what="the callback is noted")
    assert (noted["sid"], noted["event"], noted["answer"]) == (sid, "completed", 0)


def test_how_calls_go_can_be_chosen(simulator: SimulatorClient) -> None:
    """For so many calls, to one number or to all; then as usual again."""
    simulator.outcomes({"outcome": "busy", "times": 1, "pace": 0.01}, FAST)
    sids = [simulator.create("+15005550100").json()["sid"] for _ in range(2)]
    ends = [
        until(lambda sid=sid: _end(simulator, sid), within_s=30, what=f"{sid} is over")
        for sid in sids
    ]
    assert ends == ["busy", "completed"]


def _end(simulator: SimulatorClient, sid: str) -> str:
    status = str(simulator.get(f"/{sid}").json()["status"])
    return status if LineStatus(status).final else ""


def test_bad_wishes_are_refused(simulator: SimulatorClient) -> None:
    """With words on what is wrong, and none of a list is put in force."""
    for what, bad in (
        ("outcomes", {"outcome": "rich"}),
        ("outcomes", {"pace": "fast"}),
        ("outcomes", {"tempo": 1}),
        ("mishaps", {"mishap": "lose", "times": -1}),
        ("mishaps", {}),
        ("mishaps", 5),
    ):
        good = {"outcome": "busy"} if what == "outcomes" else {"mishap": "lose"}
        url = f"{simulator._control_url}/simulator/{what}"
        answer = requests.post(url, json=[good, bad], timeout=30)
        assert answer.status_code == 400, bad
        assert answer.json()["error"]
        assert requests.get(url, timeout=30).json() == {what: []}
