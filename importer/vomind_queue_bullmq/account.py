"""What became of each job, for the one who takes them over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

#: Jobs left behind that are named one by one; the file has them all.
_NAMED = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One job or recurring job of the source."""

    #: Its id there.
    old: str
    #: Where it stood: one of `source.Place`, or ``recurring``.
    place: str
    #: Its id here; ``None`` in a dry run, and for what is left behind.
    new: str | None = None
    #: Its state here.
    state: str | None = None
    #: Why it is left behind; ``None`` when it is not.
    left: str | None = None
    #: What is not quite as it was.
    note: str = ""


@dataclass(kw_only=True, slots=True)
class Account:
    """All entries, in the order in which they are found."""

    #: Queue, version and address, without its password.
    source: str
    #: Whether anything was changed.
    dry: bool
    paused: bool = False
    #: Jobs that are done there, and stay as history.
    completed: int = 0
    lines: list[Line] = field(default_factory=list)
    #: Old and new ids of all runs so far.
    mapping: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is left behind."""
        return not any(line.left for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """Return the whole of it; ``ids`` has what was taken over by earlier runs, too."""
        return {
            "source": self.source,
            "dryRun": self.dry,
            "ids": {_old_id(member): new for member, new in self.mapping.items()},
            "jobs": [
                {"old": line.old, "new": line.new, "was": line.place, "is": line.state}
                | ({"left": line.left} if line.left else {})
                | ({"note": line.note} if line.note else {})
                for line in self.lines
            ],
            "completedLeft": self.completed,
            "warnings": self.warnings,
        }

    def in_words(self) -> Iterator[str]:
        """Yield lines for a terminal; no number and no message is in them."""
        yield f"Source: {self.source}{', paused' if self.paused else ''}"
        yield from self._table()
        yield f"completed: {self.completed} stay there as history"
        for line in self.lines:
            if line.note:
                yield f"note: {line.place} {line.old}: {line.note}"
        yield from (f"warning: {warning}" for warning in self.warnings)
        left = [line for line in self.lines if line.left]
        for line in left[:_NAMED]:
            yield f"left behind: {line.place} {line.old}: {line.left}"
        if len(left) > _NAMED:
            yield f"left behind: {len(left) - _NAMED} more; --report writes them all"

    def _table(self) -> Iterator[str]:
        moved = Counter((line.place, line.state) for line in self.lines if not line.left)
        verb = "would become" if self.dry else "became"
        for (place, state), count in moved.items():
            yield f"{place}: {count} {verb} {state}"
        for place, count in Counter(line.place for line in self.lines if line.left).items():
            yield f"{place}: {count} left behind"
        if not self.lines:
            yield "nothing to take over"


def _old_id(member: str) -> str:
    """Return a job's id in the old service; a recurring one's without the time of its run."""
    kind, _, name = member.partition(":")
    return f"repeat:{name}" if kind == "schedule" else name
