"""One act on many calls: cancel, retry, call again, change of priority or time.

Each call is a separate step, as if it were asked for alone, so the queue is never held for
long, and the answer says of each call what became of it. A step that is repeated does nothing more:
a call is cancelled once, retried once by one order, made again once (its idempotency key is made of
the order and the call), and a change to the same values changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from vomind_queue.call_log.models import Search
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.calls.call_act import STATES_FOR, Act, ActStatus, Order, Outcome, Progress, Result
from vomind_queue.calls.job import IdempotencyKey, Job, Receipt
from vomind_queue.errors import CallRefused, ExpiresTooSoon, JobNotFound, KeyReused, WrongState
from vomind_queue.usecases.call_history import History
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)

#: Calls that one order takes at most.
MOST = 100_000
#: Calls between two notes of how far it is.
PORTION = 50
#: Calls that are read of the call log at once.
LOGGED = 1_000


class Queue(Protocol):
    """What acts need of the queue."""

    def add(
        self,
        news: Sequence[NewCall],
        key: IdempotencyKey | None = None,
        *,
        refuse_listed: bool = False,
    ) -> Receipt: ...
    def job(self, job_id: str) -> Job: ...
    def cancel_each(
        self, job_ids: Sequence[str], by: str = ""
    ) -> Sequence[JobNotFound | WrongState | None]: ...
    def retry(self, job_id: str, by: str = "", once: str = "") -> None: ...
    def change(self, job_id: str, decide: Callable[[Call], NewCall], by: str = "") -> None: ...


class Listing(Protocol):
    """What finds the calls of the queue that match."""

    def ids(self, search: Search) -> Iterator[str]: ...


class Book(Protocol):
    """Where orders are kept."""

    def open(
        self, order: Order, mark: str, match: Mapping[str, Any], ids: Sequence[str]
    ) -> str: ...
    def progress(self, order_id: str, *, outcomes: bool) -> Progress | None: ...
    def match(self, order_id: str) -> Mapping[str, Any]: ...
    def select(self, order_id: str, ids: Iterable[str], most: int) -> None: ...
    def status(self, order_id: str) -> ActStatus: ...
    def set_status(self, order_id: str, status: ActStatus) -> None: ...
    def ids(self, order_id: str, start: int, count: int) -> Sequence[str]: ...
    def note(self, progress: Progress, count: int, outcomes: Mapping[str, Outcome]) -> None: ...
    def claim(self, order_id: str, token: str) -> bool: ...
    def hold(self, order_id: str) -> None: ...
    def release(self, order_id: str) -> None: ...


class CallActs:
    """Takes orders and carries them out. Everything may raise StoreUnavailable."""

    def __init__(
        self, queue: Queue, listing: Listing, book: Book, history: History, deeds: Deeds
    ) -> None:
        self._queue = queue
        self._listing = listing
        self._book = book
        self._history = history
        self._deeds = deeds

    def take(
        self, order: Order, mark: str, *, match: Mapping[str, Any], ids: Sequence[str]
    ) -> Progress:
        """Store an order, or go on with one that was broken off. Raise KeyReused.

        ``mark`` tells the same request from another with the same key.
        """
        if self._book.open(order, mark, match, ids) != mark:
            raise KeyReused("This Idempotency-Key was sent before with another request.")
        if self._book.status(order.id) is ActStatus.STOPPED:
            # What was not collected to the end is collected again; nothing was done yet then.
            begun = self._progress(order.id).handled > 0 or not match
            self._book.set_status(order.id, ActStatus.RUNNING if begun else ActStatus.SELECTING)
        return self.progress(order.id)

    def progress(self, order_id: str) -> Progress:
        """Return how far an order is. Raise JobNotFound."""
        return self._progress(order_id, outcomes=True)

    def _progress(self, order_id: str, *, outcomes: bool = False) -> Progress:
        found = self._book.progress(order_id, outcomes=outcomes)
        if found is None:
            raise JobNotFound(order_id)
        return found

    def stop(self, order_id: str) -> Progress:
        """Break an order off: what is done stays done. Raise JobNotFound."""
        if self._progress(order_id).status is not ActStatus.DONE:
            self._book.set_status(order_id, ActStatus.STOPPED)
        return self.progress(order_id)

    def run(self, order_id: str, wanted: Callable[[Call, Order], NewCall]) -> None:
        """Carry an order out, unless another process does.

        ``wanted`` makes the call that an order wants of one; it raises CallRefused.
        """
        if not self._book.claim(order_id, order_id):
            return
        try:
            self._select(order_id)
            while self._portion(order_id, wanted):
                self._book.hold(order_id)
        finally:
            self._book.release(order_id)

    def _select(self, order_id: str) -> None:
        progress = self._progress(order_id)
        if progress.status is not ActStatus.SELECTING:
            return
        search = Search(**self._book.match(order_id))
        act = progress.order.act
        states = [each for each in STATES_FOR[act] if not search.states or each in search.states]
        found = self._matching(act, replace(search, states=states)) if states else iter(())
        self._book.select(order_id, found, MOST)

    def _matching(self, act: Act, search: Search) -> Iterator[str]:
        """Yield ids of calls that match, some twice.

        The log may be behind, so what is done to calls in the queue goes by the queue. Calls that
        ended may have left that.
        """
        yield from self._listing.ids(search)
        if act is Act.AGAIN:
            yield from self._history.ids(replace(search, limit=LOGGED))

    def _portion(self, order_id: str, wanted: Callable[[Call, Order], NewCall]) -> bool:
        progress = self._progress(order_id)
        if progress.status is not ActStatus.RUNNING:
            return False
        ids = self._book.ids(order_id, progress.handled, PORTION)
        outcomes = self._outcomes(progress.order, ids, wanted)
        self._book.note(progress, len(ids), outcomes)
        if progress.handled + len(ids) < progress.total and ids:
            return True
        self._finish(order_id)
        return False

    def _finish(self, order_id: str) -> None:
        self._book.set_status(order_id, ActStatus.DONE)
        done = self._progress(order_id)
        order = done.order
        self._deeds.note(
            order.by, f"{order.act} of many", calls=done.counts[Result.DONE], order=order_id
        )
        logger.info("%s of many calls: %s", order.act, dict(done.counts))

    def _outcomes(
        self, order: Order, ids: Sequence[str], wanted: Callable[[Call, Order], NewCall]
    ) -> Mapping[str, Outcome]:
        if order.act is not Act.CANCEL:
            return {job_id: self._act(order, job_id, wanted) for job_id in ids}
        faults = self._queue.cancel_each(ids, order.by)
        return {
            job_id: _refused(fault) if fault else Outcome(result=Result.DONE)
            for job_id, fault in zip(ids, faults, strict=True)
        }

    def _act(self, order: Order, job_id: str, wanted: Callable[[Call, Order], NewCall]) -> Outcome:
        try:
            return self._carry_out(order, job_id, wanted)
        except (JobNotFound, WrongState, CallRefused, ExpiresTooSoon) as fault:
            return _refused(fault)

    def _carry_out(
        self, order: Order, job_id: str, wanted: Callable[[Call, Order], NewCall]
    ) -> Outcome:
        new_id = None
        match order.act:
            case Act.RETRY:
                self._queue.retry(job_id, order.by, order.id)
            case Act.CHANGE:
                self._queue.change(job_id, lambda old: wanted(old, order), order.by)
            case Act.AGAIN:
                new = wanted(self._call(job_id), order)
                name = hashlib.sha256(f"again\n{order.id}\n{job_id}".encode()).hexdigest()
                key = IdempotencyKey(name=name, fingerprint=name)
                new_id = self._queue.add([new], key, refuse_listed=True).job_ids[0]
        return Outcome(result=Result.DONE, new_id=new_id)

    def _call(self, job_id: str) -> Call:
        """Return a call that has ended, of queue or log. Raise JobNotFound, WrongState."""
        try:
            job = self._queue.job(job_id)
        except JobNotFound:
            return self._history.ended_call(job_id)
        if job.state not in STATES_FOR[Act.AGAIN]:
            text = f"Call {job_id} has not ended; it is {job.state}."
            raise WrongState(text, job_id=job_id, state=job.state) from None
        return job.call


def _refused(fault: JobNotFound | WrongState | CallRefused | ExpiresTooSoon) -> Outcome:
    if isinstance(fault, JobNotFound):
        return Outcome(result=Result.MISSING, detail="It is not in the queue any more.")
    result = Result.WRONG_STATE if isinstance(fault, WrongState) else Result.REFUSED
    return Outcome(result=result, detail=str(fault))
