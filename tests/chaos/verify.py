"""The judgement at the end: the rings and the API's own answers against the journal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.acceptance.conftest import Api
from tests.chaos.journal import Cancelled, Journal

#: Jobs on one page of the API.
PAGE = 1_000
STATES = ("waiting", "active", "delayed", "completed", "failed")
#: Words of a failure whose outcome is left to a person.
UNKNOWN_OUTCOME = "It is not known whether this call was placed"


class Broken(AssertionError):
    """A promise is broken; the text says which and how, a line for each case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """All that is known when an experiment is over."""

    journal: Journal
    #: Jobs by id, as the five lists show them.
    jobs: dict[str, dict[str, Any]]
    #: Rings by number, in order.
    rings: dict[str, list[dict[str, Any]]]
    #: Whether unknown outcomes are left to a person instead of being reconciled.
    left_to_a_person: bool = False


def verify(
    journal: Journal, api: Api, rings: Iterable[dict[str, Any]], *, left_to_a_person: bool = False
) -> Evidence:
    """Return everything that was judged. Raise Broken when a promise is broken."""
    jobs, faults = listed(api)
    by_number: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for ring in rings:
        by_number[ring["to"]].append(ring)
    evidence = Evidence(
        journal=journal, jobs=jobs, rings=by_number, left_to_a_person=left_to_a_person
    )
    faults += journal.outrages
    for judge in (_kept, _refused, _whole_bulks, _strangers, _pauses):
        faults += judge(evidence)
    fail_on(faults)
    return evidence


def fail_on(faults: Sequence[str]) -> None:
    """Raise Broken when there are any."""
    if faults:
        shown = "\n".join(f"  - {fault}" for fault in faults[:25])
        raise Broken(f"{len(faults)} findings, the first of them:\n{shown}")


def listed(api: Api) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return all jobs of all lists, and what does not add up between lists and stats."""
    jobs: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    stats = api.stats()
    for state in STATES:
        found: list[dict[str, Any]] = []
        while True:
            start = len(found)
            page = api("GET", f"/{state}?start={start}&end={start + PAGE - 1}")
            found += page["jobs"]
            if not page["jobs"]:
                break
        if not len(found) == page["total"] == stats[state]:
            faults.append(
                f"{state}: the list holds {len(found)}, its total says {page['total']}, "
                f"stats say {stats[state]}"
            )
        for job in found:
            if job["jobId"] in jobs:
                faults.append(f"job {job['jobId']} is in two lists")
            if job["state"] != state:
                faults.append(f"job {job['jobId']} in the list {state} says {job['state']}")
            jobs[job["jobId"]] = job
    left = ((state, stats[state]) for state in ("waiting", "active", "delayed"))
    faults += [f"{count} calls are left {state}" for state, count in left if count]
    return jobs, faults


def _kept(evidence: Evidence) -> list[str]:
    """Accepted is kept, never twice, cancel means cancel; a case for each call."""
    faults = []
    for job_id, number in evidence.journal.accepted.items():
        rings = evidence.rings.get(number, [])
        fault = _judged(evidence, job_id, rings)
        if fault:
            job = evidence.jobs.get(job_id)
            seen = [(ring["sid"], ring["at"]) for ring in rings]
            faults.append(f"job {job_id} ({number}): {fault}; rings {seen}; job {job}")
    return faults


def _judged(evidence: Evidence, job_id: str, rings: list[dict[str, Any]]) -> str:
    journal, job = evidence.journal, evidence.jobs.get(job_id)
    allowed = 1 + (journal.retried[job_id] if evidence.left_to_a_person else 0)
    if len(rings) > allowed:
        return f"rang {len(rings)} times"
    if job_id in journal.cancelled:
        return _gone_well(evidence, journal.cancelled[job_id], job, rings)
    if job is None:
        return "" if job_id in journal.maybe_cancelled else "is lost"
    return _ended_well(job, rings, journal.retried[job_id])


def _gone_well(
    evidence: Evidence,
    cancelled: Cancelled,
    job: dict[str, Any] | None,
    rings: list[dict[str, Any]],
) -> str:
    if job is not None:
        return f"was removed and is {job['state']}"
    if cancelled.was == "completed":
        return "" if rings else "was completed without a ring"
    late = [ring for ring in rings if ring["at"] > cancelled.at_ms]
    if late or (rings and not evidence.left_to_a_person):
        return f"rang though it was cancelled at {cancelled.at_ms:.0f} when {cancelled.was}"
    return ""


def _ended_well(job: dict[str, Any], rings: list[dict[str, Any]], retried: int) -> str:
    if len(rings) > job["attemptsMade"]:
        return f"rang {len(rings)} times in {job['attemptsMade']} attempts"
    if job["state"] == "completed":
        sids = [ring["sid"] for ring in rings]
        return "" if job["call"]["sid"] in sids else "is completed, and its SID never rang"
    if job["state"] == "failed":
        if not job["failedReason"]:
            return "failed without a reason"
        if rings and not retried and UNKNOWN_OUTCOME not in job["failedReason"]:
            return "rang, and is reported as failed"
        return ""
    return f"is left {job['state']}"


def _refused(evidence: Evidence) -> list[str]:
    there = {job["data"]["to"] for job in evidence.jobs.values()} | set(evidence.rings)
    return [
        f"{number} was refused, and is in the queue or rang"
        for number in sorted(evidence.journal.refused & there)
    ]


def _whole_bulks(evidence: Evidence) -> list[str]:
    """Judge that a request without an answer was carried out whole or not at all, and once."""
    count = Counter(job["data"]["to"] for job in evidence.jobs.values())
    faults = [f"{number} has {times} jobs" for number, times in count.items() if times > 1]
    for numbers in evidence.journal.unknown:
        there = sum(1 for number in numbers if count[number])
        if there not in (0, len(numbers)):
            faults.append(f"{there} of the {len(numbers)} calls of a bulk are there")
        rung = {number: len(evidence.rings.get(number, [])) for number in numbers}
        faults += [f"{number} rang {times} times" for number, times in rung.items() if times > 1]
    return faults


def _strangers(evidence: Evidence) -> list[str]:
    journal = evidence.journal
    known = set(journal.accepted.values()) | journal.refused
    known |= {number for numbers in journal.unknown for number in numbers}
    return [f"{number} rang, and nobody asked for it" for number in set(evidence.rings) - known]


def _pauses(evidence: Evidence) -> list[str]:
    """No call started between the answer to a pause and the next resume."""
    starts = [(job["processedOn"], job_id) for job_id, job in evidence.jobs.items()]
    return [
        f"job {job_id} started {start - since:.0f} ms after the answer to a pause"
        for since, until in evidence.journal.pauses
        for start, job_id in starts
        # The server's clock is read in whole ms.
        if start is not None and since + 1 < start < until - 1
    ]


def most_in_window(times_ms: Iterable[float], window_ms: float) -> int:
    """Return the largest number of times in any rolling window of that length."""
    times = sorted(times_ms)
    most, first = 0, 0
    for last, time_ms in enumerate(times):
        while time_ms - times[first] >= window_ms:
            first += 1
        most = max(most, last - first + 1)
    return most
