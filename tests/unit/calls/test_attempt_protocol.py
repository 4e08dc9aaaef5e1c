"""The attempt protocol as a small model, all of whose states are visited.

One call, two workers, a reconciler and Twilio. Workers die, freeze and wake at any
point; leases run out at any point; requests get lost, answers get lost. The
steps stand for this code:

============  ======================================================================
``take``      `queue/lua/claim.lua`, with `broker/fetcher.py`
``begin``     `queue/lua/start_dialing.lua`: the lease is checked, then the mark is written
``send``      `twilio/connection.py`: the request leaves before its deadline, or never
``finish``    `queue/lua/finish.lua`: fenced by the attempt's token
``expire``    `take_back` in `queue/lua/claim.lua`
``reconcile`` `reconciliation.py`: found in Twilio's list, or absent from it at the horizon
``callback``  Twilio tells of a ring, with the attempt's token, once or never, at any
              time: ``finish`` again, fenced by the same token, from `status_callbacks.py`
============  ======================================================================

What the model takes for granted, and the settings see to: at the horizon the
deadline of the attempt has passed, nothing of it is under way any more, and
Twilio's list shows all that rang.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

#: Attempts, and deaths of workers, beyond which nothing new happens.
MOST_ATTEMPTS = 3
MOST_DEATHS = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol, with faults that can be put back one by one."""

    lease_is_checked: bool = True
    mark_comes_first: bool = True
    reconciler_waits: bool = True
    deadline_is_kept: bool = True
    finish_is_fenced: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """Everything at one moment. Attempts are numbered from 0."""

    #: waiting, held, marked, unknown, completed or failed.
    call: str = "waiting"
    holder: int | None = None
    #: The attempt whose mark stands, or stood last.
    mark: int | None = None
    attempts: int = 0
    #: Each worker: what it is doing, and for which attempt.
    workers: tuple[tuple[str, int | None], ...] = (("idle", None), ("idle", None))
    #: Requests on their way to Twilio.
    flying: frozenset[int] = frozenset()
    #: Attempts that Twilio rang a phone for, once for each ring.
    rings: tuple[int, ...] = ()
    #: Attempts whose ring Twilio has told of by callback.
    told: frozenset[int] = frozenset()
    #: Attempts whose deadline has passed.
    late: frozenset[int] = frozenset()
    deaths: int = 0

    def working(self, worker: int, doing: str, attempt: int | None = None) -> World:
        """The same with one worker doing something else."""
        workers = list(self.workers)
        workers[worker] = (doing, attempt)
        return replace(self, workers=tuple(workers))


def steps(world: World, rules: Rules) -> Iterator[World]:
    """Every world that can come next."""
    for worker, (doing, attempt) in enumerate(world.workers):
        yield from _worker_steps(world, worker, doing, attempt, rules)
    for attempt in world.flying:
        landed = replace(world, flying=world.flying - {attempt})
        yield landed
        yield replace(landed, rings=(*world.rings, attempt))
    for attempt in set(world.rings) - world.told:
        yield _finish(replace(world, told=world.told | {attempt}), "accepted", attempt, rules)
    for attempt in range(world.attempts):
        if attempt not in world.late:
            yield replace(world, late=world.late | {attempt})
    if world.call == "held":
        yield replace(world, call="waiting", holder=None)
    if world.call == "marked":
        yield replace(world, call="unknown", holder=None)
    if world.call == "unknown":
        yield from _reconcile(world, rules)


def _worker_steps(
    world: World, worker: int, doing: str, attempt: int | None, rules: Rules
) -> Iterator[World]:
    if doing != "idle" and world.deaths < MOST_DEATHS:
        yield replace(world.working(worker, "idle"), deaths=world.deaths + 1)
    if doing == "idle" and world.call == "waiting":
        yield replace(world.working(worker, "took"), call="held", holder=worker)
    elif doing == "took":
        yield _begin(world, worker, rules)
    elif doing == "begun":
        yield from _send(world, worker, attempt or 0, rules)
    elif doing == "sent" and attempt not in world.flying:
        rang = attempt in world.rings
        yield world.working(worker, "accepted" if rang else "refused", attempt)
        yield world.working(worker, "unknown", attempt)
    elif doing in ("accepted", "refused", "unknown", "unsent"):
        yield _finish(world.working(worker, "idle"), doing, attempt, rules)


