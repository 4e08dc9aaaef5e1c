"""What happened to a person lately, for the caps: starts of calls, conversations, refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore
from vomind_queue.rules.caps import History

#: Refusals of a person that are kept for each period of ten days.
REFUSALS_KEPT = 10
#: Numbers that one script looks at: it must not hold the server for 5 ms.
ASKED_AT_ONCE = 50


class PersonHistory:
    """The times that scripts note with dial markers and outcomes. May raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def of(self, number: str) -> History:
        """Return what happened to a number as far as caps can count it."""
        return self.of_each([number])[number]

    def of_each(self, numbers: Sequence[str]) -> Mapping[str, History]:
        """Return the same of many numbers."""
        found: dict[str, History] = {}
        for start in range(0, len(numbers), ASKED_AT_ONCE):
            part = numbers[start : start + ASKED_AT_ONCE]
            _, *histories = self._store.read("person_history", [keys.ACTIVE], *part)
            found |= zip(part, map(history, histories), strict=True)
        return found

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


def history(times: Sequence[Sequence[int]]) -> History:
    """Return what scripts answer of a person; nothing where nothing is kept."""
    starts, conversations, refusals = times or ([], [], [])
    return History(
        starts=tuple(map(int, starts)),
        conversations=tuple(map(int, conversations)),
        refusals=tuple(map(int, refusals)),
    )
