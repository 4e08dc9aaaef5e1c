"""What was set as a target, and whether it was measured to be met."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.lines import Line, median, shown

#: Kinds of requests with calls stored, and how many calls.
_ASKED = ("GET stats", "GET job", "GET list page", "cancel", "retry")
_SIZES = ("10", "100,000", "1,000,000")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One figure and its bound."""

    what: str
    #: The figure, with the two that it was made of, where it is a ratio.
    value: float | None
    ours: float | None
    other: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> str:
        """In a word."""
        if self.value is None:
            return "not measured"
        if self.least is None and self.most is None:
            return "–"
        low = self.least is not None and self.value < self.least
        high = self.most is not None and self.value > self.most
        return "**no**" if low or high else "yes"

    @property
    def bound(self) -> str:
        """In signs."""
        if self.least is not None:
            return f"≥ {self.least:g}"
        return "as near to 1 as can be" if self.most is None else f"≤ {self.most:g}"


class Figures:
    """Medians by measurement and side."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def of(self, what: str, figure: str, side: str = "ours") -> float | None:
        """Median of one figure of one side; ``None`` where it was not measured."""
        found = [line for line in self._lines if line.what == what and line.side == side]
        return median(found, figure)

    def ratio(
        self,
        what: str,
        figure: str,
        *,
        label: str | None = None,
        side: str = "peer",
        least: float | None = None,
        most: float | None = None,
    ) -> Target:
        """Ours over another side's."""
        ours, other = self.of(what, figure), self.of(what, figure, side)
        value = ours / other if ours is not None and other else None
        label = label or what
        return Target(what=label, value=value, ours=ours, other=other, least=least, most=most)

    def plain(
        self,
        what: str,
        figure: str,
        *,
        label: str | None = None,
        least: float | None = None,
        most: float | None = None,
    ) -> Target:
        """Ours alone; the peer's stands beside it where there is one."""
        ours = self.of(what, figure)
        other = self.of(what, figure, "peer")
        label = label or what
        return Target(what=label, value=ours, ours=ours, other=other, least=least, most=most)


def targets(lines: Sequence[Line]) -> list[Target]:
    """All of them, in the order in which they were set."""
    figures = Figures(lines)
    parts: Sequence[Callable[[Figures], Iterator[Target]]] = (
        _taking_on,
        _dispatch,
        _lateness,
        _stored,
        _footprint,
        _starting,
        _scripts,
    )
    return [target for part in parts for target in part(figures)]


def _taking_on(figures: Figures) -> Iterator[Target]:
    many = ("1 connection", "16 connections", "64 connections")
    for each in many:
        what = f"POST, {each}, 1 process"
        yield figures.ratio(what, "per_s", label=f"{what}: requests/s of the peer's", least=1.0)
        yield figures.ratio(what, "cpu_us", label=f"{what}: CPU µs of the peer's", most=1.0)
    for each in many:
        what = f"POST, {each}, as deployed"
        yield figures.ratio(what, "per_s", label=f"{what}: requests/s of the peer's", least=1.3)
    what = "bulk of 10,000"
    yield figures.ratio(what, "per_s", label=f"{what}: calls/s of the peer's", least=2.0)
    what = "GET stats beside bulks"
    yield figures.plain(what, "p99_ms", label=f"{what}: p99, ms", most=150)


def _dispatch(figures: Figures) -> Iterator[Target]:
    for slots in (5, 50):
        what = f"dispatch, 1 worker, {slots} slots"
        label = f"{what}: calls/s of stock Celery's"
        yield figures.ratio(what, "per_s", label=label, side="Celery", least=2.0)
        yield figures.ratio(what, "per_s", label=f"{what}: calls/s of the peer's")
    alone = figures.of("dispatch, 1 worker, 50 slots", "per_s")
    for workers in (2, 4):
        ours = figures.of(f"dispatch, {workers} workers, 50 slots", "per_s")
        value = ours / alone if ours and alone else None
        label = f"dispatch, {workers} workers of 50 slots: calls/s of one worker's"
        yield Target(what=label, value=value, ours=ours, other=alone, least=1.0)


def _lateness(figures: Figures) -> Iterator[Target]:
    for what in ("lateness of 1,000 delayed calls", "lateness beside 1,000,000 delayed calls"):
        yield figures.plain(what, "p50_ms", label=f"{what}: p50, ms", most=5)
        yield figures.plain(what, "p99_ms", label=f"{what}: p99, ms", most=20)


def _stored(figures: Figures) -> Iterator[Target]:
    for asked in _ASKED:
        for size in _SIZES:
            what = f"{asked}, {size} calls"
            yield figures.ratio(what, "p50_ms", label=f"{what}: p50 of the peer's", most=1.0)
        found = [figures.of(f"{asked}, {size} calls", "p50_ms") for size in _SIZES]
        medians = [each for each in found if each is not None]
        value = max(medians) / min(medians) if len(medians) == len(_SIZES) else None
        label = f"{asked}: p50 of the slowest size over that of the fastest"
        yield Target(what=label, value=value, ours=None, most=1.2)


def _footprint(figures: Figures) -> Iterator[Target]:
    for state in ("waiting", "delayed", "completed"):
        what = f"Redis memory of a {state} call"
        yield figures.ratio(what, "bytes", label=f"{what}: bytes of the peer's", most=1.0)
    what = "CPU of everything, idle"
    yield figures.plain(what, "percent", label=f"{what}: percent of a core", most=1.0)
    for many in ("1 process", "as deployed"):
        what = f"resident memory at 200 slots, {many}"
        yield figures.ratio(what, "mib", label=f"{what}: MiB of the peer's", most=1.0)


def _starting(figures: Figures) -> Iterator[Target]:
    what = "200 slots, 500 ms at Twilio"
    yield figures.plain(what, "of_possible", label=f"{what}: of the possible 400/s", least=0.98)
    what = "start of the stack to the first ring"
    yield figures.plain(what, "seconds", label=f"{what}, s", most=4)
    what = "start of a second worker"
    yield figures.plain(what, "seconds", label=f"{what} to its first look, s", most=2)


def _scripts(figures: Figures) -> Iterator[Target]:
    what = "longest script, 1,000,000 waiting"
    yield figures.plain(what, "ms", label=f"{what}, commit of a bulk aside, ms", most=5)
    what = "longest commit of a bulk, 1,000,000 waiting"
    yield figures.plain(what, "ms", label=f"{what}, ms", most=30)


def table(lines: Sequence[Line]) -> str:
    """Every target in Markdown."""
    rows = ["| what | target | measured | ours | other | met |", "|---|---|---|---|---|---|"]
    for each in targets(lines):
        cells = [each.what, each.bound, shown(each.value), shown(each.ours), shown(each.other)]
        rows.append(f"| {' | '.join([*cells, each.met])} |")
    return "\n".join(rows) + "\n"
