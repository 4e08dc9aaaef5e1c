"""A worker whose dialer fails: ``celery -A tests.integration.broker.faulty_worker worker``.

The message of a call names what is raised, or says that Twilio refuses it or never answers.
"""

from __future__ import annotations

import builtins
import time

from vomind_queue.calls.attempts import Accepted, Attempt, Failure, Kind, Outcome, Search
from vomind_queue.calls.call_status import StatusUpdate
from vomind_queue.processes.worker import create_app


class FaultyDialer:
    """Implements ``attempts.Dialer``."""

    def place(self, attempt: Attempt) -> Outcome:
        """Raises what the message names, or refuses or accepts the call."""
        if attempt.call.message == "silence":
            time.sleep(120)
        if attempt.call.message.startswith("refused"):
            wait_ms = 7_000 if attempt.call.message.endswith("wait") else None
            return Failure(kind=Kind.REFUSED, reason="Not now.", retry_after_ms=wait_ms)
        if fault := getattr(builtins, attempt.call.message, None):
            raise fault
        return Accepted(sid=f"CA{attempt.token}", status="queued")

    def find(self, attempt: Attempt, age_ms: int) -> Search:  # noqa: ARG002 - a protocol's
        """Knows of no ring."""
        return Search(rings=(), clock_ahead_ms=0)

    def fetch(self, sid: str) -> StatusUpdate | None:  # noqa: ARG002 - a protocol's
        """Knows of no call."""
        return None

    def cancel(self, sid: str) -> None:
        """Has nothing to end."""


app = create_app(dialer=FaultyDialer())
