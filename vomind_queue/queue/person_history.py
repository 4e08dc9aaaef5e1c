"""What happened to a person lately, for the caps: starts of calls, conversations, refusals."""

from __future__ import annotations

from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore
from vomind_queue.rules.caps import History

#: Refusals of a person that are kept for each period of ten days.
REFUSALS_KEPT = 10


class PersonHistory:
    """The times that scripts note with dial markers and outcomes. May raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def of(self, number: str) -> History:
        """Return what happened to a number as far as caps can count it."""
        _, *times = self._store.read("person_history", [keys.ACTIVE], number)
        return history(times)

    def refuse(self, number: str, at_ms: int | None) -> bool:
        """Note a refusal, by default now; return false for the future and for too long ago."""
        at = "" if at_ms is None else at_ms
        return self._change(number, at, "") == Code.OK

    def withdraw(self, number: str) -> bool:
        """Take all refusals of a person back; return whether there were any."""
        return self._change(number, "", "1") == Code.OK

    def _change(self, number: str, at: int | str, back: str) -> Code:
        code, _ = self._store.run_with_deadline(
            "note_refusal", keys.ACTIVE, number, at, back, REFUSALS_KEPT
        )
        return Code(code)


def history(times: list[list[int]]) -> History:
    """Return what scripts answer of a person; nothing where nothing is kept."""
    starts, conversations, refusals = times or ([], [], [])
    return History(
        starts=list(map(int, starts)),
        conversations=list(map(int, conversations)),
        refusals=list(map(int, refusals)),
    )
