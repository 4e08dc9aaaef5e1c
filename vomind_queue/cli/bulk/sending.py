"""Send a file of calls: each part is accepted once, despite broken connections and restarts.

A journal beside the file gets one line before each part is sent and one after. Each line is on
disk before the next step. After any interruption the journal shows which parts were accepted,
which were not, and which one was never answered.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from vomind_queue.cli.bulk.lines import Part
from vomind_queue.cli.client import QUEUE, Api, ApiFault, Tell, patiently
from vomind_queue.cli.exit_codes import BadFile, ExitCode

#: The form of the file.
VERSION = 1
#: The API keeps idempotency keys for a day; one hour less allows for clocks that differ, s.
KEY_LIFE_S = 23 * 3600


@dataclass(kw_only=True, slots=True)
class Record:
    """What the journal knows about one part."""

    digest: str
    #: Ids in the order of its lines; ``None`` while it was not accepted.
    jobs: Sequence[str] | None = None
    #: When it was first tried and not answered, unix s.
    tried_s: float | None = None


@dataclass(kw_only=True, slots=True)
class Journal:
    """The journal of one file; close it."""

    path: Path
    file: IO[str]
    #: Part of the idempotency keys.
    run: str
    #: Lines in a part.
    size: int
    records: dict[int, Record] = field(default_factory=dict)

    def key(self, part: Part) -> str:
        """Return its Idempotency-Key, which changes when its lines are edited."""
        return f"bulk-{self.run}-{part.index}-{part.digest}"

    def jobs(self, part: Part) -> Sequence[str] | None:
        """Return its ids, once it was accepted."""
        record = self.records.get(part.index)
        return record.jobs if record else None

    def trying(self, part: Part) -> bool:
        """Note that the part is sent next; return whether for the first time."""
        if part.index in self.records:
            return False
        self._note(part, tried=time.time())
        return True

    def accepted(self, part: Part, jobs: Sequence[str]) -> None:
        """Note that the part was accepted."""
        self._note(part, jobs=list(jobs))

    def not_accepted(self, part: Part) -> None:
        """Note that the part was certainly not accepted."""
        self._note(part, not_accepted=True)

    def close(self) -> None:
        """Let others open it; an empty one leaves no file."""
        if not self.records:
            self.path.unlink(missing_ok=True)
        self.file.close()

    def _note(self, part: Part, **said: Any) -> None:
        line = {"part": part.index, "digest": part.digest, **said}
        self.replay(line)
        _append(self.file, line)

    def replay(self, line: dict[str, Any]) -> None:
        """Apply a line of the journal."""
        record = Record(digest=line["digest"], jobs=line.get("jobs"), tried_s=line.get("tried"))
        if line.get("not_accepted"):
            self.records.pop(line["part"], None)
        else:
            self.records[line["part"]] = record


def open_journal(path: Path, *, size: int, client: str) -> Journal:
    """Return the journal at ``path``; start one where there is none.

    ``client`` identifies service and key: elsewhere the same idempotency key means nothing.
    Raise BadFile if another process is sending this file, or it was sent elsewhere.
    """
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{path} cannot be written: {error.strerror}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BadFile(f"Another process is sending this file ({path}).") from None
    file.seek(0)
    first, *rest = _read(file) or [_write_header(file, size, client)]
    if first.get("version") != VERSION:
        raise BadFile(f"{path} was written by another version.")
    if first["client"] != client:
        raise BadFile(
            f"Part of this file was sent to another address, or with another key. Continue there, "
            f"or remove {path} to start over here, which sends those calls again."
        )
    journal = Journal(path=path, file=file, run=first["run"], size=first["size"])
    for line in rest:
        journal.replay(line)
    return journal


def _write_header(file: IO[str], size: int, client: str) -> dict[str, Any]:
    line = {"version": VERSION, "run": secrets.token_hex(8), "size": size, "client": client}
    _append(file, line)
    return line


def _read(file: IO[str]) -> list[dict[str, Any]]:
    found = []
    for text in file.read().splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            # Cut off when the machine went down, so that step never happened.
            break
    return found


def _append(file: IO[str], line: dict[str, Any]) -> None:
    file.write(json.dumps(line, separators=(",", ":")) + "\n")
    file.flush()
    os.fsync(file.fileno())


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends the parts of one file."""

    api: Api
    journal: Journal
    #: How long the service may be away, s.
    patience_s: float
    tell: Tell

    def send(self, part: Part) -> int:
        """Send a part until it is accepted; return how many calls of it are new.

        Raise ApiFault.
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
            # The API replays an accepted key before it validates anything else.
            if fault.exit_code == ExitCode.USAGE or (first and not arrived):
                self.journal.not_accepted(part)
            raise
        self.journal.accepted(part, [job["jobId"] for job in answer["jobs"]])
        return len(part.lines)

    def _post(self, part: Part, arrived: list[ApiFault]) -> dict[str, Any]:
        """Try once; note in ``arrived`` when it may have been accepted without an answer."""
        headers = {"Idempotency-Key": self.journal.key(part)}
        try:
            return self.api.post(f"{QUEUE}/schedule-bulk-calls", {"calls": part.calls}, **headers)
        except ApiFault as fault:
            if fault.sent:
                arrived.append(fault)
            raise


def check_unchanged(journal: Journal, whole: Sequence[Part], unknown: str | None) -> None:
    """Check that the file is still the one that the journal describes.

    ``unknown`` says what to do with a part whose answer never came and can no longer be asked
    for: ``send`` or ``skip``. Raise BadFile.
    """
    for index, record in journal.records.items():
        part = whole[index] if index < len(whole) else None
        if part is None or part.digest != record.digest:
            what = "have been sent" if record.jobs is not None else "may have been sent"
            where = part.span if part else "lines that are gone"
            raise BadFile(
                f"The file was changed in {where}, which {what}. Restore it and send other calls "
                f"in another file; or remove {journal.path} to start over, which sends everything "
                "again."
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
            f"{part.span} were sent at {when}, and the answer never came. After a day it can no "
            "longer be asked for. Check whether the calls are there (vomind-queue list --since …), "
            "then use --unknown skip or --unknown send."
        )
    if unknown == "skip":
        journal.accepted(part, [""] * len(part.lines))
    else:
        journal.not_accepted(part)
