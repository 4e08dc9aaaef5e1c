"""Silent calls are polled, orphaned calls are ended; both survive an outage of Twilio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vomind_queue.calls.attempts import DialerUnavailable
from vomind_queue.calls.call_status import (
    CallbackResult,
    LineStatus,
    PolledCall,
    StatusUpdate,
    UpdateOutcome,
)
from vomind_queue.usecases.status_polling import StatusPolling

SILENCE_MS = 600_000


@dataclass
class Queue:
    """What the queue says, and what it was told."""

    due: list[PolledCall] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    heard: list[tuple[StatusUpdate, int, int]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def due_status_polls(self) -> list[PolledCall]:
        """Those that are due, once."""
        due, self.due = self.due, []
        return due

    def record(
        self, _job_id: str, _token: str, report: StatusUpdate, *, poll_ms: int, price_ms: int
    ) -> CallbackResult:
        """Remembers it."""
        self.heard.append((report, poll_ms, price_ms))
        return CallbackResult(outcome=UpdateOutcome.OK, status=str(report.status), moved=True)

    def due_orphans(self) -> Sequence[str]:
        """All of them."""
        return self.orphans

    def orphan_ended(self, sid: str) -> None:
        """Remembers it."""
        self.gone.append(sid)


@dataclass
class Twilio:
    """Calls by SID; an unknown SID is unknown, and what is away is away."""

    calls: dict[str, StatusUpdate] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    cancelled: list[str] = field(default_factory=list)

    def fetch(self, sid: str) -> StatusUpdate | None:
        """What it knows."""
        if sid in self.away:
            raise DialerUnavailable("away")
        return self.calls.get(sid)

    def cancel(self, sid: str) -> None:
        """Ends it."""
        if sid in self.away:
            raise DialerUnavailable("away")
        self.cancelled.append(sid)


def following(queue: Queue, twilio: Twilio, *, callbacks: bool = True) -> StatusPolling:
    """One that asks for the price an hour after the end."""
    return StatusPolling(
        callback_store=queue,
        operator=twilio,
        silence_ms=SILENCE_MS,
        price_ms=3_600_000,
        callbacks=callbacks,
    )


def followed(sid: str, *, polls: int = 1, over: bool = False) -> PolledCall:
    """A call that is due for a look."""
    return PolledCall(job_id=sid, token="token", sid=sid, polls=polls, over=over)


def test_each_silent_call_is_reported_as_twilio_has_it() -> None:
    """One that cannot be asked for is left to its lease and holds up no other."""
    ringing = StatusUpdate(sid="CA2", status=LineStatus.RINGING)
    queue = Queue(due=[followed("CA1"), followed("CA2"), followed("CA3")])
    twilio = Twilio(calls={"CA2": ringing}, away={"CA1"})
    assert following(queue, twilio).poll_due() == 3
    lost = StatusUpdate(sid="CA3", status=LineStatus.UNKNOWN)
    assert [(report, poll_ms) for report, poll_ms, _ in queue.heard] == [
        (ringing, SILENCE_MS),
        (lost, 0),
    ]


def test_the_price_is_fetched_once() -> None:
    """A look for the price alone is the last one, whatever it gives."""
    over = StatusUpdate(sid="CA1", status=LineStatus.COMPLETED)
    queue = Queue(due=[followed("CA1"), followed("CA1", over=True)])
    following(queue, Twilio(calls={"CA1": over})).poll_due()
    assert [price_ms for _, _, price_ms in queue.heard] == [3_600_000, 0]


def test_without_callbacks_looks_become_rarer() -> None:
    """The third look is followed by a longer wait than the first."""
    ringing = StatusUpdate(sid="CA1", status=LineStatus.RINGING)
    queue = Queue(due=[followed("CA1", polls=polls) for polls in (1, 3)])
    following(queue, Twilio(calls={"CA1": ringing}), callbacks=False).poll_due()
    assert [poll_ms for _, poll_ms, _ in queue.heard] == [45_000, 180_000]


def test_an_orphaned_call_that_cannot_be_ended_is_kept() -> None:
    """The others are ended all the same."""
    queue, twilio = Queue(orphans=["CA1", "CA2"]), Twilio(away={"CA1"})
    assert following(queue, twilio).end_orphans() == 1
    assert (twilio.cancelled, queue.gone) == (["CA2"], ["CA2"])
