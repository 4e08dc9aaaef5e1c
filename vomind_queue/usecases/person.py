"""What is known of a person: where they may be, when they may be called, when they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from vomind_queue.call_log.models import CallEvent, CallRow, Search
from vomind_queue.calls.call import OPTIONS, Call
from vomind_queue.calls.do_not_call import Entry
from vomind_queue.errors import LogUnavailable
from vomind_queue.rules.caps import History
from vomind_queue.rules.judge import Kind
from vomind_queue.rules.places import Place
from vomind_queue.rules.words import listed
from vomind_queue.usecases.calling_rules import CallingRules, Judged

#: The last calls that a person's page shows the starts of.
LATEST = 20
_STARTED, _OVERRIDDEN = "started", "overridden"


class Log(Protocol):
    """What this needs of the call log."""

    def is_there(self) -> bool: ...
    def find(self, search: Search) -> Sequence[CallRow]: ...
    def events(self, keys: Sequence[str], kinds: Sequence[str]) -> Sequence[CallEvent]: ...


class DoNotCallList(Protocol):
    """What this needs of the do-not-call list."""

    def entry(self, number: str) -> Entry | None: ...


class PersonHistory(Protocol):
    """What this needs of what happened to people lately."""

    def of(self, number: str) -> History: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One attempt to ring a person."""

    call: CallRow
    event: CallEvent
    #: Where the person may have been, by the number and what the call said of it.
    places: Sequence[Place]
    #: That a rule was overridden for it: ``rules``, ``reason`` and ``by``; ``None`` if none was.
    override: Mapping[str, str] | None = None

    @property
    def rules(self) -> str | None:
        """Which rules let it through; ``None`` where none were applied."""
        return self.event.details.get("rules")


@dataclass(frozen=True, kw_only=True, slots=True)
class Starts:
    """Starts of some calls, newest first."""

    starts: Sequence[Start]
    #: Where the next page begins; ``None`` when there is none.
    cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A number, and what is known of it now."""

    #: Whether a call that says nothing of place and purpose may ring now, and why not.
    judged: Judged
    entry: Entry | None
    #: As far as caps count it.
    past: History
    #: The latest ones; ``None`` where the call log could not be read.
    starts: Sequence[Start] | None


class People:
    """Answers about people. Everything may raise StoreUnavailable."""

    def __init__(
        self, rules: CallingRules, numbers: DoNotCallList, history: PersonHistory, log: Log
    ) -> None:
        self._rules = rules
        self._numbers = numbers
        self._history = history
        self._log = log

    def person(self, number: str, now_ms: int) -> Person:
        """Return what is known of a number."""
        try:
            starts: Sequence[Start] | None = self.starts(number, None, LATEST).starts
        except LogUnavailable:
            starts = None
        judged, entry = self._check(Call(to=number), now_ms)
        return Person(
            judged=judged,
            entry=entry,
            past=self._history.of(number),
            starts=starts,
        )

    def check(self, call: Call, now_ms: int) -> Judged:
        """Return whether a call may start at an instant, and why not, in words."""
        return self._check(call, now_ms)[0]

    def _check(self, call: Call, now_ms: int) -> tuple[Judged, Entry | None]:
        judged, entry = self._rules.check(call, now_ms), self._numbers.entry(call.to)
        if entry is not None:
            never = replace(judged.verdict, kind=Kind.NEVER, until=None)
            judged = Judged(verdict=never, words=listed(entry.at_ms))
        return judged, entry

    def starts(self, number: str, after: str | None, limit: int) -> Starts:
        """Return the starts of up to ``limit`` calls to a number. Raise LogUnavailable."""
        if not self._log.is_there():
            raise LogUnavailable("there is none yet")
        rows = self._log.find(Search(number=number, after=after, limit=limit))
        events: dict[str, list[CallEvent]] = {}
        kinds = (_STARTED, _OVERRIDDEN)
        for event in self._log.events([row.key for row in rows], kinds):
            events.setdefault(event.key, []).append(event)
        return Starts(
            starts=list(self._starts(rows, events)),
            cursor=rows[-1].key if len(rows) == limit else None,
        )

    def _starts(
        self, rows: Sequence[CallRow], events: Mapping[str, Sequence[CallEvent]]
    ) -> Iterator[Start]:
        for row in rows:
            places = self._rules.places(_call_of(row))
            override = None
            # An override is noted right after the start that it made possible.
            for event in sorted(events.get(row.key, ()), key=lambda each: -each.sequence):
                if event.event == _OVERRIDDEN:
                    override = event.details
                    continue
                yield Start(call=row, event=event, places=places, override=override)
                override = None


def _call_of(row: CallRow) -> Call:
    options = row.options or {}
    given = {own: options[name] for name, own in OPTIONS.items() if name in options}
    return Call(to=row.to_number or "", **given)
