"""Dialers and simulators for the tests of this directory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.twilio.attempts import MakeDialer
from tests.simulator import (
    ACCOUNT,
    CALLER,
    SimulatorClient,
    _simulator_process,
    own_simulator,
    simulator,
)
from vomind_queue.twilio.dialer import TwilioDialer

__all__ = ["_simulator_process", "dialer", "make_dialer", "own_simulator", "simulator"]


@pytest.fixture
def make_dialer(simulator: SimulatorClient) -> Iterator[MakeDialer]:
    """Dialers that are pointed at the simulator, with settings of the test's choice."""
    made: list[TwilioDialer] = []

    def make(**settings: Any) -> TwilioDialer:
        given: dict[str, Any] = {
            "account_sid": ACCOUNT,
            "auth_token": "token",
            "from_numbers": [CALLER],
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
