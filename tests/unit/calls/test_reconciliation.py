"""What the evidence says about an unknown outcome, as a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from vomind_queue.calls.attempts import Attempt, Ring
from vomind_queue.calls.call import Call
from vomind_queue.calls.decisions import AttemptResult, Decision, DialStarted, UnknownOutcome
from vomind_queue.calls.reconciliation import Evidence, judge
from vomind_queue.calls.retry import RetryPolicy

POLICY = RetryPolicy(max_attempts=3, backoff_s=lambda retries: 2 * 2**retries, first_check_ms=2_000)
HORIZON_MS = 300_000
NOW_MS = 1_800_000_000_000


OURS, OTHER = "+4930123456", "+15005550006"


def ring(sid: str, *, age_ms: int, token: str | None = None, sender: str | None = None) -> Ring:
    """A ring that Twilio made ``age_ms`` ago on its own clock."""
    created_ms = NOW_MS - age_ms
    return Ring(sid=sid, status="ringing", created_ms=created_ms, token=token, sender=sender)


def decision(
    rings: Sequence[Ring],
    *,
    age_ms: int = 10_000,
    checks: int = 1,
    round_: int = 0,
    known_sids: Collection[str] = (),
    tokens: bool | None = False,
    sender: str | None = None,
    fail_unknown: bool = False,
) -> Decision:
    """Judges an attempt that began ``age_ms`` ago on the evidence of these rings."""
    attempt = Attempt(
        job_id="1",
        token="ours",
        call=Call(to="+15550000001"),
        number=1,
        marked_ms=0,
        callbacks=tokens,
        sender=sender,
    )
    unknown = UnknownOutcome(
        started=DialStarted(attempt=attempt, round=round_), checks=checks, age_ms=age_ms
    )
    evidence = Evidence(rings=rings, twilio_now_ms=NOW_MS, known_sids=known_sids)
    policy = replace(POLICY, fail_unknown=fail_unknown)
    return judge(unknown, evidence, HORIZON_MS, policy)


def test_a_ring_with_our_token_is_ours() -> None:
    """It completes the call with its SID, whatever else rang."""
    others = [ring("CA1", age_ms=9_000, token="theirs"), ring("CA2", age_ms=9_000)]
    found = decision([*others, ring("CA3", age_ms=9_000, token="ours")], tokens=True)
    assert found.accepted is not None
    assert (found.result, found.accepted.sid) == (AttemptResult.COMPLETED, "CA3")


def test_without_tokens_the_only_unexplained_ring_is_ours() -> None:
    """A SID that belongs to no other attempt of ours is evidence enough."""
    rings = [ring("CA1", age_ms=9_000), ring("CA2", age_ms=8_000)]
    found = decision(rings, known_sids={"CA1"})
    assert found.accepted is not None
    assert found.accepted.sid == "CA2"


@pytest.mark.parametrize("age_ms", [12_001, 3_600_000])
def test_a_ring_from_before_the_mark_is_not_ours(age_ms: int) -> None:
    """Earlier calls to the same number explain nothing; two seconds are left to the clocks."""
    assert decision([ring("CA1", age_ms=age_ms)]).result is AttemptResult.UNKNOWN
    assert decision([ring("CA1", age_ms=11_999)]).result is AttemptResult.COMPLETED


def test_a_ring_of_another_attempt_is_not_ours() -> None:
    """Its token tells."""
    assert decision([ring("CA1", age_ms=9_000, token="theirs")]).result is AttemptResult.UNKNOWN


def test_two_unexplained_rings_are_left_to_a_person() -> None:
    """At the horizon the call fails with the SIDs in question; before it, one looks again."""
    rings = [ring("CA1", age_ms=9_000), ring("CA2", age_ms=9_000)]
    assert decision(rings).result is AttemptResult.UNKNOWN
    late = decision(rings, age_ms=HORIZON_MS)
    assert late.result is AttemptResult.FAILED
    assert "CA1, CA2" in late.reason


def test_where_ours_carry_tokens_a_ring_without_one_is_no_proof() -> None:
    """Somebody else may have made it: it never counts as ours by itself."""
    rings = [ring("CA1", age_ms=9_000)]
    assert decision(rings, tokens=True).result is AttemptResult.UNKNOWN
    assert decision(rings, tokens=True, age_ms=HORIZON_MS).result is AttemptResult.FAILED


def test_a_ring_that_was_made_without_our_callback_is_another_programs() -> None:
    """Twilio shows how it was made: it decides nothing, and is no reason to ask a person."""
    stranger = ring("CA1", age_ms=9_000, token="")
    assert decision([stranger], tokens=True).result is AttemptResult.UNKNOWN
    assert decision([stranger], tokens=True, age_ms=HORIZON_MS).result is AttemptResult.AGAIN


@pytest.mark.parametrize("tokens", [False, None])
def test_where_no_callbacks_were_asked_for_a_ring_without_one_may_be_ours(
    tokens: bool | None,
) -> None:
    """Whatever the settings are by now, it is never a reason to ring once more."""
    rings = [ring("CA1", age_ms=9_000, token=""), ring("CA2", age_ms=9_000, token="")]
    late = decision(rings, tokens=tokens, age_ms=HORIZON_MS)
    assert late.result is AttemptResult.FAILED
    assert "CA1, CA2" in late.reason


def test_an_old_marker_does_not_say_whether_callbacks_were_asked_for() -> None:
    """One call without a token is then neither ours nor another program's: a person decides."""
    rings = [ring("CA1", age_ms=9_000, token="")]
    assert decision(rings, tokens=None).result is AttemptResult.UNKNOWN
    assert decision(rings, tokens=None, age_ms=HORIZON_MS).result is AttemptResult.FAILED


