"""Check a bulk without accepting it: all errors, call by call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from vomind_queue.api.errors import Errors
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.calls.call import NewCall


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedBulk:
    """The calls of a bulk, separated into good and bad by index."""

    count: int
    good: Mapping[int, NewCall]
    #: Messages by field, as a refused bulk has them, but for every bad call.
    bad: Mapping[int, Errors]


def check(body: Any) -> CheckedBulk:
    """Check each call on its own. Raise ValidationError for errors of the bulk as a whole."""
    try:
        accepted: list[NewCall] = call_schemas.BULK.load(body)["calls"]
        return CheckedBulk(count=len(accepted), good=dict(enumerate(accepted)), bad={})
    except ValidationError as error:
        bad = _by_call(error)
    calls = body["calls"]
    good = {
        index: call_schemas.TIMED_CALL.load(call)
        for index, call in enumerate(calls)
        if index not in bad
    }
    return CheckedBulk(count=len(calls), good=good, bad=bad)


def _by_call(error: ValidationError) -> Mapping[int, Errors]:
    """Return the errors by call. Raise ``error`` if it concerns the bulk as a whole."""
    messages: Any = error.messages
    calls = messages.get("calls") if isinstance(messages, dict) else None
    if len(messages) > 1 or not isinstance(calls, dict):
        raise error
    return {int(index): found for index, found in calls.items()}
