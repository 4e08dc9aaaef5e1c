"""The pace of the shipper and its housekeeping, without Redis and without a database."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from tests.integration.call_log.lines import row
from vomind_queue.call_log.models import Batch, CallRow, DeadLetter, Erased
from vomind_queue.errors import LogUnavailable, StoreUnavailable
from vomind_queue.usecases import outbox_relay as module
from vomind_queue.usecases.outbox_relay import DAY_MS, HOUSEKEEPING_CALLS, LogRetention, OutboxRelay


class Box:
    """An outbox with given deliveries, one for each look."""

    def __init__(self, *batches: Batch) -> None:
        self.waiting = list(batches)
        self.acknowledged: list[int] = []
        self.letters: list[DeadLetter] = []
        self.away = False
        self.leads = True
        self.to_forget: list[str] = []
        self.confirmed: list[str] = []

    def read(self) -> Sequence[Any] | None:
        """What waits."""
        if self.away:
            raise StoreUnavailable("away")
        return list(self.waiting) if self.leads else None

    def wait(self) -> None:
        """For another entry, not at all."""

    def release_leadership(self) -> None:
        """Another one leads."""
        self.leads = False

    def batches(self, entries: Sequence[Any]) -> Iterable[tuple[Batch, int | None]]:
        """A delivery for each entry."""
        return [(batch, index) for index, batch in enumerate(entries)]

    def done(self, sequence: int) -> None:
        """Takes the first one out."""
        self.acknowledged.append(sequence)
        self.waiting.pop(0)

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Keeps what was refused."""
        self.letters += letters

    def dead(self) -> Iterable[DeadLetter]:
        """What was refused."""
        return self.letters

    def unbury(self, names: Sequence[str]) -> None:
        """Forgets what went after all."""
        self.letters = [letter for letter in self.letters if letter.name not in names]

    def forgotten(self) -> Sequence[str]:
        """People to be forgotten."""
        return self.to_forget

    def erased(self, row_keys: Sequence[str]) -> None:
        """They were looked for."""
        self.confirmed += row_keys


class Log:
    """A log that does as it is told."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.refuses: list[CallRow] = []
        self.taken: list[CallRow] = []
        self.erased: list[str] = []
        self.old = 0
        self.asked: list[tuple[int, int, bool]] = []

    def is_there(self) -> bool:
        """Nobody has written to it before."""
        return False

    def write(self, batch: Batch) -> Sequence[DeadLetter]:
        """Takes it, refuses some of it, or is away."""
        if self.faults:
            raise self.faults.pop(0)
        self.taken += [line for line in batch.rows if line not in self.refuses]
        return [DeadLetter(line=each, reason="no") for each in batch.rows if each in self.refuses]

    def erase(self, keys: Sequence[str]) -> Erased:
        """Notes it."""
        self.erased += keys
        return Erased(calls=len(keys), events=0)

    def expire(self, before_ms: int, limit: int, *, now_ms: int, anonymize: bool) -> int:
        """So many of the old ones."""
        assert now_ms > before_ms
        self.asked.append((before_ms, limit, anonymize))
        part = min(limit, self.old)
        self.old -= part
        return part


def batch(index: int) -> Batch:
    """One row."""
    return Batch(rows=[row(index)], events=[])


def test_what_was_not_taken_is_not_acknowledged() -> None:
    """Nor anything behind it, though it would be taken."""
    box, log = Box(batch(1), batch(2), batch(3)), Log()
    shipping = OutboxRelay(box, log, None)
    log.faults = [LogUnavailable("away")]
    with pytest.raises(LogUnavailable):
        shipping.step()
    assert (box.acknowledged, log.taken) == ([], [])
    assert shipping.step()
    assert log.taken == [row(1), row(2), row(3)]
    assert not shipping.step()


def test_a_refused_line_is_kept_and_the_rest_goes_on() -> None:
    """It can be sent again once the cause is gone; one that is refused again stays."""
    box, log = Box(batch(1), batch(2), batch(3)), Log()
    log.refuses = [row(1), row(3)]
    shipping = OutboxRelay(box, log, None)
    shipping.step()
    assert box.waiting == []
    assert [letter.line for letter in box.letters] == [row(1), row(3)]
    log.refuses = [row(3)]
    assert shipping.send_again() == (1, 1)
    assert [letter.line for letter in box.letters] == [row(3)]
    assert log.taken == [row(2), row(1)]


def test_while_another_one_leads_nothing_is_delivered() -> None:
    """Nor tidied up."""
    box, log = Box(batch(1)), Log()
    box.leads = False
    log.old = 5
    assert not OutboxRelay(box, log, LogRetention(days=1, anonymize=False)).step()
    assert (log.taken, log.asked) == ([], [])


def test_old_calls_go_in_small_batches_and_then_it_is_quiet() -> None:
    """A batch a step until there is none left; then once a minute."""
    now = [0.0]
    log = Log()
    log.old = 2 * HOUSEKEEPING_CALLS + 1
    shipping = OutboxRelay(
        Box(),
        log,
        LogRetention(days=30, anonymize=True),
        monotonic=lambda: now[0],
        wall_ms=lambda: 100 * DAY_MS,
    )
    for _ in range(10):
        shipping.step()
    assert log.old == 0
    assert log.asked == [(70 * DAY_MS, HOUSEKEEPING_CALLS, True)] * 3
    now[0] += module.HOUSEKEEPING_S
    shipping.step()
    assert len(log.asked) == 4


def test_forgotten_people_are_looked_for_again() -> None:
    """In parts, each of which is told as done."""
    box, log = Box(), Log()
    box.to_forget = [str(index) for index in range(450)]
    OutboxRelay(box, log, None).step()
    assert log.erased == box.confirmed == box.to_forget


def test_a_fault_that_nobody_thought_of_is_told_without_what_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its text may hold a message or a number; the process goes on."""
    box, log = Box(batch(1)), Log()
    log.faults = [ValueError("Ann at +15550000001")]

    class Clock(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if log.taken or not timeout:
                self.set()
            return self.is_set()

    OutboxRelay(box, log, None).run(Clock())
    assert log.taken == [row(1)]
    assert "ValueError in test_outbox_relay.py" in caplog.text
    assert "Ann" not in caplog.text


def test_it_waits_longer_after_each_fault_and_begins_again_after_a_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Up to a bound; Redis away is waited for alike."""
    monkeypatch.setattr(module, "MOST_PAUSE_S", 2.0)
    box, log = Box(batch(1), batch(2)), Log()
    log.faults = [LogUnavailable("away") for _ in range(4)]
    waits: list[float] = []

    class Clock(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            box.away = len(waits) == 6
            if len(waits) == 8:
                self.set()
            return self.is_set()

    OutboxRelay(box, log, None).run(Clock())
    assert waits == [0.5, 1.0, 2.0, 2.0, module.POLL_S, module.POLL_S, 0.5, module.POLL_S]
    assert log.taken == [row(1), row(2)]
    assert not box.leads