def test_a_ring_from_another_number_than_the_marker_says_is_another_programs() -> None:
    """Whatever the default is by now; neither proof nor a reason to ask a person."""
    rings = [ring("CA1", age_ms=9_000, sender=OTHER), ring("CA2", age_ms=9_000, sender=OURS)]
    found = decision(rings, sender=OURS)
    assert found.accepted is not None
    assert found.accepted.sid == "CA2"
    late = decision(rings[:1], sender=OURS, age_ms=HORIZON_MS)
    assert late.result is AttemptResult.AGAIN


def test_a_token_outweighs_the_number_that_a_ring_comes_from() -> None:
    """It cannot be guessed."""
    found = decision([ring("CA1", age_ms=9_000, token="ours", sender=OTHER)], sender=OURS)
    assert found.result is AttemptResult.COMPLETED


@pytest.mark.parametrize(
    ("listed", "marked"),
    [("+490 30 123456".replace(" ", ""), OURS), ("client:desk", OURS), (None, OURS), (OTHER, None)],
    ids=["another spelling", "no number", "not listed", "old marker"],
)
def test_what_is_not_surely_another_number_may_be_ours(
    listed: str | None, marked: str | None
) -> None:
    """A doubt is never a reason to ring once more."""
    rings = [ring("CA1", age_ms=9_000, sender=listed)]
    assert decision(rings, sender=marked).result is AttemptResult.COMPLETED


def test_absent_until_the_horizon_means_the_next_attempt() -> None:
    """Only then, and after the wait that any failed attempt has."""
    assert decision([], age_ms=HORIZON_MS - 1).result is AttemptResult.UNKNOWN
    absent = decision([], age_ms=HORIZON_MS)
    assert (absent.result, absent.wait_ms, absent.refused) == (AttemptResult.AGAIN, 2_000, False)


def test_absent_at_the_last_attempt_means_failed() -> None:
    """There is no fourth attempt."""
    assert decision([], age_ms=HORIZON_MS, round_=2).result is AttemptResult.FAILED


def test_looks_become_rarer_and_end_at_the_horizon() -> None:
    """2, 4, 8, 16 and then 30 s apart; the last look is at the horizon, not after it."""
    waits = [decision([], checks=checks).wait_ms for checks in range(6)]
    assert waits == [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    assert decision([], checks=9, age_ms=HORIZON_MS - 7_000).wait_ms == 7_000


def test_a_person_is_asked_at_once_when_so_chosen() -> None:
    """Without proof the first look ends it, with words on what to check."""
    assert decision([], fail_unknown=True).result is AttemptResult.FAILED
    proof = [ring("CA1", age_ms=9_000)]
    assert decision(proof, fail_unknown=True).result is AttemptResult.COMPLETED
