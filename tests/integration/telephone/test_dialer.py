"""The dialer against the simulator, over real HTTP, with everything that can go wrong."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any, Self

import pytest

from tests.servers import free_port
from tests.simulator import ACCOUNT, CALLER, SimulatorClient, SimulatorProcess
from vomind_queue.attempts import Accepted, Attempt, DialerUnavailable, Failure, Kind
from vomind_queue.calls import Call
from vomind_queue.clocks import boottime
from vomind_queue.dialer.exchange import Exchange
from vomind_queue.dialer.lines import Lines
from vomind_queue.dialer.twilio import TwilioDialer

#: Of the tests in which it passes; the others have the usual one.
DEADLINE_MS = 1_000
#: What a busy machine may add to it, s; far less than any fault lasts.
GRACE_S = 2.0
PUBLIC_URL = "https://queue.example.com"

_numbers = count(time.time_ns() % 10**6)
MakeDialer = Callable[..., TwilioDialer]


@pytest.fixture
def make_dialer(simulator: SimulatorClient) -> Iterator[MakeDialer]:
    """Dialers that are pointed at the simulator, with settings of the test's choice."""
    made: list[TwilioDialer] = []

    def make(**settings: Any) -> TwilioDialer:
        given: dict[str, Any] = {
            "account_sid": ACCOUNT,
            "auth_token": "token",
            "from_number": CALLER,
            "api_base": simulator.url,
            **settings,
        }
        made.append(TwilioDialer(**given))
        return made[-1]

    yield make
    for dialer in made:
        dialer.close()


@pytest.fixture
def dialer(make_dialer: MakeDialer) -> TwilioDialer:
    """A dialer as it is by default."""
    return make_dialer()


def an_attempt(to: str | None = None, **fields: Any) -> Attempt:
    """An attempt that was marked just now, to a number that no other test has."""
    call = Call(to=to or f"+1504{next(_numbers):07}", **fields)
    return Attempt(
        job_id="7",
        token=f"token-{next(_numbers)}",
        call=call,
        number=1,
        marked_ms=int(time.time() * 1000),
        begun_s=boottime(),
    )


