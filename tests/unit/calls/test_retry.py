"""What an attempt's outcome means for its call, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from celery import Celery
from celery.utils.time import get_exponential_backoff_interval

from vomind_queue.broker import tasks
from vomind_queue.calls.attempts import Accepted, Failure, Kind
from vomind_queue.calls.decisions import AttemptResult
from vomind_queue.calls.retry import RetryPolicy, decide
from vomind_queue.config.settings import Settings
from vomind_queue.container.worker_services import backoff_of

POLICY = RetryPolicy(max_attempts=3, backoff_s=lambda retries: 2 * 2**retries, first_check_ms=2_000)


def failure(kind: Kind, *, retry_after_ms: int | None = None) -> Failure:
    """A failure of one kind."""
    return Failure(kind=kind, reason="Words.", retry_after_ms=retry_after_ms)


@pytest.mark.parametrize(
    ("kind", "round_", "result", "wait_ms"),
    [
        (Kind.REFUSED, 0, AttemptResult.AGAIN, 2_000),
        (Kind.REFUSED, 1, AttemptResult.AGAIN, 4_000),
        (Kind.REFUSED, 2, AttemptResult.FAILED, 0),
        (Kind.PERMANENT, 0, AttemptResult.FAILED, 0),
        (Kind.PERMANENT, 2, AttemptResult.FAILED, 0),
        (Kind.ACCOUNT, 0, AttemptResult.ACCOUNT, 0),
        (Kind.ACCOUNT, 2, AttemptResult.ACCOUNT, 0),
        (Kind.UNSENT, 2, AttemptResult.POSTPONED, 1_000),
        (Kind.UNKNOWN, 0, AttemptResult.UNKNOWN, 2_000),
        (Kind.UNKNOWN, 2, AttemptResult.UNKNOWN, 2_000),
    ],
)
def test_each_kind_of_failure_has_one_ending(
    kind: Kind, round_: int, result: AttemptResult, wait_ms: int
) -> None:
    """The kind and the attempts made so far decide alone."""
    decision = decide(failure(kind), round_, POLICY)
    assert (decision.result, decision.wait_ms) == (result, wait_ms)
    assert decision.reason.startswith("Words.")


def test_an_accepted_call_is_completed() -> None:
    """Twilio's answer is kept, and there is no reason."""
    accepted = Accepted(sid="CA1", status="queued")
    decision = decide(accepted, 2, POLICY)
    assert (decision.result, decision.accepted, decision.reason) == (
        AttemptResult.COMPLETED,
        accepted,
        "",
    )


def test_only_refusals_feed_the_breaker() -> None:
    """A refusal counts towards the breaker, the last one of a call included."""
    feeding = {kind: decide(failure(kind), 2, POLICY).refused for kind in Kind}
    assert [kind for kind, refused in feeding.items() if refused] == [Kind.REFUSED]


def test_a_longer_retry_after_is_honoured() -> None:
    """Twilio's wish stands when it is longer than our own wait, and only then."""
    long = decide(failure(Kind.REFUSED, retry_after_ms=30_000), 0, POLICY)
    short = decide(failure(Kind.REFUSED, retry_after_ms=500), 0, POLICY)
    assert (long.wait_ms, short.wait_ms) == (30_000, 2_000)


@pytest.mark.parametrize("round_", [0, 2])
@pytest.mark.parametrize(
    ("asked_ms", "quiet_ms"), [(None, 0), (30_000, 30_000), (3_600_000, 60_000)]
)
def test_the_breaker_hears_of_retry_after(asked_ms: int | None, quiet_ms: int, round_: int) -> None:
    """The last attempt's refusal, too; a wish for an hour does not keep it shut for an hour."""
    decision = decide(failure(Kind.REFUSED, retry_after_ms=asked_ms), round_, POLICY)
    assert decision.quiet_ms == quiet_ms


def test_the_last_refusal_says_how_often_it_was_tried() -> None:
    """A person who reads the reason learns that more was done than one attempt."""
    assert decide(failure(Kind.REFUSED), 2, POLICY).reason == "Words. Given up after 3 attempts."


def test_unknown_outcomes_can_be_left_to_a_person() -> None:
    """With that choice nothing is looked for, and the reason says what to check."""
    policy = replace(POLICY, fail_unknown=True)
    decision = decide(failure(Kind.UNKNOWN), 0, policy)
    assert decision.result is AttemptResult.FAILED
    assert "Twilio's call log" in decision.reason


@pytest.mark.parametrize("delay_s", [1, 2, 7, 400])
@pytest.mark.parametrize("retries", [0, 1, 2, 8])
def test_the_stored_wait_is_that_of_celerys_autoretry(delay_s: int, retries: int) -> None:
    """Where nobody is left to put a call off, it waits as long as Celery would have it wait."""
    settings = Settings.from_env({"REDIS_URL": "redis://h", "CALL_RETRY_DELAY": str(delay_s)})
    policy = replace(POLICY, max_attempts=99, backoff_s=backoff_of(settings))
    app = Celery("test", set_as_current=False)
    task = tasks.register(app, cast(Any, None), settings)
    countdown_s = get_exponential_backoff_interval(
        factor=task.retry_backoff,
        retries=retries,
        maximum=task.retry_backoff_max,
        full_jitter=task.retry_jitter,
    )
    assert decide(failure(Kind.REFUSED), retries, policy).wait_ms == countdown_s * 1000
