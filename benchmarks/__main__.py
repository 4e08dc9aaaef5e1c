"""``python -m benchmarks``: measures, and renders what was measured."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import report, wrk
from benchmarks.bench import Bench
from benchmarks.cases import CASES
from benchmarks.sides import ROOT, ours, peer

#: Where raw lines go unless another place is named.
RAW = Path(".bench/raw.jsonl")


def main() -> None:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {' '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small sizes, short measurements")
    parser.add_argument("--raw", type=Path, default=RAW, help="raw lines are added to this file")
    parser.add_argument("--only", choices=["ours", "peer"], help="measure one side alone")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table")
    args = parser.parse_args()
    if unknown := set(args.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}")
    if not args.table:
        _measure(args)
    sys.stdout.write(report.table(report.read(args.raw)))


def _measure(args: argparse.Namespace) -> None:
    wrk.check()
    sides = [side for side in (ours(), peer()) if side is not None]
    if args.only:
        sides = [side for side in sides if side.name == args.only]
    bench = Bench(sides=sides, rounds=args.rounds, quick=args.quick, raw=args.raw, commit=_commit())
    for name in args.cases or CASES:
        bench.case = name
        CASES[name](bench)


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
