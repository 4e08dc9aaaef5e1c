"""Failures that are alike."""

from __future__ import annotations

import pytest

from vomind_queue.calls.failure_kinds import kind_of
from vomind_queue.twilio.failures import Refused, Trouble, failure


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (failure(Refused(status=400, code=21211, message="'To' 1 is bad")).reason, "twilio-21211"),
        (failure(Refused(status=503)).reason, "http-503"),
        (failure(Trouble.UNREACHABLE, detail="no route").reason, "twilio-cannot-be-reached"),
        (f"{failure(Trouble.SILENT).reason} Given up.", "twilio-did-not-answer-in-time"),
        ("", "unknown"),
        ("電話", "unknown"),
    ],
)
def test_failures_are_alike_by_twilios_code_else_by_their_first_words(
    reason: str, kind: str
) -> None:
    """Numbers and details do not make another kind."""
    assert kind_of(reason) == kind
