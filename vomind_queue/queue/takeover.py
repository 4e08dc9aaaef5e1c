"""Calls that another queue had accepted, taken over as they stood there.

The interface for importers, which are distributions beside the service: `Takeover` takes in
calls, each once, by its name there; recurring calls go through `recurring_store`.
`worker_services.build_takeover` makes both from the settings.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vomind_queue.calls.call import Call, State
from vomind_queue.queue import call_record, keys
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.recurring_record import or_empty

#: How long it is remembered what was taken over, after the last call came, ms: 90 days.
KNOWN_MS = 90 * 24 * 3600 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenOver:
    """One call as it stood in the other queue."""

    #: What it was called there.
    origin: str
    call: Call
    #: Waiting, delayed or failed.
    state: State
    #: The time it was wanted (waiting), is due (delayed) or failed, unix ms.
    place_ms: int
    #: When it was accepted there, unix ms.
    created_ms: int
    #: When it was first wanted, unix ms; ``None`` when at once.
    due_ms: int | None = None
    #: Attempts that have ended, and those since the last manual retry.
    attempts: int = 0
    round: int = 0
    #: Start of the last attempt, unix ms.
    started_ms: int | None = None
    #: The last failure, in words.
    reason: str = ""


class Takeover:
    """Where the calls of one other queue come in, each of them once."""

    def __init__(self, store: RedisStore, name: str, expiry_ms: int | None = None) -> None:
        """``name`` tells that queue from all others, for ever. ``expiry_ms``: as in `CallQueue`."""
        self._store = store
        self._name = name
        self._latest = "" if expiry_ms is None else f"+{expiry_ms}"

    def now_ms(self) -> int:
        """Return Unix ms on the server's clock."""
        return self._store.now_ms()

    def take_in(self, calls: Sequence[TakenOver], last_id: int) -> list[str]:
        """Store the calls that are not here yet and return with the ids of all of them.

        ``last_id``: ids up to this one are not given out here, so that one of the other queue's
        never names another call. Raise StoreUnavailable; may be repeated after it.
        """
        flat = [value for each in calls for value in _flat(each)]
        answer = self._store.run_with_deadline(
            "take_over", keys.LAST_ID, self._name, KNOWN_MS, last_id, self._latest, *flat
        )
        return [str(job_id) for job_id in answer[2:]]

    def schedule_of(self, dedup_key: str) -> str | None:
        """Return number of the recurring call with that dedup key, where there is one."""
        with translate_errors(writes=False):
            found: Any = self._store.client.hget(keys.DEDUP_KEYS, dedup_key)
            if found is None:
                return None
            # An entry that was deleted by RedBeat's means leaves its dedup key behind for a while.
            here = self._store.client.exists(keys.schedule(found), keys.OLD_SCHEDULE + found)
        return str(found) if here else None

    def store_name(self) -> str:
        """Return what tells the store here from all others; given to it the first time."""
        with translate_errors(writes=True):
            self._store.client.set(keys.STORE_NAME, secrets.token_hex(8), nx=True)
            return str(self._store.client.get(keys.STORE_NAME))

    def last_id(self) -> int:
        """Return the last job id given out here."""
        with translate_errors(writes=False):
            found: Any = self._store.client.get(keys.LAST_ID)
        return int(found or 0)


def _flat(inherited: TakenOver) -> list[Any]:
    return [
        inherited.origin,
        call_record.encode(inherited.call),
        inherited.call.priority.rank,
        str(inherited.state),
        inherited.place_ms,
        inherited.created_ms,
        or_empty(inherited.due_ms),
        inherited.attempts,
        inherited.round,
        or_empty(inherited.started_ms),
        inherited.reason,
    ]
