"""What a campaign shares the queue with in a dry run: who of the others is next. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

from vomind_queue.rules.turns import RANKS, Party, Share


class Rivals:
    """The other campaigns that run or will, and the calls of none."""

    def __init__(
        self, shares: Sequence[Share], present: Mapping[int, float], now_ms: int, lasts_ms: int
    ) -> None:
        #: The virtual time of each priority, which the campaign itself moves as well.
        self.present = dict.fromkeys(RANKS, 0.0) | dict(present)
        self._active = {rank: list[tuple[float, str, Party]]() for rank in RANKS}
        self._resting: list[tuple[int, str, Party]] = []
        parties = [(share, Party(share, now_ms, lasts_ms)) for share in shares]
        # The soonest one last.
        self._later = sorted(
            ((due_ms, rank, party) for share, party in parties for due_ms, rank in share.later),
            key=lambda each: -each[0],
        )
        for _, party in parties:
            self._enter(party, now_ms)

    def move_to(self, now_ms: int) -> None:
        """Let those take part whose time has come."""
        while self._later and self._later[-1][0] <= now_ms:
            _, rank, party = self._later.pop()
            party.waiting[rank] += 1
            self._enter(party, now_ms)
        while self._resting and self._resting[0][0] <= now_ms:
            party = heappop(self._resting)[2]
            party.is_resting = False
            self._enter(party, now_ms)

    @property
    def next_ms(self) -> int | None:
        """When something changes by itself."""
        times = [self._later[-1][0]] if self._later else []
        times += [self._resting[0][0]] if self._resting else []
        return min(times, default=None)

    def first(self, rank: int, now_ms: int) -> tuple[float, str] | None:
        """Return the turn of the one that is next in a priority, and its name."""
        active = self._active[rank]
        while active:
            turn, name, party = active[0]
            if party.waiting[rank] and not party.has_ended(now_ms):
                free_ms = party.free_at(now_ms)
                if free_ms <= now_ms:
                    return turn, name
                # It placed a call of another priority.
                self._rest(party, free_ms)
            heappop(active)
            party.entered.discard(rank)
        return None

    def serve(self, rank: int, now_ms: int) -> None:
        """Let the next one of a priority place a call."""
        turn, _, party = heappop(self._active[rank])
        party.entered.discard(rank)
        self.present[rank] = turn
        party.turns[rank] = turn + party.step
        party.waiting[rank] -= 1
        party.note(now_ms)
        self._enter(party, now_ms)

    def _enter(self, party: Party, now_ms: int) -> None:
        """Give one its turns, or let it rest until it may place another call."""
        if party.has_ended(now_ms) or not any(party.waiting.values()):
            return
        free_ms = party.free_at(now_ms)
        if free_ms > now_ms:
            self._rest(party, free_ms)
            return
        for rank in RANKS:
            if party.waiting[rank] and rank not in party.entered:
                turn = max(party.turns[rank], self.present[rank])
                party.entered.add(rank)
                heappush(self._active[rank], (turn, party.name, party))

    def _rest(self, party: Party, free_ms: int) -> None:
        if not party.is_resting:
            party.is_resting = True
            heappush(self._resting, (free_ms, party.name, party))
