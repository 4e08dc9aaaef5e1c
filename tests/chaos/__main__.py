"""``python -m tests.chaos``: does harm and judges; non-zero when a promise breaks."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import traceback
from collections.abc import Sequence

import pytest

from tests.chaos.experiment import Experiment, Row, record, say
from tests.chaos.experiments import EXPERIMENTS
from tests.chaos.scale import FULL, SHORT, USUAL, Scale


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for, and print the table."""
    args = _parser().parse_args(argv)
    if args.list:
        for experiment in EXPERIMENTS:
            say(f"{experiment.name:14} {experiment.promise:12} {experiment.run.__doc__}")
        return 0
    scale = FULL if args.full else SHORT if args.short else USUAL
    chosen = [each for each in EXPERIMENTS if args.experiment in (None, each.name)]
    if not chosen:
        say(f"There is no experiment {args.experiment}; --list shows them.")
        return 2
    # Nobody's settings but the experiment's own.
    os.environ["VOMIND_ENV_FILE"] = ""
    rows, broken = _run_all(chosen, scale, args.seed, args.rounds)
    say("\n| promise | experiment | size | result |\n|---|---|---|---|")
    for row in rows:
        say(str(row))
    return 1 if broken else 0


def _run_all(
    chosen: Sequence[Experiment], scale: Scale, seed: int | None, rounds: int | None
) -> tuple[list[Row], int]:
    rows, broken = [], 0
    for experiment in chosen:
        once = seed is not None or scale is SHORT
        times = rounds or (1 if once else experiment.rounds)
        for _ in range(times):
            used = random.randrange(1_000_000) if seed is None else seed
            row, kept = _run_one(experiment, scale, used)
            rows.append(row)
            broken += not kept
    return rows, broken


def _run_one(experiment: Experiment, scale: Scale, seed: int) -> tuple[Row, bool]:
    flag = {"full": " --full", "short": " --short"}.get(scale.name, "")
    say(f"{experiment.name}, to replay: --experiment {experiment.name} --seed {seed}{flag}")
    began, kept = time.monotonic(), True
    try:
        row = experiment.perform(scale, seed)
    except pytest.skip.Exception as error:
        # It wants a program that this machine does not have.
        kept = False
        row = Row(
            promise=experiment.promise,
            experiment=experiment.name,
            size=f"seed {seed}",
            result=f"NOT TRIED: {error}",
        )
    except Exception as error:  # noqa: BLE001 - reported, and the next one runs
        kept = False
        if not isinstance(error, AssertionError):
            traceback.print_exc()
        say(f"BROKEN: {experiment.promise}, {experiment.name}, seed {seed}\n{error}")
        row = Row(
            promise=experiment.promise,
            experiment=experiment.name,
            size=f"seed {seed}",
            result="BROKEN",
        )
    took_s = time.monotonic() - began
    say(f"  {row} ({took_s:.0f} s)")
    record(row, scale, seed, took_s)
    return row, kept


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="replays the choices of an earlier run")
    parser.add_argument("--experiment", help="only that one; --list shows the names")
    parser.add_argument("--rounds", type=int, help="runs of each, with a new seed each time")
    parser.add_argument("--full", action="store_true", help="full size, the product's own times")
    parser.add_argument("--short", action="store_true", help="the small form that `make test` runs")
    parser.add_argument("--list", action="store_true", help="what there is")
    return parser


if __name__ == "__main__":
    sys.exit(main())
