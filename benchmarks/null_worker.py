"""Our worker with a dialer that places no call and takes no time.

``celery -A benchmarks.null_worker worker``. Everything else is as deployed. A call whose metadata
says ``{"simulate": {"failures": n}}`` fails in its first ``n`` attempts.
"""

from __future__ import annotations

from vomind_queue.calls.attempts import Accepted, Attempt, Failure, Kind, Outcome, Search
from vomind_queue.calls.call_status import StatusUpdate
from vomind_queue.processes.worker import create_app


class NullDialer:
    """Implements ``attempts.Dialer``: whatever is asked for has happened."""

    def place(self, attempt: Attempt) -> Outcome:
        """Accept the call, or refuse it where the call says so."""
        simulated = (attempt.call.metadata or {}).get("simulate")
        if isinstance(simulated, dict) and attempt.number <= simulated.get("failures", 0):
            return Failure(kind=Kind.PERMANENT, reason="the benchmark wants it to fail")
        return Accepted(sid=f"CA{attempt.token}", status="queued")

    def find(self, attempt: Attempt, age_ms: int) -> Search:  # noqa: ARG002 - a protocol's
        """Know of no ring."""
        return Search(rings=(), clock_ahead_ms=0)

    def fetch(self, sid: str) -> StatusUpdate | None:  # noqa: ARG002 - a protocol's
        """Know of no call."""
        return None

    def cancel(self, sid: str) -> None:
        """Has nothing to end."""


app = create_app(dialer=NullDialer())
