"""What an attempt's outcome means for its call: one pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vomind_queue.calls.attempts import Accepted, Failure, Kind, Outcome
from vomind_queue.calls.decisions import AttemptResult, Decision

#: No wait between two attempts is longer than this, s (Celery's `retry_backoff_max`).
LONGEST_BACKOFF_S = 600

#: However long Twilio asks to be left alone, an open circuit is probed at least this often, ms.
LONGEST_QUIET_MS = 60_000

#: What was not sent in time is tried again after this, so that a machine that is too slow for
#: its own deadline does not spin, ms.
UNSENT_WAIT_MS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often and how soon a refused call is tried again."""

    #: Attempts in a round: from acceptance or a manual retry to giving up.
    max_attempts: int
    #: Celery's wait before a retry, s, given the retries before it: one formula decides, for the
    #: calls that Celery delays and for those that nobody is left to delay.
    backoff_s: Callable[[int], float]
    #: Wait before the first check of an unknown outcome, ms.
    first_check_ms: int
    #: Whether an unknown outcome is left to a person at once.
    fail_unknown: bool = False


def decide(outcome: Outcome, round_: int, policy: RetryPolicy) -> Decision:
    """Decide on an outcome; ``round_`` counts the attempts of this round that ended before."""
    if isinstance(outcome, Accepted):
        return Decision(result=AttemptResult.COMPLETED, accepted=outcome)
    return replace(_after(outcome, round_, policy), kind=outcome.kind)


def _after(outcome: Failure, round_: int, policy: RetryPolicy) -> Decision:
    match outcome.kind:
        case Kind.PERMANENT:
            return Decision(result=AttemptResult.FAILED, reason=outcome.reason)
        case Kind.ACCOUNT:
            return Decision(result=AttemptResult.ACCOUNT, reason=outcome.reason)
        case Kind.UNSENT:
            return Decision(
                result=AttemptResult.POSTPONED, reason=outcome.reason, wait_ms=UNSENT_WAIT_MS
            )
        case Kind.UNKNOWN:
            return _unclear(outcome, policy)
        case Kind.REFUSED if outcome.capacity:
            return _crowded(outcome)
        case Kind.REFUSED:
            return try_again(outcome, round_, policy)


def try_again(failure: Failure, round_: int, policy: RetryPolicy) -> Decision:
    """Decide on an attempt that certainly rang nobody, for a passing cause."""
    refused = failure.kind is Kind.REFUSED
    asked_ms = failure.retry_after_ms or 0
    quiet_ms = min(asked_ms, LONGEST_QUIET_MS)
    made = round_ + 1
    if made >= policy.max_attempts:
        reason = f"{failure.reason} Given up after {made} attempts."
        return Decision(
            result=AttemptResult.FAILED, reason=reason, refused=refused, quiet_ms=quiet_ms
        )
    return Decision(
        result=AttemptResult.AGAIN,
        reason=failure.reason,
        refused=refused,
        wait_ms=max(round(policy.backoff_s(round_) * 1000), asked_ms),
        asked_ms=asked_ms,
        quiet_ms=quiet_ms,
    )


def _crowded(failure: Failure) -> Decision:
    asked_ms = failure.retry_after_ms or 0
    return Decision(
        result=AttemptResult.POSTPONED,
        reason=failure.reason,
        refused=True,
        capacity=True,
        wait_ms=asked_ms,
        quiet_ms=min(asked_ms, LONGEST_QUIET_MS),
    )


def _unclear(failure: Failure, policy: RetryPolicy) -> Decision:
    if policy.fail_unknown:
        return Decision(result=AttemptResult.FAILED, reason=unknown_outcome(failure.reason))
    return Decision(
        result=AttemptResult.UNKNOWN, reason=failure.reason, wait_ms=policy.first_check_ms
    )


def unknown_outcome(detail: str) -> str:
    """Return the reason of a call whose outcome a person has to find out."""
    return (
        f"It is not known whether this call was placed: {detail} "
        "Look for the number in Twilio's call log before you retry it."
    )
