"""What a dry run of a campaign begins with, as Redis has it. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from vomind_queue.calls.call import Call
from vomind_queue.calls.limits import Rate
from vomind_queue.queue import keys
from vomind_queue.queue.campaign_store import parts_of_calls
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.person_history import history
from vomind_queue.rules.dry_run import Assumed, Share, Waiting

#: Starts of one window that are read: more are hardly within it.
MOST_STARTS = 10_000


class PlanReader:
    """Reads calls that have not started, and what they start beside. May raise StoreUnavailable."""

    def __init__(self, store: RedisStore, rate: Rate | None, gap_ms: int) -> None:
        """``rate`` of the settings; ``gap_ms``: least time between two calls to one number."""
        self._store = store
        self._rate = rate
        self._gap_ms = gap_ms

    def waiting(self, campaign_id: str, *, histories: bool) -> Iterator[Waiting]:
        """Yield its calls that have not started, in the order in which they were added.

        ``histories``: with what caps may count of the same people.
        """
        for part in parts_of_calls(self._store, campaign_id):
            _, *flat = self._store.read(
                "planned_calls", [keys.CAMPAIGNS], campaign_id, "1" if histories else "", *part
            )
            yield from (_waiting(*each) for each in zip(*[iter(flat)] * 7, strict=True))

    def beside(self, campaign_id: str, lasts_ms: int) -> tuple[Share, Assumed]:
        """Return what the campaign takes part with, and the state of the queue."""
        rate = (self._rate.max_starts, self._rate.window_ms) if self._rate else (0, 0)
        now, most, window_ms, starts, none, own, *others = self._store.read(
            "planned_shares", [keys.CAMPAIGNS], campaign_id, *rate, MOST_STARTS
        )
        of_none = Share(waiting=dict(enumerate(none, start=1)))
        return _share(*own, own=True), Assumed(
            now_ms=now,
            limit=Rate(max_starts=most, window_ms=window_ms) if most else None,
            starts=_times(starts),
            rivals=[of_none, *(_share(*each) for each in others)],
            lasts_ms=lasts_ms,
            gap_ms=self._gap_ms,
        )


def _waiting(
    job_id: str, rank: str, place: str, due: str, latest: str, data: str, past: list[list[int]]
) -> Waiting:
    return Waiting(
        job_id=job_id,
        rank=int(rank),
        place=float(place or 0),
        due_ms=int(float(due)) if due else 0,
        latest_ms=int(latest) if latest else None,
        call=Call.from_data(json.loads(data)),
        past=history(past),
    )


def _share(
    name: str,
    weight: str,
    pace: str,
    most: str,
    placed: int,
    starts: Sequence[str],
    waiting: Sequence[int],
    *,
    own: bool = False,
) -> Share:
    max_starts, _, window_ms = pace.partition(":")
    return Share(
        name=name,
        weight=int(weight),
        pace=Rate(max_starts=int(max_starts), window_ms=int(window_ms)) if pace else None,
        most=int(most) if most else None,
        placed=placed,
        starts=_times(starts),
        waiting={} if own else dict(enumerate(waiting, start=1)),
    )


def _times(found: Sequence[Any]) -> list[int]:
    return [int(float(each)) for each in found]
