"""The judge of the call log: one row a call, as the API shows it, and its events without a gap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vomind_queue.call_log.models import CallEvent, CallRow

#: Which state may follow which: a change that is missing shows as one that is not here.
FOLLOWS: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"waiting", "delayed"}),
    "waiting": frozenset({"active", "cancelled"}),
    "delayed": frozenset({"waiting", "cancelled"}),
    "active": frozenset({"active", "waiting", "delayed", "completed", "failed"}),
    "completed": frozenset({"delayed"}),
    "failed": frozenset({"waiting"}),
    "cancelled": frozenset(),
}
#: Events that end an attempt that counts.
ENDS = ("completed", "failed", "refused")


def faults(
    jobs: Mapping[str, Mapping[str, Any]],
    rows: Iterable[CallRow],
    events: Iterable[CallEvent],
    removed: Mapping[str, str],
) -> list[str]:
    """Return what is wrong with a log.

    ``jobs`` are as GET shows them; ``removed`` has ids, each with its last state.
    """
    by_id: dict[str, list[CallRow]] = defaultdict(list)
    for row in rows:
        by_id[row.job_id].append(row)
    events_of: dict[str, list[CallEvent]] = defaultdict(list)
    for event in events:
        events_of[event.job_id].append(event)
    found = [
        f"job {job_id} has {len(each)} rows" for job_id, each in by_id.items() if len(each) > 1
    ]
    for job_id, job in jobs.items():
        row = by_id.get(job_id, [None])[0]
        found += _job(job_id, job, row, events_of[job_id])
    for job_id, was in removed.items():
        row = by_id.get(job_id, [None])[0]
        want = was if was in ("completed", "failed") else "cancelled"
        if row is None or row.state != want:
            found.append(f"job {job_id}, removed when {was}, is logged as {row and row.state}")
        found += _chain(job_id, row, events_of[job_id])
    return found


def _job(
    job_id: str, job: Mapping[str, Any], row: CallRow | None, events: Sequence[CallEvent]
) -> list[str]:
    if row is None:
        return [f"job {job_id} is not logged"]
    found = _chain(job_id, row, events)
    shown = (job["state"], job["attemptsMade"], job["data"]["to"], job["timestamp"])
    logged = (row.state, row.attempts, row.to_number, row.queued_ms)
    if shown != logged:
        found.append(f"job {job_id} is {shown} and logged as {logged}")
    if (job["call"] or {}).get("sid") != row.call_sid:
        found.append(f"job {job_id} has {job['call']} and is logged with {row.call_sid}")
    ended = sum(event.event in ENDS or bool(event.details.get("counted")) for event in events)
    if ended != job["attemptsMade"]:
        found.append(f"job {job_id} made {job['attemptsMade']} attempts, {ended} are logged")
    return found


def _chain(job_id: str, row: CallRow | None, events: Sequence[CallEvent]) -> list[str]:
    names = [event.event for event in events]
    found = []
    sequences = [event.sequence for event in events]
    if sequences != sorted(set(sequences)):
        found.append(f"the events of job {job_id} are not in order: {sequences}")
    if names[:1] != ["accepted"] or Counter(names)["accepted"] > 1:
        found.append(f"job {job_id} does not begin with being accepted: {names}")
    state = None
    for event in events:
        if event.state is not None:
            # An attempt that was given up may be found to have rung, whatever came after it.
            if event.state not in FOLLOWS[state] and event.event != "revived":
                found.append(f"job {job_id} went from {state} to {event.state}: {names}")
            state = event.state
    if row is not None and state != row.state:
        found.append(f"job {job_id} is logged as {row.state} and its events end {state}: {names}")
    return found
