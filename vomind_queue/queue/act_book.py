"""Acts on many calls, kept in Redis so that any process can go on with them.

==============  ===============================================================
``order``       what is wanted, JSON
``match``       the filters of the calls, JSON; empty where their ids were given
``mark``        fingerprint of the request
``status``      one of `ActStatus`
``total``       calls that are to be acted on
``next``        calls that were handled
``more``        ``1`` where more calls match
``n:<result>``  how many calls had that result
==============  ===============================================================
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vomind_queue.calls.call_act import Act, ActStatus, Order, Outcome, Progress, Result
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore

#: How long an act is remembered, ms.
REMEMBERED_MS = 86_400_000
#: How long a process that is silent holds an act, ms.
LEASE_MS = 10_000
#: Outcomes kept.
OUTCOMES = 1_000
#: Ids that one command stores.
_SLICE = 500


class ActBook:
    """Reads and writes acts. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def open(self, order: Order, mark: str, match: Mapping[str, Any], ids: Sequence[str]) -> str:
        """Store an order, unless it is there; return the fingerprint that it came with."""
        name = keys.ACT + order.id
        if not self._store.ask("HSETNX", name, "mark", mark):
            return str(self._store.ask("HGET", name, "mark"))
        status = ActStatus.SELECTING if match else ActStatus.RUNNING
        fields = {
            "order": json.dumps(asdict(order)),
            "match": json.dumps(dict(match)) if match else "",
            "total": 0 if match else len(ids),
            "next": 0,
        }
        self._add(order.id, ids)
        flat = [value for pair in fields.items() for value in pair]
        # The status comes last: without it there is no order yet.
        self._store.ask("HSET", name, *flat, "status", status)
        self._store.ask("PEXPIRE", name, REMEMBERED_MS)
        return mark

    def progress(self, order_id: str, *, outcomes: bool) -> Progress | None:
        """Return how far an order is, with the outcomes on request; ``None`` when there is none."""
        flat = self._store.ask("HGETALL", keys.ACT + order_id)
        fields: dict[str, str] = _pairs(flat)
        if "status" not in fields:
            return None
        results = f"{keys.ACT}{order_id}:results"
        found = _pairs(self._store.ask("HGETALL", results)) if outcomes else {}
        order = json.loads(fields["order"])
        return Progress(
            order=Order(**{**order, "act": Act(order["act"])}),
            status=ActStatus(fields["status"]),
            total=int(fields["total"]),
            handled=int(fields["next"]),
            counts={str(each): int(fields.get(f"n:{each}", 0)) for each in Result},
            outcomes={job_id: _outcome(text) for job_id, text in found.items()},
            more=fields.get("more") == "1",
        )

    def match(self, order_id: str) -> Mapping[str, Any]:
        """Return the filters of an order."""
        text = self._store.ask("HGET", keys.ACT + order_id, "match")
        return json.loads(text) if text else {}

    def select(self, order_id: str, ids: Iterable[str], most: int) -> None:
        """Store the calls that match, from the beginning."""
        name = keys.ACT + order_id
        self._store.ask("DEL", f"{name}:ids")
        chosen: dict[str, None] = {}
        part: list[str] = []
        for job_id in ids:
            if job_id not in chosen:
                if len(chosen) == most:
                    self._store.ask("HSET", name, "more", "1")
                    break
                chosen[job_id] = None
                part.append(job_id)
            if len(part) == _SLICE:
                self._add(order_id, part)
                self._store.ask("HSET", name, "total", len(chosen))
                self.hold(order_id)
                part = []
        self._add(order_id, part)
        # Unless somebody broke it off.
        if self.status(order_id) is ActStatus.SELECTING:
            self._store.ask("HSET", name, "total", len(chosen), "status", ActStatus.RUNNING)

    def status(self, order_id: str) -> ActStatus:
        """Return how far it is, in a word."""
        return ActStatus(self._store.ask("HGET", keys.ACT + order_id, "status"))

    def set_status(self, order_id: str, status: ActStatus) -> None:
        """Note how far it is."""
        self._store.ask("HSET", keys.ACT + order_id, "status", status)

    def ids(self, order_id: str, start: int, count: int) -> Sequence[str]:
        """Return the next calls."""
        name = f"{keys.ACT}{order_id}:ids"
        found: list[str] = self._store.ask("LRANGE", name, start, start + count - 1)
        return found

    def note(self, progress: Progress, count: int, outcomes: Mapping[str, Outcome]) -> None:
        """Write down what became of the next ``count`` calls after ``progress``, once."""
        name = keys.ACT + progress.order.id
        counts = Counter(str(each.result) for each in outcomes.values())
        kept = {
            job_id: json.dumps(asdict(outcome))
            for job_id, outcome in outcomes.items()
            if progress.total <= OUTCOMES or outcome.result is not Result.DONE
        }
        pairs = (*counts.items(), *kept.items())
        handled = progress.handled
        given = [handled, handled + count, OUTCOMES, REMEMBERED_MS, len(counts)]
        flat = [value for pair in pairs for value in pair]
        self._store.write("note_act", [name, f"{name}:results"], *given, *flat)

    def claim(self, order_id: str, token: str) -> bool:
        """Return whether this process is the one that works on it from now on."""
        name = f"{keys.ACT}{order_id}:lease"
        return bool(self._store.ask("SET", name, token, "NX", "PX", LEASE_MS))

    def hold(self, order_id: str) -> None:
        """Go on being that one."""
        self._store.ask("PEXPIRE", f"{keys.ACT}{order_id}:lease", LEASE_MS)

    def release(self, order_id: str) -> None:
        """Let another one go on."""
        self._store.ask("DEL", f"{keys.ACT}{order_id}:lease")

    def _add(self, order_id: str, ids: Sequence[str]) -> None:
        name = f"{keys.ACT}{order_id}:ids"
        for start in range(0, len(ids), _SLICE):
            self._store.ask("RPUSH", name, *ids[start : start + _SLICE])
        self._store.ask("PEXPIRE", name, REMEMBERED_MS)


def _pairs(flat: Any) -> dict[str, str]:
    """Return a hash, which redis-py answers as a dictionary or in pairs."""
    return dict(flat) if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))


def _outcome(text: str) -> Outcome:
    fields = json.loads(text)
    return Outcome(**{**fields, "result": Result(fields["result"])})
