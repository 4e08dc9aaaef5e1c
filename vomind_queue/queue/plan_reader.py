"""What a dry run of a campaign begins with, as Redis has it. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vomind_queue.calls.limits import Rate
from vomind_queue.queue import keys
from vomind_queue.queue.campaign_store import parts_of_calls
from vomind_queue.queue.connection import RedisStore
from vomind_queue.rules.dry_run import Assumed, Waiting
from vomind_queue.rules.turns import Share

#: Starts of one window that are read: more are hardly within it.
MOST_STARTS = 10_000
#: Delayed calls that are counted, the soonest first, and how many one script reads.
MOST_LATER, LATER = 50_000, 500
_Later = Mapping[str, Sequence[tuple[int, int]]]


class PlanReader:
    """Reads calls that have not started, and what they start beside. May raise StoreUnavailable."""

    def __init__(self, store: RedisStore, rate: Rate | None, gap_ms: int) -> None:
        """``rate`` of the settings; ``gap_ms``: least time between two calls to one number."""
        self._store = store
        self._rate = rate
        self._gap_ms = gap_ms

    def waiting(self, campaign_id: str, *, not_before_ms: int = 0) -> Iterator[Waiting]:
        """Yield its calls that have not started, in the order in which they were added.

        ``not_before_ms``: none is due before, unix ms.
        """
        for part in parts_of_calls(self._store, campaign_id):
            flat = self._store.read("planned_calls", [keys.CAMPAIGNS], campaign_id, *part)
            for each in zip(*[iter(flat)] * 7, strict=True):
                yield _waiting(each, not_before_ms)

    def beside(self, campaign_id: str, lasts_ms: int) -> tuple[Share, Assumed]:
        """Return what the campaign takes part with, and the state of the queue."""
        rate = (self._rate.max_starts, self._rate.window_ms) if self._rate else (0, 0)
        now, most, window_ms, starts, present, none, turns, own, *others = self._store.read(
            "planned_shares", [keys.CAMPAIGNS], campaign_id, *rate, MOST_STARTS
        )
        # Without a limit nobody has to wait for others.
        later = self._later() if most else {}
        of_none = Share(waiting=_ranked(none), turns=_turns(turns), later=later.get("", ()))
        return _share(*own[:7]), Assumed(
            now_ms=now,
            present=_turns(present),
            limit=Rate(max_starts=most, window_ms=window_ms) if most else None,
            starts=_times(starts),
            rivals=[of_none, *(_rival(later, *each) for each in others)],
            lasts_ms=lasts_ms,
            gap_ms=self._gap_ms,
        )

    def _later(self) -> _Later:
        """Return when delayed calls are due, and their priorities, by their campaigns."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for first in range(0, MOST_LATER, LATER):
            flat = self._store.read("planned_later", [keys.DELAYED], first, first + LATER - 1)
            for due, campaign_id, rank in zip(*[iter(flat)] * 3, strict=True):
                if rank:
                    found[campaign_id].append((int(float(due)), int(rank)))
            if len(flat) < LATER:
                break
        return found


def _waiting(found: Sequence[Any], not_before_ms: int) -> Waiting:
    job_id, number, text, rank, place, due, latest = found
    return Waiting(
        job_id=job_id,
        number=number,
        text=text,
        rank=int(rank),
        place=float(place or 0),
        due_ms=max(int(float(due or 0)), not_before_ms),
        latest_ms=int(latest) if latest else None,
    )


def _share(*found: Any, **more: Any) -> Share:
    name, weight, pace, most, placed, starts, turns = found
    max_starts, _, window_ms = pace.partition(":")
    return Share(
        name=name,
        weight=int(weight),
        pace=Rate(max_starts=int(max_starts), window_ms=int(window_ms)) if pace else None,
        most=int(most) if most else None,
        placed=placed,
        starts=_times(starts),
        turns=_turns(turns),
        **more,
    )


def _rival(later: _Later, *found: Any) -> Share:
    *common, waiting, begins, ends = found
    return _share(
        *common,
        waiting=_ranked(waiting),
        begin_ms=int(begins or 0),
        end_ms=int(ends) if ends else None,
        later=later.get(common[0], ()),
    )


def _times(found: Sequence[Any]) -> list[int]:
    return [int(float(each)) for each in found]


def _ranked(found: Sequence[int]) -> Mapping[int, int]:
    return dict(enumerate(found, start=1))


def _turns(found: Sequence[str]) -> Mapping[int, float]:
    return dict(enumerate(map(float, found), start=1))
