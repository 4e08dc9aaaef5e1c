"""Twilio's own description of its API between our dialer and our simulator.

A checking proxy sits between the two and answers with an error as soon as a
request or an answer is not as Twilio describes it.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract.trim import ACCOUNT as ABOUT_ACCOUNT
from tests.contract.trim import TRIMMED
from tests.ports import free_port
from tests.servers import missing
from tests.simulator import ACCOUNT, CALLER, SimulatorClient, SimulatorProcess
from tests.stack import ROOT, until
from vomind_queue.calls.attempts import Accepted, Attempt
from vomind_queue.calls.call import Call
from vomind_queue.calls.call_status import Detection, LineStatus, StatusUpdate
from vomind_queue.observability.check_result import Grade
from vomind_queue.twilio.account_checks import AccountChecks
from vomind_queue.twilio.dialer import TwilioDialer

pytestmark = pytest.mark.contract

PRISM = ROOT / "node_modules" / ".bin" / "prism"
NUMBER = "+15005550100"
_numbers = count()


def age_ms(attempt: Attempt) -> int:
    """How long ago an attempt began, ms."""
    return int(time.time() * 1000) - attempt.marked_ms


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorClient]:
    """A simulator of this module's own."""
    process = SimulatorProcess()
    yield process.client
    process.stop()


@pytest.fixture(autouse=True)
def _mended(simulator: SimulatorClient) -> None:
    simulator.reset()


