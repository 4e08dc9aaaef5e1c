"""What was sent of a file: a journal beside it gets one line before each part and one after.

Each line is on disk before the next step. After any interruption the journal shows which rows were
accepted, which were not, and which part was never answered.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from vomind_queue.cli.bulk.lines import Line, Part
from vomind_queue.cli.exit_codes import BadFile

#: A journal's name is the file's with this suffix.
BESIDE = ".sent.jsonl"
#: The form of the file.
VERSION = 2
#: The API keeps idempotency keys for a day; one hour less allows for clocks that differ, s.
KEY_LIFE_S = 23 * 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the journal knows about one part."""

    digest: str
    #: Its rows, in order, as `lists.preview.digest_of` names them.
    rows: Sequence[str]
    #: When it was first tried, unix s.
    tried_s: float
    #: Ids in the order of its rows; ``None`` while it was not answered.
    jobs: Sequence[str] | None = None


@dataclass(kw_only=True, slots=True)
class Journal:
    """The journal of one file; close it."""

    path: Path
    file: IO[str]
    #: Part of the idempotency keys.
    run: str
    records: dict[int, Record] = field(default_factory=dict)

    def key(self, part: Part) -> str:
        """Return its Idempotency-Key, which changes when its lines are edited."""
        return f"bulk-{self.run}-{part.index}-{part.digest}"

    def jobs(self, part: Part) -> Sequence[str] | None:
        """Return its ids, once it was accepted."""
        record = self.records.get(part.index)
        return record.jobs if record else None

    @property
    def next_index(self) -> int:
        """The index of a part that is new."""
        return max(self.records, default=-1) + 1

    @property
    def accepted_rows(self) -> dict[str, str]:
        """The ids of the calls that were accepted, by row."""
        return {
            row: job
            for record in self.records.values()
            for row, job in zip(record.rows, record.jobs or (), strict=False)
        }

    @property
    def accepted_at(self) -> dict[str, int]:
        """When they were sent, unix ms, by row."""
        return _accepted_at(self.records.values())

    def trying(self, part: Part) -> bool:
        """Note that the part is sent next; return whether for the first time."""
        if part.index in self.records:
            return False
        rows = [line.row for line in part.lines]
        self._note({"part": part.index, "digest": part.digest, "rows": rows, "tried": time.time()})
        return True

    def accepted(self, index: int, jobs: Sequence[str]) -> None:
        """Note that a part was accepted."""
        self._note({"part": index, "jobs": list(jobs)})

    def not_accepted(self, index: int) -> None:
        """Note that a part was certainly not accepted."""
        self._note({"part": index, "not_accepted": True})

    def close(self) -> None:
        """Let others open it; an empty one leaves no file."""
        if not self.records:
            self.path.unlink(missing_ok=True)
        self.file.close()

    def _note(self, line: Mapping[str, Any]) -> None:
        _replay(self.records, line)
        _append(self.file, line)

    def unanswered(self, lines: Mapping[str, Line], unknown: str | None) -> list[Part]:
        """Return the parts whose answer never came, made of the file's lines by row.

        ``unknown`` says what to do with one that can no longer be asked for: ``send`` or
        ``skip``. Raise BadFile where the file has its rows no more.
        """
        found = []
        for index, record in list(self.records.items()):
            if record.jobs is not None or self._is_decided(index, record, unknown):
                continue
            missing = [place for place, row in enumerate(record.rows) if row not in lines]
            part = Part(index=index, lines=[lines[row] for row in record.rows if row in lines])
            if missing or part.digest != record.digest:
                raise BadFile(
                    f"The file was changed in {_span(part.lines)}, which may have been sent. "
                    "Restore it and send other calls in another file; "
                    f"or remove {self.path} to start over, which sends everything again."
                )
            found.append(part)
        return found

    def _is_decided(self, index: int, record: Record, unknown: str | None) -> bool:
        """Decide on a part that is too old to be asked for; return whether it is one."""
        if time.time() - record.tried_s < KEY_LIFE_S:
            return False
        if unknown is None:
            when = datetime.fromtimestamp(record.tried_s, UTC).isoformat(timespec="seconds")
            raise BadFile(
                f"{len(record.rows):,} rows were sent at {when}, and the answer never came. After "
                "a day it can no longer be asked for. Check whether the calls are there "
                "(vomind-queue list --since …), then use --unknown skip or --unknown send."
            )
        if unknown == "skip":
            self.accepted(index, [""] * len(record.rows))
        else:
            self.not_accepted(index)
        return True


def beside(file: Path) -> Path:
    """Return the path of the file's journal."""
    return file.with_name(file.name + BESIDE)


def open_journal(path: Path, *, client: str) -> Journal:
    """Return the journal at ``path``; start one where there is none.

    ``client`` identifies service, key and campaign: elsewhere the same idempotency key means
    nothing.
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
    first, *rest = _read(file) or [_write_header(file, client)]
    if first.get("version") != VERSION:
        raise BadFile(
            f"{path} was written by another version. Once all of its calls are accepted, remove it."
        )
    if first["client"] != client:
        raise BadFile(
            f"Part of this file was sent to another address or campaign, or with another key. "
            f"Continue there, or remove {path} to start over here, which sends those calls again."
        )
    journal = Journal(path=path, file=file, run=first["run"])
    for line in rest:
        _replay(journal.records, line)
    return journal


def accepted_before(file: Path, *, client: str) -> tuple[dict[str, int], bool]:
    """Return when rows were accepted from files of this folder, unix ms, by row.

    Also return whether sending this file was broken off.
    """
    found: dict[str, int] = {}
    is_unfinished = False
    for path in sorted(file.parent.glob(f"*{BESIDE}")):
        records = _records_of(path, client)
        is_unfinished |= path == beside(file) and any(each.jobs is None for each in records)
        found |= _accepted_at(records)
    return found, is_unfinished


def _accepted_at(records: Iterable[Record]) -> dict[str, int]:
    return {
        row: int(record.tried_s * 1000)
        for record in records
        if record.jobs is not None
        for row in record.rows
    }


def _records_of(path: Path, client: str) -> Sequence[Record]:
    try:
        with path.open(encoding="utf-8") as file:
            lines = _read(file)
    except (OSError, ValueError):
        return []
    if not lines or lines[0].get("version") != VERSION or lines[0].get("client") != client:
        return []
    records: dict[int, Record] = {}
    for line in lines[1:]:
        _replay(records, line)
    return list(records.values())


def _replay(records: dict[int, Record], line: Mapping[str, Any]) -> None:
    """Apply a line of the journal."""
    index = line["part"]
    if line.get("not_accepted"):
        records.pop(index, None)
    elif "jobs" in line:
        old = records[index]
        records[index] = Record(
            digest=old.digest, rows=old.rows, tried_s=old.tried_s, jobs=line["jobs"]
        )
    else:
        records[index] = Record(digest=line["digest"], rows=line["rows"], tried_s=line["tried"])


def _span(lines: Sequence[Line]) -> str:
    if not lines:
        return "lines that are gone"
    first, last = lines[0].number, lines[-1].number
    return f"line {first}" if first == last else f"lines {first:,} to {last:,}"


def _write_header(file: IO[str], client: str) -> dict[str, Any]:
    line = {"version": VERSION, "run": secrets.token_hex(8), "client": client}
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


def _append(file: IO[str], line: Mapping[str, Any]) -> None:
    file.write(json.dumps(line, separators=(",", ":")) + "\n")
    file.flush()
    os.fsync(file.fileno())
