"""What clients asked for and what they were answered: the side of the story to be kept."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


def now_ms() -> float:
    """Unix ms; the clock of the simulator and of the Redis server on this machine, too."""
    return time.time() * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancelled:
    """A DELETE that was answered with 200."""

    #: When the answer was here, unix ms.
    at_ms: float
    #: State that the call was in.
    was: str


@dataclass(kw_only=True, slots=True)
class Journal:
    """Written by many clients at once; read when all is over."""

    #: Number of each call that was accepted, by job id.
    accepted: dict[str, str] = field(default_factory=dict)
    #: Numbers of requests that were refused for certain: they must never ring.
    refused: set[str] = field(default_factory=set)
    #: Numbers of requests, a bulk each, whose outcome nobody knows: all or none of each.
    unknown: list[tuple[str, ...]] = field(default_factory=list)
    #: Removals by job id.
    cancelled: dict[str, Cancelled] = field(default_factory=dict)
    #: Ids whose DELETE was sent and not answered.
    maybe_cancelled: set[str] = field(default_factory=set)
    #: Retries by job id, answered with 200 or not at all.
    retried: Counter[str] = field(default_factory=Counter)
    #: From the answer to a pause to the moment at which a resume was asked for, unix ms.
    pauses: list[tuple[float, float]] = field(default_factory=list)
    #: Answers that no client should ever get.
    outrages: list[str] = field(default_factory=list)
    #: How long refusals (503) took, s.
    refusals_s: list[float] = field(default_factory=list)
    #: Held from a pause to its resume: another client's resume would end the pause, too.
    pausing: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _paused_at: float | None = None

    def accept(self, job_ids: Sequence[str], numbers: Sequence[str]) -> None:
        """A 200 to an add."""
        if len(job_ids) != len(numbers):
            self.outrage(f"{len(numbers)} calls were sent and {len(job_ids)} ids answered")
        with self._lock:
            for job_id, number in zip(job_ids, numbers, strict=False):
                if self.accepted.setdefault(job_id, number) != number:
                    self.outrages.append(f"job id {job_id} was given out twice")

    def refuse(self, numbers: Sequence[str]) -> None:
        """An add that certainly was not carried out."""
        with self._lock:
            self.refused.update(numbers)

    def wonder(self, numbers: Sequence[str]) -> None:
        """An add without an answer."""
        with self._lock:
            self.unknown.append(tuple(numbers))

    def cancel(self, job_id: str, was: str) -> None:
        """A 200 to a DELETE."""
        with self._lock:
            self.cancelled[job_id] = Cancelled(at_ms=now_ms(), was=was)

    def maybe_cancel(self, job_id: str) -> None:
        """A DELETE without an answer."""
        with self._lock:
            self.maybe_cancelled.add(job_id)

    def retry(self, job_id: str) -> None:
        """A retry that was answered with 200 or not at all."""
        with self._lock:
            self.retried[job_id] += 1

    def paused(self) -> None:
        """A 200 to a pause; from now on nothing starts."""
        with self._lock:
            if self._paused_at is None:
                self._paused_at = now_ms()

    def resuming(self) -> None:
        """A resume is about to be asked for; from now on anything may start."""
        with self._lock:
            if self._paused_at is not None:
                self.pauses.append((self._paused_at, now_ms()))
                self._paused_at = None

    def outrage(self, what: str) -> None:
        """An answer that breaks the contract by itself."""
        with self._lock:
            self.outrages.append(what)

    def took(self, what: list[float], seconds: float) -> None:
        """Note a duration in one of the lists above."""
        with self._lock:
            what.append(seconds)

    def some_id(self, index: float) -> str | None:
        """Return an accepted id, by a random number in [0, 1)."""
        with self._lock:
            ids = list(self.accepted)
        return ids[int(index * len(ids))] if ids else None
