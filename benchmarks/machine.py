"""What the machine does meanwhile: CPU time of processes, of everybody else, and its speed."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")

#: Numbers that are added up in one piece of the fixed work.
SPIN_NUMBERS = 1_000_000
#: Pieces of it; the fastest counts.
SPIN_PIECES = 7


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it, as far as they live."""
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
        children = " ".join((thread / "children").read_text() for thread in threads)
    except OSError:
        return []
    return [pid, *(each for child in children.split() for each in family(int(child)))]


def cpu_s(pids: Iterable[int]) -> float:
    """CPU time so far of processes and their descendants, those that ended included, s."""
    return sum(_ticks(each) for pid in pids for each in family(pid)) * _TICK_S


def _ticks(pid: int) -> int:
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    # utime, stime, cutime, cstime: proc_pid_stat(5).
    return sum(int(field) for field in fields[11:15])


def resident_bytes(pid: int) -> int:
    """Return memory of a process and its descendants; what they share counts once (PSS)."""
    total = 0
    for each in family(pid):
        try:
            lines = (_PROC / str(each) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def busy_s() -> float:
    """CPU time that anybody has used on this machine so far, all cores, s."""
    fields = (_PROC / "stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) * _TICK_S


def spin_ms() -> float:
    """Return how long a fixed piece of work takes just now, ms."""
    took = []
    for _ in range(SPIN_PIECES):
        began = time.perf_counter()
        sum(range(SPIN_NUMBERS))
        took.append(time.perf_counter() - began)
    return round(min(took) * 1000, 2)


class Meter:
    """CPU time of named processes, and of everybody but this program, from its making on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._began = time.perf_counter()
        self._before = {name: cpu_s([pid]) for name, pid in pids.items()}
        self._others = busy_s() - cpu_s([os.getpid()])

    def seconds(self) -> float:
        """Return how long it has been running."""
        return time.perf_counter() - self._began

    def used_s(self) -> dict[str, float]:
        """CPU seconds of each of the named processes."""
        return {name: cpu_s([pid]) - self._before[name] for name, pid in self._pids.items()}

    def per(self, units: float) -> dict[str, float]:
        """CPU microseconds of each of them for one of ``units``; ``cpu_us`` without Redis's."""
        if not units:
            return {}
        used = {name: spent / units * 1e6 for name, spent in self.used_s().items()}
        ours = sum(spent for name, spent in used.items() if name != "redis")
        each = {f"{name}_us": round(spent, 1) for name, spent in used.items()}
        return {"cpu_us": round(ours, 1)} | each

    def others_percent(self) -> float:
        """Return what everybody else used, in percent of one core."""
        others = busy_s() - cpu_s([os.getpid()]) - self._others
        return round(others / self.seconds() * 100, 1)


def describe() -> str:
    """Return the machine in a few words."""
    cpuinfo = (_PROC / "cpuinfo").read_text()
    model = next(
        (line.split(":", 1)[1].strip() for line in cpuinfo.splitlines() if "model name" in line),
        platform.machine(),
    )
    memory_kb = int((_PROC / "meminfo").read_text().split()[1])
    return (
        f"{os.cpu_count()} cores ({model}), {memory_kb / 2**20:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )
