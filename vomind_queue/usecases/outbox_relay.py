"""Deliver events to the call log: in order, again after a fault, never visible twice.

An entry leaves the outbox only once the log has taken it. Whatever dies before that delivers
it again, and the log takes the same line twice without harm.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from vomind_queue.call_log.models import Batch, CallRow, DeadLetter
from vomind_queue.call_log.protocol import CallLog
from vomind_queue.errors import LogUnavailable, StoreUnavailable

logger = logging.getLogger(__name__)

#: Between two checks while another shipper is active, and between the first entry and its delivery:
#: those that come meanwhile go with it, s.
POLL_S = 0.5
#: Wait after a fault, s; doubled up to the most.
FIRST_PAUSE_S = 0.5
MOST_PAUSE_S = 10.0
#: Between two rounds of housekeeping, s.
HOUSEKEEPING_S = 60.0
#: Calls that one step of housekeeping takes out of the log.
HOUSEKEEPING_CALLS = 200
DAY_MS = 24 * 3600 * 1000


class Outbox(Protocol):
    """What shipping needs of the outbox."""

    def read(self) -> Sequence[Any] | None: ...
    def wait(self) -> None: ...
    def release_leadership(self) -> None: ...
    def batches(self, entries: Sequence[Any]) -> Iterable[tuple[Batch, int | None]]: ...
    def done(self, sequence: int) -> None: ...
    def bury(self, letters: Sequence[DeadLetter]) -> None: ...
    def dead(self) -> Iterable[DeadLetter]: ...
    def unbury(self, names: Sequence[str]) -> None: ...
    def forgotten(self) -> Sequence[str]: ...
    def erased(self, row_keys: Sequence[str]) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRetention:
    """How long the log keeps calls that have ended."""

    days: int
    #: Whether personal fields are blanked instead of the call being erased.
    anonymize: bool


class Interrupted(Exception):
    """A wait was ended by a signal."""


class OutboxRelay:
    """Delivers the outbox to the log until it is stopped."""

    def __init__(
        self,
        outbox: Outbox,
        log: CallLog,
        retention: LogRetention | None,
        also: Sequence[Callable[[], None]] = (),
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        self._outbox = outbox
        self._log = log
        self._retention = retention
        #: Deliver what does not go through the outbox.
        self._also = also
        self._monotonic = monotonic
        self._wall_ms = wall_ms
        self._tidied = float("-inf")
        self._is_leader = self._waits = False

    def run(self, stopped: threading.Event) -> None:
        """Run until stopped; finish what is under way first."""
        pause_s = FIRST_PAUSE_S
        while not stopped.is_set():
            try:
                more = self.step()
                pause_s = FIRST_PAUSE_S
                if not more:
                    self._wait(stopped)
            except Interrupted:
                break
            except Exception as error:  # noqa: BLE001 - logged, and tried again
                logger.warning(
                    "delivery to the call log failed, next try in %g s: %s",
                    pause_s,
                    _describe(error),
                )
                stopped.wait(pause_s)
                pause_s = min(2 * pause_s, MOST_PAUSE_S)
        try:
            self._outbox.release_leadership()
        except StoreUnavailable:
            logger.info("leadership left to expire: Redis is unreachable")

    def interrupt(self) -> None:
        """End a wait for entries, by raising. For a signal handler."""
        if self._waits:
            raise Interrupted

    def _wait(self, stopped: threading.Event) -> None:
        if self._is_leader:
            try:
                self._waits = True
                if not stopped.is_set():
                    self._outbox.wait()
            finally:
                self._waits = False
        stopped.wait(POLL_S)

    def step(self) -> bool:
        """Deliver what there is, up to a bound; whether there may be more.

        Raise LogUnavailable and StoreUnavailable.
        """
        entries = self._outbox.read()
        self._is_leader = entries is not None
        if entries is None:
            return False
        for deliver in self._also:
            deliver()
        for batch, last in self._outbox.batches(entries):
            self._deliver(batch)
            if last is not None:
                self._outbox.done(last)
        if self._monotonic() - self._tidied >= HOUSEKEEPING_S:
            self._tidy()
        return bool(entries)

    def dead(self) -> Sequence[DeadLetter]:
        """Return the lines that were refused for good. Raise StoreUnavailable."""
        return list(self._outbox.dead())

    def send_again(self) -> tuple[int, int]:
        """Deliver the dead letters again; return how many were accepted and how many refused.

        Raise LogUnavailable and StoreUnavailable.
        """
        letters = self.dead()
        refused = {
            letter.name
            for start in range(0, len(letters), HOUSEKEEPING_CALLS)
            for letter in self._log.write(_batch(letters[start : start + HOUSEKEEPING_CALLS]))
        }
        went = [letter.name for letter in letters if letter.name not in refused]
        self._outbox.unbury(went)
        return len(went), len(refused)

    def _deliver(self, batch: Batch) -> None:
        letters = self._log.write(batch)
        if letters:
            self._outbox.bury(letters)
        for letter in letters:
            logger.error(
                "the call log refused a line, see `vomind-queue dead-letters`: %s",
                letter.reason,
                extra={"job_id": letter.line.job_id, "table": letter.table.value},
            )

    def _tidy(self) -> None:
        """Erase forgotten people again, where a late delivery brought them back, and old calls."""
        if self._log.is_there():
            # A file of an older version is brought up to date, although no call comes.
            self._log.write(Batch(rows=[], events=[]))
        keys = self._outbox.forgotten()
        if keys:
            self._drop_letters(frozenset(keys))
        for start in range(0, len(keys), HOUSEKEEPING_CALLS):
            part = keys[start : start + HOUSEKEEPING_CALLS]
            self._log.erase(part)
            self._outbox.erased(part)
        done = self._retention is None or self._expire(self._retention) < HOUSEKEEPING_CALLS
        if done:
            self._tidied = self._monotonic()

    def _drop_letters(self, keys: frozenset[str]) -> None:
        """A delivery that was under way when a person was forgotten may have been refused."""
        theirs = [letter.name for letter in self._outbox.dead() if letter.line.key in keys]
        self._outbox.unbury(theirs)

    def _expire(self, retention: LogRetention) -> int:
        now_ms = int(self._wall_ms())
        before_ms = now_ms - retention.days * DAY_MS
        count = self._log.expire(
            before_ms, HOUSEKEEPING_CALLS, now_ms=now_ms, anonymize=retention.anonymize
        )
        if count:
            deed = "blanked" if retention.anonymize else "erased"
            logger.info("%d calls of more than %d days ago %s", count, retention.days, deed)
        return count


def _describe(error: Exception) -> str:
    """Return a fault in words: an unforeseen one without its text, which may quote a number."""
    if isinstance(error, (LogUnavailable, StoreUnavailable)):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"


def _batch(letters: Sequence[DeadLetter]) -> Batch:
    lines = [letter.line for letter in letters]
    return Batch(
        rows=[line for line in lines if isinstance(line, CallRow)],
        events=[line for line in lines if not isinstance(line, CallRow)],
    )