def _begin(world: World, worker: int, rules: Rules) -> World:
    allowed = world.call == "held" and world.holder == worker
    if not allowed and (rules.lease_is_checked or world.call in ("completed", "failed")):
        return world.working(worker, "idle")
    if world.attempts == MOST_ATTEMPTS:
        return replace(world.working(worker, "idle"), call="failed", holder=None)
    attempt = world.attempts
    started = replace(world.working(worker, "begun", attempt), attempts=attempt + 1)
    if not rules.mark_comes_first:
        return started
    return replace(started, call="marked", holder=worker, mark=attempt)


def _send(world: World, worker: int, attempt: int, rules: Rules) -> Iterator[World]:
    if attempt in world.late and rules.deadline_is_kept:
        yield world.working(worker, "unsent", attempt)
        return
    sent = world.working(worker, "sent", attempt)
    sent = replace(sent, flying=world.flying | {attempt})
    if not rules.mark_comes_first and world.call == "held" and world.holder == worker:
        yield sent  # and dies before it writes the mark
        sent = replace(sent, call="marked", mark=attempt)
    yield sent


def _finish(world: World, outcome: str, attempt: int | None, rules: Rules) -> World:
    stands = world.call in ("marked", "unknown") and world.mark == attempt
    if not stands and rules.finish_is_fenced:
        return world  # superseded: a ring, if there is one, is ended at Twilio
    if world.call in ("completed", "failed"):
        return world
    call = {"accepted": "completed", "unknown": "unknown"}.get(outcome, "waiting")
    return replace(world, call=call, holder=None)


def _reconcile(world: World, rules: Rules) -> Iterator[World]:
    rang = world.mark in world.rings
    if rang:
        yield replace(world, call="completed")
    at_horizon = world.mark in world.late and world.mark not in world.flying and not rang
    if at_horizon or not rules.reconciler_waits:
        yield replace(world, call="waiting")


def explore(
    rules: Rules, stop: Callable[[World], bool] = lambda _: False
) -> dict[World, list[World]]:
    """Every world that can be reached, with those that can come next; or until one is enough."""
    known: dict[World, list[World]] = {}
    open_worlds = [World()]
    while open_worlds:
        world = open_worlds.pop()
        if world not in known:
            known[world] = list(steps(world, rules))
            open_worlds += known[world]
            if stop(world):
                break
    return known


def broken(known: dict[World, list[World]]) -> list[World]:
    """Worlds in which a phone rang more than once."""
    return [world for world in known if len(world.rings) > 1]


def stuck(known: dict[World, list[World]]) -> list[World]:
    """Worlds from which the call cannot end any more."""
    before: dict[World, list[World]] = {world: [] for world in known}
    for world, following in known.items():
        for each in following:
            before[each].append(world)
    ends = [world for world in known if world.call in ("completed", "failed")]
    reached = set(ends)
    while ends:
        for each in before[ends.pop()]:
            if each not in reached:
                reached.add(each)
                ends.append(each)
    return [world for world in known if world not in reached]


def test_no_path_rings_twice_and_none_loses_the_call() -> None:
    """Over all interleavings of two workers, a reconciler, deaths, delays and lost messages."""
    known = explore(Rules())
    assert len(known) > 11_000
    assert not broken(known)
    assert not stuck(known)
    completed = [world for world in known if world.call == "completed"]
    assert completed
    assert all(len(world.rings) == 1 for world in completed)


@pytest.mark.parametrize(
    "fault",
    [
        Rules(lease_is_checked=False),
        Rules(mark_comes_first=False),
        Rules(reconciler_waits=False),
        Rules(deadline_is_kept=False),
        Rules(finish_is_fenced=False),
    ],
    ids=lambda rules: next(name for name in Rules.__slots__ if not getattr(rules, name)),
)
def test_each_rule_is_needed(fault: Rules) -> None:
    """Put any one fault back, and some path goes wrong."""
    known = explore(fault, stop=wrong)
    assert any(map(wrong, known))


def wrong(world: World) -> bool:
    """A phone rang twice, or a call that rang nobody counts as placed."""
    return len(world.rings) > 1 or (world.call == "completed" and not world.rings)
