"""All experiments, those first that find most."""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos.kills import kills, long_kills
from tests.chaos.report import Experiment

EXPERIMENTS: Sequence[Experiment] = (
    Experiment(name="kills", promise="P1 P2 P6 P7", run=kills, rounds=5),
    Experiment(name="long-kills", promise="P1 P2 P6 P7", run=long_kills),
)
