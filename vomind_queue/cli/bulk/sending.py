"""Parts on their way: each accepted once, over broken connections and new beginnings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vomind_queue.cli.bulk.journal import KEY_LIFE_S, Journal, Record
from vomind_queue.cli.bulk.parts import Part
from vomind_queue.cli.client import QUEUE, Api, ApiFault
from vomind_queue.cli.endings import BadFile, Ending
from vomind_queue.cli.patience import Tell, patiently


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends the parts of one file."""

    api: Api
    journal: Journal
    #: How long the service may be away, s.
    patience_s: float
    tell: Tell

    def send(self, part: Part) -> int:
        """Sees that a part is accepted; how many calls are, that were not before.

        Raises ApiFault.
        """
        if self.journal.jobs(part) is not None:
            return 0
        first = self.journal.trying(part)
        arrived: list[ApiFault] = []
        try:
            answer = patiently(
                lambda: self._post(part, arrived), for_s=self.patience_s, tell=self.tell
            )
        except ApiFault as fault:
            # A key that was accepted before is answered before anything else is looked at.
            if fault.exit_code == Ending.USAGE or (first and not arrived):
                self.journal.not_accepted(part)
            raise
        self.journal.accepted(part, [job["jobId"] for job in answer["jobs"]])
        return len(part.lines)

    def _post(self, part: Part, arrived: list[ApiFault]) -> dict[str, Any]:
        """One try; notes in ``arrived`` when it may have been accepted without an answer."""
        headers = {"Idempotency-Key": self.journal.key(part)}
        try:
            return self.api.post(f"{QUEUE}/schedule-bulk-calls", {"calls": part.calls}, **headers)
        except ApiFault as fault:
            if fault.sent:
                arrived.append(fault)
            raise


def agree(journal: Journal, whole: Sequence[Part], unknown: str | None) -> None:
    """Sees that the file is still the one that the journal speaks of.

    ``unknown`` is what to do with a part of which the answer never came and cannot be asked for
    any more: ``send`` or ``skip``. Raises BadFile.
    """
    for index, record in journal.records.items():
        part = whole[index] if index < len(whole) else None
        if part is None or part.digest != record.digest:
            what = "have been sent" if record.jobs is not None else "may have been sent"
            where = part.span if part else "lines that are gone"
            raise BadFile(
                f"The file was changed in {where}, which {what}. Restore it and send other calls "
                f"in another file; or remove {journal.path} to begin anew: what was sent is then "
                "sent once more."
            )
    for part in whole:
        _decide(journal, part, journal.records.get(part.index), unknown)


def _decide(journal: Journal, part: Part, record: Record | None, unknown: str | None) -> None:
    if record is None or record.jobs is not None or record.tried_s is None:
        return
    if time.time() - record.tried_s < KEY_LIFE_S:
        return
    if unknown is None:
        when = datetime.fromtimestamp(record.tried_s, UTC).isoformat(timespec="seconds")
        raise BadFile(
            f"{part.span} were sent at {when}, the answer never came, and after a day it cannot be "
            "asked for any more. Look whether they are there (vomind-queue list --since …), then "
            "say --unknown skip, or --unknown send."
        )
    if unknown == "skip":
        journal.accepted(part, [""] * len(part.lines))
    else:
        journal.not_accepted(part)
