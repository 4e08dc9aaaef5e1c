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
        return "none: only shown" if self.most is None else f"≤ {self.most:g}"


class Figures:
    """Medians by measurement and side."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def of(self, what: str, figure: str, side: str = "ours") -> float | None:
        """Return median of one figure of one side; ``None`` where it was not measured."""
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
    """Return all of them, in the order in which they were set."""
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
    #: With one process, and as deployed.
    least = {"1 connection": (1.0, 1.0), "16 connections": (0.7, 1.0)}
    least["64 connections"] = (0.75, 1.0)
    for deployed, many in enumerate(("1 process", "as deployed")):
        for each, bounds in least.items():
            what = f"POST, {each}, {many}"
            label = f"{what}: requests/s of the peer's"
            yield figures.ratio(what, "per_s", label=label, least=bounds[deployed])
    what = "bulk of 10,000"
    yield figures.ratio(what, "per_s", label=f"{what}: calls/s of the peer's", least=2.0)
    what = "GET stats beside bulks"
    yield figures.plain(what, "p99_ms", label=f"{what}: p99, ms", most=150)


def _dispatch(figures: Figures) -> Iterator[Target]:
    for shape, least in (
        ("1 worker, 5 slots", 1.5),
        ("1 worker, 50 slots", 2.0),
        ("2 workers, 50 slots", 1.5),
    ):
        what = f"dispatch, {shape}"
        label = f"{what}: calls/s of stock Celery's"
        yield figures.ratio(what, "per_s", label=label, side="Celery", least=least)
        yield figures.ratio(what, "per_s", label=f"{what}: calls/s of the peer's")


def _lateness(figures: Figures) -> Iterator[Target]:
    for what in ("lateness of 1,000 delayed calls", "lateness beside 1,000,000 delayed calls"):
        yield figures.plain(what, "p50_ms", label=f"{what}: p50, ms", most=5)
        yield figures.plain(what, "p99_ms", label=f"{what}: p99, ms", most=20)


def _stored(figures: Figures) -> Iterator[Target]:
    for asked in _ASKED:
        for size in _SIZES:
            what = f"{asked}, {size} calls"
            yield figures.plain(what, "p50_ms", label=f"{what}: p50, ms", most=2)
            yield figures.ratio(what, "p50_ms", label=f"{what}: p50 of the peer's", most=1.5)
        found = [figures.of(f"{asked}, {size} calls", "p50_ms") for size in _SIZES]
        medians = [each for each in found if each is not None]
        value = max(medians) / min(medians) if len(medians) == len(_SIZES) else None
        label = f"{asked}: p50 of the slowest size over that of the fastest"
        yield Target(what=label, value=value, ours=None, most=1.2)


def _footprint(figures: Figures) -> Iterator[Target]:
    for state, most in (("waiting", 0.75), ("delayed", 0.75), ("completed", 0.9)):
        what = f"Redis memory of a {state} call"
        yield figures.ratio(what, "bytes", label=f"{what}: bytes of the peer's", most=most)
    what = "CPU of everything, idle"
    yield figures.plain(what, "percent", label=f"{what}: percent of a core", most=0.6)
    what = "Redis at rest"
    yield figures.plain(what, "commands_per_s", label=f"{what}: commands a second", most=4)
    label = f"{what}: connections, Flower's included"
    yield figures.plain(what, "connections", label=label, most=20)
    what = "resident memory at 200 slots, as deployed"
    yield figures.ratio(what, "mib", label=f"{what}: MiB of the peer's", most=1.15)


def _starting(figures: Figures) -> Iterator[Target]:
    for answers, least in (("500 ± 200 ms", 0.97), ("500 ms", 0.82)):
        what = f"200 slots, {answers} at Twilio"
        yield figures.plain(
            what, "of_possible", label=f"{what}: of the possible 400/s", least=least
        )
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
    """Return every target in Markdown."""
    rows = ["| what | target | measured | ours | other | met |", "|---|---|---|---|---|---|"]
    for each in targets(lines):
        cells = [each.what, each.bound, shown(each.value), shown(each.ours), shown(each.other)]
        rows.append(f"| {' | '.join([*cells, each.met])} |")
    return "\n".join(rows) + "\n"
