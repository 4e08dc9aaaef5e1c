"""Why a call has not rung yet, in words: decided from plain values, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vomind_queue.calls.call import State
from vomind_queue.calls.campaign import CampaignState
from vomind_queue.observability.overview_reasons import SYSTEM
from vomind_queue.observability.queue_stats import Stats


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a call is in the queue at one moment."""

    now_ms: int
    state: State
    #: Waiting: calls that are dialed before it.
    ahead: int = 0
    #: Delayed: when it is due. Unknown outcome: when it is checked next. Unix ms.
    at_ms: int | None = None
    #: Whether Twilio is being asked, or was asked and gave no clear answer.
    marked: bool = False
    #: How often in a row it yielded to another call to its number.
    stood_back: int = 0
    #: Attempts that have ended.
    attempts: int = 0
    #: Why the last one failed; empty if it did not.
    failure: str = ""
    #: By when an unknown outcome is reconciled, if Twilio's list can be read, unix ms.
    reconciled_by_ms: int | None = None
    #: Id of the call that its number is taken by; empty if there is none, or no longer.
    waits_for: str = ""
    #: Whether that one is on the line.
    on_the_line: bool = False
    #: Delayed: the kind of rule that holds it; empty for none.
    held: str = ""
    #: Its campaign, the state of that and its hours, if any; empty for a call of none.
    campaign_id: str = ""
    campaign_state: str = ""
    campaign_hours: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """One reason why a call has not rung."""

    #: A word for programs: ``behind``, ``due``, ``limit`` …
    kind: str
    #: One sentence.
    text: str
    #: When it changes by itself, unix ms.
    until_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """All reasons why a call has not rung."""

    place: Place
    obstacles: Sequence[Obstacle]
    #: The earliest time at which it can ring, as far as is known now, unix ms.
    expected_ms: int | None


def explain(place: Place, stats: Stats, rule: Obstacle | None = None) -> Explanation:
    """Return why the call has not rung yet, the nearest cause first.

    ``rule``: what keeps the call from ringing when its turn comes.
    """
    return Explanation(
        place=place,
        obstacles=_nearest_first([*_of_call(place, rule), *_of_place(place, stats)]),
        expected_ms=_expected_ms(place, stats, rule),
    )


def _nearest_first(found: Sequence[Obstacle]) -> Sequence[Obstacle]:
    """Return a pause first: while it lasts, no place in the queue matters."""
    return sorted(found, key=lambda each: each.kind not in ("paused", "account"))


def _of_call(place: Place, rule: Obstacle | None) -> Iterator[Obstacle]:
    if place.state in (State.WAITING, State.DELAYED):
        yield from _of_campaign(place)
        if rule:
            yield rule
    if place.held:
        return
    if place.state is State.WAITING:
        yield _turn(place.ahead)
    elif place.state is State.DELAYED:
        yield _delay(place)
    elif place.state is State.ACTIVE:
        yield _activity(place)
    elif place.state is State.COMPLETED:
        yield Obstacle(kind="placed", text="Twilio has accepted it.")
    else:
        yield Obstacle(kind="failed", text=place.failure or "It was given up.")


def _of_campaign(place: Place) -> Iterator[Obstacle]:
    if place.campaign_state == CampaignState.DRAFT:
        text = f"Its campaign {place.campaign_id} has not been started."
        yield Obstacle(kind="campaign-draft", text=text)
    elif place.campaign_state == CampaignState.SCHEDULED:
        text = f"Its campaign {place.campaign_id} has not begun."
        yield Obstacle(kind="campaign-scheduled", text=text)
    elif place.campaign_state == CampaignState.PAUSED:
        text = f"Its campaign {place.campaign_id} is paused."
        yield Obstacle(kind="campaign-paused", text=text)


def _turn(ahead: int) -> Obstacle:
    if not ahead:
        return Obstacle(kind="next", text="It is the next one to be dialed.")
    calls = "1 call" if ahead == 1 else f"{ahead:,} calls"
    return Obstacle(kind="behind", text=f"It is behind {calls} of the same or a higher priority.")


def _delay(place: Place) -> Obstacle:
    if place.stood_back:
        return Obstacle(kind="number-busy", text=_number_busy(place), until_ms=place.at_ms)
    if place.attempts or place.failure:
        text = f"The next attempt is delayed. {place.failure}".rstrip()
        return Obstacle(kind="retry", text=text, until_ms=place.at_ms)
    return Obstacle(kind="due", text="It is scheduled for later.", until_ms=place.at_ms)


def _number_busy(place: Place) -> str:
    if place.on_the_line:
        return f"Call {place.waits_for} to its number is on the line; this one waits for its end."
    return "Another call to its number is being placed, is reconciled or was over a moment ago."


def _activity(place: Place) -> Obstacle:
    if place.at_ms is not None:
        text = (
            "Twilio gave no clear answer, so the phone may or may not have rung. It is "
            "looked up in Twilio's list of calls, and dialed again only if it is not there."
        )
        until_ms = place.reconciled_by_ms or place.at_ms
        return Obstacle(kind="unknown-outcome", text=text, until_ms=until_ms)
    if place.marked:
        return Obstacle(kind="being-placed", text="Twilio is being asked to place it now.")
    return Obstacle(kind="claimed", text="A worker holds it and is about to dial.")


def _of_place(place: Place, stats: Stats) -> Iterator[Obstacle]:
    if place.state in (State.WAITING, State.DELAYED):
        yield from of_queue(stats, place.now_ms, is_waiting=place.state is State.WAITING)


def of_queue(stats: Stats, now_ms: int, *, is_waiting: bool) -> Iterator[Obstacle]:
    """Yield what holds up every call that has not started; the limit only where one waits."""
    pause = stats.pause
    if pause and pause.by == SYSTEM:
        yield Obstacle(
            kind="account", text=f"The queue paused itself. {pause.reason or ''}".rstrip()
        )
    elif pause:
        yield Obstacle(kind="paused", text=f"The queue is paused by {pause.by}.")
    if not stats.workers:
        yield Obstacle(kind="no-worker", text="No worker is running.")
    if stats.circuit_open_until_ms is not None:
        text = "Twilio refuses calls; one is let through every few seconds."
        yield Obstacle(kind="circuit-open", text=text, until_ms=stats.circuit_open_until_ms)
    use = stats.rate_use
    if is_waiting and use and use.reset_ms:
        text = f"The limit of {use.rate.max_starts} starts in {use.rate.window_ms / 1000:g} "
        text += "seconds is used up."
        yield Obstacle(kind="limit", text=text, until_ms=now_ms + use.reset_ms)


def _expected_ms(place: Place, stats: Stats, rule: Obstacle | None) -> int | None:
    stopped = (
        any(_of_campaign(place))
        or stats.pause
        or not stats.workers
        or stats.circuit_open_until_ms is not None
    )
    if stopped or place.state not in (State.WAITING, State.DELAYED):
        return None
    if rule:
        return rule.until_ms
    if place.state is State.DELAYED:
        return place.at_ms
    return place.now_ms + (stats.rate_use.wait_ms(place.ahead) if stats.rate_use else 0)
