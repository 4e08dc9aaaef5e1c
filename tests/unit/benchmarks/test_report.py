"""What benchmarks make of their raw lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.lines import Line, median, read
from benchmarks.targets import targets


def line(what: str, side: str = "ours", *, noisy: bool = False, **figures: float | None) -> Line:
    """A measurement, all else as usual."""
    at = "2026-11-24T18:00:00+00:00"
    return Line(
        case="post", what=what, side=side, at=at, commit="abc", noisy=noisy, figures=figures
    )


def test_noisy_measurements_do_not_count_where_there_are_quiet_ones() -> None:
    """The median is of the quiet ones, and of all where none was quiet."""
    noisy = line("a", noisy=True, per_s=1.0)
    assert median([noisy, line("a", per_s=10.0), line("a", per_s=20.0)], "per_s") == 15.0
    assert median([noisy], "per_s") == 1.0
    assert median([line("a", per_s=None)], "per_s") is None


@pytest.mark.parametrize(("ours", "met"), [(21.0, "yes"), (20.0, "yes"), (19.0, "**no**")])
def test_a_target_is_met_from_its_bound_on(ours: float, met: str) -> None:
    """A bulk is to take on twice what the peer does."""
    lines = [line("bulk of 10,000", per_s=ours), line("bulk of 10,000", "peer", per_s=10.0)]
    [bulk] = [each for each in targets(lines) if each.what.startswith("bulk of 10,000")]
    assert bulk.value == pytest.approx(ours / 10)
    assert bulk.met == met


def test_what_was_not_measured_is_said_to_be_so() -> None:
    """No target is met or missed for want of a measurement, and the peer's alone is none."""
    assert {each.met for each in targets([])} == {"not measured"}
    alone = targets([line("bulk of 10,000", "peer", per_s=10.0)])
    assert {each.met for each in alone} == {"not measured"}


def test_an_answer_in_the_same_time_at_all_sizes_is_a_target_of_its_own() -> None:
    """The slowest size is held against the fastest."""
    sizes = {"10": 0.5, "100,000": 0.5, "1,000,000": 0.7}
    lines = [line(f"GET stats, {size} calls", p50_ms=ms) for size, ms in sizes.items()]
    [spread] = [each for each in targets(lines) if each.what.startswith("GET stats: p50")]
    assert (spread.value, spread.met) == (pytest.approx(1.4), "**no**")


def test_raw_lines_are_read_back(tmp_path: Path) -> None:
    """What else stands in them is left alone."""
    raw = {
        "case": "post", "what": "a", "side": "peer", "round": 1, "at": "now", "commit": "abc",
        "quick": False, "figures": {"per_s": 3.0, "redis_us": 7.5}, "others_percent": 1.0,
        "spin_ms": 12.0, "noisy": True,
    }  # fmt: skip
    path = tmp_path / "raw.jsonl"
    path.write_text(json.dumps(raw) + "\n")
    [found] = read(path)
    assert (found.side, found.noisy, found.figures["redis_us"]) == ("peer", True, 7.5)
    assert "| a, /s |  | 3 |" in report.table([found])
