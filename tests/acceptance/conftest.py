"""A whole stack and a client of its API, for the tests beside this file."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.devserver.whole_stack import Copy
from tests.ports import free_port
from tests.servers import Server, binary, missing
from tests.simulator import SimulatorClient
from tests.stack import Stack, until

#: A number that anybody may ring: the simulator rings nobody.
TO = "+1234567890"
#: The protocol ten times faster than by default.
FAST = {
    "CALL_RETRY_DELAY": "1",
    "LEASE_TIME": "1s",
    "DIAL_DEADLINE": "1s",
    "RECONCILE_INTERVAL": "200ms",
    "UNKNOWN_OUTCOME_HORIZON": "3s",
    "CIRCUIT_PROBE_INTERVAL": "500ms",
    "DRAIN_TIME": "5s",
    "CALL_RATE_LIMIT": "off",
}


class Api:
    """The REST API, as an app uses it."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session = requests.Session()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Return one request; whatever the answer."""
        return self._session.request(
            method, self._base + path, json=body, headers=headers, timeout=30
        )

    def __call__(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Return one request that succeeds."""
        answer = self.ask(method, path, body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def schedule(self, to: str, **fields: Any) -> str:
        """Schedule one call at once; its job id."""
        return str(self("POST", "/schedule-call", {"to": to, **fields})["jobId"])

    def bulk(self, calls: list[dict[str, Any]]) -> list[str]:
        """Schedule many; their job ids."""
        jobs = self("POST", "/schedule-bulk-calls", {"calls": calls})["jobs"]
        return [job["jobId"] for job in jobs]

    def job(self, job_id: str) -> dict[str, Any]:
        """Return one job."""
        return self("GET", f"/job/{job_id}")

    def stats(self) -> dict[str, Any]:
        """Return the numbers alone."""
        stats: dict[str, Any] = self("GET", "/stats")["stats"]
        return stats

    def until_state(self, job_id: str, *states: str, within_s: float = 60) -> dict[str, Any]:
        """Wait until a job is in one of these states."""

        def arrived() -> dict[str, Any]:
            job = self.job(job_id)
            return job if job["state"] in states else {}

        return until(arrived, within_s=within_s, what=f"job {job_id} is {' or '.join(states)}")

    def until_done(self, *, within_s: float = 60) -> dict[str, Any]:
        """Wait until nothing waits, is delayed or active."""

        def done() -> dict[str, Any]:
            stats = self.stats()
            return stats if stats["waiting"] + stats["delayed"] + stats["active"] == 0 else {}

        return until(done, within_s=within_s, what="all calls are done")


@pytest.fixture
def fast(stack: Stack) -> Stack:
    """A stack with quick protocol times and a simulator."""
    stack.settings.update(FAST)
    stack.start_simulator()
    return stack


@pytest.fixture
def phone(fast: Stack) -> Iterator[SimulatorClient]:
    """The simulator of that stack."""
    client = SimulatorClient(fast.simulator_url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def web_of_all(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The API alone, for all tests that want no other settings; its start takes seconds.

    What it keeps is in Redis, which ``redis_url`` empties.
    """
    made = Stack(directory=tmp_path_factory.mktemp("web"), redis_url=shared_server.url)
    made.settings.update(FAST)
    made.start_web()
    yield made
    made.close()


@pytest.fixture
def api(fast: Stack, web_of_all: Stack) -> Api:
    """The API beside that stack, without a worker yet."""
    fast.use_web_of(web_of_all)
    return Api(fast.queue_url)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    """A copy that is not started yet; nothing of it is left after the test."""
    made = Copy(tmp_path)
    yield made
    made.end()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """A key and a certificate that nobody vouches for."""
    if shutil.which("openssl") is None:
        missing("openssl")
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-subj", "/CN=nobody", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return str(key), str(made)


@pytest.fixture
def tls_server(certificate: tuple[str, str], tmp_path: Path) -> Iterator[Server]:
    """A server that speaks TLS on its own port."""
    binary("redis7")
    port, (key, made) = free_port(), certificate
    server = Server(
        kind="redis7",
        directory=tmp_path / "tls",
        tls_port=port,
        arguments=(
            *("--tls-port", str(port), "--tls-cert-file", made, "--tls-key-file", key),
            *("--tls-auth-clients", "no", "--requirepass", ""),
        ),
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture
def tls_port(tls_server: Server) -> int:
    """Where a server listens that speaks TLS."""
    return tls_server.tls_port


@contextmanager
def reached(server: Server, directory: Path, **settings: str) -> Iterator[Stack]:
    """A stack that Twilio reaches: simulator, web and worker, for the tests of a whole file."""
    server.empty()
    made = Stack(directory=directory, redis_url=server.url)
    made.settings.update(FAST, PUBLIC_URL=made.web_url, **settings)
    made.start_simulator()
    made.start_web()
    made.start_worker()
    yield made
    made.close()


@contextmanager
def fresh_phone(stack: Stack, rule: dict[str, Any]) -> Iterator[SimulatorClient]:
    """A stack's simulator, without rings and with one rule."""
    client = SimulatorClient(stack.simulator_url)
    client.reset()
    client.outcomes(rule)
    yield client
    client.close()


def number(index: int) -> str:
    """Return a phone number that no other index has."""
    return f"+1555{index:07d}"


def calls(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Calls to that many numbers."""
    return [{"to": number(index), **fields} for index in range(count)]


def each_rang_once(phone: SimulatorClient, count: int) -> None:
    """The judge: every number of `calls(count)` rang, and none twice."""
    rung = [ring["to"] for ring in phone.rings()]
    assert sorted(rung) == [number(index) for index in range(count)]
