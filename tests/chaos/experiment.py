"""What an experiment has to say: one row of a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.scale import Scale

#: Where rows are kept for later; git ignores it.
RECORD = Path(__file__).parent.parent.parent / ".data" / "chaos.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line of the table in docs/promises.md."""

    promise: str
    experiment: str
    #: How much was done.
    size: str
    #: What came of it, in figures.
    result: str

    def __str__(self) -> str:
        return f"| {self.promise} | {self.experiment} | {self.size} | {self.result} |"


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """A promise and the way in which it is tried."""

    name: str
    promise: str
    #: Does the harm; answers size and result. Raises Broken when the promise is.
    run: Callable[[Scale, int], tuple[str, str]]
    #: Runs in `make chaos`, each with its own seed; one in the short form.
    rounds: int = 1
    #: Whether `make test` runs its short form: not where another test, or a harder
    #: experiment, does the same.
    short: bool = True
    #: Whether its short form judges how late something is, which a busy machine decides.
    alone: bool = False

    def perform(self, scale: Scale, seed: int) -> Row:
        """One run."""
        size, result = self.run(scale, seed)
        return Row(promise=self.promise, experiment=self.name, size=size, result=result)


def record(row: Row, scale: Scale, seed: int, took_s: float) -> None:
    """Keep a row with what it takes to replay it."""
    RECORD.parent.mkdir(exist_ok=True)
    line = {**asdict(row), "scale": scale.name, "seed": seed, "took_s": round(took_s, 1)}
    with RECORD.open("a") as file:
        file.write(json.dumps(line) + "\n")


def say(text: str) -> None:
    """A line for the person watching."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
