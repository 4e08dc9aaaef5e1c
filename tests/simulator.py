"""The simulator as a separate process, and a client to steer it.

Use the fixtures ``simulator`` (shared by the run, reset for each test) and
``own_simulator`` (started with arguments of the test's choice); both are in
this module and reach a test by being imported into the conftest beside it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests

from tests.stack import ROOT

#: An account and a caller that the simulator accepts.
ACCOUNT = "AC" + "0" * 32
CALLER = "+15005550006"


class SimulatorClient:
    """Steers a running simulator over HTTP."""

    def __init__(self, url: str, control_url: str | None = None) -> None:
        """Without a separate control port the simulator is steered at ``url``."""
        self.url = url
        self._control_url = control_url or url
        self._session = requests.Session()

    def rings(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return every ring in order, or those of one number."""
        answer = self._ask("GET", "rings", params={"to": to} if to else {})
        rings: list[dict[str, Any]] = answer["rings"]
        return rings

    def faults(self, *rules: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Put rules in force; return all of them, with how often each struck."""
        answer = self._ask("POST", "faults", json=rules) if rules else self._ask("GET", "faults")
        found: list[dict[str, Any]] = answer["faults"]
        return found

    def mend(self) -> None:
        """Take all faults away."""
        self._ask("DELETE", "faults")

    def outcomes(self, *wishes: Mapping[str, Any]) -> None:
        """Say how the next calls go."""
        self._ask("POST", "outcomes", json=wishes)

    def as_usual(self) -> None:
        """Calls go by their numbers again."""
        self._ask("DELETE", "outcomes")

    def mishaps(self, *troubles: Mapping[str, Any]) -> None:
        """Say what happens to callbacks."""
        self._ask("POST", "mishaps", json=troubles)

    def callbacks(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return what was sent, in order of the answers; ``event``: of that kind."""
        sent: list[dict[str, Any]] = self._ask("GET", "callbacks")["callbacks"]
        return [each for each in sent if event in (None, each["event"])]

    def press(self, to: str, digit: str) -> bool:
        """The person called presses a key; return whether a call to that number waited for one."""
        url = f"{self._control_url}/simulator/keys"
        answer = self._session.post(url, json={"to": to, "digit": digit}, timeout=30)
        return answer.status_code == 200

    def reset(self) -> None:
        """As if just started, but for the calls."""
        self.mend()
        for what in ("rings", "outcomes", "mishaps", "callbacks"):
            self._ask("DELETE", what)

    def create(self, to: str, **parameters: str) -> requests.Response:
        """Ask for a call as a plain HTTP client."""
        form = {"To": to, "From": CALLER, "Twiml": "<Response/>", **parameters}
        return requests.post(self.calls_url, data=form, auth=(ACCOUNT, "token"), timeout=30)

    def get(self, path: str = "", **query: Any) -> requests.Response:
        """``path`` is under ``/Calls``: empty for the list, or ``/{sid}``, ``/{sid}/Events``."""
        url = self.calls_url.removesuffix(".json") + path + ".json"
        return requests.get(url, params=query, auth=(ACCOUNT, "token"), timeout=30)

    @property
    def calls_url(self) -> str:
        """Where calls are created and listed."""
        return f"{self.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def _ask(self, method: str, what: str, **options: Any) -> dict[str, Any]:
        url = f"{self._control_url}/simulator/{what}"
        answer = self._session.request(method, url, timeout=30, **options)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found


class SimulatorProcess:
    """One simulator on free ports."""

    def __init__(self, *arguments: str) -> None:
        """Start it and wait until it listens."""
        ports = ("--port", "0", "--control-port", "0")
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "simulator", *ports, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.popen.stdout is not None
        _, url, _, control_url = self.popen.stdout.readline().split()
        self.client = SimulatorClient(url, control_url)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.client.close()
        self.popen.terminate()
        status = self.popen.wait(30)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        return status


@pytest.fixture(scope="session")
def _simulator_process() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess()
    yield process
    process.stop()


@pytest.fixture
def simulator(_simulator_process: SimulatorProcess) -> SimulatorClient:
    """A simulator without faults and without rings."""
    _simulator_process.client.reset()
    return _simulator_process.client


@pytest.fixture
def own_simulator() -> Iterator[Callable[..., SimulatorProcess]]:
    """Starts simulators of the test's own: ``own_simulator("--account", "AC…:token")``."""
    started: list[SimulatorProcess] = []

    def start(*arguments: str) -> SimulatorProcess:
        started.append(SimulatorProcess(*arguments))
        return started[-1]

    yield start
    for process in started:
        if process.popen.poll() is None:
            process.stop()
