"""What is answered, word for word."""

from __future__ import annotations

from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.calls.call import Call, Priority, State
from vomind_queue.calls.job import AttemptMade, Job, Placed
from vomind_queue.calls.limits import Pause, Rate
from vomind_queue.observability.queue_stats import (
    OnTheLine,
    OutboxState,
    RateUse,
    Stats,
    Unanswered,
)

AT = 1_921_399_200_000
CALL = Placed(
    sid="CA1",
    status="completed",
    duration_s=17,
    answered_by="human",
    sip_code=200,
    price="-0.013",
    price_unit="USD",
    from_number="+15005550006",
)


def test_a_completed_job_shows_its_call() -> None:
    """Each time stands there twice: for people, and as existing clients read it."""
    job = Job(
        id="1",
        state=State.COMPLETED,
        call=Call(to="+1234567890", lead_id=7, priority=Priority.HIGH, metadata={"a": 1}),
        progress=100,
        attempts_made=1,
        failed_reason=None,
        created_ms=AT,
        due_ms=AT + 1,
        not_after_ms=AT + 2,
        started_ms=AT + 2,
        finished_ms=AT + 3,
        placed=CALL,
        attempts=[
            AttemptMade(number=1, started_ms=AT, ended_ms=AT + 1, placed=None, reason="Away."),
            AttemptMade(number=2, started_ms=AT + 2, ended_ms=AT + 3, placed=CALL),
        ],
    )
    assert job_serializer.job(job) == {
        "jobId": "1",
        "state": "completed",
        "progress": 100,
        "data": {
            "to": "+1234567890",
            "message": "Hello from VoMindAI",
            "lead_id": 7,
            "priority": "high",
            "metadata": {"a": 1},
        },
        "attemptsMade": 1,
        "failedReason": None,
        "failedKind": None,
        "priority": "high",
        "createdAt": "2030-11-20T10:00:00.000Z",
        "scheduledFor": "2030-11-20T10:00:00.001Z",
        "nextAttemptAt": None,
        "notAfter": "2030-11-20T10:00:00.002Z",
        "reconciledBy": None,
        "startedAt": "2030-11-20T10:00:00.002Z",
        "finishedAt": "2030-11-20T10:00:00.003Z",
        "call": {
            "sid": "CA1",
            "from": "+15005550006",
            "status": "completed",
            "duration": 17,
            "answeredBy": "human",
            "sipResponseCode": 200,
            "price": "-0.013",
            "priceUnit": "USD",
        },
        "attempts": [
            {
                "number": 1,
                "sid": None,
                "from": None,
                "status": None,
                "startedAt": "2030-11-20T10:00:00.000Z",
                "endedAt": "2030-11-20T10:00:00.001Z",
                "duration": None,
                "answeredBy": None,
                "sipResponseCode": None,
                "failedReason": "Away.",
            },
            {
                "number": 2,
                "sid": "CA1",
                "from": "+15005550006",
                "status": "completed",
                "startedAt": "2030-11-20T10:00:00.002Z",
                "endedAt": "2030-11-20T10:00:00.003Z",
                "duration": 17,
                "answeredBy": "human",
                "sipResponseCode": 200,
                "failedReason": None,
            },
        ],
        "timestamp": AT,
        "processedOn": AT + 2,
        "finishedOn": AT + 3,
    }


def test_stats_tell_what_governs_the_starts() -> None:
    """Who paused, when and why; how much of the allowance is used; whether Twilio is away."""
    shown = Stats(
        waiting=5,
        active=2,
        completed=150,
        failed=3,
        delayed=10,
        by_priority={Priority.HIGH: 1, Priority.NORMAL: 4, Priority.LOW: 0},
        pause=Pause(by="ops", at_ms=AT, reason="no money"),
        rate_use=RateUse(
            rate=Rate(max_starts=10, window_ms=60_000), used=7, reset_ms=0, overridden=False
        ),
        circuit_open_until_ms=AT,
        unknown_outcomes=1,
        on_the_line=OnTheLine(ringing=1, talking=2),
        unanswered=Unanswered(attempts=1, since_ms=AT, reconciled_by_ms=AT + 1),
        oldest_waiting_ms=AT + 2,
        orphaned_calls=4,
        overridden=2,
        workers=2,
        outbox=OutboxState(
            pending=7, behind_ms=1_500, dead=1, lost={"details": 4, "dead": 1}, shipper_active=True
        ),
        recurring=4,
        scheduler_active=True,
    )
    assert job_serializer.stats(shown) == {
        "stats": {
            "waiting": 5,
            "active": 2,
            "completed": 150,
            "failed": 3,
            "delayed": 10,
            "total": 170,
        },
        "paused": True,
        "pausedBy": "ops",
        "pausedAt": "2030-11-20T10:00:00.000Z",
        "pauseReason": "no money",
        "byPriority": {"high": 1, "normal": 4, "low": 0},
        "rateLimit": {"max": 10, "windowMs": 60000, "used": 7, "resetMs": 0, "overridden": False},
        "circuitOpenUntil": "2030-11-20T10:00:00.000Z",
        "unknownOutcomes": 1,
        "onTheLine": {"dialing": 0, "ringing": 1, "talking": 2},
        "unansweredAttempts": 1,
        "unansweredSince": "2030-11-20T10:00:00.000Z",
        "reconciledBy": "2030-11-20T10:00:00.001Z",
        "oldestWaitingAt": "2030-11-20T10:00:00.002Z",
        "orphanedCalls": 4,
        "overriddenStarts": 2,
        "workers": 2,
        "callLog": {
            "pending": 7,
            "behindMs": 1_500,
            "deadLetters": 1,
            "lost": 5,
            "shipperActive": True,
        },
        "recurring": 4,
        "schedulerActive": True,
    }
