"""The simulator over real HTTP."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from tests.simulator import ACCOUNT, CALLER, SimulatorClient, SimulatorProcess
from tests.stack import ROOT, until

NUMBER = "+15005550100"


def test_an_accepted_call_is_one_ring(simulator: SimulatorClient) -> None:
    """Each accepted request is remembered once, with all its parameters."""
    before_ms = time.time() * 1000
    answer = simulator.create(NUMBER, Timeout="30")
    (ring,) = simulator.rings()
    assert answer.status_code == 201
    assert answer.json()["status"] == "queued"
    assert (ring["sid"], ring["to"]) == (answer.json()["sid"], NUMBER)
    assert before_ms - 1 <= ring["at"] <= time.time() * 1000
    assert ring["parameters"]["Timeout"] == "30"


@pytest.mark.parametrize(
    ("to", "caller", "code"),
    [
        ("+15005550001", CALLER, 21217),
        ("+15005550002", CALLER, 21214),
        ("+15005550003", CALLER, 21215),
        ("+15005550004", CALLER, 21216),
        (NUMBER, "+15005550001", 21212),
        (NUMBER, "+15005550007", 21210),
        ("", CALLER, 21201),
        (NUMBER, "", 21213),
        ("12345", CALLER, 21211),
    ],
)
def test_magic_numbers(simulator: SimulatorClient, to: str, caller: str, code: int) -> None:
    """Twilio's test numbers get Twilio's errors, and no phone rings."""
    answer = simulator.create(to, From=caller)
    body = answer.json()
    assert answer.status_code == body["status"] >= 400
    assert body["code"] == code
    assert body["message"]
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert simulator.rings() == []


def test_a_call_wants_something_to_say(simulator: SimulatorClient) -> None:
    """A call without instructions, or with too many, is refused."""
    assert simulator.create(NUMBER, Twiml="").json()["code"] == 21205
    assert simulator.create(NUMBER, Twiml="x" * 4001).json()["code"] == 32018
    assert simulator.create(NUMBER, Twiml="", Url="ftp://example.com").json()["code"] == 21205


def test_a_call_is_fetched_and_ended(simulator: SimulatorClient) -> None:
    """A call that has not been answered can be cancelled, once."""
    sid = simulator.create(NUMBER).json()["sid"]
    url = simulator.calls_url.replace(".json", f"/{sid}.json")
    assert simulator.get(f"/{sid}").json()["status"] in {"queued", "ringing"}
    ends = [
        requests.post(url, data={"Status": "canceled"}, auth=(ACCOUNT, "x"), timeout=30)
        for _ in range(2)
    ]
    assert ends[0].json()["status"] == "canceled"
    assert (ends[1].status_code, ends[1].json()["code"]) == (400, 21220)
    assert simulator.get(f"/{sid}").json()["status"] == "canceled"
    assert simulator.get("/CA" + "f" * 32).json()["code"] == 20404


def test_events_name_the_status_callback(simulator: SimulatorClient) -> None:
    """The events of a call show the request that made it."""
    callback = "https://example.com/status/1/token"
    sid = simulator.create(NUMBER, StatusCallback=callback).json()["sid"]
    (event,) = simulator.get(f"/{sid}/Events").json()["events"]
    assert event["request"]["parameters"]["status_callback"] == callback


def test_the_list_is_newest_first_and_filtered(simulator: SimulatorClient) -> None:
    """A list shows what its filters let through."""
    to = f"+1500{time.time_ns() % 10**7:07}"
    sids = [simulator.create(to).json()["sid"] for _ in range(3)]
    simulator.create(NUMBER)

    def listed(**query: str | int) -> list[str]:
        return [call["sid"] for call in simulator.get(**query).json()["calls"]]

    assert listed(To=to) == sids[::-1]
    assert listed(To=to, Status="completed") == []
    assert listed(To=to, From="+15005550009") == []
    assert listed(To=to, **{"StartTime<": "2020-01-01"}) == []
    assert len(listed(PageSize=4)) == 4


def test_a_call_has_no_start_time_before_it_is_dialed(simulator: SimulatorClient) -> None:
    """A filter on the start time hides a queued call: who looks for one must not use it."""
    to = f"+1506{time.time_ns() % 10**7:07}"
    simulator.create(to)
    seen = []
    while not (found := simulator.get(To=to, **{"StartTime>": "2020-01-01"}).json()["calls"]):
        seen += [call["status"] for call in simulator.get(To=to).json()["calls"]]
        time.sleep(0.05)
    assert set(seen) <= {"queued", "ringing"}
    assert found[0]["start_time"]


def test_pages_follow_one_another(simulator: SimulatorClient) -> None:
    """Following next_page_uri sees every call once, though new ones come in between."""
    to = f"+1501{time.time_ns() % 10**7:07}"
    sids = {simulator.create(to).json()["sid"] for _ in range(5)}
    seen: list[str] = []
    page = simulator.get(To=to, PageSize=2).json()
    while True:
        seen += [call["sid"] for call in page["calls"]]
        simulator.create(to)
        if page["next_page_uri"] is None:
            break
        url = simulator.url + page["next_page_uri"]
        page = requests.get(url, auth=(ACCOUNT, "token"), timeout=30).json()
    assert len(seen) == 5
    assert set(seen) == sids


def test_credentials(own_simulator: Callable[..., SimulatorProcess]) -> None:
    """Configured accounts are checked, and one account does not reach into another."""
    other = "AC" + "1" * 32
    process = own_simulator(
        "--account", f"{ACCOUNT}:good", "--account", f"{other}:fine", "--key", f"SK1:s:{ACCOUNT}"
    )
    url = process.client.calls_url

    def code(*auth: str) -> int | None:
        answer = requests.get(url, auth=auth or None, timeout=30)  # type: ignore[arg-type]
        found: int | None = answer.json().get("code")
        return found

    assert code(ACCOUNT, "good") is None
    assert code("SK1", "s") is None
    assert code(ACCOUNT, "bad") == 20003
    assert code() == 20003
    assert code(other, "fine") == 20404


def test_any_credentials_are_good_by_default(simulator: SimulatorClient) -> None:
    """Without configured accounts only a request without credentials is refused."""
    assert requests.get(simulator.calls_url, auth=("x", "y"), timeout=30).ok
    refused = requests.get(simulator.calls_url, timeout=30)
    assert (refused.status_code, refused.json()["code"]) == (401, 20003)
    assert refused.headers["WWW-Authenticate"].startswith("Basic")


def test_a_rule_strikes_as_often_as_it_says(simulator: SimulatorClient) -> None:
    """A rule is for its number, and is used up."""
    simulator.faults({"fault": "error", "status": 429, "retry_after": 3, "times": 2, "to": NUMBER})
    assert simulator.create("+15005550101").status_code == 201
    answers = [simulator.create(NUMBER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 201]
    assert answers[0].headers["Retry-After"] == "3"
    assert answers[0].json()["code"] == 20429
    assert simulator.faults()[0]["struck"] == 2
    assert len(simulator.rings(NUMBER)) == 1


def test_before_and_after(simulator: SimulatorClient) -> None:
    """A fault before accepting rings nobody, one after it does."""
    simulator.faults({"fault": "error", "status": 500, "when": "before", "times": 1})
    assert simulator.create(NUMBER).status_code == 500
    assert simulator.rings() == []
    simulator.faults({"fault": "error", "status": 502, "when": "after", "times": 1})
    assert simulator.create(NUMBER).status_code == 502
    assert len(simulator.rings()) == 1


def test_a_bad_rule_is_refused(simulator: SimulatorClient) -> None:
    """A slip in a rule is told, not swallowed."""
    for rule in ({"fault": "nonsense"}, {"fault": "slow", "msec": 3}, {"fault": "slow", "ms": -1}):
        answer = requests.post(f"{simulator.url}/simulator/faults", json=rule, timeout=30)
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert simulator.faults() == []


@pytest.mark.alone
def test_refusing_and_reopening(simulator: SimulatorClient) -> None:
    """Refused means refused by the system, for as long as was said or until it is mended."""
    address = ("127.0.0.1", int(simulator.url.rsplit(":", 1)[1]))
    simulator.faults({"fault": "refuse", "ms": 600})
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=30)
    time.sleep(0.8)
    assert simulator.create(NUMBER).status_code == 201
    simulator.faults({"fault": "refuse"})
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=30)
    simulator.mend()
    assert simulator.create(NUMBER).status_code == 201


def test_it_has_a_number_of_lines(own_simulator: Callable[..., SimulatorProcess]) -> None:
    """One call more is refused until one of them is over, and it says who ended that."""
    simulator = own_simulator().client
    simulator.faults({"fault": "crowded", "lines": 1, "status": 400, "code": 22005})
    first = simulator.create(NUMBER)
    assert first.status_code == 201
    refused = simulator.create(NUMBER)
    assert (refused.status_code, refused.json()["code"]) == (400, 22005)
    assert [ring["endedBy"] for ring in simulator.rings()] == [None]
    url = simulator.calls_url.removesuffix(".json") + f"/{first.json()['sid']}.json"
    assert requests.post(url, data={"Status": "canceled"}, auth=(ACCOUNT, "t"), timeout=30).ok
    assert [ring["endedBy"] for ring in simulator.rings()] == ["api"]
    assert simulator.create(NUMBER).status_code == 201
    assert simulator.faults()[0]["struck"] == 1


def test_it_presses_keys(own_simulator: Callable[..., SimulatorProcess]) -> None:
    """Once it is answered, and those that a phone has; no machine is detected then."""
    simulator = own_simulator().client
    bad = simulator.create(NUMBER, SendDigits="1p2")
    assert (bad.status_code, bad.json()["code"]) == (400, 21206)
    simulator.outcomes({"pace": 0.05, "outcome": "machine"})
    sid = simulator.create(NUMBER, SendDigits="ww1#", MachineDetection="Enable").json()["sid"]
    assert simulator.rings()[0]["digits"] == ""
    until(lambda: simulator.rings()[0]["digits"] == "ww1#", within_s=30, what="they are pressed")
    until(lambda: simulator.rings()[0]["status"] == "completed", within_s=30, what="its end")
    assert simulator.get(f"/{sid}").json()["answered_by"] is None


def test_it_writes_a_number_in_another_way(simulator: SimulatorClient) -> None:
    """As Twilio does: the call is listed under that spelling alone."""
    given, listed = (f"+44{zero}20{time.time_ns() % 10**8:08}" for zero in ("0", ""))
    simulator.faults({"fault": "respell", "to": given, "number": listed})
    sid = simulator.create(given).json()["sid"]
    assert simulator.get(To=given).json()["calls"] == []
    assert [call["sid"] for call in simulator.get(To=listed).json()["calls"]] == [sid]


@pytest.mark.alone
def test_the_list_lags(simulator: SimulatorClient) -> None:
    """A young call is missing from the list for as long as the rule says."""
    to = f"+1502{time.time_ns() % 10**7:07}"
    simulator.faults({"fault": "list_lag", "ms": 800})
    simulator.create(to)
    assert simulator.get(To=to).json()["calls"] == []
    time.sleep(0.9)
    assert len(simulator.get(To=to).json()["calls"]) == 1


@pytest.mark.alone
def test_slow_answers_do_not_hold_others_up(simulator: SimulatorClient) -> None:
    """Sixty slow requests take as long as one."""
    simulator.faults({"fault": "slow", "ms": 400, "when": "after"})
    start = time.monotonic()
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda _: simulator.create(NUMBER).status_code, range(60)))
    assert answers == [201] * 60
    assert time.monotonic() - start < 10, "one after the other they would take 24 s"
    assert len(simulator.rings()) == 60


@pytest.mark.alone
def test_many_calls(own_simulator: Callable[..., SimulatorProcess]) -> None:
    """With many calls in memory a number is found as fast as with few."""
    client = own_simulator().client
    parts = urlsplit(client.calls_url)
    # Not by requests, which takes longer for a request than the simulator.
    line = http.client.HTTPConnection(parts.netloc, timeout=30)
    headers = {"Authorization": f"Basic {b64encode(f'{ACCOUNT}:token'.encode()).decode()}"}
    for number in range(1_500):
        form = {"From": CALLER, "Twiml": "<Response/>", "To": f"+1503{number:07}"}
        line.request("POST", parts.path, urlencode(form), headers)
        line.getresponse().read()
    line.close()
    start = time.monotonic()
    url = f"{client.calls_url}?To=%2B15030000042"
    found = requests.get(url, auth=(ACCOUNT, "token"), timeout=30).json()
    assert time.monotonic() - start < 1
    assert len(found["calls"]) == 1
    assert len(client.rings()) == 1_500


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused(simulator: SimulatorClient, request_: bytes) -> None:
    """Nonsense gets a 400, and the next client is served."""
    address = ("127.0.0.1", int(simulator.url.rsplit(":", 1)[1]))
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(request_)
        assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert simulator.create(NUMBER).status_code == 201


def test_a_request_in_chunks(simulator: SimulatorClient) -> None:
    """A body of unknown length is read to its end."""
    body = f"To=%2B{NUMBER[1:]}&From=%2B{CALLER[1:]}&Twiml=x".encode()
    answer = requests.post(
        simulator.calls_url, data=iter([body[:9], body[9:]]), auth=(ACCOUNT, "t"), timeout=30
    )
    assert answer.status_code == 201


def test_it_ends_in_order(own_simulator: Callable[..., SimulatorProcess]) -> None:
    """SIGTERM ends it with 0; a port in use is named and ends it with 1."""
    first = own_simulator()
    port = first.client.url.rsplit(":", 1)[1]
    second = _run("--port", port)
    assert second.returncode == 1
    assert port in second.stderr
    assert first.stop() == 0


def test_the_port_comes_from_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --port it listens on SIMULATOR_PORT."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("SIMULATOR_PORT", port)
        assert port in _run().stderr


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
