"""The store's scripts driven at random against a plain Python model of the queue.

Commands are repeated as a client repeats those whose replies were lost. Time is
moved by hand: a lease "runs out" and a delayed call "becomes due" when the test
says so.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.queue.model.apps import Apps
from tests.integration.queue.model.bulks import Bulks
from tests.integration.queue.model.campaigns import Campaigns
from tests.integration.queue.model.twilio import Twilio
from tests.integration.queue.model.workers import Workers


class Queue(Apps, Bulks, Campaigns, Twilio, Workers):
    """Two workers and an API at one queue."""


@pytest.mark.slow
@pytest.mark.randomised
@pytest.mark.usefixtures("_patient_api")
def test_the_store_does_what_the_model_does(redis_url: str, full: bool) -> None:
    """1,500 steps at random, or 10,000, with commands repeated: all states of all calls agree."""
    machine = type("QueueOnThisServer", (Queue,), {"url": redis_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if full else 30,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # A run that fails prints its steps; making them fewer takes minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
