"""The calls that the simulator was asked for, and its memory of every ring."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from simulator.courses import ENDED, PRICED_S, UNANSWERED, Course, Outcome
from simulator.twiml import Document

#: Calls and rings that are remembered, about 2 KB each; beyond it the oldest are forgotten.
MEMORY = 100_000


@dataclass(kw_only=True, slots=True)
class SimulatedCall:
    """One call that was accepted."""

    sid: str
    account: str
    to: str
    #: What the client sent, repeated parameters as a list.
    parameters: Mapping[str, str | Sequence[str]]
    #: Unix seconds.
    created_s: float
    #: 1 for the first call of the simulator's life: the order of acceptance.
    number: int
    #: How it goes if nobody ends it.
    course: Course
    #: Secret with which Twilio signs what it sends about it.
    auth_token: str = ""
    #: What the address for instructions said, once it was asked.
    instructions: str | None = None
    #: Its instructions, each with its start; the last one replaces the earlier ones.
    documents: list[Document] = field(default_factory=list)
    #: Status at which it was ended, by the client or its instructions, and when (unix seconds).
    ended: tuple[str, float] | None = None

    @property
    def caller(self) -> str:
        """The number that the call comes from."""
        return self.parameter("From")

    def parameter(self, name: str) -> str:
        """Return one of the parameters; empty when the client did not send it."""
        return str(self.parameters.get(name, ""))

    @property
    def wanted_events(self) -> Sequence[str]:
        """Events of which the client wants callbacks; by default only the end."""
        if not self.parameter("StatusCallback"):
            return ()
        events = self.parameters.get("StatusCallbackEvent") or "completed"
        return events.split() if isinstance(events, str) else events

    @property
    def detection(self) -> str:
        """``Enable`` or ``DetectMessageEnd``; empty when none is wanted, or keys are pressed."""
        return "" if self.parameter("SendDigits") else self.parameter("MachineDetection")

    @property
    def in_background(self) -> bool:
        """Whether the call continues while it is determined who answered."""
        return self.parameter("AsyncAmd") == "true"

    def status(self, now_s: float) -> str:
        """Twilio's word for where the call is: it goes its way by age."""
        if self.ended:
            return self.ended[0]
        status = self.course.status(now_s - self.created_s)
        # A machine records as long as the call lasts.
        return "in-progress" if status == "completed" and now_s < self.ends_s else status

    @property
    def ends_s(self) -> float:
        """When it is over if nobody ends it before, unix s."""
        ends_s = self.created_s + self.course.ended_s
        if self.course.outcome is not Outcome.MACHINE:
            return ends_s
        return max([ends_s, *(document.holds_until_s for document in self.documents[-1:])])

    def ended_s(self, now_s: float) -> float | None:
        """Return when it ended, unix s; ``None`` while it has not."""
        if self.ended:
            return self.ended[1]
        return self.ends_s if now_s >= self.ends_s else None

    def ended_by(self, now_s: float) -> str | None:
        """Return who ended it: ``callee``, ``timeout``, or ``api`` for our own side.

        ``None`` while it lasts, and if it was never connected.
        """
        if self.ended:
            return "api"
        ends = {"completed": "callee", "busy": "callee", "no-answer": "timeout"}
        return ends.get(self.status(now_s))

    @property
    def recorded(self) -> bool:
        """Whether a recording of it was asked for, and word of that."""
        return self.parameter("Record") == "true" and bool(
            self.parameter("RecordingStatusCallback")
        )

    def keyed(self, now_s: float) -> str:
        """Return the keys that were pressed once it was answered."""
        answered_s = self.course.at_s("in-progress")
        until_s = self.ended_s(now_s) or now_s
        is_answered = answered_s is not None and self.created_s + answered_s <= until_s
        return self.parameter("SendDigits") if is_answered else ""

    def heard(self, now_s: float) -> list[dict[str, Any]]:
        """Return what the callee has heard, in order, with times."""
        until_s = self.ended_s(now_s) or now_s
        ends = [document.began_s for document in self.documents[1:]]
        return [
            heard
            for document, ends_s in zip(self.documents, [*ends, until_s], strict=False)
            for heard in document.heard(min(ends_s, until_s))
        ]

    def duration_s(self, now_s: float) -> int:
        """Whole seconds on the line."""
        answered_s = self.course.at_s("in-progress")
        until_s = self.ended_s(now_s) or now_s
        return 0 if answered_s is None else max(0, round(until_s - self.created_s - answered_s))

    def answered_by(self, now_s: float) -> str | None:
        """Who answered, where that was to be found out and is by now."""
        detected_s = self.course.detected_s
        if not self.detection or detected_s is None or now_s < self.created_s + detected_s:
            return None
        return self.course.answered_by(self.detection)

    def price(self, now_s: float) -> str | None:
        """Return what it cost, a while after its end."""
        ended_s = self.ended_s(now_s)
        if ended_s is None or now_s < ended_s + PRICED_S or self.status(now_s) != "completed":
            return None
        return "-0.01300"


