"""Attempts with an unknown outcome: what the evidence says, decided by one pure function.

An outcome is unknown when a dial marker is set and nothing shows whether Twilio accepted the call:
the worker died, the answer was lost, Twilio failed half way. Such a call is never redialed before
Twilio's own list has been read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vomind_queue.calls.attempts import Accepted, Attempt, Failure, Kind, Ring
from vomind_queue.calls.decisions import AttemptResult, Decision, UnknownOutcome
from vomind_queue.calls.phone_number import canonical
from vomind_queue.calls.retry import RetryPolicy, try_again, unknown_outcome

#: Twilio gives a call's creation in whole seconds, and clocks are read at some distance, ms.
CLOCK_MARGIN_MS = 2_000
#: The longest wait between two checks, ms.
LONGEST_CHECK_MS = 30_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What Twilio's list showed at one check."""

    #: Rings to the number, ours or not.
    rings: Sequence[Ring]
    #: Twilio's time at the check, unix ms.
    twilio_now_ms: int
    #: SIDs among them that belong to attempts whose outcome is known.
    known_sids: Collection[str]


def judge(
    unknown: UnknownOutcome, evidence: Evidence, horizon_ms: int, policy: RetryPolicy
) -> Decision:
    """Decide on an attempt with an unknown outcome after one check."""
    attempt = unknown.started.attempt
    candidates = [ring for ring in evidence.rings if _could_be(ring, unknown, evidence)]
    ours = [ring for ring in candidates if ring.token == attempt.token]
    if ours:
        return _found(ours[0])
    unmarked = [ring for ring in candidates if _cannot_be_told(ring, attempt)]
    if len(unmarked) == 1 and attempt.callbacks is False:
        return _found(unmarked[0])
    if policy.fail_unknown:
        return _for_a_person(unmarked)
    if unknown.age_ms < horizon_ms:
        return check_again(unknown, horizon_ms, policy)
    if unmarked:
        return _for_a_person(unmarked)
    absent = Failure(
        kind=Kind.UNKNOWN,
        reason="Twilio gave no usable answer, and its list shows no call to this number.",
    )
    return try_again(absent, unknown.started.round, policy)


def check_again(unknown: UnknownOutcome, horizon_ms: int, policy: RetryPolicy) -> Decision:
    """Schedule the next check: the waits grow, and the last check is at the horizon."""
    wait_ms = min(policy.first_check_ms * 2**unknown.checks, LONGEST_CHECK_MS)
    left_ms = horizon_ms - unknown.age_ms
    if left_ms > 0:
        wait_ms = min(wait_ms, left_ms)
    return Decision(result=AttemptResult.UNKNOWN, wait_ms=max(wait_ms, 100))


def _could_be(ring: Ring, unknown: UnknownOutcome, evidence: Evidence) -> bool:
    ring_age_ms = evidence.twilio_now_ms - ring.created_ms
    if ring.sid in evidence.known_sids or ring_age_ms > unknown.age_ms + CLOCK_MARGIN_MS:
        return False
    attempt = unknown.started.attempt
    return ring.token == attempt.token or not _comes_from_another(ring, attempt)


def _comes_from_another(ring: Ring, attempt: Attempt) -> bool:
    """Return whether a ring shows another number than the one this attempt was made from.

    Only the marker knows that one: the settings may have changed since. What is no number in
    international form says nothing.
    """
    if attempt.sender is None or not (ring.sender or "").startswith("+"):
        return False
    return canonical(ring.sender or "") != canonical(attempt.sender)


def _cannot_be_told(ring: Ring, attempt: Attempt) -> bool:
    # A call that was made without our callback is another program's only where ours asks for it.
    return ring.token is None or (not ring.token and attempt.callbacks is not True)


def _found(ring: Ring) -> Decision:
    accepted = Accepted(sid=ring.sid, status=ring.status)
    return Decision(result=AttemptResult.COMPLETED, accepted=accepted)


def _for_a_person(rings: Sequence[Ring]) -> Decision:
    detail = "Twilio gave no usable answer."
    if rings:
        sids = ", ".join(ring.sid for ring in rings)
        detail = f"Twilio's list shows calls to this number that may or may not be ours ({sids})."
    return Decision(result=AttemptResult.FAILED, reason=unknown_outcome(detail))