@contextmanager
def _checking(document: Path, simulator: SimulatorClient, log: Path) -> Iterator[str]:
    """Address of a proxy in front of the simulator that holds both sides to a document."""
    if not PRISM.exists():
        missing("@stoplight/prism-cli, from npm, which `make test` installs where npm is,")
    port = free_port()
    arguments = [document, simulator.url, "--host", "127.0.0.1", "--port", str(port), "--errors"]
    with log.open("wb") as output:
        prism = subprocess.Popen(
            [PRISM, "proxy", *arguments], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait(prism, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        prism.terminate()
        prism.wait(10)


@pytest.fixture(scope="module")
def proxy(simulator: SimulatorClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the proxy that checks what is said of calls."""
    with _checking(TRIMMED, simulator, tmp_path_factory.mktemp("prism") / "log") as url:
        yield url


def _wait(prism: subprocess.Popen[bytes], log: Path) -> None:
    def listening() -> bool:
        assert prism.poll() is None, log.read_text()
        return "Prism is listening" in log.read_text()

    until(listening, within_s=60, what="the checking proxy listens")


MakeDialer = Callable[..., TwilioDialer]


@pytest.fixture
def make_dialer(proxy: str) -> Iterator[MakeDialer]:
    """Dialers that go through the proxy."""
    made: list[TwilioDialer] = []

    def make(**settings: Any) -> TwilioDialer:
        given = {
            "account_sid": ACCOUNT,
            "auth_token": "token",
            "from_numbers": [CALLER],
            **settings,
        }
        made.append(TwilioDialer(api_base=proxy, **given))
        return made[-1]

    yield make
    for dialer in made:
        dialer.close()


def an_attempt(**fields: Any) -> Attempt:
    """An attempt that was marked just now, to a number that no other test has."""
    return Attempt(
        job_id="1",
        token="a-token",
        call=Call(to=f"+1505{next(_numbers):07}", **fields),
        number=1,
        marked_ms=int(time.time() * 1000),
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"public_url": "https://queue.example.com"},
        {"twiml_url": "https://app.example.com/voice?tenant=1"},
        {"detection": Detection.ENABLE},
        {"detection": Detection.MESSAGE_END, "public_url": "https://queue.example.com/q"},
    ],
    ids=["message", "callback", "application", "detection", "detection with callback"],
)
@pytest.mark.parametrize("voicemail", [None, "Call & us"])
def test_calls_are_as_twilio_describes_them(
    make_dialer: MakeDialer, settings: dict[str, Any], voicemail: str | None
) -> None:
    """Placing, finding, asking for and ending a call: neither side breaks the description."""
    dialer = make_dialer(**settings)
    attempt = an_attempt(message="You & me", lead_id="L1", voicemail_message=voicemail)
    outcome = dialer.place(attempt)
    assert isinstance(outcome, Accepted)
    assert [ring.sid for ring in dialer.find(attempt, age_ms(attempt)).rings] == [outcome.sid]
    report = dialer.fetch(outcome.sid)
    assert report is not None
    assert (report.sid, report.price) == (outcome.sid, None)
    # Nobody has answered yet, or somebody has: either is described.
    assert getattr(dialer.put_in(outcome.sid, attempt.call), "code", 21220) == 21220
    dialer.cancel(outcome.sid)
    report = dialer.fetch(outcome.sid)
    assert report is not None
    assert report.status in (LineStatus.CANCELED, LineStatus.COMPLETED)
    dialer.cancel(outcome.sid)


#: The parameters of a request for a call that this product sends.
SENT = {
    "To", "From", "Timeout", "Record", "Twiml", "Url", "StatusCallback", "StatusCallbackEvent",
    "StatusCallbackMethod", "MachineDetection", "AsyncAmd", "AsyncAmdStatusCallback",
    "AsyncAmdStatusCallbackMethod", "SendDigits",
    "RecordingStatusCallback", "RecordingStatusCallbackMethod",
}  # fmt: skip


def test_every_parameter_is_one_that_twilio_describes(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """Twilio takes unknown names in silence, and so would the checking proxy."""
    create = json.loads(TRIMMED.read_text())["paths"][
        "/2010-04-01/Accounts/{AccountSid}/Calls.json"
    ]
    form = create["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    described = form["schema"]["properties"].keys()
    reached = {"public_url": "https://queue.example.com"}
    for settings in ({}, reached, {**reached, "detection": Detection.MESSAGE_END}):
        for words in (None, "Call us"):
            make_dialer(**settings).place(an_attempt(voicemail_message=words))
    make_dialer(**settings).place(an_attempt(send_digits="wW1#*A", record=True))
    names = {name for ring in simulator.rings() for name in ring["parameters"]}
    assert names == SENT
    assert names <= described
    rings = simulator.rings()
    assert "MachineDetection" not in rings[-1]["parameters"]
    assert rings[-2]["parameters"]["StatusCallbackEvent"] == [
        "initiated",
        "ringing",
        "answered",
        "completed",
    ]


def test_an_unknown_call_is_unknown(make_dialer: MakeDialer) -> None:
    """Neither asking for it nor ending it is an error."""
    dialer = make_dialer()
    assert dialer.fetch("CA" + "f" * 32) is None
    dialer.cancel("CA" + "f" * 32)


@pytest.mark.parametrize(
    ("to", "end", "answered_by", "price"),
    [
        ("+15005550011", "busy", None, None),
        ("+15005550012", "no-answer", None, None),
        ("+15005550013", "failed", None, None),
        ("+15005550014", "completed", "machine_start", "-0.01300"),
        ("+15005550100", "completed", "human", "-0.01300"),
    ],
)
def test_each_end_is_as_twilio_describes_it(
    make_dialer: MakeDialer,
    simulator: SimulatorClient,
    to: str,
    end: str,
    answered_by: str | None,
    price: str | None,
) -> None:
    """Asked for until it is over and has its price."""
    simulator.outcomes({"pace": 0.1})
    dialer = make_dialer(detection=Detection.ENABLE)
    attempt = an_attempt()
    outcome = dialer.place(replace(attempt, call=replace(attempt.call, to=to)))
    assert isinstance(outcome, Accepted)

    def over() -> StatusUpdate | None:
        report = dialer.fetch(outcome.sid)
        return report if report and report.status == end and report.price == price else None

    report = until(over, within_s=30, what=f"the call is {end}")
    assert (report.answered_by, report.sequence) == (answered_by, None)
    assert isinstance(report.duration_s, int)


def test_pages_are_as_twilio_describes_them(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """A list of several pages, to its end."""
    attempt = an_attempt()
    for _ in range(55):
        simulator.create(attempt.call.to)
    assert len(make_dialer().find(attempt, age_ms(attempt)).rings) == 55


def test_a_call_at_every_age_is_as_twilio_describes_it(
    proxy: str, simulator: SimulatorClient
) -> None:
    """Calls that ring, are answered and are over, fetched and listed."""
    sid = simulator.create(NUMBER).json()["sid"]
    client = SimulatorClient(proxy)
    seen = set()
    give_up_at = time.monotonic() + 30
    while "completed" not in seen and time.monotonic() < give_up_at:
        answer = client.get(f"/{sid}")
        assert answer.status_code == 200, answer.text
        assert client.get(To=NUMBER, Status=answer.json()["status"]).status_code == 200
        seen.add(answer.json()["status"])
        time.sleep(0.1)
    client.close()
    assert seen >= {"in-progress", "completed"}


def test_the_proxy_does_check(proxy: str, simulator: SimulatorClient) -> None:
    """A bad request and a bad answer are both found; otherwise all else proves nothing."""
    url = f"{proxy}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    auth = (ACCOUNT, "token")
    bad = requests.post(url, data={"To": NUMBER}, auth=auth, timeout=30)
    assert bad.status_code == 422
    assert "'From'" in bad.text
    simulator.faults({"fault": "empty"})
    form = {"To": NUMBER, "From": CALLER, "Twiml": "<Response/>"}
    spoiled = requests.post(url, data=form, auth=auth, timeout=30)
    assert spoiled.status_code == 500
    assert "VIOLATIONS" in spoiled.text


@pytest.mark.parametrize(
    ("caller", "grades"),
    [(CALLER, [Grade.FINE, Grade.FINE]), ("+15005550001", [Grade.FINE, Grade.WRONG])],
)
def test_account_and_numbers_are_asked_for_as_twilio_describes_them(
    simulator: SimulatorClient, tmp_path: Path, caller: str, grades: list[Grade]
) -> None:
    """The doctor's questions and the simulator's answers: neither breaks the description."""
    with _checking(ABOUT_ACCOUNT, simulator, tmp_path / "log") as url:
        account_checks = AccountChecks(
            account_sid=ACCOUNT, auth_token="token", from_numbers=[caller], api_base=url
        )
        found = list(account_checks.run_checks(by_key=False))
        account_checks.close()
    assert [each.grade for each in found] == grades, found