class Book:
    """All calls of all accounts; safe to use from many threads."""

    def __init__(self, memory: int = MEMORY) -> None:
        self._lock = threading.Lock()
        self._memory = memory
        self._count = 0
        self._calls: dict[str, SimulatedCall] = {}
        # Newest last. Looking for one number must not slow down with the number of calls.
        self._by_account: dict[str, deque[SimulatedCall]] = {}
        self._by_number: dict[tuple[str, str], deque[SimulatedCall]] = {}
        self._rings: deque[SimulatedCall] = deque(maxlen=memory)

    def accept(
        self,
        account: str,
        parameters: Mapping[str, str | Sequence[str]],
        *,
        course: Course,
        auth_token: str = "",
    ) -> SimulatedCall:
        """Take a call on: the phone rings."""
        with self._lock:
            self._count += 1
            call = SimulatedCall(
                sid=f"CA{uuid.uuid4().hex}",
                account=account,
                to=str(parameters["To"]),
                parameters=parameters,
                created_s=time.time(),
                number=self._count,
                course=course,
                auth_token=auth_token,
            )
            self._calls[call.sid] = call
            self._by_account.setdefault(account, deque()).append(call)
            self._by_number.setdefault((account, call.to), deque()).append(call)
            self._rings.append(call)
            if len(self._calls) > self._memory:
                self._forget_oldest()
            return call

    def _forget_oldest(self) -> None:
        oldest = self._calls.pop(next(iter(self._calls)))
        self._by_account[oldest.account].popleft()
        of_number = self._by_number[oldest.account, oldest.to]
        of_number.popleft()
        if not of_number:
            del self._by_number[oldest.account, oldest.to]

    def call(self, account: str, sid: str) -> SimulatedCall | None:
        """Return one call of an account."""
        call = self._calls.get(sid)
        return call if call and call.account == account else None

    def newest_first(self, account: str, to: str | None) -> Iterator[SimulatedCall]:
        """Return the account's calls, or those of them to one number."""
        with self._lock:
            found = (
                self._by_account.get(account) if to is None else self._by_number.get((account, to))
            )
            return iter(list(reversed(found)) if found else [])

    def under_way(self, account: str) -> int:
        """Return how many calls of an account are not over."""
        with self._lock:
            now_s = time.time()
            calls = self._by_account.get(account, ())
            return sum(call.ended_s(now_s) is None for call in calls)

    def end(self, call: SimulatedCall, wanted: str) -> bool:
        """End a call as asked, ``canceled`` or ``completed``; false when it is over already."""
        with self._lock:
            now_s = time.time()
            status = call.status(now_s)
            if status in ENDED or (wanted == "canceled" and status not in UNANSWERED):
                return False
            call.ended = (wanted, now_s)
            return True

    def rings(self, to: str | None = None) -> list[SimulatedCall]:
        """Return every ring since :meth:`forget_rings`, in order, one for each accepted call."""
        with self._lock:
            return [ring for ring in self._rings if to is None or ring.to == to]

    def forget_rings(self) -> None:
        """Empty the memory of rings; the calls stay."""
        with self._lock:
            self._rings.clear()


def older_than(calls: Iterator[SimulatedCall], number: int) -> Iterator[SimulatedCall]:
    """Return what comes after the call with that number, in a list that is newest first."""
    return (call for call in calls if call.number < number)


def take(calls: Iterator[SimulatedCall], count: int) -> list[SimulatedCall]:
    """Return the first ``count`` of them."""
    return [call for _, call in takewhile(lambda pair: pair[0] < count, enumerate(calls))]
