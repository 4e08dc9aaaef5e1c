"""``python -m benchmarks``: measures, and renders what was measured."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks import report, targets, wrk
from benchmarks.bench import Bench
from benchmarks.cases import CASES, QUICK
from benchmarks.lines import read
from benchmarks.sides import ROOT, ours, peer

#: Where raw lines go unless another place is named.
RAW, QUICK_RAW = Path(".bench/raw.jsonl"), Path(".bench/quick.jsonl")


def main() -> None:
    """Read the command line and do what it says."""
    # What was started must end when this is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    args = _arguments()
    raw = args.raw or (QUICK_RAW if args.quick else RAW)
    if not (args.table or args.write):
        _measure(args, raw)
    lines = read(raw)
    if args.write:
        report.write(lines)
        return
    parts = [report.table(lines), report.others_table(lines), targets.table(lines)]
    sys.stdout.write("\n".join(parts[:2] if args.quick else parts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {' '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small sizes, short measurements")
    parser.add_argument("--raw", type=Path, help="raw lines are added to this file")
    parser.add_argument("--only", choices=["ours", "peer"], help="measure one side alone")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the tables")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write them into docs/",
    )
    args = parser.parse_args()
    if unknown := set(args.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}")
    return args


def _measure(args: argparse.Namespace, raw: Path) -> None:
    wrk.check()
    sides = [side for side in (ours(), peer()) if side is not None]
    if args.only:
        sides = [side for side in sides if side.name == args.only]
    bench = Bench(sides=sides, rounds=args.rounds, quick=args.quick, raw=raw, commit=_commit())
    for name in args.cases or (QUICK if args.quick else CASES):
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
