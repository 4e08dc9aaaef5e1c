"""A recurring call, as a service showed it once."""

from __future__ import annotations

from typing import Any

from vomind_queue.api.reference import examples as shown

DATA = {**shown.CALL, "message": "Daily reminder"}
NEXT = ["2026-11-25T08:00:00.000Z", "2026-11-26T08:00:00.000Z", "2026-11-27T08:00:00.000Z"]
PATTERN = {"cronExpression": "0 9 * * 1-5", "timezone": "Europe/Berlin"}
SCHEDULE: dict[str, Any] = {
    "jobId": "recurring:1",
    "status": "recurring",
    "data": DATA,
    "priority": "normal",
    **PATTERN,
    "description": "At 09:00 on Monday through Friday",
    "startAt": None,
    "endAt": None,
    "maxRuns": None,
    "graceMs": 900_000,
    "overlap": "skip",
    "nextRuns": NEXT[:1],
    "lastJob": None,
    "firedRuns": {"count": 0},
    "missedRuns": {"count": 0, "last": []},
    "skippedRuns": {"count": 0, "last": []},
    "pausedBy": None,
    "pausedAt": None,
    "createdAt": "2026-11-24T18:08:20.247Z",
    "updatedAt": "2026-11-24T18:08:20.247Z",
}
WHOLE = {
    **SCHEDULE,
    "nextRuns": [*NEXT, "2026-11-30T08:00:00.000Z", "2026-12-01T08:00:00.000Z"],
    "lastRuns": [],
}
