"""The experiments in their short form: the same harm, small, with no judging of durations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from tests.chaos.experiment import Experiment
from tests.chaos.experiments import EXPERIMENTS
from tests.chaos.scale import SHORT

#: Any will do; one that is fixed keeps a red test red.
SEED = 7


def _cases() -> Iterator[ParameterSet]:
    for experiment in filter(lambda each: each.short, EXPERIMENTS):
        marks = [pytest.mark.alone] if experiment.alone else []
        yield pytest.param(experiment, id=experiment.name, marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize("experiment", list(_cases()))
def test_a_promise_holds_while_harm_is_done(experiment: Experiment) -> None:
    """Judged by what rang and by what the API answers."""
    experiment.perform(SHORT, SEED)
