"""Send the parts of a file: each is accepted once, despite broken connections and restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vomind_queue.cli.bulk.journal import Journal
from vomind_queue.cli.bulk.lines import Part
from vomind_queue.cli.client import CAMPAIGNS, QUEUE, Api, ApiFault, Tell, patiently
from vomind_queue.cli.exit_codes import ExitCode


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends the parts of one file."""

    api: Api
    journal: Journal
    #: Id of the campaign that gets the calls.
    campaign: str | None
    #: How long the service may be away, s.
    patience_s: float
    tell: Tell

    def send(self, part: Part) -> int:
        """Send a part until it is accepted; return how many calls it has. Raise ApiFault."""
        first = self.journal.trying(part)
        arrived: list[ApiFault] = []
        try:
            answer = patiently(
                lambda: self._post(part, arrived), for_s=self.patience_s, tell=self.tell
            )
        except ApiFault as fault:
            # The API replays an accepted key before it validates anything else.
            if fault.exit_code == ExitCode.USAGE or (first and not arrived):
                self.journal.not_accepted(part.index)
            raise
        self.journal.accepted(part.index, [job["jobId"] for job in answer["jobs"]])
        return len(part.lines)

    def _post(self, part: Part, arrived: list[ApiFault]) -> dict[str, Any]:
        """Try once; note in ``arrived`` when it may have been accepted without an answer."""
        headers = {"Idempotency-Key": self.journal.key(part)}
        path = f"{QUEUE}/schedule-bulk-calls"
        if self.campaign is not None:
            path = f"{CAMPAIGNS}/{self.campaign}/calls"
        try:
            return self.api.post(path, {"calls": part.calls}, **headers)
        except ApiFault as fault:
            if fault.sent:
                arrived.append(fault)
            raise
