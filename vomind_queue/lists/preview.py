"""What becomes of each row once somebody says yes: the counts add up to the rows of the list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from vomind_queue.calls.call import DEFAULT_MESSAGE
from vomind_queue.calls.do_not_call import same_phone
from vomind_queue.lists.cells import readable
from vomind_queue.lists.models import Answers, Choice, Question, ReadList, Row

#: Answers by which each row of one person is called, and rows that were accepted before.
EACH, AGAIN = "each", "yes"
#: Lines that are listed of one kind of refusal.
_MOST_LINES = 1_000


class Fate(StrEnum):
    """What becomes of a row; each has exactly one."""

    #: It makes a call that rings as soon as its turn, or its time, comes.
    WILL_RING = "willRing"
    #: It makes none; the reason says what to mend.
    REFUSED = "refused"
    #: The same person is called by an earlier row.
    DOUBLE = "doubles"
    #: The same call was accepted before.
    ACCEPTED_BEFORE = "acceptedBefore"
    #: Its number is on the do-not-call list.
    BLOCKED = "blocked"
    #: It makes a call that a calling rule holds until later.
    HELD = "held"
    #: It waits for the answer to a question.
    ASKED = "asked"


#: Those of rows that make a call.
SENT = frozenset({Fate.WILL_RING, Fate.HELD})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Until when a rule holds a call, and why."""

    #: As `instants.iso` writes it; ``None`` where nobody knows.
    until: str | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What the service says of the calls of a list, by the indexes of their rows."""

    #: Field and message of those that it would refuse.
    errors: Mapping[int, Sequence[tuple[str, str]]] = field(default_factory=dict)
    #: Why those never ring that the do-not-call list blocks.
    blocked: Mapping[int, str] = field(default_factory=dict)
    held: Mapping[int, Wait] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewedRow:
    """A row with its fate."""

    row: Row
    fate: Fate
    why: str
    kind: str
    #: When it rings at the earliest; ``None``: as soon as its turn comes, or never.
    at: str | None
    #: By which it is known once it was accepted.
    digest: str
    #: Field and message of all that is wrong with it.
    errors: Sequence[tuple[str, str]] = ()

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        row = self.row
        call = {"twimlUrl": ""} if row.call is None else row.call
        message = None if "twimlUrl" in call else call.get("message", DEFAULT_MESSAGE)
        data = {
            "line": row.line,
            "cell": None if row.cell is None else readable(row.cell),
            "to": row.to,
            "message": message,
            "at": self.at,
            "why": self.why or None,
            "fate": self.fate.value,
        }
        return {**data, "notUsed": list(row.others)} if row.others else data


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What would be sent."""

    questions: Sequence[Question]
    options: Sequence[Question]
    rows: Sequence[PreviewedRow]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are, and of each fate."""
        found = {fate.value: 0 for fate in Fate}
        for row in self.rows:
            found[row.fate.value] += 1
        return {"rows": len(self.rows), **found}

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """The kinds of refusals, each with a sentence and its lines."""
        found: dict[str, list[PreviewedRow]] = {}
        for row in self.rows:
            if row.fate is Fate.REFUSED:
                found.setdefault(row.kind, []).append(row)
        return [
            {
                "kind": kind,
                "count": len(rows),
                "text": rows[0].why,
                "lines": [each.row.line for each in rows[:_MOST_LINES]],
            }
            for kind, rows in found.items()
        ]

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it, without its rows."""
        return {
            "questions": [question.as_data() for question in self.questions],
            "options": [question.as_data() for question in self.options],
            "counts": self.counts,
            "refusals": self.refusals,
        }


