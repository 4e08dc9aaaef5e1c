"""Changes of the do-not-call list on their way to the call log, and back into an empty Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vomind_queue.calls.do_not_call import Change, ListingsState, Wish
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.do_not_call_list import read_entry, write_entry

#: Changes read at once, and numbers that one script restores.
CHANGES, RESTORED_AT_ONCE = 500, 200


class DoNotCallChanges:
    """Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def pending(self) -> Sequence[Change]:
        """Return the oldest changes that the call log does not have, in order."""
        with translate_errors(writes=False):
            found: Any = self._store.client.xrange(keys.DO_NOT_CALL_OUTBOX, count=CHANGES)
        return [_change(each, fields) for each, fields in found]

    def delivered(self, changes: Sequence[Change]) -> None:
        """Take changes out that the call log has."""
        with translate_errors(writes=True):
            self._store.client.xdel(keys.DO_NOT_CALL_OUTBOX, *(each.id for each in changes))

    def is_whole(self) -> bool:
        """Return whether the list was restored since this Redis was empty."""
        return self._store.ask("ZSCORE", keys.DO_NOT_CALL, "restored") is not None

    def state(self) -> ListingsState:
        """Return what of the list and of the closed days the call log may lack."""
        found = self._store.read("listings_state", [keys.DO_NOT_CALL])
        server, whole, days, pending = found
        return ListingsState(server=server, is_whole=bool(whole), days=days, pending=int(pending))

    def restore(self, listed: Mapping[str, tuple[int, Wish]]) -> int:
        """Add what is missing, by number or digest, and call the list whole; return how many."""
        flat = [
            text
            for number, (at_ms, wish) in listed.items()
            for text in (number, write_entry(at_ms, wish))
        ]
        missing, step = 0, 2 * RESTORED_AT_ONCE
        for start in range(0, len(flat) or 1, step):
            last = "1" if start + step >= len(flat) else ""
            part = flat[start : start + step]
            missing += self._store.write("restore_numbers", [keys.DO_NOT_CALL], last, *part)[1]
        return missing


def _change(name: str, fields: Mapping[str, str]) -> Change:
    at_ms, wish = read_entry(fields["entry"]) if "entry" in fields else (0, None)
    return Change(
        id=name,
        action=fields["action"],
        number=fields["number"],
        at_ms=at_ms,
        wish=wish,
        digest=fields.get("digest"),
    )