def test_a_call_is_placed(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """One ring, with the message, from our number, unrecorded, for thirty seconds."""
    attempt = an_attempt(message="You & me <3")
    outcome = dialer.place(attempt)
    (ring,) = simulator.rings()
    assert outcome == Accepted(sid=ring["sid"], status="queued")
    assert ring["parameters"] == {
        "To": attempt.call.to,
        "From": CALLER,
        "Timeout": "30",
        "Record": "false",
        "Twiml": "<Response><Say>You &amp; me &lt;3</Say></Response>",
    }


def test_an_application_of_the_operator_speaks(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """With TWIML_URL Twilio is sent there, with the message and the ids."""
    dialer = make_dialer(twiml_url="https://app.example.com/voice?tenant=1")
    assert isinstance(dialer.place(an_attempt(message="Hi", lead_id="L1")), Accepted)
    (ring,) = simulator.rings()
    assert "Twiml" not in ring["parameters"]
    assert ring["parameters"]["Url"] == (
        "https://app.example.com/voice?tenant=1&message=Hi&jobId=7&lead_id=L1"
    )


def test_the_status_callback_carries_the_token(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """With PUBLIC_URL Twilio reports every step to an address that names the attempt."""
    attempt = an_attempt()
    make_dialer(public_url=PUBLIC_URL).place(attempt)
    (ring,) = simulator.rings()
    assert ring["parameters"]["StatusCallback"] == (
        f"{PUBLIC_URL}/api/twilio/status/7/{attempt.token}"
    )
    assert ring["parameters"]["StatusCallbackEvent"] == [
        "initiated",
        "ringing",
        "answered",
        "completed",
    ]


def test_an_api_key_logs_in(
    make_dialer: MakeDialer, own_simulator: Callable[..., SimulatorProcess]
) -> None:
    """Key and secret stand in for the auth token; the account stays the same."""
    process = own_simulator("--key", f"SK1:secret:{ACCOUNT}")
    base = process.client.url
    by_key = make_dialer(api_base=base, auth_token=None, api_key="SK1", api_secret="secret")
    assert isinstance(by_key.place(an_attempt()), Accepted)
    by_token = make_dialer(api_base=base).place(an_attempt())
    assert isinstance(by_token, Failure)
    assert (by_token.kind, by_token.code) == (Kind.ACCOUNT, 20003)


def test_without_an_account_nothing_is_tried(make_dialer: MakeDialer) -> None:
    """What is missing is named, and the queue is to pause."""
    failed = make_dialer(account_sid=None, auth_token=None).place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.ACCOUNT
    assert "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN must be set" in failed.reason


#: A rule of the simulator's, what it means, and whether the phone rang.
FAULTS: list[tuple[dict[str, Any], Kind, bool]] = [
    ({"fault": "error", "status": 429, "retry_after": 7}, Kind.REFUSED, False),
    ({"fault": "error", "status": 429}, Kind.REFUSED, False),
    ({"fault": "error", "code": 10004}, Kind.REFUSED, False),
    ({"fault": "error", "status": 500}, Kind.DOUBT, False),
    ({"fault": "error", "status": 500, "when": "after"}, Kind.DOUBT, True),
    ({"fault": "error", "status": 502, "when": "after"}, Kind.DOUBT, True),
    ({"fault": "error", "status": 503}, Kind.DOUBT, False),
    ({"fault": "error", "status": 408, "code": 20500}, Kind.DOUBT, False),
    ({"fault": "error", "code": 20003}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 20005}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 10001}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 20404}, Kind.ACCOUNT, False),
    ({"fault": "error", "code": 13225}, Kind.PERMANENT, False),
    ({"fault": "html", "when": "after"}, Kind.DOUBT, True),
    ({"fault": "html", "status": 200, "when": "after"}, Kind.DOUBT, True),
    ({"fault": "html", "status": 302}, Kind.ACCOUNT, False),
    ({"fault": "empty"}, Kind.DOUBT, False),
    ({"fault": "empty", "when": "after"}, Kind.DOUBT, True),
    ({"fault": "drop"}, Kind.DOUBT, False),
    ({"fault": "drop", "when": "after"}, Kind.DOUBT, True),
    ({"fault": "reset", "when": "after"}, Kind.DOUBT, True),
    ({"fault": "cut", "when": "after"}, Kind.DOUBT, True),
    ({"fault": "half_close", "when": "after"}, Kind.DOUBT, True),
    ({"fault": "silent"}, Kind.DOUBT, False),
    ({"fault": "silent", "when": "after"}, Kind.DOUBT, True),
    ({"fault": "drip", "ms": 50, "when": "after"}, Kind.DOUBT, True),
    ({"fault": "slow", "ms": 5000, "when": "after"}, Kind.DOUBT, True),
]


@pytest.mark.parametrize(
    ("rule", "kind", "rang"), FAULTS, ids=["-".join(map(str, r.values())) for r, _, _ in FAULTS]
)
def test_faults(
    make_dialer: MakeDialer,
    simulator: SimulatorClient,
    rule: dict[str, Any],
    kind: Kind,
    rang: bool,
) -> None:
    """Every fault has its meaning, within the deadline, and nothing is sent twice."""
    simulator.faults(rule)
    dialer = make_dialer(deadline_ms=DEADLINE_MS)
    attempt = an_attempt()
    start = time.monotonic()
    failed = dialer.place(attempt)
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is kind, failed.reason
    assert len(simulator.rings(attempt.call.to)) == rang
    assert simulator.faults()[0]["struck"] == 1
    if rule.get("retry_after"):
        assert failed.retry_after_ms == 7_000


