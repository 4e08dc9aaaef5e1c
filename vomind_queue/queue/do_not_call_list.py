"""The do-not-call list in Redis, where the script that writes the dial marker asks.

The sorted set ``do_not_call`` holds the numbers in the order in which they were listed; the hash
``do_not_call:entries`` has the time of each (unix ms), a space, and JSON: ``by``, ``source`` and
``reason``. A number is on the list as soon as the script that adds it has run. Calls that wait for
it are ended afterwards: none of them can start.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from vomind_queue.calls.call import Priority
from vomind_queue.calls.do_not_call import Added, Entry, EntryPage, Wish
from vomind_queue.calls.limits import Retention
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore

#: Numbers that one script adds, and calls that one looks at: it must not hold the server for 5 ms.
ADDED_AT_ONCE, LOOKED_AT = 200, 100


class DoNotCallList:
    """The list. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, keep_failed: Retention) -> None:
        self._store = store
        self._keep_failed = keep_failed

    def add(self, numbers: Sequence[str], wish: Wish, *, end_call: bool = False) -> Iterator[Added]:
        """Put numbers on the list, some at a time; yield what became of each, in order.

        ``end_call``: have the calls that are being placed to them ended once Twilio has answered.
        """
        text, end = json.dumps(asdict(wish), ensure_ascii=False), "1" if end_call else ""
        for start in range(0, len(numbers), ADDED_AT_ONCE):
            part = numbers[start : start + ADDED_AT_ONCE]
            answer = self._store.run_with_deadline(
                "list_numbers", keys.DO_NOT_CALL, text, end, *part
            )
            for number, (is_new, job_id, *recurring) in zip(part, answer[2:], strict=True):
                yield Added(
                    number=number,
                    is_new=bool(is_new),
                    being_placed=job_id or None,
                    recurring=recurring,
                )

    def remove(self, number: str) -> bool:
        """Take a number off the list; return whether it was on it."""
        code, _ = self._store.run_with_deadline("unlist_number", keys.DO_NOT_CALL, number)
        return bool(code == Code.OK)

    def entry(self, number: str) -> Entry | None:
        """Return the entry of a number; ``None`` where it is not on the list."""
        place = self._store.ask("ZSCORE", keys.DO_NOT_CALL, number)
        text = self._store.ask("HGET", keys.DO_NOT_CALL_ENTRIES, number)
        return None if place is None or text is None else _entry(number, place, text)

    def page(self, after: int | None, limit: int) -> EntryPage:
        """Return up to ``limit`` entries, newest first; ``after``: place of the last one before."""
        total, *flat = self._store.read(
            "listed_page", [keys.DO_NOT_CALL], "" if after is None else after, limit
        )
        entries = [_entry(*found) for found in zip(*[iter(flat)] * 3, strict=True)]
        return EntryPage(entries=entries, total=total)

    def end_waiting(self, within_s: float) -> tuple[Sequence[str], bool]:
        """End the calls to listed numbers that wait or are delayed.

        Return their ids, and whether all were looked at within that time. The others end when
        their turn comes.
        """
        until, ended = time.monotonic() + within_s, list[str]()
        for name in (*(f"{keys.WAITING}{each.rank}" for each in Priority), keys.DELAYED):
            for part in self._scan("end_listed", name, LOOKED_AT, *self._keep()):
                ended += part
                if time.monotonic() > until:
                    return ended, False
        return ended, True

    def on_the_line(self, number: str, *, end: bool = False, by: str = "") -> Sequence[str]:
        """Return the calls to a number that ring or are answered; ``end``: have them ended."""
        parts = self._scan("listed_lines", keys.LINE, number, "1" if end else "", by)
        return list(dict.fromkeys(job_id for part in parts for job_id in part))

    def _scan(self, script: str, name: str, *args: str | int) -> Iterator[Sequence[str]]:
        cursor = "0"
        while True:
            _, _, cursor, *found = self._store.run_with_deadline(script, name, cursor, *args)
            yield found
            if cursor == "0":
                return

    def _keep(self) -> tuple[int, int]:
        return self._keep_failed.age_ms, self._keep_failed.count


def _entry(number: str, place: str, text: str) -> Entry:
    at_ms, wish = text.split(" ", 1)
    return Entry(
        number=number, at_ms=int(at_ms), wish=Wish(**json.loads(wish)), place=int(float(place))
    )
