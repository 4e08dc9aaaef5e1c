"""Processes for large lists: one at a time, and what waits shows that it does."""

from __future__ import annotations

import subprocess
import threading
from typing import Any, ClassVar, Self

import pytest

from vomind_queue.container import list_processes
from vomind_queue.errors import ListNotFound, StoreUnavailable

WORKS = [("7", "1", "a"), ("7", "2", "b"), ("7", "3", "c")]


class Process:
    """A process that ends once the test lets it."""

    may_end, last_ended = threading.Event(), threading.Event()
    works: ClassVar[list[tuple[str, ...]]] = []

    def __init__(self, command: list[str], **_: Any) -> None:
        self.works.append(tuple(command[3:]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def wait(self, timeout: float) -> int:
        """Wait for the test."""
        if not self.may_end.wait(timeout):
            raise subprocess.TimeoutExpired("list", timeout)
        if len(self.works) == len(WORKS):
            self.last_ended.set()
        return 0


def test_what_waits_for_the_list_before_gives_signs_of_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise it would count as broken off, and as given up after a few minutes."""
    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setattr(list_processes, "NOTE_S", 0.01)
    noted: list[tuple[str, str]] = []
    enough = threading.Event()

    def note(list_id: str, token: str) -> None:
        noted.append((list_id, token))
        if len(noted) == 4:
            enough.set()
        raise StoreUnavailable("away") if len(noted) == 1 else ListNotFound(list_id)

    processes = list_processes.ListProcesses(note)
    for work in WORKS:
        processes.start(*work)
    assert enough.wait(30)
    assert {("2", "b"), ("3", "c")} == set(noted) - {("1", "a")}
    Process.may_end.set()
    # Before that the real ones must not come back.
    assert Process.last_ended.wait(30)
    assert Process.works == WORKS