@pytest.mark.parametrize(
    ("to", "code"),
    [("+15005550001", 21217), ("+15005550002", 21214), ("+15005550003", 21215)],
)
def test_twilios_words_reach_people(dialer: TwilioDialer, to: str, code: int) -> None:
    """A number that is refused for good is told with Twilio's message and code."""
    failed = dialer.place(an_attempt(to))
    assert isinstance(failed, Failure)
    assert (failed.kind, failed.code) == (Kind.PERMANENT, code)
    assert failed.reason.startswith("Twilio will not place this call: ")
    assert f"(error {code}, HTTP 400)" in failed.reason


def test_a_reason_shows_no_number(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """Twilio repeats the number; in a reason, which is logged, it is masked."""
    attempt = an_attempt()
    words = f"The number {attempt.call.to} is not allowed."
    simulator.faults({"fault": "error", "code": 21216, "message": words})
    failed = dialer.place(attempt)
    assert isinstance(failed, Failure)
    assert attempt.call.to not in failed.reason
    assert attempt.call.to[-4:] in failed.reason


def test_a_refused_connection_was_not_processed(make_dialer: MakeDialer) -> None:
    """Nobody listens: it may be tried again."""
    failed = make_dialer(api_base=f"http://127.0.0.1:{free_port()}").place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert "connection refused" in failed.reason


def test_twilio_away_and_back(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A connection kept from before does not make a refusal doubtful."""
    assert isinstance(dialer.place(an_attempt()), Accepted)
    simulator.faults({"fault": "refuse"})
    failed = dialer.place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    simulator.mend()
    assert isinstance(dialer.place(an_attempt()), Accepted)
    assert len(simulator.rings()) == 2


def test_an_unknown_host_was_not_processed(make_dialer: MakeDialer) -> None:
    """A name that does not resolve is told within the deadline."""
    start = time.monotonic()
    failed = make_dialer(api_base="http://no-such-host.invalid", deadline_ms=DEADLINE_MS).place(
        an_attempt()
    )
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED


def test_no_tls_no_call(make_dialer: MakeDialer, simulator: SimulatorClient) -> None:
    """A server that does not speak TLS gets nothing to process."""
    failed = make_dialer(api_base=simulator.url.replace("http:", "https:")).place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert simulator.rings() == []


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes no connection: its queue of waiting ones is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def test_a_connection_that_takes_too_long_was_not_processed(
    make_dialer: MakeDialer, deaf_port: int
) -> None:
    """Connecting counts towards the deadline."""
    start = time.monotonic()
    failed = make_dialer(api_base=f"http://127.0.0.1:{deaf_port}", deadline_ms=DEADLINE_MS).place(
        an_attempt()
    )
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert "too long" in failed.reason


def test_a_tls_handshake_that_never_ends_was_not_processed(make_dialer: MakeDialer) -> None:
    """Neither does the handshake get more time than the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"https://127.0.0.1:{listener.getsockname()[1]}"
        start = time.monotonic()
        failed = make_dialer(api_base=base, deadline_ms=DEADLINE_MS).place(an_attempt())
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED


def test_a_late_request_is_not_sent(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """After a standstill between the mark and the request nothing leaves, nothing counts."""
    late = replace(an_attempt(), begun_s=boottime() - 10.01)
    failed = dialer.place(late)
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNSENT
    assert simulator.rings() == []


def test_a_late_request_is_not_sent_on_a_kept_connection(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """The check stands before the sending, not before the connecting."""
    assert isinstance(dialer.place(an_attempt()), Accepted)
    late = replace(an_attempt(), begun_s=boottime() - 10.01)
    failed = dialer.place(late)
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNSENT
    assert simulator.rings(late.call.to) == []


def test_connections_are_kept(make_dialer: MakeDialer) -> None:
    """Calls one after the other share a connection."""
    with Doorman() as doorman:
        dialer = make_dialer(api_base=doorman.url)
        for _ in range(3):
            dialer.place(an_attempt())
        assert doorman.connections == 1


def test_an_idle_connection_is_given_up() -> None:
    """A server closes idle connections, and a request that crosses that is in doubt."""
    lines = Lines(2, max_idle_s=0.1)
    with Doorman() as doorman, contextlib.closing(lines):
        for _ in range(2):
            with lines.exchange(Exchange.lasting(5)):
                assert lines.request("GET", doorman.url).status_code == 201
            time.sleep(0.15)
        assert doorman.connections == 2


def test_a_connection_that_the_server_closed_is_not_used(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """Twilio may close a kept connection at any time, without a word."""
    simulator.faults({"fault": "then_close", "when": "after"})
    for _ in range(5):
        assert isinstance(dialer.place(an_attempt()), Accepted)
        time.sleep(0.02)
    assert len(simulator.rings()) == 5


def test_many_at_once(make_dialer: MakeDialer, simulator: SimulatorClient) -> None:
    """As many requests at once as there are slots, each its own call."""
    dialer = make_dialer(slots=20)
    simulator.faults({"fault": "slow", "ms": 200})
    attempts = [an_attempt() for _ in range(40)]
    start = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(dialer.place, attempts))
    # One after the other they would take eight seconds.
    assert time.monotonic() - start < 5
    sids = {ring["to"]: ring["sid"] for ring in simulator.rings()}
    assert [sids[attempt.call.to] for attempt in attempts] == [
        outcome.sid for outcome in outcomes if isinstance(outcome, Accepted)
    ]


ODD_BODIES = [
    b"",
    b"[]",
    b"null",
    b"{}",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b'{"sid": 5}',
    b'{"sid": null}',
    b'{"sid": ""}',
    b'{"code": Infinity, "message": "x"}',
    b'{"code": "x", "message": {}}',
    b'{"code": 1' + b"0" * 5000 + b', "message": ""}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("status", [200, 201, 204, 299, 400, 500])
def test_odd_answers(make_dialer: MakeDialer, status: int) -> None:
    """Whatever an answer holds, nothing is raised, and nothing counts as placed."""
    with Doorman() as doorman:
        dialer = make_dialer(api_base=doorman.url)
        doorman.status = status
        for doorman.body in ODD_BODIES:
            failed = dialer.place(an_attempt())
            assert isinstance(failed, Failure), doorman.body[:40]
            assert failed.kind is Kind.DOUBT, doorman.body[:40]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 201 Created\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 999999999999\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 201 Created\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=lambda answer: answer[:50].decode(),
)
def test_answers_that_are_no_http(make_dialer: MakeDialer, answer: bytes) -> None:
    """Something that breaks HTTP itself leaves the call in doubt."""
    with Doorman() as doorman:
        doorman.raw = answer
        failed = make_dialer(api_base=doorman.url).place(an_attempt())
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.DOUBT


def test_an_attempt_in_doubt_is_found(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A call that was accepted without an answer stands in the list, with its time."""
    attempt = an_attempt()
    simulator.faults({"fault": "drop", "when": "after", "times": 1})
    dialer.place(attempt)
    search = dialer.find(attempt)
    (ring,) = search.rings
    assert ring.sid == simulator.rings()[0]["sid"]
    assert ring.status in {"queued", "ringing"}
    assert ring.token is None
    # Twilio gives whole seconds, in the list and in its Date header.
    assert -1_000 <= ring.created_ms - attempt.marked_ms <= 5_000
    assert abs(search.clock_ahead_ms) <= 1_500


def test_an_attempt_that_never_arrived_is_not_found(dialer: TwilioDialer) -> None:
    """Nothing in the list, nothing found."""
    assert dialer.find(an_attempt()).rings == []


def test_the_token_tells_two_rings_apart(
    make_dialer: MakeDialer, simulator: SimulatorClient
) -> None:
    """With a public address each ring names the attempt that it belongs to."""
    dialer = make_dialer(public_url=PUBLIC_URL)
    ours = an_attempt()
    other = replace(ours, token="other")
    dialer.place(ours)
    dialer.place(other)
    simulator.create(ours.call.to)
    tokens = [ring.token for ring in dialer.find(ours).rings]
    assert tokens == [None, "other", ours.token], "newest first"


def test_old_calls_are_not_shown(dialer: TwilioDialer) -> None:
    """A call from long before the mark is nobody's evidence."""
    attempt = an_attempt()
    dialer.place(attempt)
    later = replace(attempt, marked_ms=attempt.marked_ms + 3_600_000)
    assert dialer.find(later).rings == []


def test_pages_are_followed(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A number that was called often is read to the end."""
    attempt = an_attempt()
    for _ in range(60):
        simulator.create(attempt.call.to)
    found = dialer.find(attempt).rings
    assert {ring.sid for ring in found} == {ring["sid"] for ring in simulator.rings()}
    assert len(found) == 60


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "error", "status": 500},
        {"fault": "error", "code": 20003},
        {"fault": "html", "status": 200},
        {"fault": "empty"},
        {"fault": "drop"},
        {"fault": "silent"},
        {"fault": "drip", "ms": 30, "when": "after"},
    ],
    ids=lambda rule: "-".join(map(str, rule.values())),
)
def test_a_list_that_cannot_be_had(
    make_dialer: MakeDialer, simulator: SimulatorClient, rule: dict[str, Any]
) -> None:
    """A failed look is never taken for an empty list."""
    simulator.faults({**rule, "on": "list"})
    dialer = make_dialer(deadline_ms=DEADLINE_MS)
    start = time.monotonic()
    with pytest.raises(DialerUnavailable):
        dialer.find(an_attempt())
    assert time.monotonic() - start < DEADLINE_MS / 1000 + GRACE_S


def test_events_that_cannot_be_had(make_dialer: MakeDialer, simulator: SimulatorClient) -> None:
    """A ring whose token cannot be read makes the look a failed one."""
    dialer = make_dialer(public_url=PUBLIC_URL)
    attempt = an_attempt()
    dialer.place(attempt)
    simulator.faults({"fault": "error", "status": 500, "on": "events"})
    with pytest.raises(DialerUnavailable):
        dialer.find(attempt)


def test_a_call_is_ended(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A ringing call is canceled; ending it once more changes nothing."""
    outcome = dialer.place(an_attempt())
    assert isinstance(outcome, Accepted)
    dialer.cancel(outcome.sid)
    dialer.cancel(outcome.sid)
    # A busy machine may take so long that somebody has picked up.
    assert simulator.get(f"/{outcome.sid}").json()["status"] in {"canceled", "completed"}


def test_an_answered_call_is_hung_up(dialer: TwilioDialer, simulator: SimulatorClient) -> None:
    """A call on the line cannot be canceled; it is completed."""
    outcome = dialer.place(an_attempt())
    assert isinstance(outcome, Accepted)
    simulator.faults({"fault": "error", "code": 21220, "on": "update", "times": 1})
    dialer.cancel(outcome.sid)
    assert simulator.get(f"/{outcome.sid}").json()["status"] == "completed"


def test_a_call_that_cannot_be_ended_is_told(
    dialer: TwilioDialer, simulator: SimulatorClient
) -> None:
    """Who wanted it ended hears that it may go on."""
    simulator.faults({"fault": "error", "status": 500, "on": "update"})
    with pytest.raises(DialerUnavailable):
        dialer.cancel("CA" + "0" * 32)


class Doorman:
    """A server that answers every request alike, and counts its connections."""

    def __init__(self) -> None:
        """Listens on a free port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.status, self.body = 201, b'{"sid": "CA1", "status": "queued"}'
        #: Sent in place of an answer, after which the connection is closed.
        self.raw: bytes | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(visitor,), daemon=True).start()

    def _answer(self, visitor: socket.socket) -> None:
        # A client that goes away in the middle is nothing to report.
        with contextlib.suppress(OSError), visitor:
            while visitor.recv(65536):
                if self.raw is not None:
                    visitor.sendall(self.raw)
                    return
                head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.body)}\r\n\r\n"
                visitor.sendall(head.encode() + self.body)
