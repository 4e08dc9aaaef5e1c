"""One run of benchmarks: measured in rounds, noise marked, raw lines kept."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmarks.machine import Meter, spin_ms
from benchmarks.sides import Side

T = TypeVar("T")

Figures = Mapping[str, float | None]

#: CPU that others may use beside a measurement, percent of one core.
OTHERS_PERCENT = 15.0
#: Less than this cannot be distinguished from the kernel's ticks, ms.
OTHERS_MS = 40.0
#: How much slower than at its best in this run the machine may be.
SLOWER = 1.35
#: A noisy measurement is taken so many times again.
AGAIN = 1
#: Between a noisy measurement and the next try, s.
PAUSE_S = 2.0


def plural(count: int, noun: str) -> str:
    """``1 worker``, ``2 workers``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def quantiles(took_ms: Sequence[float]) -> dict[str, float | None]:
    """Return median, 99th percentile and maximum, ms."""
    cuts = statistics.quantiles(took_ms, n=100, method="inclusive")
    return {
        "p50_ms": round(cuts[49], 3),
        "p99_ms": round(cuts[98], 3),
        "max_ms": round(max(took_ms), 3),
        "requests": len(took_ms),
    }


@dataclass(kw_only=True)
class Bench:
    """Where measurements are noted, and how large they are to be."""

    sides: Sequence[Side]
    rounds: int
    quick: bool
    #: Gets one JSON object a line for each measurement.
    raw: Path
    #: Of this repository, for the raw lines.
    commit: str
    case: str = ""
    round: int = 0
    _best_spin_ms: float = field(default=float("inf"))

    def size(self, full: int, quick: int) -> int:
        """Return a number for a full run, and for a quick one."""
        return quick if self.quick else full

    def seconds(self, full: float) -> float:
        """Return how long to measure: a third in a quick run."""
        return max(1.0, full / 3) if self.quick else full

    def turns(self, places: Sequence[T], most: int | None = None) -> Iterator[T]:
        """Yield all in turn, once a round; the first one changes.

        ``most``: rounds at most, for what is slow to measure and hardly varies.
        """
        for number in range(1, min(self.rounds, most or self.rounds) + 1):
            self.round = number
            yield from places if number % 2 else reversed(places)

    def measure(
        self,
        what: str,
        side: str,
        step: Callable[[], Figures],
        *,
        again: int = AGAIN,
        noise: bool = True,
    ) -> Figures:
        """Take a measurement, again where it was noisy, and note all that was seen.

        ``noise``: whether other users of the machine would spoil it.
        """
        (figures,) = self.measure_together(
            [(what, side)], lambda: [step()], again=again, noise=noise
        )
        return figures

    def measure_together(
        self,
        labels: Sequence[tuple[str, str]],
        step: Callable[[], Sequence[Figures]],
        *,
        again: int = AGAIN,
        noise: bool = True,
    ) -> Sequence[Figures]:
        """Return the same for short turns; ``labels``: what is measured, and of which side."""
        for left in range(again if noise and not self.quick else 0, -1, -1):
            before = self._spin()
            meter = Meter({})
            found = step()
            others = meter.others_percent()
            spin = max(before, self._spin())
            crowded = others > OTHERS_PERCENT and others * meter.seconds() > OTHERS_MS / 10
            noisy = noise and (crowded or spin > SLOWER * self._best_spin_ms)
            for (what, side), figures in zip(labels, found, strict=True):
                self._note(what, side, figures, others_percent=others, spin_ms=spin, noisy=noisy)
            if not noisy:
                break
            if left:
                time.sleep(PAUSE_S)
        return found

    def _spin(self) -> float:
        spin = spin_ms()
        self._best_spin_ms = min(self._best_spin_ms, spin)
        return spin

    def _note(self, what: str, side: str, figures: Figures, **around: object) -> None:
        line = {
            "case": self.case,
            "what": what,
            "side": side,
            "round": self.round,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": self.commit,
            "quick": self.quick,
            "figures": figures,
            **around,
        }
        self.raw.parent.mkdir(parents=True, exist_ok=True)
        with self.raw.open("a", encoding="utf-8") as raw:
            raw.write(json.dumps(line) + os.linesep)
        shown = " ".join(f"{name}={value}" for name, value in figures.items())
        mark = " NOISY" if around["noisy"] else ""
        sys.stderr.write(f"{self.case} #{self.round} {side}: {what}: {shown}{mark}\n")