def digest_of(call: Mapping[str, Any], times: int = 1) -> str:
    """Return by what an accepted row is known; ``times``: how often the list has had it so far."""
    text = json.dumps(call, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    again = "" if times == 1 else f" {times}"
    return hashlib.sha256(f"{text}{again}".encode("utf-8", "replace")).hexdigest()[:32]


def preview(
    found: ReadList,
    judged: Judged,
    accepted: Mapping[str, int],
    answers: Answers,
    *,
    is_unfinished: bool = False,
) -> Preview:
    """Return the fate of each row.

    ``accepted``: when rows were accepted before, unix ms, by digest. ``is_unfinished``: sending
    was broken off, so that going on is not calling again.
    """
    judging = _Judging(found, judged, accepted, answers)
    rows = [judging.row(index, row) for index, row in enumerate(found.rows)]
    questions = list(found.questions)
    options = list(found.options)
    for question in (judging.on_doubles(), judging.on_again(rows, is_unfinished=is_unfinished)):
        if question:
            (questions if question.default is None else options).append(question)
    return Preview(questions=questions, options=options, rows=rows)


class _Judging:
    def __init__(
        self, found: ReadList, judged: Judged, accepted: Mapping[str, int], answers: Answers
    ) -> None:
        self._judged = judged
        self._accepted = accepted
        self._said = answers.given
        self._firsts = _firsts(found.rows, judged)
        #: Lines whose call differs from that of the same person above.
        self._unlike = _unlike(found.rows, self._firsts)
        self._doubles = sum(
            index != self._firsts[_person(row)]
            for index, row in enumerate(found.rows)
            if row.call is not None and _person(row) in self._firsts
        )
        self._seen: dict[str, int] = {}
        self._rows = found.rows

    def row(self, index: int, row: Row) -> PreviewedRow:
        """Return a row with its fate; rows come in order."""
        digest = self._digest(row)
        fate, why, kind = self._fate(index, row, digest)
        wait = self._judged.held.get(index) if fate is Fate.HELD else None
        at = (row.call or {}).get("scheduleAt") if fate in SENT else None
        return PreviewedRow(
            row=row, fate=fate, why=why, kind=kind, at=wait.until if wait else at, digest=digest,
            errors=self._errors(index, row) if fate is Fate.REFUSED else (),
        )  # fmt: skip

    def _errors(self, index: int, row: Row) -> Sequence[tuple[str, str]]:
        """Return all that is wrong with a row: what the reader says, or else the service."""
        if row.kind and not row.is_asked:
            return [(row.field, row.why)]
        return self._judged.errors.get(index, ())

    def _digest(self, row: Row) -> str:
        if row.call is None:
            return ""
        plain = digest_of(row.call)
        times = self._seen[plain] = self._seen.get(plain, 0) + 1
        return plain if times == 1 else digest_of(row.call, times)

    def _fate(self, index: int, row: Row, digest: str) -> tuple[Fate, str, str]:
        if errors := self._errors(index, row):
            texts = (text if name in ("", "to") else f"{name}: {text}" for name, text in errors)
            return Fate.REFUSED, "; ".join(texts), row.kind or errors[0][0] or "row"
        is_unlike = _person(row) in self._unlike and not self._said_doubles
        if row.is_asked or is_unlike:
            return Fate.ASKED, "", ""
        fate, why = self._skipped(index, row, digest) or self._judgment(index)
        return fate, why, ""

    def _skipped(self, index: int, row: Row, digest: str) -> tuple[Fate, str] | None:
        """Return why a row is not sent although its call is right."""
        if digest in self._accepted and self._said.get("again") != AGAIN:
            return Fate.ACCEPTED_BEFORE, f"accepted before, at {_when(self._accepted[digest])}"
        first = self._firsts[_person(row)]
        if first != index and self._said.get("doubles") != EACH:
            return Fate.DOUBLE, f"the same person as in line {self._rows[first].line}"
        return None

    def _judgment(self, index: int) -> tuple[Fate, str]:
        if why := self._judged.blocked.get(index):
            return Fate.BLOCKED, why
        wait = self._judged.held.get(index)
        return (Fate.HELD, wait.why) if wait else (Fate.WILL_RING, "")

    @property
    def _said_doubles(self) -> bool:
        return "doubles" in self._said

    def on_doubles(self) -> Question | None:
        """Ask whether a person who is listed twice is called twice."""
        if not self._doubles:
            return None
        rows = "1 row has" if self._doubles == 1 else f"{self._doubles:,} rows have"
        text = f"{rows} the number of a person who is listed above."
        if self._unlike:
            text = f"{text} Some ask for another call than the row above."
        choices = [
            Choice(value="once", text="Call each person once, by the first row."),
            Choice(value=EACH, text="Make a call for each row."),
        ]
        default = self._said.get("doubles", None if self._unlike else "once")
        return Question(id="doubles", text=text, choices=choices, default=default)

    def on_again(self, rows: Sequence[PreviewedRow], *, is_unfinished: bool) -> Question | None:
        """Ask whether rows that were accepted before are called again."""
        before = [self._accepted[row.digest] for row in rows if row.digest in self._accepted]
        if not before:
            return None
        is_new = any(row.fate in SENT or row.fate is Fate.ASKED for row in rows)
        count = "1 row was" if len(before) == 1 else f"{len(before):,} rows were"
        text = f"{count} accepted before, at {_when(max(before))}. Call them again?"
        choices = [
            Choice(value="no", text="Send new rows only."),
            Choice(value=AGAIN, text="Call them again."),
        ]
        default = "no" if is_new or is_unfinished else None
        said = self._said.get("again", default)
        return Question(id="again", text=text, choices=choices, default=said)


def _person(row: Row) -> str:
    return min(same_phone(row.to)) if row.to else ""


def _firsts(rows: Sequence[Row], judged: Judged) -> dict[str, int]:
    """Return the first row of each person that may be called."""
    found: dict[str, int] = {}
    for index, row in enumerate(rows):
        if row.call is not None and index not in judged.errors:
            found.setdefault(_person(row), index)
    return found


def _unlike(rows: Sequence[Row], firsts: Mapping[str, int]) -> frozenset[str]:
    return frozenset(
        _person(row)
        for row in rows
        if row.call is not None
        and _person(row) in firsts
        and _asks_for(rows[firsts[_person(row)]]) != _asks_for(row)
    )


def _asks_for(row: Row) -> Sequence[Any]:
    """Return what two calls to one person must share to be the same call."""
    call = row.call or {}
    return [call.get(name) for name in ("message", "scheduleAt", "delayMs", "twimlUrl")]


def _when(unix_ms: int) -> str:
    return f"{datetime.fromtimestamp(unix_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
