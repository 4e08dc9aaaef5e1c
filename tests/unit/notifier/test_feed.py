"""Events in memory, handed out to readers of all and of one campaign."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from vomind_queue.notifier import feed as module
from vomind_queue.notifier.feed import Feed, Page
from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.event_types import TEST


class Kept:
    """Events in Redis, some of which may be read once only."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.looks = 0
        self.forgotten = 0

    def happen(self, *numbers: int, campaign: str = "", kind: str = "call.changed") -> None:
        """Add events."""
        self.events += [
            Event(sequence=each, type=kind, at_ms=0, call="1", campaign=campaign, data="{}")
            for each in numbers
        ]

    def after(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return events, and count that."""
        self.looks += 1
        return [each for each in self.events if each.sequence > sequence][:limit]

    def wait(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return the same; it is over where there is none."""
        found = [each for each in self.events if each.sequence > sequence][:limit]
        if not found:
            raise asyncio.CancelledError
        return found

    def last(self) -> int:
        """Begin before all."""
        return 10

    def erasures(self) -> int:
        """Return how often people were forgotten."""
        return self.forgotten


class Reading:
    """A feed that has read what there is."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.kept = Kept()
        self.feed = Feed(self.kept, threads)

    def read(self) -> None:
        """Have the feed read on."""
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(self.feed.run())

    def page(self, sequence: int, campaign: str | None, limit: int = 100) -> Page:
        """Return a page."""
        return asyncio.run(self.feed.page(sequence, limit, campaign))


@pytest.fixture
def reading() -> Iterator[Reading]:
    """A feed and its Redis."""
    with ThreadPoolExecutor(1) as threads:
        yield Reading(threads)


def numbers(page: Page) -> tuple[list[int], int, int]:
    """Return what a page says."""
    return [each.sequence for each in page.events], page.last, page.missed


def test_a_reader_of_one_campaign_looks_at_its_events_alone(reading: Reading) -> None:
    """And goes on after those of others, without asking Redis."""
    reading.kept.happen(11, 13, campaign="a")
    reading.kept.happen(12, campaign="b")
    reading.kept.events.sort(key=lambda event: event.sequence)
    reading.kept.happen(14)
    reading.read()
    assert numbers(reading.page(10, "a")) == ([11, 13], 14, 0)
    assert numbers(reading.page(10, "a", limit=1)) == ([11], 11, 0)
    assert numbers(reading.page(13, "a")) == ([], 14, 0)
    assert numbers(reading.page(10, "c")) == ([], 14, 0)
    assert numbers(reading.page(10, None)) == ([11, 12, 13, 14], 14, 0)
    assert reading.kept.looks == 0


def test_a_test_is_for_one_reader_whatever_it_follows(reading: Reading) -> None:
    """Until it is behind."""
    reading.kept.happen(11, kind=TEST)
    reading.kept.happen(12)
    reading.read()
    assert numbers(reading.page(10, "a")) == ([11, 12], 12, 0)
    assert numbers(reading.page(11, "a")) == ([], 12, 0)


def test_what_is_not_kept_any_more_is_counted(reading: Reading) -> None:
    """Also by a reader who would not have wanted it: nobody knows what it was."""
    reading.kept.happen(13, 14, campaign="a")
    reading.read()
    assert numbers(reading.page(10, "a")) == ([13, 14], 14, 2)
    assert numbers(reading.page(10, None)) == ([13, 14], 14, 2)


def test_events_of_a_forgotten_person_leave_memory(reading: Reading) -> None:
    """Those of the campaign, too: they are read again."""
    reading.kept.happen(11, 12, campaign="a")
    reading.read()
    del reading.kept.events[0]
    reading.kept.forgotten = 1
    reading.kept.happen(13, campaign="a")
    reading.read()
    assert numbers(reading.page(10, "a")) == ([12, 13], 13, 1)


def test_memory_is_bounded(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was dropped from it is read from Redis."""
    monkeypatch.setattr(module, "IN_MEMORY", 5)
    reading.kept.happen(*range(11, 31), campaign="a")
    reading.read()
    assert reading.feed.holds(25)
    assert not reading.feed.holds(24)
    assert numbers(reading.page(25, "a")) == ([26, 27, 28, 29, 30], 30, 0)
    assert reading.kept.looks == 0
    assert numbers(reading.page(10, "a"))[0] == list(range(11, 31))
    assert reading.kept.looks == 1
