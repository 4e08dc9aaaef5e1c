"""What is refused of recurring calls, and that nothing changes by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.conftest import Api
from tests.integration.api.test_errors import assert_problem
from tests.integration.api.test_recurring import DAILY, schedule, shown


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": "+1234567891"}, "to"),
        ({"cronExpression": "61 * * * *"}, "cronExpression"),
        ({"cronExpression": None}, "cronExpression"),
        ({"timezone": "EST"}, "timezone"),
        ({"message": ""}, "message"),
        ({"endAt": "2020-01-01T00:00:00Z"}, "endAt"),
        ({"scheduleAt": "2030-01-01T00:00:00Z"}, "scheduleAt"),
        ({"cron": "@daily"}, "cron"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    api: Api, change: dict[str, Any], field: str
) -> None:
    """The field is named."""
    schedule(api)
    before = shown(api)
    answer = api.patch("/job/recurring:1", change)
    assert_problem(answer, 422)
    assert field in answer.get_json()["errors"]
    assert shown(api) == before


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"cronExpression": None}, "cronExpression", "Must be set"),
        ({"cronExpression": 5}, "cronExpression", "five cron fields"),
        ({"cronExpression": "61 * * * *"}, "cronExpression", "minute, 61"),
        ({"cronExpression": "every day"}, "cronExpression", "five fields"),
        ({"cronExpression": "* * * * * *"}, "cronExpression", "once a minute"),
        ({"cronExpression": "0 0 30 2 *"}, "cronExpression", "never fires"),
        ({"timezone": "CET"}, "timezone", "Europe/Berlin"),
        ({"timezone": "Berlin"}, "timezone", "Europe/Berlin"),
        ({"timezone": ""}, "timezone", "IANA"),
        ({"timezone": 1}, "timezone", "IANA"),
        ({"startAt": "tomorrow"}, "startAt", "offset"),
        ({"startAt": "2030-01-01T00:00:00"}, "startAt", "offset"),
        ({"endAt": "9999-12-31T00:00:00Z"}, "endAt", "2099"),
        ({"endAt": "2020-01-01T00:00:00Z"}, "endAt", "first run"),
        (
            {"startAt": "2031-01-01T00:00:00.0001Z", "endAt": "2031-01-01T08:59:59.9999Z"},
            "endAt",
            "first run",
        ),
        ({"startAt": "2031-01-02T00:00:00Z", "endAt": "2031-01-01T00:00:00Z"}, "endAt", "startAt"),
        ({"maxRuns": 0}, "maxRuns", "an integer"),
        ({"graceMs": 999}, "graceMs", "1,000"),
        ({"overlap": "drop"}, "overlap", "skip or queue"),
        ({"to": "x"}, "to", "E.164"),
        ({"delayMs": 5}, "delayMs", "schedule-delayed-call"),
        ({"cronExpresion": "@daily"}, "cronExpresion", "cronExpression"),
        ({"timeZone": "UTC"}, "timeZone", "timezone"),
    ],
)
def test_refusals(api: Api, fields: dict[str, Any], field: str, words: str) -> None:
    """Each names its field in words to act on, and nothing is stored."""
    answer = api.post("/schedule-recurring-call", {**DAILY, **fields})
    assert_problem(answer, 422)
    assert words in " ".join(answer.get_json()["errors"][field])
    assert api.get("/recurring").get_json()["total"] == 0
