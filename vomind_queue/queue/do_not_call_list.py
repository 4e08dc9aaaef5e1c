"""The do-not-call list in Redis, where the script that writes the dial marker asks.

The sorted set ``do_not_call`` holds the numbers in the order in which they were listed; the hash
``do_not_call:entries`` has the time of each (unix ms), a space, and JSON: ``by``, ``source`` and
``reason``. A number is on the list as soon as the script that adds it has run. Calls that wait for
it are ended afterwards: none of them can start. Each change waits in the stream
``do_not_call:outbox`` until the call log has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from vomind_queue.calls.call import State
from vomind_queue.calls.do_not_call import Added, Entry, EntryPage, Wish
from vomind_queue.calls.limits import Retention
from vomind_queue.calls.number_key import NumberKey
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore

#: Numbers that one script adds, and calls that one looks at: it must not hold the server for 5 ms.
ADDED_AT_ONCE, LOOKED_AT = 200, 100
#: Numbers that one command asks for.
ASKED_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ListAccess:
    """What the script that writes the dial marker needs to read the list."""

    #: ``None``: no key is set, and nobody was forgotten who is on the list.
    key: NumberKey | None = None
    #: Whether a list that was not restored yet must not be relied on.
    must_be_whole: Callable[[], bool] = lambda: False

    @property
    def key_arguments(self) -> tuple[bytes | str, bytes | str, str]:
        """The key as the script takes it."""
        if self.key is None:
            return "", "", ""
        return self.key.inner, self.key.outer, self.key.fingerprint


class DoNotCallList:
    """The list. Everything may raise StoreUnavailable."""

    def __init__(
        self, store: RedisStore, keep_failed: Retention, key: NumberKey | None = None
    ) -> None:
        """``key``: with which people are kept who were forgotten."""
        self._store = store
        self._keep_failed = keep_failed
        self._key = key

    def add(self, numbers: Sequence[str], wish: Wish, *, end_call: bool = False) -> Iterator[Added]:
        """Put numbers on the list, some at a time; yield what became of each, in order.

        ``end_call``: have the calls that are being placed to them ended once Twilio has answered.
        """
        text, end = _json(wish), "1" if end_call else ""
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

    def remove(self, number: str, wish: Wish) -> bool:
        """Take a number off the list; return whether it was on it."""
        code, _ = self._store.run_with_deadline(
            "unlist_number", keys.DO_NOT_CALL, _json(wish), *self._members(number)
        )
        return bool(code == Code.OK)

    def forget(self, number: str) -> bool | None:
        """Put a digest in the place of a number; return whether that was done.

        ``None``: the number is not on the list. False: it stays there, for want of the right key.
        """
        key = self._key
        member, fingerprint = (key.member(number), key.fingerprint) if key else ("", "")
        code, _ = self._store.run_with_deadline(
            "hash_number", keys.DO_NOT_CALL, number, member, fingerprint
        )
        return None if code == Code.MISSING else bool(code == Code.OK)

    def entry(self, number: str) -> Entry | None:
        """Return the entry of a number; ``None`` where it is not on the list."""
        for member in self._members(number):
            place = self._store.ask("ZSCORE", keys.DO_NOT_CALL, member)
            text = self._store.ask("HGET", keys.DO_NOT_CALL_ENTRIES, member)
            if place is not None and text is not None:
                return _entry(member, place, text)
        return None

    def listed(self, numbers: Sequence[str]) -> frozenset[str]:
        """Return those of many numbers that are on the list."""
        found: set[str] = set()
        for start in range(0, len(numbers), ASKED_AT_ONCE):
            part = numbers[start : start + ASKED_AT_ONCE]
            pairs = [(number, member) for number in part for member in self._members(number)]
            texts = self._store.ask(
                "HMGET", keys.DO_NOT_CALL_ENTRIES, *(member for _, member in pairs)
            )
            found |= {
                number for (number, _), text in zip(pairs, texts, strict=True) if text is not None
            }
        return frozenset(found)

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
        waiting = keys.sets_of(State.WAITING, self._store.ask("ZRANGE", keys.OPEN_CAMPAIGNS, 0, -1))
        for name in (*waiting, keys.DELAYED):
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

    def _members(self, number: str) -> Sequence[str]:
        """Return what a number is on the list as: in the clear, or as a digest."""
        return [number] if self._key is None else [number, self._key.member(number)]

    def _keep(self) -> tuple[int, int]:
        return self._keep_failed.age_ms, self._keep_failed.count


def _json(wish: Wish) -> str:
    return json.dumps(asdict(wish), ensure_ascii=False)


def _entry(member: str, place: str, text: str) -> Entry:
    number = None if member.startswith("#") else member
    at_ms, wish = read_entry(text)
    return Entry(number=number, at_ms=at_ms, wish=wish, place=int(float(place)))


def read_entry(text: str) -> tuple[int, Wish]:
    """Return when a number was listed, unix ms, and why."""
    at_ms, wish = text.split(" ", 1)
    return int(at_ms), Wish(**json.loads(wish))


def write_entry(at_ms: int, wish: Wish) -> str:
    """Return the inverse of `read_entry`."""
    return f"{at_ms} {_json(wish)}"
