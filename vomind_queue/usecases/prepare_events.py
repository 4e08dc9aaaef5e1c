"""Make events of what happened: for webhooks and the live stream."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from vomind_queue.calls.job import Job
from vomind_queue.encoding import compact
from vomind_queue.errors import StoreUnavailable
from vomind_queue.webhooks.event_types import type_of

logger = logging.getLogger(__name__)

#: Between two checks while another notifier leads, and after a fault, s.
POLL_S, FAULT_S = 0.5, 1.0
#: Fields with what is said, told only to those who ask for them.
WORDS = ("message", "voicemailMessage")
#: An entry that is no event: nobody shall hear of that person any more.
FORGOTTEN = "person.forgotten"
#: In place of an event that could not be made.
UNMADE = object()


class Outbox(Protocol):
    """What this needs of the outbox."""

    def parts(self) -> Iterator[Any] | None: ...
    def append(self, events: Sequence[Any], part: Any, unmade: int) -> bool: ...
    def wait(self) -> None: ...
    def forget(self, number: str) -> None: ...
    def release_leadership(self) -> None: ...


class PrepareEvents:
    """Makes events until it is stopped."""

    def __init__(
        self,
        outbox: Outbox,
        show: Callable[[Job], Mapping[str, Any]],
        others: Mapping[str, Callable[[str], Mapping[str, Any]]],
        make: Callable[..., Any],
    ) -> None:
        """``show``: returns a call as the API shows it; ``make``: makes an event of its fields.

        ``others``: the same as ``show`` for others, by their ids, for each area of events.
        """
        self._outbox = outbox
        self._show = show
        self._others = others
        self._make = make

    def run(self, stopped: threading.Event) -> None:
        """Run until stopped."""
        while not stopped.is_set():
            try:
                self._round(stopped)
            except StoreUnavailable as error:
                logger.warning("events not prepared, next try in %g s: %s", FAULT_S, error)
                stopped.wait(FAULT_S)
            except Exception as error:  # noqa: BLE001 - logged without its text, and tried again
                logger.error("events not prepared: %s", type(error).__name__)
                stopped.wait(FAULT_S)
        try:
            self._outbox.release_leadership()
        except StoreUnavailable:
            logger.info("leadership left to expire: Redis is unreachable")

    def _round(self, stopped: threading.Event) -> None:
        count = self.step()
        if count is None:
            stopped.wait(POLL_S)
        elif not count:
            self._outbox.wait()

    def step(self) -> int | None:
        """Make events of what there is; return of how many parts. ``None``: another one leads.

        Raise StoreUnavailable.
        """
        parts = self._outbox.parts()
        if parts is None:
            return None
        count = 0
        for part in parts:
            count += 1
            made = [each for each in map(self._attempt, part.happenings) if each is not None]
            events = [each for each in made if each is not UNMADE]
            if not self._outbox.append(events, part, len(made) - len(events)):
                return None
        return count

    def _attempt(self, happening: Any) -> Any:
        """Return an event, ``None``, or `UNMADE`: no other event waits for one that is broken."""
        if happening.is_unreadable:
            return UNMADE
        try:
            return self._event(happening)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - logged without its text, and counted
            logger.error(
                "an event is left out: %s",
                type(error).__name__,
                extra={"job_id": happening.job_id, "kind": happening.kind},
            )
            return UNMADE

    def _event(self, happening: Any) -> Any:
        if happening.job_id is None:
            return self._of_another(happening)
        event_type = type_of(happening.kind, happening.details)
        # A call whose person was forgotten has no record.
        if event_type is None or happening.job is None:
            return None
        shown = dict(self._show(happening.job))
        if happening.is_cancelled:
            shown |= {"state": "cancelled", "failedReason": None, "failedKind": None}
        return self._new(happening, event_type, shown)

    def _of_another(self, happening: Any) -> Any:
        kind, details = happening.kind, happening.details
        if kind == FORGOTTEN:
            self._outbox.forget(details["number"])
            return None
        show = self._others.get(kind.partition(".")[0])
        return self._new(happening, kind, show(details["id"]) if show else details)

    def _new(self, happening: Any, event_type: str, shown: Mapping[str, Any]) -> Any:
        data = shown.get("data", {})
        words = {name: data[name] for name in WORDS if name in data}
        if words:
            rest = {name: value for name, value in data.items() if name not in words}
            shown = {**shown, "data": rest}
        return self._make(
            type=event_type,
            at_ms=happening.at_ms,
            call=shown.get("jobId", ""),
            campaign=shown.get("campaignId", ""),
            data=compact(shown).decode(),
            words=compact(words).decode(),
        )
